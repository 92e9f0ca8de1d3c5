//! The whole causal detector, run over a stream as it would have run live.

use std::sync::Arc;

use biosignal::{MICROS_PER_SECOND, Timestamp};
use detector::{Alert, AlertTransition, Assessment, Config, Detector, Model, Output};

use crate::stream::Stream;

/// The detector's usual hop, s: what is found in between is news for staff, not a row.
pub(crate) const HOP_S: i64 = 10;

/// What a detector found.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// One finding a hop, as often as the configuration asks.
    pub(crate) assessments: Vec<Assessment>,
    /// Alerts as they began and as they got worse.
    pub(crate) alerts: Vec<Alert>,
}

/// Runs a new detector over a stream, one tick a second.
pub(crate) fn run(stream: &Stream, config: &Config, model: &Arc<Model>) -> Run {
    let mut found = Run::default();
    play(stream, config, model, stream.end, |output| match output {
        Output::Assessment(it) if is_row(&it, stream, config) => found.assessments.push(it),
        Output::Alert(AlertTransition::Raised(alert) | AlertTransition::Escalated(alert)) => {
            found.alerts.push(alert);
        }
        _ => {}
    });
    found
}

/// The detector as it stood before the last second of the hop that ends at a moment.
pub(crate) fn before(
    stream: &Stream,
    config: &Config,
    model: &Arc<Model>,
    end: Timestamp,
) -> Detector {
    play(stream, config, model, end.plus_micros(-MICROS_PER_SECOND), |_| {})
}

fn play(
    stream: &Stream,
    config: &Config,
    model: &Arc<Model>,
    until: Timestamp,
    mut hear: impl FnMut(Output),
) -> Detector {
    let mut detector = Detector::new(config.clone(), Arc::clone(model));
    let mut readings = stream.readings.iter().peekable();
    let first = stream.start.as_micros().div_euclid(MICROS_PER_SECOND) + 1;
    let wait = i64::from(config.lateness_s);
    let last = until.as_micros().div_euclid(MICROS_PER_SECOND) + wait;
    for second in first..=last {
        let now = Timestamp::from_seconds(second);
        while let Some(reading) = readings.next_if(|reading| reading.end() <= now) {
            detector.push(reading);
        }
        detector.tick(now).into_iter().for_each(&mut hear);
    }
    detector
}

/// Whether a finding ends a hop of the stream.
fn is_row(assessment: &Assessment, stream: &Stream, config: &Config) -> bool {
    let hop = i64::from(config.hop_s) * MICROS_PER_SECOND;
    assessment.at > stream.start && assessment.at.as_micros().rem_euclid(hop) == 0
}
