//! The detector's features by name, and which signal each comes from.

use detector::{Feature, Inputs, Signal};

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
    let of_signal = |name: &String| {
        Feature::ALL.into_iter().any(|it| it.name() == feature_of(name) && it.signal() == signal)
    };
    Inputs::names().iter().map(of_signal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_comes_from_a_signal() {
        let all = [Signal::Heart, Signal::Eda, Signal::Motion, Signal::Temperature].map(inputs_of);
        for (place, name) in Inputs::names().iter().enumerate() {
            assert_eq!(all.iter().filter(|it| it[place]).count(), 1, "{name}");
        }
        assert_eq!(feature_of("heart_rate.minute"), "heart_rate");
    }
}
