use std::sync::Arc;

use biosignal::{Reading, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::alarm::{Alarm, Scored};
use crate::features::{Feature, FeatureVector};
use crate::hops::{HOP_S, Hops};
use crate::inbox::{Inbox, MAX_WAITING};
use crate::model::Contributions;
use crate::person::Person;
use crate::pipeline::{Pipeline, Window, signals};
use crate::second::{Second, second_of, within_time};
use crate::views::views;
use crate::{
    AlertTransition, Assessment, Cause, Config, Ground, Level, Model, Output, Reason, VERSION,
    grounds, reasons,
};

/// At the first tick, samples older than this are history, s.
const FIRST_S: i64 = 60;
/// A tick that is further behind starts anew; what lies between is history, s.
const MAX_CATCH_UP_S: i64 = 600;
/// A clock that goes back by more than this was wrong before: what it led to is past, s.
const MAX_BACK_S: i64 = 10;
/// Rest for so long was sleep, not a pause, s.
const SLEPT_S: i64 = 3600;
/// Whoever gets up differs from the sleeper of the minutes before, and is not held against them.
const AWOKEN: Hops = Hops::none();

/// The detector of one wearer.
#[derive(Clone, Debug)]
pub struct Detector {
    config: Config,
    model: Arc<Model>,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    inbox: Inbox,
    live: Box<Pipeline>,
    /// Of what comes late; few have any.
    history: Option<Box<Pipeline>>,
    hops: Hops,
    person: Person,
    alarm: Alarm,
    /// The next second to process; none before the first tick.
    next: Option<i64>,
    first_valid: Option<i64>,
    last_valid: Option<i64>,
    /// What the logit is the sum of, smoothed.
    smoothed: Option<Contributions>,
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
    /// So many seconds of readings may wait for a tick; of more, the oldest are dropped.
    pub const MOST_WAITING_S: u16 = MAX_WAITING;

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
        let now = within_time(now);
        let until = second_of(now.as_micros()) - i64::from(self.config.lateness_s);
        let hop_s = i64::from(self.config.hop_s.max(1));
        let mut outputs = Vec::new();
        let next = match self.state.next {
            Some(next) if (next - MAX_BACK_S..=next + MAX_CATCH_UP_S).contains(&until) => next,
            _ => self.start_at(until, &mut outputs),
        };
        self.state.inbox.drop_ahead_of(now);
        self.learn_before(next);
        let hops = until.div_euclid(hop_s) - next.div_euclid(hop_s);
        outputs.reserve_exact(usize::try_from(hops).unwrap_or(0));
        for second in next..until {
            let samples = self.state.inbox.take(second);
            self.second(second, &samples, &mut outputs);
            self.state.inbox.put_by(samples);
        }
        self.state.next = Some(next.max(until));
        outputs
    }

    /// Starts to look a minute before `until`: what was seen before does not lead up to it.
    fn start_at(&mut self, until: i64, outputs: &mut Vec<Output>) -> i64 {
        let state = &mut self.state;
        let back = state.next.is_some_and(|next| until < next);
        (*state.live, state.hops) = (Pipeline::default(), Hops::default());
        (state.first_valid, state.last_valid, state.smoothed) = (None, None, None);
        if back {
            let at = Timestamp::from_seconds(until);
            outputs.extend(state.alarm.turn_back(at).map(Output::Alert));
        }
        until - FIRST_S
    }

    /// Late samples teach what is usual, and nothing else.
    fn learn_before(&mut self, live_from: i64) {
        let late: Vec<_> = self.state.inbox.take_before(live_from).collect();
        for (second, samples) in late {
            let next = match self.state.history.as_ref().and_then(|history| history.at()) {
                Some(at) if second > at && second - at <= MAX_CATCH_UP_S => at + 1,
                _ => {
                    self.state.history = None;
                    second
                }
            };
            for between in next..second {
                self.learn_from(between, &Second::default(), live_from);
            }
            self.learn_from(second, &samples, live_from);
        }
    }

    fn learn_from(&mut self, second: i64, samples: &Second, live_from: i64) {
        let state = &mut self.state;
        let history = state.history.get_or_insert_default();
        let was_off = history.is_off_wrist();
        history.take(second, samples);
        if was_off && !history.is_off_wrist() {
            // As live: the window still holds what the band saw elsewhere.
            state.history = None;
            return;
        }
        if !Hops::ends_with(second) {
            return;
        }
        let mut window = history.window();
        window.compensate(&state.person.exertion);
        let spreads = self.model.spreads(&window.features);
        let seen = !history.is_off_wrist() && !history.is_frozen();
        let may = state.person.teaching.may_late(second, window.quality);
        if seen && may && signals(&window.features) >= 2 {
            state.person.learn(&window, &spreads, self.config.baseline_half_life_s);
        }
        let newest = live_from.div_euclid(HOP_S) * HOP_S - 1;
        if let Ok(age) = usize::try_from((newest - second).div_euclid(HOP_S)) {
            let off = history.is_off_wrist();
            state.hops.fill(age, &if off { FeatureVector::default() } else { spreads });
        }
    }

    fn second(&mut self, second: i64, samples: &Second, outputs: &mut Vec<Output>) {
        let state = &mut self.state;
        let (was_off, rested_s) = (state.live.is_off_wrist(), state.live.rested_s());
        state.live.take(second, samples);
        if state.live.is_valid() {
            state.first_valid.get_or_insert(second);
            state.last_valid = Some(second);
        }
        if was_off && !state.live.is_off_wrist() {
            self.worn_again(second);
        }
        if rested_s >= SLEPT_S && self.state.live.rested_s() == 0 {
            self.state.hops = AWOKEN;
        }
        let hidden = self.hidden(second);
        let changed = hidden != self.state.hidden && hidden.is_some();
        self.state.hidden = hidden;
        let is_hop = Hops::ends_with(second);
        if !is_hop && !changed {
            if (second + 1).rem_euclid(i64::from(self.config.hop_s.max(1))) == 0 {
                outputs.push(Output::Assessment(self.look(second, hidden)));
            }
            return;
        }
        let (window, spreads) = self.window();
        self.assess(second, &window, &spreads, hidden, outputs);
        if is_hop {
            // What a table shows is no past of the wearer's.
            let off = hidden == Some(Cause::OffWrist);
            self.state.hops.push(&if off { FeatureVector::default() } else { spreads });
        }
    }

    /// Judges by what comes from now on: the window still holds what the band saw elsewhere.
    fn worn_again(&mut self, second: i64) {
        *self.state.live = Pipeline::default();
        self.state.first_valid = Some(second);
    }

    /// The window that ends now, and its features in the population's spreads.
    fn window(&self) -> (Window, FeatureVector) {
        let mut window = self.state.live.window();
        window.compensate(&self.state.person.exertion);
        let spreads = self.model.spreads(&window.features);
        (window, spreads)
    }

    /// What a hop that ended with this second would find. It leaves no trace.
    fn look(&self, second: i64, hidden: Option<Cause>) -> Assessment {
        let (window, spreads) = self.window();
        let mut assessment = self.seen(second, &window, &spreads, hidden);
        if assessment.cause.is_none() {
            let contributions = self.weigh(&mut assessment);
            let level = self.state.alarm.level(&self.config);
            assessment.level = if assessment.personal { level } else { Level::Learning };
            assessment.reasons = self.reasons(&contributions, &assessment);
        }
        assessment
    }

    /// Why the wearer cannot be seen at all, judged each second.
    fn hidden(&self, second: i64) -> Option<Cause> {
        let silent = |last| second - last >= i64::from(self.config.blind_after_s);
        if self.state.live.is_frozen() {
            let comes = self.state.live.newest_us().is_some_and(|at_us| !silent(second_of(at_us)));
            return Some(if comes { Cause::Frozen } else { Cause::NoSignal });
        }
        if self.state.last_valid.is_none_or(silent) {
            return Some(Cause::NoSignal);
        }
        self.state.live.is_off_wrist().then_some(Cause::OffWrist)
    }

    fn assess(
        &mut self,
        second: i64,
        window: &Window,
        spreads: &FeatureVector,
        hidden: Option<Cause>,
        outputs: &mut Vec<Output>,
    ) {
        let mut assessment = self.seen(second, window, spreads, hidden);
        let alert = if assessment.cause.is_some() {
            self.state.smoothed = None;
            self.state.person.budget.interrupt();
            // Without sight an alert cannot be upheld; that it ended says so.
            self.state.alarm.end(assessment.at, None)
        } else {
            self.judge(&mut assessment, window, spreads)
        };
        outputs.push(Output::Assessment(assessment));
        outputs.extend(alert.map(Output::Alert));
    }

    /// What a window shows, before it is scored.
    fn seen(
        &self,
        second: i64,
        window: &Window,
        spreads: &FeatureVector,
        hidden: Option<Cause>,
    ) -> Assessment {
        let fresh = self.state.first_valid.is_none_or(|first| second - first < 59);
        let few = if fresh { Cause::Starting } else { Cause::PoorSignal };
        let cause = hidden.or_else(|| (fresh || signals(&window.features) < 2).then_some(few));
        let State { person, hops, .. } = &self.state;
        Assessment {
            at: Timestamp::from_seconds(second + 1),
            level: Level::NoReading,
            score: None,
            quality: window.quality,
            cause,
            personal: self.personal(),
            rests: window.rests,
            reasons: Vec::new(),
            inputs: views(spreads, hops, person.baseline(window.rests), &self.model),
            contributions: Vec::new(),
            features: window.features.clone(),
        }
    }

    fn personal(&self) -> bool {
        self.state.person.wear_s() >= i64::from(self.config.learning_s)
    }

    /// Scores a hop that could be seen, and learns from it.
    fn judge(
        &mut self,
        assessment: &mut Assessment,
        window: &Window,
        spreads: &FeatureVector,
    ) -> Option<AlertTransition> {
        let contributions = self.weigh(assessment);
        self.state.smoothed = Some(contributions);
        let score = assessment.score.unwrap_or_default();
        let person = &self.state.person;
        let thresholds = person.budget.thresholds(self.model.parts().thresholds, &self.config);
        let mut alert = None;
        assessment.level = Level::Learning;
        if assessment.personal {
            let State { alarm, person, hops, .. } = &mut self.state;
            let (model, of) = (&self.model, &*assessment);
            let baseline = person.baseline(of.rests);
            let scored = Scored {
                at: assessment.at,
                score,
                quality: assessment.quality,
                reasons: &|| reasons::reasons(&contributions, of, hops, baseline, model),
            };
            alert = alarm.judge(&scored, thresholds, &self.config);
            assessment.level = alarm.level(&self.config);
        }
        assessment.reasons = self.reasons(&contributions, assessment);
        self.learn(assessment, window, spreads, score >= thresholds.rising);
        alert
    }

    /// Sets the score and what each feature adds to it; gives the latter.
    fn weigh(&self, assessment: &mut Assessment) -> Contributions {
        let lacking = assessment.lacking();
        let contributions = self.smooth(self.model.contributions(&assessment.inputs, lacking));
        let logit = contributions.bias + contributions.features.iter().sum::<f64>();
        assessment.score = Some(Model::score(logit));
        let names = Feature::ALL.into_iter().map(Feature::name);
        assessment.contributions = names.zip(contributions.features).collect();
        contributions
    }

    /// Nobody is shown why all is well.
    fn reasons(&self, contributions: &Contributions, of: &Assessment) -> Vec<Reason> {
        if of.level < Level::Rising {
            return Vec::new();
        }
        let State { person, hops, .. } = &self.state;
        reasons::reasons(contributions, of, hops, person.baseline(of.rests), &self.model)
    }

    /// What the inputs of an assessment are made of, for a check by hand: of a detector that
    /// has seen all that came before the assessment's hop, and not that hop itself.
    #[must_use]
    pub fn grounds(&self, of: &Assessment) -> Vec<Ground> {
        let State { live, person, hops, .. } = &self.state;
        let awakes = live.rested_s() >= SLEPT_S && !of.rests;
        let hops = if awakes { &AWOKEN } else { hops };
        grounds::grounds(&of.features, hops, person.baseline(of.rests), &self.model)
    }

    fn smooth(&self, mut contributions: Contributions) -> Contributions {
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let keep = (-(HOP_S as f64) / self.model.parts().smoothing_s.max(1e-3)).exp();
        if let Some(before) = self.state.smoothed {
            let smooth = |now: &mut f64, before: f64| *now = keep * before + (1.0 - keep) * *now;
            smooth(&mut contributions.bias, before.bias);
            let features = contributions.features.iter_mut().zip(before.features);
            features.for_each(|(now, before)| smooth(now, before));
        }
        contributions
    }

    /// Learns what is usual. A first verdict needs something to be usual, so that the first
    /// minutes teach whatever they hold.
    fn learn(
        &mut self,
        assessment: &Assessment,
        window: &Window,
        spreads: &FeatureVector,
        above: bool,
    ) {
        let person = &mut self.state.person;
        let (second, above) =
            (second_of(assessment.at.as_micros()) - 1, above && assessment.personal);
        let may = person.teaching.may(second, assessment.level, above, assessment.quality);
        if assessment.personal {
            person.budget.take(assessment.score.unwrap_or_default(), &self.config);
        }
        if may || !assessment.personal {
            person.learn(window, spreads, self.config.baseline_half_life_s);
        }
    }

    /// The whole state, to go on from after a restart.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let [version, model, config] = self.names();
        let snapshot = Snapshot { version, model, config, state: self.state.clone() };
        let mut bytes = postcard::to_stdvec(&snapshot).expect("plain values always serialize");
        bytes.extend(Sha256::digest(&bytes));
        bytes
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// [`RestoreError`] where it is torn or from another version, model or configuration.
    pub fn restore(config: Config, model: Arc<Model>, bytes: &[u8]) -> Result<Self, RestoreError> {
        let torn = |why: &str| RestoreError::Torn(why.to_owned());
        let (bytes, sum) = bytes.split_last_chunk::<32>().ok_or_else(|| torn("it is too short"))?;
        if Sha256::digest(bytes)[..] != sum[..] {
            return Err(torn("its bytes do not add up to its checksum"));
        }
        let snapshot: Snapshot =
            postcard::from_bytes(bytes).map_err(|error| torn(&error.to_string()))?;
        let detector = Self { config, model, state: snapshot.state };
        let found = [snapshot.version, snapshot.model, snapshot.config].join(", ");
        let expected = detector.names().join(", ");
        if found == expected { Ok(detector) } else { Err(RestoreError::Other { found, expected }) }
    }

    fn names(&self) -> [String; 3] {
        [VERSION.to_owned(), self.model.checksum().to_owned(), self.config.fingerprint()]
    }
}
