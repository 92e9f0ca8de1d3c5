use serde::{Deserialize, Serialize};

use crate::hops::HOP_S;
use crate::{Config, Thresholds};

/// Thresholds that are tried: 0.02, 0.04 .. 1.
const TRIED: usize = 50;
/// After so many hours a person's own thresholds weigh as much as the model's.
const SHRINK_H: f64 = 8.0;
/// Half of what was seen is forgotten after so many hours of scores.
const HALF_LIFE_H: f64 = 72.0;
/// A person's own threshold leaves the model's by no more than so much of it.
const MOST: f64 = 0.4;

/// Finds the thresholds at which a person would have had no more alarms than the budget
/// allows, from that person's own earlier scores.
///
/// Each threshold that is tried counts the alarms that it would have raised, under the same
/// rules of hold, end and refractory time.
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
        for (at, tried) in self.tried.iter_mut().enumerate() {
            tried.alarms *= keep;
            tried.take(score, threshold(at), config);
        }
    }

    /// The thresholds for the next score: the person's own as far as they are known.
    pub(crate) fn thresholds(&self, model: Thresholds, config: &Config) -> Thresholds {
        let trust = self.hours / (self.hours + SHRINK_H);
        let blend = |model: f64, per_hour: f64| {
            let span = MOST * model.min(1.0 - model).max(0.0);
            let own = self.own(per_hour).clamp(model - span, model + span);
            trust * own + (1.0 - trust) * model
        };
        let rising = blend(model.rising, config.rising_budget_per_hour);
        Thresholds { rising, high: blend(model.high, config.high_budget_per_hour).max(rising) }
    }

    /// The lowest threshold that keeps the budget.
    fn own(&self, per_hour: f64) -> f64 {
        let over = self.tried.iter().rposition(|tried| tried.alarms > per_hour * self.hours);
        threshold(over.map_or(0, |at| at + 1))
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

fn threshold(at: usize) -> f64 {
    f64::from(u32::try_from(at + 1).unwrap_or(u32::MAX)) / 50.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: Thresholds = Thresholds { rising: 0.5, high: 0.7 };

    /// Scores that rest at `rest` and rise to `top` for two minutes every hour.
    fn after(hours: usize, rest: f64, top: f64) -> Thresholds {
        let (mut budget, config) = (Budget::default(), Config::default());
        for hop in 0..hours * 360 {
            budget.take(if hop % 360 < 12 { top } else { rest }, &config);
        }
        budget.thresholds(MODEL, &config)
    }

    #[test]
    fn little_is_known_at_first() {
        assert_eq!(after(0, 0.1, 0.9), MODEL);
    }

    #[test]
    fn somebody_whose_score_is_often_high_gets_higher_thresholds() {
        let lively = after(100, 0.3, 0.64);
        assert!(lively.rising > 0.64, "{lively:?}");
        assert!(lively.high >= lively.rising);
    }

    #[test]
    fn somebody_whose_score_is_always_low_gets_lower_ones_within_bounds() {
        let calm = after(100, 0.05, 0.1);
        assert!(calm.rising < 0.4 && calm.rising > 0.29, "{calm:?}");
    }
}
