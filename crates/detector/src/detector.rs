use std::sync::Arc;

use biosignal::{MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, Scored};
use crate::baseline::Baseline;
use crate::features::{Feature, FeatureVector};
use crate::inbox::{Inbox, Sample};
use crate::pipeline::{HOP_S, KEPT_HOPS, Pipeline};
use crate::{Assessment, Cause, Config, Level, Model, Output, VERSION, reasons, sight, window};

/// At the first tick, samples older than this are history, s.
const FIRST_S: i64 = 60;
/// A tick that is further behind starts anew; what lies between is history, s.
const MAX_CATCH_UP_S: i64 = 600;

/// The detector of one wearer.
#[derive(Clone, Debug)]
pub struct Detector {
    config: Config,
    model: Arc<Model>,
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    inbox: Inbox,
    live: Pipeline,
    history: Pipeline,
    baseline: Baseline,
    alarm: Alarm,
    /// The next second to process; none before the first tick.
    next: Option<i64>,
    first_valid: Option<i64>,
    last_valid: Option<i64>,
    smoothed: Option<f64>,
    /// What hid the wearer at the last second.
    hidden: Option<Cause>,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: String,
    model: String,
    config: String,
    state: State,
}

/// A snapshot that cannot be gone on from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Its bytes are torn.
    #[error("not a snapshot: {0}")]
    Torn(String),
    /// It comes from another detector version, model or configuration.
    #[error("the snapshot is from {found}, not {expected}")]
    Other {
        /// What made it.
        found: String,
        /// What was to go on from it.
        expected: String,
    },
}

impl Detector {
    /// A detector that knows nothing of its wearer.
    #[must_use]
    pub fn new(config: Config, model: Arc<Model>) -> Self {
        Self { config, model, state: State::default() }
    }

    /// Takes a reading, once, in any order.
    pub fn push(&mut self, reading: &Reading) {
        self.state.inbox.push(reading);
    }

    /// Processes every whole second that is due at `now`.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Output> {
        let until =
            now.as_micros().div_euclid(MICROS_PER_SECOND) - i64::from(self.config.lateness_s);
        let next = match self.state.next {
            Some(next) if until - next <= MAX_CATCH_UP_S => next,
            _ => self.start_at(until - FIRST_S),
        };
        let due = self.state.inbox.take_before(until.max(next), now);
        let (history, live) = due.split_at(due.partition_point(|sample| sample.second() < next));
        self.learn_from(history, next);
        let mut outputs = Vec::new();
        let mut rest = live;
        for second in next..until {
            let (samples, after) =
                rest.split_at(rest.partition_point(|sample| sample.second() <= second));
            rest = after;
            self.second(second, samples, &mut outputs);
        }
        self.state.next = Some(next.max(until));
        outputs
    }

    fn start_at(&mut self, second: i64) -> i64 {
        self.state.live = Pipeline::default();
        (self.state.first_valid, self.state.smoothed) = (None, None);
        second
    }

    /// Late samples teach what is usual, and nothing else.
    fn learn_from(&mut self, samples: &[Sample], live_from: i64) {
        for group in samples.chunk_by(|a, b| a.second() == b.second()) {
            let second = group[0].second();
            let next = match self.state.history.at {
                Some(at) if second > at && second - at <= MAX_CATCH_UP_S => at + 1,
                _ => {
                    self.state.history = Pipeline::default();
                    second
                }
            };
            for empty in next..=second {
                let samples = if empty == second { group } else { &[] };
                self.state.history.take(empty, samples);
                if is_hop(empty) {
                    let features = self.state.history.hop();
                    self.remember(empty, &features, live_from);
                    let worn = !sight::off_wrist(&self.state.history.seconds);
                    if worn && signals(&features) >= 2 {
                        self.state.baseline.learn(
                            &features,
                            &self.model,
                            self.config.baseline_half_life_s,
                        );
                    }
                }
            }
        }
    }

    /// Puts a hop that came late among the last minutes, which the next ones are held against.
    fn remember(&mut self, second: i64, features: &FeatureVector, live_from: i64) {
        let newest = live_from.div_euclid(HOP_S) * HOP_S - 1;
        let Ok(age) = usize::try_from((newest - second).div_euclid(HOP_S)) else { return };
        if age >= KEPT_HOPS {
            return;
        }
        let hops = &mut self.state.live.hops;
        while hops.len() <= age {
            hops.push_front(FeatureVector::default());
        }
        let place = hops.len() - 1 - age;
        if hops[place] == FeatureVector::default() {
            hops[place] = features.clone();
        }
    }

    fn second(&mut self, second: i64, samples: &[Sample], outputs: &mut Vec<Output>) {
        let state = &mut self.state;
        state.live.take(second, samples);
        if state.live.seconds.back().is_some_and(|second| second.valid) {
            state.first_valid.get_or_insert(second);
            state.last_valid = Some(second);
        }
        let hidden = self.hidden(second);
        let changed = hidden != self.state.hidden && hidden.is_some();
        self.state.hidden = hidden;
        if is_hop(second) {
            let features = self.state.live.hop();
            self.assess(second, features, hidden, outputs);
        } else if changed {
            let features = window::features(&self.state.live.seconds);
            self.assess(second, features, hidden, outputs);
        }
    }

    /// Why the wearer cannot be seen at all, judged each second.
    fn hidden(&self, second: i64) -> Option<Cause> {
        let silent = |last| second - last >= i64::from(self.config.blind_after_s);
        if self.state.live.still.frozen()
            && self.state.live.seconds.back() == Some(&Default::default())
        {
            let samples = self.state.live.still.newest_us().div_euclid(MICROS_PER_SECOND);
            return Some(if silent(samples) { Cause::NoSignal } else { Cause::Frozen });
        }
        if self.state.last_valid.is_none_or(silent) {
            return Some(Cause::NoSignal);
        }
        sight::off_wrist(&self.state.live.seconds).then_some(Cause::OffWrist)
    }

    fn assess(
        &mut self,
        second: i64,
        features: FeatureVector,
        hidden: Option<Cause>,
        outputs: &mut Vec<Output>,
    ) {
        let at = Timestamp::from_seconds(second + 1);
        let fresh = self.state.first_valid.is_none_or(|first| second - first < 59);
        let few = if fresh { Cause::Starting } else { Cause::PoorSignal };
        let cause = hidden.or_else(|| (fresh || signals(&features) < 2).then_some(few));
        let inputs = self.state.baseline.inputs(&self.state.live.hops, &self.model);
        let mut assessment = Assessment {
            at,
            level: Level::NoReading,
            score: None,
            quality: window::quality(&self.state.live.seconds),
            cause,
            personal: self.personal(),
            reasons: Vec::new(),
            features,
            inputs,
        };
        let mut alert = None;
        if cause.is_some() {
            self.state.smoothed = None;
            // Without sight an alert cannot be upheld; that it ended says so.
            alert = self.state.alarm.end(at, None);
        } else {
            alert = self.judge(&mut assessment).or(alert);
        }
        outputs.push(Output::Assessment(assessment));
        outputs.extend(alert.map(Output::Alert));
    }

    fn personal(&self) -> bool {
        self.state.baseline.wear_s >= i64::from(self.config.learning_s)
    }

    /// Scores a hop that could be seen, and learns from it.
    fn judge(&mut self, assessment: &mut Assessment) -> Option<crate::AlertTransition> {
        let contributions = self.model.contributions(&assessment.inputs);
        let score = self.model.score(&contributions);
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let keep = (-(HOP_S as f64) / self.config.smoothing_s.max(1e-3)).exp();
        let smoothed =
            self.state.smoothed.map_or(score, |before| keep * before + (1.0 - keep) * score);
        self.state.smoothed = Some(smoothed);
        assessment.score = Some(smoothed);
        let explain = |always| {
            reasons::reasons(
                &contributions,
                &assessment.features,
                &self.state.baseline,
                &self.model,
                always,
            )
        };
        let scored = Scored {
            at: assessment.at,
            score: smoothed,
            quality: assessment.quality,
            reasons: &explain(true),
        };
        let mut alert = None;
        assessment.level = Level::Learning;
        if assessment.personal {
            alert = self.state.alarm.judge(&scored, self.model.thresholds(), &self.config);
            assessment.level = self.state.alarm.level();
        }
        assessment.reasons = explain(assessment.level >= Level::Rising);
        self.state.baseline.learn(
            &assessment.features,
            &self.model,
            self.config.baseline_half_life_s,
        );
        alert
    }

    /// The whole state, to go on from after a restart.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let [version, model, config] = self.names();
        let snapshot = Snapshot { version, model, config, state: self.state.clone() };
        postcard::to_stdvec(&snapshot).expect("plain values always serialize")
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// [`RestoreError`] where it is torn or from another version, model or configuration.
    pub fn restore(config: Config, model: Arc<Model>, bytes: &[u8]) -> Result<Self, RestoreError> {
        let snapshot: Snapshot =
            postcard::from_bytes(bytes).map_err(|error| RestoreError::Torn(error.to_string()))?;
        let detector = Self { config, model, state: snapshot.state };
        let found = [snapshot.version, snapshot.model, snapshot.config].join(", ");
        let expected = detector.names().join(", ");
        if found == expected { Ok(detector) } else { Err(RestoreError::Other { found, expected }) }
    }

    fn names(&self) -> [String; 3] {
        [VERSION.to_owned(), self.model.id().to_owned(), self.config.fingerprint()]
    }
}

/// Whether a hop ends with the second.
fn is_hop(second: i64) -> bool {
    (second + 1).rem_euclid(HOP_S) == 0
}

/// How many of heart, skin and motion could be used.
fn signals(features: &FeatureVector) -> usize {
    let there = [Feature::HeartRate, Feature::LnScl, Feature::LnActivity];
    there.into_iter().filter(|feature| features.of(*feature).is_some()).count()
}
