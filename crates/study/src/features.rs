//! The detector's features by name, and which signal each comes from.

use detector::{Feature, Inputs};

/// The signal that a feature comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Heart,
    Eda,
    Motion,
    Temperature,
}

/// Every feature that the detector computes, in its order.
pub(crate) fn names() -> [&'static str; Feature::ALL.len()] {
    Feature::ALL.map(Feature::name)
}

/// The feature that an input of a model is made of.
pub(crate) fn feature_of(input: &str) -> &str {
    input.split_once('.').map_or(input, |(feature, _)| feature)
}

/// How an input looks at its feature.
pub(crate) fn view_of(input: &str) -> &str {
    input.split_once('.').map_or("", |(_, view)| view)
}

/// The places of the inputs that a signal gives.
pub(crate) fn inputs_of(signal: Signal) -> Vec<bool> {
    Inputs::names().iter().map(|name| signal_of(feature_of(name)) == Some(signal)).collect()
}

/// The signal of a feature, by the words in its name.
fn signal_of(feature: &str) -> Option<Signal> {
    const WORDS: [(Signal, &[&str]); 4] = [
        (Signal::Temperature, &["temperature"]),
        (Signal::Heart, &["heart", "beat", "rmssd", "sdnn", "pnn50", "pulse", "hf", "lf", "ibi"]),
        (Signal::Eda, &["scl", "scr", "eda", "phasic"]),
        (
            Signal::Motion,
            &[
                "activity",
                "movement",
                "jerk",
                "enmo",
                "breath",
                "stereotypy",
                "posture",
                "motion",
                "rhythm",
                "tilt",
            ],
        ),
    ];
    let parts: Vec<&str> = feature.split('_').collect();
    WORDS.iter().find_map(|(signal, words)| {
        parts.iter().any(|part| words.contains(part)).then_some(*signal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_comes_from_a_signal() {
        for name in names() {
            assert!(signal_of(name).is_some(), "{name} comes from no signal");
        }
        assert_eq!(signal_of("scr_rate"), Some(Signal::Eda));
        assert_eq!(feature_of("heart_rate.minute"), "heart_rate");
        assert_eq!(inputs_of(Signal::Eda).len(), Inputs::names().len());
    }
}
