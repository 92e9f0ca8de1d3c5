//! Pulse amplitude, in counts of the optical sensor: median height of the band-passed
//! pulse wave from foot to top. It falls when vessels of the skin narrow; only changes
//! within a person on one band mean anything.

use super::scl::median;
use crate::beats::Beat;

pub(crate) fn pulse_amplitude(beats: &[Beat]) -> Option<f64> {
    let mut heights = Vec::with_capacity(beats.len());
    let kept = beats.iter().filter(|beat| beat.clean && beat.amplitude > 0.0);
    heights.extend(kept.map(|beat| beat.amplitude));
    if heights.len() < 10 { None } else { median(&mut heights) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::hr::tests::reference_beats;
    use crate::golden::Window;

    #[test]
    fn one_wild_beat_does_not_move_it() {
        let mut beats = reference_beats(&Window::read());
        beats[3].amplitude = 1e6;
        assert_eq!(pulse_amplitude(&beats), Some(1.0));
        assert_eq!(pulse_amplitude(&beats[..5]), None);
    }
}
