//! The heart rate that movement explains: recursive least squares of heart rate on 1, the
//! activity of 30 s and of 120 s, and stereotypy; forgetting 2 h. What is left over is weighed
//! beside the rate itself.
//!
//! What is forgotten gives way to what was believed before (Kulhavy and Zarrop 1993, Int J
//! Control 58:905): hours of rest say nothing of movement, and without that belief noise in them
//! makes effects that run away at the next step.

use serde::{Deserialize, Serialize};

use crate::hops::HOP_S;

/// A residual counts for no more than so much when learning, beats/min. An hour's first walk is
/// beyond it, a beat missed now and then is not to be believed.
const CLIP: f64 = 20.0;
const FORGET_S: f64 = 7200.0;
/// Before this there is no residual worth the name, hops.
const FEWEST: u32 = 30;
/// How uncertain the four effects are before anything is known, as variances: beats/min, and
/// beats/min per g or per unit. Of the effects of movement 0 is believed, of the level the
/// first rate.
const PRIOR: [f64; 4] = [400.0, 3600.0, 3600.0, 400.0];
/// How far rates of a hop lie off for other reasons, as a variance: neighbours go astray
/// together, so that each counts for little.
const NOISE: f64 = 100.0;

/// How a person's heart answers to movement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exertion {
    effects: [f64; 4],
    /// What is known of the effects: the inverse of their covariance,
    information: [[f64; 4]; 4],
    /// and that times the effects.
    pull: [f64; 4],
    first_rate: f64,
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
        let row = |at: usize| std::array::from_fn(|k| if k == at { 1.0 / PRIOR[at] } else { 0.0 });
        Self {
            effects: [0.0; 4],
            information: std::array::from_fn(row),
            pull: [0.0; 4],
            first_rate: 0.0,
            hops: 0,
        }
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
            self.first_rate = rate;
            self.effects[0] = rate;
            self.pull[0] = rate / PRIOR[0];
        }
        self.hops = self.hops.saturating_add(1);
        let terms = effort.terms();
        let expected = dot(self.effects, terms);
        let told = expected + (rate - expected).clamp(-CLIP, CLIP);
        self.forget();
        for (at, row) in self.information.iter_mut().enumerate() {
            for (entry, term) in row.iter_mut().zip(terms) {
                *entry += terms[at] * term / NOISE;
            }
            self.pull[at] += terms[at] * told / NOISE;
        }
        self.effects = solve(self.information, self.pull);
    }

    /// Goes a hop's way back to what was believed at first.
    fn forget(&mut self) {
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let keep = (-(HOP_S as f64) / FORGET_S).exp();
        self.information.iter_mut().flatten().for_each(|entry| *entry *= keep);
        self.pull.iter_mut().for_each(|entry| *entry *= keep);
        for (at, variance) in PRIOR.into_iter().enumerate() {
            self.information[at][at] += (1.0 - keep) / variance;
        }
        self.pull[0] += (1.0 - keep) * self.first_rate / PRIOR[0];
    }
}

impl Effort {
    fn terms(self) -> [f64; 4] {
        [1.0, self.activity_30s, self.activity_120s, self.stereotypy]
    }
}

fn dot(one: [f64; 4], other: [f64; 4]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Solves `matrix x = right` for a positive definite matrix, by Gauss and Jordan.
fn solve(mut matrix: [[f64; 4]; 4], mut right: [f64; 4]) -> [f64; 4] {
    for at in 0..4 {
        let pivot = matrix[at][at];
        matrix[at].iter_mut().for_each(|entry| *entry /= pivot);
        right[at] /= pivot;
        let (own, own_right) = (matrix[at], right[at]);
        for other in (0..4).filter(|other| *other != at) {
            let share = matrix[other][at];
            matrix[other].iter_mut().zip(own).for_each(|(entry, by)| *entry -= share * by);
            right[other] -= share * own_right;
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effort(hop: u32) -> Effort {
        let wave = |period: u32| f64::from(hop % period) / f64::from(period);
        Effort { activity_30s: 0.2 * wave(7), activity_120s: 0.1 * wave(31), stereotypy: wave(5) }
    }

    fn rate(effort: Effort) -> f64 {
        70.0 + 100.0 * effort.activity_30s + 60.0 * effort.activity_120s
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
    }

    /// Twice an hour a walk of three minutes, rhythmic every other time; between them a wrist
    /// that hardly moves, and a heart that wanders by itself.
    #[test]
    fn hours_of_rest_do_not_make_the_next_walk_a_riddle() {
        let (walk_every, walk) = (180, 18);
        let mut exertion = Exertion::default();
        let mut worked = 0.0;
        let mut moved = std::collections::VecDeque::from(vec![0.006; 12]);
        let (mut raw, mut left) = (Vec::new(), Vec::new());
        for hop in 0..3000_u32 {
            let walks = hop % walk_every >= walk_every - walk;
            worked += if walks { (30.0 - worked) * 0.2 } else { -worked * 0.1 };
            moved.pop_front();
            moved.push_back(if walks { 0.2 } else { 0.006 + 0.0005 * f64::from(hop * 7 % 11) });
            let rhythmic = walks && (hop / walk_every) % 2 == 1;
            let effort = Effort {
                activity_30s: moved.range(9..).sum::<f64>() / 3.0,
                activity_120s: moved.iter().sum::<f64>() / 12.0,
                stereotypy: if rhythmic { 0.6 } else { 0.02 * f64::from(hop % 5) },
            };
            let rate = 70.0 + worked + 6.0 * (f64::from(hop) / 60.0).sin();
            if hop >= 360 {
                raw.push(rate);
                left.extend(exertion.residual(rate, effort));
            }
            exertion.learn(rate, effort);
        }
        let spread = |of: &[f64]| {
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            (of.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / of.len() as f64).sqrt()
        };
        assert!(spread(&left) < 0.55 * spread(&raw), "{} of {}", spread(&left), spread(&raw));
        assert!(left.iter().all(|left| left.abs() < 20.0));
    }
}
