use crate::Reason;
use crate::baseline::Baseline;
use crate::features::{COUNT, Feature, FeatureVector};
use crate::model::Model;

/// A lesser contribution to the logit is not worth a word.
const WORTH: f64 = 0.3;
const MOST: usize = 3;

/// What weighed most, heaviest first; with `always`, at least the heaviest.
pub(crate) fn reasons(
    contributions: &[f64; COUNT],
    features: &FeatureVector,
    baseline: &Baseline,
    model: &Model,
    always: bool,
) -> Vec<Reason> {
    let mut found: Vec<Reason> = Feature::ALL
        .into_iter()
        .filter_map(|feature| {
            let value = features.of(feature)?;
            let usual = baseline.usual(feature, model).usual;
            Some(reason(feature, value, usual, contributions[feature as usize]))
        })
        .collect();
    found.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
    let worth = found.iter().take_while(|reason| reason.contribution > WORTH).count().min(MOST);
    found.truncate(worth.max(usize::from(always)));
    found
}

/// A reason in words, with both values in a unit that says something.
fn reason(feature: Feature, value: f64, usual: f64, contribution: f64) -> Reason {
    let (value, usual) = (plain(feature, value), plain(feature, usual));
    let more = value >= usual;
    let text = match feature {
        Feature::HeartRate => {
            let side = if more { "above" } else { "below" };
            format!(
                "Heart rate {:.0} {side} usual ({value:.0}, usually {usual:.0})",
                (value - usual).abs()
            )
        }
        Feature::LnRmssd => format!("Beat-to-beat variation {value:.0} ms (usually {usual:.0})"),
        Feature::LnSdnn => format!("Heart rhythm variation {value:.0} ms (usually {usual:.0})"),
        Feature::LnScl => format!("Sweat level {value:.1} uS (usually {usual:.1})"),
        Feature::SclSlope => {
            format!("Sweat level changing by {value:+.2} uS a minute (usually {usual:+.2})")
        }
        Feature::ScrRate => format!("Sweat responses {value:.0} a minute (usually {usual:.0})"),
        Feature::LnScrAmplitude => {
            format!("Sweat responses of {value:.2} uS a minute (usually {usual:.2})")
        }
        Feature::TemperatureSlope => {
            format!("Skin temperature changing by {value:+.2} C a minute (usually {usual:+.2})")
        }
        Feature::LnActivity => format!("Movement {value:.0} mg (usually {usual:.0})"),
        Feature::LnJerk => format!("Jerkiness {value:.1} g/s (usually {usual:.1})"),
        Feature::Enmo => format!("Effort of movement {value:.0} mg (usually {usual:.0})"),
    };
    Reason {
        text,
        feature: feature.name(),
        value,
        usual: Some(usual),
        unit: unit(feature),
        contribution,
    }
}

/// The value as people know it, without logarithm.
fn plain(feature: Feature, value: f64) -> f64 {
    match feature {
        Feature::LnRmssd | Feature::LnSdnn => value.exp(),
        Feature::LnScl => value.exp() - 0.1,
        Feature::LnScrAmplitude => (value.exp() - 0.05).max(0.0),
        Feature::LnActivity => (value.exp() - 1e-3).max(0.0) * 1e3,
        Feature::LnJerk => (value.exp() - 1e-2).max(0.0),
        Feature::Enmo => value * 1e3,
        _ => value,
    }
}

const fn unit(feature: Feature) -> &'static str {
    match feature {
        Feature::HeartRate => "beat/min",
        Feature::LnRmssd | Feature::LnSdnn => "ms",
        Feature::LnScl => "uS",
        Feature::SclSlope | Feature::LnScrAmplitude => "uS/min",
        Feature::ScrRate => "1/min",
        Feature::TemperatureSlope => "Cel/min",
        Feature::LnActivity | Feature::Enmo => "mg",
        Feature::LnJerk => "g/s",
    }
}

/// The feature's place by its name, for snapshots.
pub(crate) fn place(name: &str) -> u8 {
    let at = Feature::ALL.iter().position(|feature| feature.name() == name);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
}

/// The name and unit of the feature at a place.
pub(crate) fn names(place: u8) -> (&'static str, &'static str) {
    let feature = Feature::ALL[usize::from(place) % COUNT];
    (feature.name(), unit(feature))
}
