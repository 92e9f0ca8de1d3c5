use crate::Reason;
use crate::baseline::Baseline;
use crate::features::{Feature, FeatureVector};
use crate::model::{Contributions, Model};

/// A lesser contribution to the logit is not worth a word.
const WORTH: f64 = 0.3;
const MOST: usize = 3;

/// What weighed most, heaviest first; with `always`, at least the heaviest.
pub(crate) fn reasons(
    contributions: &Contributions,
    features: &FeatureVector,
    baseline: &Baseline,
    model: &Model,
    always: bool,
) -> Vec<Reason> {
    let mut most: Vec<(Feature, f64, f64)> = Vec::with_capacity(MOST + 1);
    for (feature, contribution) in Feature::ALL.into_iter().zip(contributions.0) {
        let Some(value) = features.of(feature) else { continue };
        let place = most.iter().take_while(|more| more.2.total_cmp(&contribution).is_ge()).count();
        if place < MOST && (contribution > WORTH || always && place == 0) {
            most.insert(place, (feature, value, contribution));
            most.truncate(MOST);
        }
    }
    // What was heaviest among the light ones goes where another is.
    let worth = most.iter().take_while(|found| found.2 > WORTH).count();
    most.truncate(worth.max(usize::from(always)));
    let reason = |(feature, value, contribution): (Feature, f64, f64)| {
        let usual = feature.plain(baseline.usual(feature, model));
        Reason {
            text: words(feature, value, usual),
            feature: feature.name(),
            value,
            usual: Some(usual),
            unit: feature.unit(),
            contribution,
        }
    };
    most.into_iter().map(reason).collect()
}

/// A reason in words that need no training, with the person's own usual value.
fn words(feature: Feature, value: f64, usual: f64) -> String {
    let thousandths = |g: f64| g * 1e3;
    match feature {
        Feature::HeartRate | Feature::HeartRateNow | Feature::HeartRateTracked => {
            let side = if value >= usual { "above" } else { "below" };
            let off = (value - usual).abs();
            format!("Heart rate {off:.0} {side} usual ({value:.0}, usually {usual:.0})")
        }
        Feature::HeartRateResidual => {
            format!("Heart rate {value:+.0} against what movement explains (usually {usual:+.0})")
        }
        Feature::Sdnn => format!("Heart rhythm varies by {value:.0} ms (usually {usual:.0})"),
        Feature::Rmssd => format!("Beat-to-beat variation {value:.0} ms (usually {usual:.0})"),
        Feature::Pnn50 => format!("Beats that differ much {value:.0} % (usually {usual:.0})"),
        Feature::PulseAmplitude => format!("Pulse wave height {value:.0} (usually {usual:.0})"),
        Feature::PulseAgreement | Feature::PulseClean | Feature::PulseCleanNow => {
            format!("Pulse readable for {:.0} % (usually {:.0})", 100.0 * value, 100.0 * usual)
        }
        Feature::Scl | Feature::SclNow => format!("Sweat level {value:.1} uS (usually {usual:.1})"),
        Feature::SclSlope => {
            format!("Sweat level changing by {value:+.2} uS a minute (usually {usual:+.2})")
        }
        Feature::EdaRising => {
            let (value, usual) = (100.0 * value, 100.0 * usual);
            format!("Sweat rising for {value:.0} % of the time (usually {usual:.0})")
        }
        Feature::SclLogSlope => {
            let (value, usual) = (100.0 * value, 100.0 * usual);
            format!("Sweat level changing by {value:+.0} % a minute (usually {usual:+.0})")
        }
        Feature::ScrRate => format!("Sweat responses {value:.0} a minute (usually {usual:.0})"),
        Feature::ScrAmplitude => {
            format!("Sweat responses of {value:.2} uS in a minute (usually {usual:.2})")
        }
        Feature::ScrRise => format!("Sweat responses rise in {value:.1} s (usually {usual:.1})"),
        Feature::PhasicDeviation => {
            format!("Sweat moves by {value:.2} uS within the minute (usually {usual:.2})")
        }
        Feature::SkinTemperature => format!("Skin temperature {value:.1} C (usually {usual:.1})"),
        Feature::TemperatureSlope3 | Feature::TemperatureSlope5 => {
            format!("Skin temperature changing by {value:+.2} C a minute (usually {usual:+.2})")
        }
        Feature::Enmo => {
            let (value, usual) = (thousandths(value), thousandths(usual));
            format!("Effort of movement {value:.0} mg (usually {usual:.0})")
        }
        Feature::Activity => {
            let (value, usual) = (thousandths(value), thousandths(usual));
            format!("Movement {value:.0} mg (usually {usual:.0})")
        }
        Feature::Jerk => format!("Jerkiness {value:.1} g/s (usually {usual:.1})"),
        Feature::StereotypyRate => {
            format!("Rhythm of movement {value:.1} a second (usually {usual:.1})")
        }
        Feature::Stereotypy | Feature::StereotypyBand => {
            let (value, usual) = (100.0 * value, 100.0 * usual);
            format!("Rhythmic movement {value:.0} % (usually {usual:.0})")
        }
        Feature::BreathRatio => {
            let side = if value >= usual { "quicker" } else { "slower" };
            format!("Breathing looks {side} than usual ({value:+.1}, usually {usual:+.1})")
        }
        Feature::BreathLine => {
            let side = if value >= usual { "more" } else { "less" };
            format!("Quick breathing shows {side} than usual ({value:.1}, usually {usual:.1})")
        }
        Feature::PosturePitch | Feature::PostureRoll => {
            format!("Forearm at {value:.0} degrees (usually {usual:.0})")
        }
        Feature::PostureChange => {
            format!("Forearm turned by {value:.0} degrees (usually {usual:.0})")
        }
        Feature::MovementBurst => {
            format!("Movement comes in bursts by {value:.1} (usually {usual:.1})")
        }
        Feature::PostureWander => {
            let (value, usual) = (thousandths(value), thousandths(usual));
            let side = if value < usual { "stiller" } else { "less still" };
            format!("Arm held {side} than usual ({value:.0} mg a second, usually {usual:.0})")
        }
    }
}
