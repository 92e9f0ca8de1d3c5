//! Skin temperature, C: mean of 60 s. Outside of 30 to 40 C a wrist is unlikely: a flag
//! only, since cold hands are real.

/// What a sensor on or near a person can read, C.
pub(crate) fn plausible_skin(celsius: f64) -> bool {
    (10.0..=45.0).contains(&celsius)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cold_hand_counts_and_a_broken_sensor_does_not() {
        assert!(plausible_skin(27.5));
        assert!(!plausible_skin(-273.0));
        assert!(!plausible_skin(f64::NAN));
    }
}
