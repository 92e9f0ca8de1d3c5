//! One wearer under watch: the detector, what it was given, and what it said.
//!
//! Everything that a decision depends on is written into it: which batches were pushed
//! before which tick. The same steps on the same batches give the same bytes again.

use std::sync::Arc;

use anyhow::Context;
use biosignal::{DeviceId, PersonId, Reading, Timestamp};
use bus::wire;
use detector::{Detector, Output};
use serde::{Deserialize, Serialize};

use super::consumed::Consumed;
use super::message;

/// The rules and the model that judge everybody.
#[derive(Clone)]
pub(crate) struct Judge {
    config: detector::Config,
    model: Arc<detector::Model>,
}

impl Judge {
    pub(crate) fn new(config: detector::Config, model: Arc<detector::Model>) -> Self {
        Self { config, model }
    }

    /// What makes two runs comparable: detector version, model and configuration.
    pub(super) fn identity(&self) -> message::Identity {
        message::Identity {
            detector_version: detector::VERSION.to_owned(),
            model: self.model.id().to_owned(),
            configuration: self.config.fingerprint(),
        }
    }
}

/// A person with a band on, as the detector sees them.
pub(super) struct Wearer {
    person: PersonId,
    device: DeviceId,
    /// Readings from before belong to somebody else.
    since: Timestamp,
    identity: message::Identity,
    session: String,
    detector: Detector,
    consumed: Consumed,
    /// Batches since the last tick.
    inputs: Consumed,
    /// Ticks since the last decision, with what came before each.
    steps: Vec<wire::Step>,
}

/// What a tick led to, ready to be kept and then published.
pub(super) struct Decision {
    pub(super) assessments: Vec<wire::Assessment>,
    pub(super) alerts: Vec<wire::Alert>,
    /// The wearer's state right after.
    pub(super) snapshot: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    device: DeviceId,
    /// Batches of that device: each device's are numbered by themselves.
    consumed: Consumed,
    detector: Vec<u8>,
}

impl Wearer {
    /// Starts watching without any memory of the person.
    pub(super) fn fresh(
        person: PersonId,
        device: DeviceId,
        since: Timestamp,
        judge: &Judge,
        session: String,
    ) -> Self {
        Self {
            person,
            device,
            since,
            identity: judge.identity(),
            session,
            detector: Detector::new(judge.config.clone(), Arc::clone(&judge.model)),
            consumed: Consumed::default(),
            inputs: Consumed::default(),
            steps: Vec::new(),
        }
    }

    /// Goes on from a snapshot, which may be of the time when the person wore another band.
    pub(super) fn resumed(
        self,
        snapshot: &[u8],
        judge: &Judge,
        session: String,
    ) -> anyhow::Result<Self> {
        let Snapshot { device, consumed, detector } =
            postcard::from_bytes(snapshot).context("detector snapshot")?;
        let consumed = if device == self.device { consumed } else { Consumed::default() };
        let detector =
            Detector::restore(judge.config.clone(), Arc::clone(&judge.model), &detector)?;
        Ok(Self { session, detector, consumed, ..self })
    }

    pub(super) fn person(&self) -> &PersonId {
        &self.person
    }

    pub(super) fn device(&self) -> &DeviceId {
        &self.device
    }

    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// Whether it was ever fed what this band sent.
    pub(super) fn knows_the_band(&self) -> bool {
        !self.consumed.is_empty()
    }

    /// Gives the detector a batch; false where it has had it already.
    pub(super) fn feed(&mut self, epoch: u64, sequence: u64, readings: &[Reading]) -> bool {
        if !self.consumed.insert(epoch, sequence) {
            return false;
        }
        self.inputs.insert(epoch, sequence);
        for reading in readings.iter().filter(|reading| reading.measured_at >= self.since) {
            self.detector.push(reading);
        }
        true
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Timestamp) -> anyhow::Result<Option<Decision>> {
        self.steps.push(message::step(now, &self.inputs.take()));
        let outputs = self.detector.tick(now);
        if outputs.is_empty() {
            return Ok(None);
        }
        let mut decision =
            Decision { assessments: Vec::new(), alerts: Vec::new(), snapshot: self.snapshot()? };
        for output in outputs {
            match output {
                Output::Assessment(assessment) => {
                    let steps = std::mem::take(&mut self.steps);
                    let context = self.context(now);
                    decision.assessments.push(message::assessment(&assessment, &context, steps));
                }
                Output::Alert(transition) => {
                    decision.alerts.push(message::alert(&transition, &self.context(now)));
                }
            }
        }
        Ok(Some(decision))
    }

    fn context(&self, now: Timestamp) -> message::Context<'_> {
        message::Context {
            person: &self.person,
            device: &self.device,
            decided_at: now,
            session: &self.session,
            identity: &self.identity,
        }
    }

    fn snapshot(&self) -> anyhow::Result<Vec<u8>> {
        let snapshot = Snapshot {
            device: self.device.clone(),
            consumed: self.consumed.clone(),
            detector: self.detector.snapshot(),
        };
        postcard::to_stdvec(&snapshot).context("detector snapshot")
    }
}
