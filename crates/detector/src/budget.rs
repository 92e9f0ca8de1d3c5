use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::hops::HOP_S;
use crate::{Config, Model, Thresholds};

/// Thresholds that are tried, evenly spaced in logits from here on.
const TRIED: usize = 50;
const LOWEST: f64 = -2.0;
const STEP: f64 = 0.14;
/// After so many hours a person's own thresholds weigh as much as the model's.
const SHRINK_H: f64 = 8.0;
/// Half of what was seen is forgotten after so many hours of scores.
const HALF_LIFE_H: f64 = 72.0;
/// A person's own threshold lies no further below the model's, in logits.
const MOST_BELOW: f64 = 0.5;

/// Finds the thresholds at which a person would have had no more alarms than the budget
/// allows, from that person's own earlier scores.
///
/// Each threshold that is tried counts the alarms that it would have raised, by the rules of
/// hold, end and refractory time of an alert that has but one level. Which of them were needed
/// is not known here, only to those who label them: so RISING, which is seen and not heard, may
/// be raised as far as HIGH for somebody whose score is often high, and HIGH itself is never
/// raised above the model's. Whoever has many true incidents goes on to be heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Budget {
    hours: f64,
    tried: Vec<Tried>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Tried {
    alarms: f64,
    above: u32,
    on: bool,
    /// Hops since the last alarm began.
    since: u32,
}

impl Default for Budget {
    fn default() -> Self {
        let fresh = Tried { alarms: 0.0, above: 0, on: false, since: u32::MAX };
        Self { hours: 0.0, tried: vec![fresh; TRIED] }
    }
}

impl Budget {
    /// Takes the score of a hop.
    pub(crate) fn take(&mut self, score: f64, config: &Config) {
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let hop_h = HOP_S as f64 / 3600.0;
        let keep = 0.5_f64.powf(hop_h / HALF_LIFE_H);
        self.hours = self.hours * keep + hop_h;
        for (tried, threshold) in self.tried.iter_mut().zip(&*THRESHOLDS) {
            tried.alarms *= keep;
            tried.take(score, *threshold, config);
        }
    }

    /// The wearer cannot be seen: no alarm is upheld.
    pub(crate) fn interrupt(&mut self) {
        self.tried.iter_mut().for_each(|tried| (tried.above, tried.on) = (0, false));
    }

    /// The thresholds for the next score: the person's own as far as they are known.
    pub(crate) fn thresholds(&self, model: Thresholds, config: &Config) -> Thresholds {
        let trust = self.hours / (self.hours + SHRINK_H);
        let blend = |model: f64, most: f64, per_hour: f64| {
            // Where no score reaches, none does for anybody.
            let reached = model > 0.0 && model < 1.0;
            let least = if reached { Model::score(logit(model) - MOST_BELOW) } else { model };
            let own = self.own(per_hour).clamp(least, most.max(least));
            trust * own + (1.0 - trust) * model
        };
        let high = blend(model.high, model.high, config.high_budget_per_hour);
        let rising = blend(model.rising, model.high, config.rising_budget_per_hour);
        Thresholds { rising: rising.min(high), high }
    }

    /// The lowest threshold that keeps the budget.
    fn own(&self, per_hour: f64) -> f64 {
        let over = self.tried.iter().rposition(|tried| tried.alarms > per_hour * self.hours);
        THRESHOLDS.get(over.map_or(0, |at| at + 1)).copied().unwrap_or(1.0)
    }
}

impl Tried {
    fn take(&mut self, score: f64, threshold: f64, config: &Config) {
        self.since = self.since.saturating_add(1);
        self.above = if score >= threshold { self.above.saturating_add(1) } else { 0 };
        let rested = i64::from(self.since) * HOP_S >= i64::from(config.refractory_s);
        if self.on {
            self.on = score >= threshold * config.off_ratio;
        } else if self.above >= config.hold_hops && rested {
            (self.on, self.since) = (true, 0);
            self.alarms += 1.0;
        }
    }
}

static THRESHOLDS: LazyLock<[f64; TRIED]> = LazyLock::new(|| {
    let at = |at: usize| LOWEST + STEP * f64::from(u32::try_from(at).unwrap_or(u32::MAX));
    std::array::from_fn(|place| Model::score(at(place)))
});

/// Of a probability.
fn logit(score: f64) -> f64 {
    (score / (1.0 - score)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_model;

    /// What the shipped model has for everybody.
    fn model() -> Thresholds {
        default_model().parts().thresholds
    }

    /// Scores that rest at `rest` and rise to `top` for two minutes, so many times a day.
    fn after(days: usize, rest: f64, top: f64, a_day: usize) -> Thresholds {
        let (mut budget, config) = (Budget::default(), Config::default());
        for hop in 0..days * 8640 {
            budget.take(if hop % (8640 / a_day) < 12 { top } else { rest }, &config);
        }
        budget.thresholds(model(), &config)
    }

    #[test]
    fn little_is_known_at_first() {
        assert_eq!(after(0, 0.1, 0.99, 1), model());
    }

    #[test]
    fn what_could_not_be_seen_upholds_no_alarm_and_leads_to_none() {
        let config = Config::default();
        let highest = |budget: &Budget| budget.tried.last().map(|tried| tried.alarms);
        let hidden_after = |hops: usize| {
            let mut budget = Budget::default();
            // Two hops above make an alarm, which lasts.
            (0..90).for_each(|hop| {
                budget.take(1.0, &config);
                if hop % hops == hops - 1 {
                    budget.interrupt();
                }
            });
            highest(&budget).unwrap_or_default()
        };
        assert!((0.9..1.0).contains(&hidden_after(90)));
        assert_eq!(hidden_after(1), 0.0);
        // Every ten minutes another, since the one before was not upheld.
        assert!((1.9..2.0).contains(&hidden_after(60)));
    }

    #[test]
    fn thresholds_that_no_score_reaches_stay() {
        for model in [Thresholds { rising: 2.0, high: 2.0 }, Thresholds { rising: 1.0, high: 1.0 }]
        {
            let mut budget = Budget::default();
            (0..9000).for_each(|_| budget.take(0.1, &Config::default()));
            assert_eq!(budget.thresholds(model, &Config::default()), model);
        }
    }

    #[test]
    fn whoever_has_many_incidents_goes_on_to_be_heard() {
        let top = model().high + 0.005;
        let found = after(14, 0.1, top, 24);
        assert!(found.high <= top, "{found:?}");
    }

    #[test]
    fn somebody_whose_score_is_often_high_is_shown_as_rising_later() {
        let between = f64::midpoint(model().rising, model().high);
        let raised = |a_day| {
            let found = after(14, 0.3, between, a_day);
            assert!(found.rising <= found.high, "{found:?}");
            (found.rising - model().rising) / (between - model().rising)
        };
        // Twice what the budget allows, and less than it does.
        assert!(raised(24) > 0.8, "{}", raised(24));
        assert!(raised(10) < 0.0, "{}", raised(10));
    }

    #[test]
    fn somebody_whose_score_is_always_low_gets_lower_ones_within_bounds() {
        let calm = after(14, 0.05, 0.1, 24);
        for (own, model) in [(calm.rising, model().rising), (calm.high, model().high)] {
            let below = logit(model) - logit(own);
            assert!((0.4..=MOST_BELOW).contains(&below), "{calm:?}");
        }
    }
}
