//! Pulse amplitude, in counts of the optical sensor: median height of the band-passed
//! pulse wave from foot to top. It falls when vessels of the skin narrow; only changes
//! within a person on one band mean anything.

use super::scl::median;
use crate::beats::Beat;

pub(crate) fn pulse_amplitude<'a>(beats: impl Iterator<Item = &'a Beat>) -> Option<f64> {
    let heights = beats.filter(|beat| beat.clean && beat.amplitude > 0.0);
    let mut kept = Vec::with_capacity(heights.size_hint().1.unwrap_or(0));
    heights.for_each(|beat| kept.push(beat.amplitude));
    if kept.len() < 10 { None } else { median(&mut kept) }
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
        assert_eq!(pulse_amplitude(beats.iter()), Some(1.0));
        assert_eq!(pulse_amplitude(beats[..5].iter()), None);
    }
}
