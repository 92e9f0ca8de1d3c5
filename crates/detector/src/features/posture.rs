//! Posture, degrees: two angles of gravity in the band's frame, from acceleration behind a
//! Butterworth low-pass of order 2 at 0.25 Hz. Pitch: the forearm (x) against the
//! horizontal; roll: around the forearm.
//!
//! Reference: `scipy.signal.sosfilt`, 1e-9.

/// The forearm's angle against the horizontal.
pub(crate) fn pitch_deg([x, y, z]: [f64; 3]) -> f64 {
    x.atan2(y.hypot(z)).to_degrees()
}

/// The angle around the forearm.
pub(crate) fn roll_deg([_, y, z]: [f64; 3]) -> f64 {
    y.atan2(z).to_degrees()
}

/// The angle between two directions; missing where one has no length.
pub(crate) fn angle_between(one: [f64; 3], other: [f64; 3]) -> Option<f64> {
    let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    (lengths > 0.0).then(|| (dot(one, other) / lengths).clamp(-1.0, 1.0).acos().to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Cascade, low_pass};
    use crate::golden::{Window, assert_close};

    #[test]
    fn angles_are_those_behind_scipys_filter() {
        let reference = Window::read();
        let rows = reference.acceleration();
        let sections = [low_pass(0.25, 32.0)];
        let mut filters = rows[0].map(|axis| Cascade::settled(&sections, axis));
        let mut gravity = [0.0; 3];
        for row in rows {
            gravity = std::array::from_fn(|axis| filters[axis].step(&sections, row[axis]));
        }
        assert_close(pitch_deg(gravity), reference.number("motion", "pitch_deg"), 1e-9);
        assert_close(roll_deg(gravity), reference.number("motion", "roll_deg"), 1e-9);
    }

    #[test]
    fn a_quarter_turn_is_ninety_degrees() {
        assert_close(angle_between([1.0, 0.0, 0.0], [0.0, 0.0, 2.0]).unwrap(), 90.0, 1e-12);
        assert_eq!(angle_between([0.0; 3], [1.0, 0.0, 0.0]), None);
    }
}
