//! The heart rate that movement explains: recursive least squares of heart rate on 1, the
//! square roots of the activity of 30 s and 120 s, and stereotypy; forgetting 2 h. What is
//! left over is weighed beside the rate itself.

use serde::{Deserialize, Serialize};

use crate::hops::HOP_S;

/// A residual counts for no more than so much when learning, beats/min.
const CLIP: f64 = 8.0;
const FORGET_S: f64 = 7200.0;
/// Before this there is no residual worth the name, hops.
const FEWEST: u32 = 30;
/// How uncertain the four effects are at first, as variances: beats/min per unit.
const PRIOR: [f64; 4] = [100.0, 400.0, 400.0, 100.0];

/// How a person's heart answers to movement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exertion {
    effects: [f64; 4],
    covariance: [[f64; 4]; 4],
    hops: u32,
}

/// What the heart has to answer to: activities in g, stereotypy as a part of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effort {
    pub(crate) activity_30s: f64,
    pub(crate) activity_120s: f64,
    pub(crate) stereotypy: f64,
}

impl Default for Exertion {
    fn default() -> Self {
        let row = |at: usize| std::array::from_fn(|k| if k == at { PRIOR[at] } else { 0.0 });
        Self { effects: [0.0; 4], covariance: std::array::from_fn(row), hops: 0 }
    }
}

impl Exertion {
    /// Heart rate beyond what the effort explains, beats/min; none before enough is known.
    pub(crate) fn residual(&self, rate: f64, effort: Effort) -> Option<f64> {
        (self.hops >= FEWEST).then(|| rate - dot(self.effects, effort.terms()))
    }

    /// Learns from a hop.
    pub(crate) fn learn(&mut self, rate: f64, effort: Effort) {
        if self.hops == 0 {
            self.effects[0] = rate;
        }
        self.hops = self.hops.saturating_add(1);
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let keep = (-(HOP_S as f64) / FORGET_S).exp();
        let terms = effort.terms();
        let spread = self.covariance.map(|row| dot(row, terms));
        let weight = keep + dot(spread, terms);
        let residual = (rate - dot(self.effects, terms)).clamp(-CLIP, CLIP);
        for (at, effect) in self.effects.iter_mut().enumerate() {
            *effect += spread[at] / weight * residual;
        }
        for (at, row) in self.covariance.iter_mut().enumerate() {
            for (k, entry) in row.iter_mut().enumerate() {
                // Forgetting what nothing excites would let the uncertainty grow for ever.
                let limit = (PRIOR[at] * PRIOR[k]).sqrt();
                *entry = ((*entry - spread[at] * spread[k] / weight) / keep).clamp(-limit, limit);
            }
        }
    }
}

impl Effort {
    fn terms(self) -> [f64; 4] {
        [1.0, self.activity_30s.sqrt(), self.activity_120s.sqrt(), self.stereotypy]
    }
}

fn dot(one: [f64; 4], other: [f64; 4]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effort(hop: u32) -> Effort {
        let wave = |period: u32| f64::from(hop % period) / f64::from(period);
        Effort { activity_30s: 0.2 * wave(7), activity_120s: 0.1 * wave(31), stereotypy: wave(5) }
    }

    fn rate(effort: Effort) -> f64 {
        70.0 + 40.0 * effort.activity_30s.sqrt() + 30.0 * effort.activity_120s.sqrt()
    }

    #[test]
    fn movement_is_explained_and_a_heart_that_races_at_rest_is_not() {
        let mut exertion = Exertion::default();
        assert_eq!(exertion.residual(70.0, effort(0)), None);
        for hop in 0..360 {
            exertion.learn(rate(effort(hop)), effort(hop));
        }
        let left = |hop| exertion.residual(rate(effort(hop)), effort(hop)).unwrap_or(99.0);
        assert!((360..400).all(|hop| left(hop).abs() < 1.5), "{}", left(361));
        let rest = Effort { activity_30s: 0.0, activity_120s: 0.0, stereotypy: 0.0 };
        assert!(exertion.residual(95.0, rest).is_some_and(|left| (left - 25.0).abs() < 2.0));
    }

    #[test]
    fn days_of_rest_do_not_make_it_forget_how_to_count() {
        let mut exertion = Exertion::default();
        let rest = Effort { activity_30s: 0.0, activity_120s: 0.0, stereotypy: 0.0 };
        (0..30_000).for_each(|_| exertion.learn(60.0, rest));
        assert!(exertion.residual(60.0, rest).is_some_and(|left| left.abs() < 1e-6));
        assert!(exertion.covariance.iter().flatten().all(|entry| entry.abs() <= 400.0));
    }
}
