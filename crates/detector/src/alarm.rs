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
    /// The level that the open alert holds. Where none may be raised again yet, the level that
    /// the score has reached: nobody is settled because an alert has only just been.
    pub(crate) fn level(&self, config: &Config) -> Level {
        self.open.as_ref().map_or_else(|| self.reached(config), |open| open.level)
    }

    fn reached(&self, config: &Config) -> Level {
        if self.above_high >= config.hold_hops {
            Level::High
        } else if self.above_rising >= config.hold_hops {
            Level::Rising
        } else {
            Level::Settled
        }
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
        let reached = self.reached(config);
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

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { rising: 0.6, high: 0.8 };

    /// Judges hops of these scores, the first of them at a moment, s; without a score nothing
    /// can be seen. Gives when what happened, and the level from then on.
    fn judged(alarm: &mut Alarm, from: i64, scores: &[Option<f64>]) -> Vec<(i64, &'static str)> {
        let mut found = Vec::new();
        for (hop, score) in (0..).zip(scores) {
            let second = from + 10 * hop;
            let at = Timestamp::from_seconds(second);
            let transition = match score {
                Some(score) => {
                    let scored = Scored { at, score: *score, quality: 1.0, reasons: &Vec::new };
                    alarm.judge(&scored, THRESHOLDS, &Config::default())
                }
                None => alarm.end(at, None),
            };
            let what = |of: &Alert| if of.level == Level::High { "high" } else { "rising" };
            found.extend(transition.map(|it| match it {
                AlertTransition::Raised(alert) => (second, what(&alert)),
                AlertTransition::Escalated(_) => (second, "escalated"),
                AlertTransition::Ended(_) => (second, "ended"),
            }));
        }
        found
    }

    fn fresh(scores: &[f64]) -> (Alarm, Vec<(i64, &'static str)>) {
        let mut alarm = Alarm::default();
        let scores: Vec<_> = scores.iter().copied().map(Some).collect();
        let found = judged(&mut alarm, 0, &scores);
        (alarm, found)
    }

    #[test]
    fn one_hop_above_a_threshold_is_nothing_and_two_are_an_alert() {
        assert_eq!(fresh(&[0.7, 0.1, 0.6, 0.59, 0.9, 0.1]).1, []);
        assert_eq!(fresh(&[0.6, 0.6, 0.7]).1, [(10, "rising")]);
        assert_eq!(fresh(&[0.8, 0.8]).1, [(10, "high")]);
        // One hop above HIGH is a second one above RISING, and no second one above HIGH.
        assert_eq!(fresh(&[0.7, 0.9, 0.7, 0.9, 0.9]).1, [(10, "rising"), (40, "escalated")]);
    }

    #[test]
    fn an_alert_holds_until_the_score_is_well_below_rising() {
        let (alarm, found) = fresh(&[0.7, 0.7, 0.45, 0.43, 0.41]);
        assert_eq!(found, [(10, "rising"), (40, "ended")]);
        assert_eq!(alarm.level(&Config::default()), Level::Settled);
        // HIGH is no less than HIGH while it holds.
        let (alarm, found) = fresh(&[0.9, 0.9, 0.43]);
        assert_eq!((found.len(), alarm.level(&Config::default())), (1, Level::High));
    }

    #[test]
    fn none_of_the_same_level_is_raised_for_ten_minutes_and_nobody_is_called_settled() {
        let config = Config::default();
        let (mut alarm, _) = fresh(&[0.7, 0.7, 0.1]);
        assert_eq!(judged(&mut alarm, 30, &[Some(0.7); 58]), []);
        assert_eq!(alarm.level(&config), Level::Rising);
        assert_eq!(judged(&mut alarm, 610, &[Some(0.7)]), [(610, "rising")]);
        let (mut alarm, _) = fresh(&[0.9, 0.9, 0.1]);
        assert_eq!(judged(&mut alarm, 30, &[Some(0.9); 58]), []);
        assert_eq!(alarm.level(&config), Level::High);
        assert_eq!(judged(&mut alarm, 610, &[Some(0.9)]), [(610, "high")]);
    }

    #[test]
    fn from_rising_to_high_it_always_passes() {
        let (mut alarm, _) = fresh(&[0.9, 0.9, 0.1]);
        let again = [0.7, 0.7, 0.9, 0.9].map(Some);
        assert_eq!(judged(&mut alarm, 30, &again), [(40, "rising"), (60, "escalated")]);
    }

    #[test]
    fn what_cannot_be_seen_ends_an_alert_and_what_led_to_one() {
        let mut alarm = Alarm::default();
        assert_eq!(judged(&mut alarm, 0, &[Some(0.7), None, Some(0.7)]), []);
        assert_eq!(judged(&mut alarm, 30, &[Some(0.7)]), [(30, "rising")]);
        assert_eq!(judged(&mut alarm, 40, &[None]), [(40, "ended")]);
        assert_eq!(alarm.level(&Config::default()), Level::Settled);
    }

    #[test]
    fn an_alert_of_a_time_that_has_not_been_does_not_count() {
        let (mut alarm, _) = fresh(&[0.7, 0.7]);
        let ended = alarm.turn_back(Timestamp::from_seconds(0));
        assert!(matches!(ended, Some(AlertTransition::Ended(_))));
        assert_eq!(judged(&mut alarm, 0, &[Some(0.7); 2]), [(10, "rising")]);
    }
}
