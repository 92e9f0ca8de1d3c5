//! What the detector says, as it travels and is kept.

use biosignal::{DeviceId, PersonId, Timestamp};
use bus::wire;
use detector::{AlertTransition, Level};
use sha2::{Digest, Sha256};

use super::consumed::Consumed;

/// What makes two runs comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) detector_version: String,
    pub(super) model: String,
    pub(super) configuration: String,
}

/// Who a decision is about and how it came.
pub(super) struct Context<'a> {
    pub(super) person: &'a PersonId,
    pub(super) device: &'a DeviceId,
    pub(super) decided_at: Timestamp,
    pub(super) session: &'a str,
    pub(super) identity: &'a Identity,
}

/// A tick, and the batches that were pushed before it.
pub(super) fn step(decided_at: Timestamp, inputs: &Consumed) -> wire::Step {
    let inputs = inputs.ranges().map(|(epoch, range)| wire::BatchRange {
        epoch,
        first: *range.start(),
        last: *range.end(),
    });
    wire::Step { decided_at_us: decided_at.as_micros(), inputs: inputs.collect() }
}

pub(super) fn assessment(
    assessment: &detector::Assessment,
    context: &Context<'_>,
    steps: Vec<wire::Step>,
) -> wire::Assessment {
    wire::Assessment {
        device: context.device.to_string(),
        person: context.person.to_string(),
        at_us: assessment.at.as_micros(),
        decided_at_us: context.decided_at.as_micros(),
        level: level(assessment.level).into(),
        score: assessment.score,
        quality: assessment.quality,
        cause: assessment.cause.map(|cause| cause.name().to_owned()).unwrap_or_default(),
        personal: assessment.personal,
        reasons: assessment.reasons.iter().map(reason).collect(),
        features: assessment.features.iter().map(named_value).collect(),
        steps,
        detector_version: context.identity.detector_version.clone(),
        model: context.identity.model.clone(),
        configuration: context.identity.configuration.clone(),
        session: context.session.to_owned(),
    }
}

pub(super) fn alert(transition: &AlertTransition, context: &Context<'_>) -> wire::Alert {
    use wire::alert::Transition;
    let kind = match transition {
        AlertTransition::Raised(_) => Transition::Raised,
        AlertTransition::Escalated(_) => Transition::Escalated,
        AlertTransition::Ended(_) => Transition::Ended,
    };
    let alert = transition.alert();
    wire::Alert {
        id: alert_id(context.person, alert.raised_at).to_string(),
        device: context.device.to_string(),
        person: context.person.to_string(),
        level: level(alert.level).into(),
        transition: kind.into(),
        at_us: alert.at.as_micros(),
        reasons: alert.reasons.iter().map(reason).collect(),
        quality: alert.quality,
        score: alert.score,
    }
}

/// An alert's id, the same whenever it is judged again: a UUID version 7 of the moment
/// it was raised, with a digest of the person in place of chance.
fn alert_id(person: &PersonId, raised_at: Timestamp) -> uuid::Uuid {
    let mut digest = Sha256::new();
    digest.update(person.as_str());
    digest.update(raised_at.as_micros().to_be_bytes());
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest.finalize()[..10]);
    let millis = u64::try_from(raised_at.as_micros() / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

fn level(level: Level) -> wire::assessment::Level {
    use wire::assessment::Level as Wire;
    match level {
        Level::NoReading => Wire::NoReading,
        Level::Learning => Wire::Learning,
        Level::Settled => Wire::Settled,
        Level::Rising => Wire::Rising,
        Level::High => Wire::High,
    }
}

fn reason(reason: &detector::Reason) -> wire::Reason {
    wire::Reason {
        text: reason.text.clone(),
        feature: reason.feature.to_string(),
        value: reason.value,
        usual: reason.usual,
        unit: reason.unit.to_string(),
        contribution: reason.contribution,
    }
}

fn named_value((name, value): (&str, f64)) -> wire::NamedValue {
    wire::NamedValue { name: name.to_owned(), value }
}
