use biosignal::{MICROS_PER_SECOND, Timestamp};
use serde::{Deserialize, Serialize};

use crate::features::Feature;
use crate::{Alert, AlertTransition, Config, Level, Reason, Thresholds};

/// From scores to levels and alerts: hold, hysteresis, refractory time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    above_rising: u32,
    above_high: u32,
    open: Option<Open>,
    /// When the last alert of each level, RISING and HIGH, began.
    last: [Option<Timestamp>; 2],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    raised_at: Timestamp,
    level: Level,
    reasons: Vec<Kept>,
    quality: f64,
    score: f64,
}

/// A reason as it is kept in a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    text: String,
    feature: Feature,
    value: f64,
    usual: Option<f64>,
    before: Option<f64>,
    contribution: f64,
}

/// A score with what stands behind it.
pub(crate) struct Scored<'a> {
    pub(crate) at: Timestamp,
    pub(crate) score: f64,
    pub(crate) quality: f64,
    /// Why, in words, where somebody asks.
    pub(crate) reasons: &'a dyn Fn() -> Vec<Reason>,
}

impl Alarm {
    /// The level that the open alert holds.
    pub(crate) fn level(&self) -> Level {
        self.open.as_ref().map_or(Level::Settled, |open| open.level)
    }

    /// Whether the alert falls or holds is judged on each scored hop.
    pub(crate) fn judge(
        &mut self,
        scored: &Scored<'_>,
        thresholds: Thresholds,
        config: &Config,
    ) -> Option<AlertTransition> {
        let count = |above: u32, is: bool| if is { above.saturating_add(1) } else { 0 };
        self.above_rising = count(self.above_rising, scored.score >= thresholds.rising);
        self.above_high = count(self.above_high, scored.score >= thresholds.high);
        let reached = if self.above_high >= config.hold_hops {
            Level::High
        } else if self.above_rising >= config.hold_hops {
            Level::Rising
        } else {
            Level::Settled
        };
        match self.open.as_ref().map(|open| open.level) {
            None => self.raise(reached, scored, config),
            Some(Level::Rising) if reached == Level::High => self.escalate(scored),
            // HIGH holds until the score is below RISING's end too.
            Some(_) if scored.score < thresholds.rising * config.off_ratio => {
                self.end(scored.at, Some(scored.score))
            }
            Some(_) => {
                self.follow(scored);
                None
            }
        }
    }

    /// Ends the open alert: the signs are gone, or can no longer be seen.
    pub(crate) fn end(&mut self, at: Timestamp, score: Option<f64>) -> Option<AlertTransition> {
        (self.above_rising, self.above_high) = (0, 0);
        let open = self.open.take()?;
        let mut alert = open.alert(at);
        alert.score = score.unwrap_or(alert.score);
        Some(AlertTransition::Ended(alert))
    }

    /// The clock went back to `at`: what has not been yet does not count.
    pub(crate) fn turn_back(&mut self, at: Timestamp) -> Option<AlertTransition> {
        self.last = self.last.map(|last| last.filter(|last| *last <= at));
        self.end(at, None)
    }

    fn may(&self, level: Level, at: Timestamp, config: &Config) -> bool {
        let pause = i64::from(config.refractory_s) * MICROS_PER_SECOND;
        self.last[usize::from(level == Level::High)]
            .is_none_or(|last| at.micros_since(last) >= pause)
    }

    fn raise(
        &mut self,
        level: Level,
        scored: &Scored<'_>,
        config: &Config,
    ) -> Option<AlertTransition> {
        if level == Level::Settled || !self.may(level, scored.at, config) {
            return None;
        }
        self.last[usize::from(level == Level::High)] = Some(scored.at);
        let open = Open {
            raised_at: scored.at,
            level,
            reasons: (scored.reasons)().iter().map(Kept::of).collect(),
            quality: scored.quality,
            score: scored.score,
        };
        let alert = open.alert(scored.at);
        self.open = Some(open);
        Some(AlertTransition::Raised(alert))
    }

    fn escalate(&mut self, scored: &Scored<'_>) -> Option<AlertTransition> {
        self.last[1] = Some(scored.at);
        let open = self.open.as_mut()?;
        open.level = Level::High;
        open.reasons = (scored.reasons)().iter().map(Kept::of).collect();
        (open.quality, open.score) = (scored.quality, scored.score);
        Some(AlertTransition::Escalated(open.alert(scored.at)))
    }

    fn follow(&mut self, scored: &Scored<'_>) {
        if let Some(open) = &mut self.open {
            (open.quality, open.score) = (scored.quality, scored.score);
        }
    }
}

impl Open {
    fn alert(&self, at: Timestamp) -> Alert {
        Alert {
            raised_at: self.raised_at,
            at,
            level: self.level,
            reasons: self.reasons.iter().map(Kept::reason).collect(),
            quality: self.quality,
            score: self.score,
        }
    }
}

impl Kept {
    fn of(reason: &Reason) -> Self {
        Self {
            text: reason.text.clone(),
            feature: Feature::named(reason.feature).expect("reasons name features"),
            value: reason.value,
            usual: reason.usual,
            before: reason.before,
            contribution: reason.contribution,
        }
    }

    fn reason(&self) -> Reason {
        Reason {
            text: self.text.clone(),
            feature: self.feature.name(),
            value: self.value,
            usual: self.usual,
            before: self.before,
            unit: self.feature.unit(),
            contribution: self.contribution,
        }
    }
}
