use std::sync::Arc;

use anyhow::ensure;
use detector::{Inputs, Model, Term, Weights};
use ndarray::{Array1, Array2};

use super::logistic::{Prior, Problem, fit, sigmoid};
use super::rows::Rows;
use crate::sitting::Sitting;

/// A window is worth so much: neighbours overlap and say nearly the same.
const WORTH: f64 = 0.1;
/// Precision of each weight's change,
const HELD: f64 = 100.0;
/// and of the bias's: it may move more.
const BIAS_HELD: f64 = 25.0;
/// What the model said before stands as it is.
const FIXED: f64 = 1e9;

/// A model changed by one person's recordings: the most probable change of its weights, which
/// are drawn to where they were. Minimises `0.1 NLL + 1/2 (w - w0)' L (w - w0)`, L = 100 I and
/// 25 for the bias.
///
/// How often episodes are in the recordings teaches nothing: what is inside and what is outside
/// of them weigh such that the model before was right on average. Else whoever is seldom
/// aroused, or was recorded in calm days, would not be heard at thresholds that stay.
/// What is weighed where a signal is lacking is changed by the same recordings without it; it
/// stays where they then lack windows inside or outside of episodes.
///
/// # Errors
/// Where the recordings are of several people or lack windows inside or outside of episodes, or
/// the model has no input that could change.
pub(super) fn personal(prior: &Model, id: &str, sittings: &[Sitting]) -> anyhow::Result<Model> {
    ensure!(
        !prior.parts().weights.terms.is_empty(),
        "the model {} has no input that could be changed: give one that has, or train anew \
         without --personal",
        prior.id()
    );
    let person = &sittings[0].person;
    for sitting in sittings {
        ensure!(
            sitting.person == *person,
            "{} is of {}, and {} of {person}: a model of one person takes recordings of one",
            sitting.name,
            sitting.person,
            sittings[0].name
        );
    }
    let model = Arc::new(prior.clone());
    let windows = |weights: &Weights, of: &dyn Fn(&Sitting) -> Sitting| {
        let rows: Vec<Rows> = sittings.iter().map(|it| Rows::of(&of(it), &model)).collect();
        Windows::of(weights, &rows)
    };
    let mut parts = prior.parts().clone();
    parts.weights = windows(&parts.weights, &Sitting::clone)?.change(&parts.weights)?;
    for (signal, weights) in &mut parts.lacking {
        let windows = windows(weights, &|it| it.without(*signal))?;
        if windows.hold_both() {
            *weights = windows.change(weights)?;
        }
    }
    parts.id = id.to_owned();
    let names = sittings.iter().map(|it| it.name.as_str());
    parts.about.data = std::iter::once(prior.parts().about.data.as_str())
        .filter(|known| !known.is_empty())
        .chain(names)
        .collect::<Vec<_>>()
        .join(", ");
    parts.about.protocol += "; then changed by one person's own recordings";
    Ok(Model::new(parts)?)
}

/// Windows of a person.
struct Windows {
    /// A row a window: the inputs that have a weight, 1, and the logit that the model gave.
    x: Array2<f64>,
    /// 1 inside of an episode.
    y: Array1<f64>,
    /// The weight of each label, above 0 to 1; 1 outside of episodes.
    trust: Array1<f64>,
}

impl Windows {
    fn of(prior: &Weights, rows: &[Rows]) -> anyhow::Result<Self> {
        let names = Inputs::names();
        let place = |term: &Term| names.iter().position(|name| *name == term.input);
        let places: Vec<usize> = prior.terms.iter().filter_map(place).collect();
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (row, inside) in rows.iter().flat_map(|it| it.x.rows().into_iter().zip(&it.inside)) {
            let said = prior.terms.iter().zip(&places).map(|(term, at)| term.at(row[*at]));
            let said = prior.bias + said.sum::<f64>();
            x.extend(places.iter().map(|at| row[*at]).chain([1.0, said]));
            y.push(f64::from(u8::from(*inside)));
        }
        let x = Array2::from_shape_vec((y.len(), places.len() + 2), x)?;
        let trust = rows.iter().flat_map(|it| it.trust.iter().copied()).collect();
        Ok(Self { x, y: Array1::from(y), trust })
    }

    /// Whether some are inside of episodes and some outside.
    fn hold_both(&self) -> bool {
        [0.0, 1.0].iter().all(|class| self.y.iter().any(|y| y == class))
    }

    /// The weights as they are most probable now.
    fn change(&self, prior: &Weights) -> anyhow::Result<Weights> {
        let changes = self.changes()?;
        let terms = prior.terms.iter().zip(&changes).map(|(term, change)| changed(term, *change));
        let terms: Vec<Term> = terms.collect();
        Ok(Weights { bias: prior.bias + changes[terms.len()], terms })
    }

    /// What each window is worth. Labels that are trusted half are half the evidence, of both
    /// classes: else they would say how often episodes are.
    fn worth(&self) -> anyhow::Result<Array1<f64>> {
        let said = self.x.column(self.x.ncols() - 1).mapv(sigmoid);
        let [all, inside] = [self.y.len() as f64, self.y.sum()];
        ensure!(
            self.hold_both(),
            "a person's own model takes windows inside and outside of episodes: {inside} of {all} \
             are inside"
        );
        let within = &self.y * &self.trust;
        let trusted = within.sum();
        let at_inside = said.dot(&within) / trusted;
        let at_outside = (said.sum() - said.dot(&self.y)) / (all - inside);
        // The part of the time in episodes at which the mean of the scores is that part.
        let part = at_outside / (1.0 - at_inside + at_outside);
        let evidence = WORTH * all * trusted / inside;
        let outside = evidence * (1.0 - part) / (all - inside);
        Ok(within * (evidence * part / trusted) + self.y.mapv(|y| (1.0 - y) * outside))
    }

    /// The changes of the weights, of the bias, and none of what was said.
    fn changes(&self) -> anyhow::Result<Array1<f64>> {
        let weights = self.worth()?;
        let used = self.x.ncols() - 2;
        let mut mean = Array1::zeros(used + 2);
        mean[used + 1] = 1.0;
        let precision = std::iter::repeat_n(HELD, used).chain([BIAS_HELD, FIXED]).collect();
        let problem = Problem { x: self.x.view(), y: self.y.view(), weights: weights.view() };
        fit(&problem, &Prior { mean, precision })
    }
}

/// The same function and a straight line through 0 on top.
fn changed(term: &Term, slope: f64) -> Term {
    let values = term.knots.iter().zip(&term.values).map(|(knot, value)| value + slope * knot);
    Term { values: values.collect(), ..term.clone() }
}

#[cfg(test)]
mod tests {
    use detector::{Signal, default_model};

    use super::*;
    use crate::sitting::recorded;

    /// Windows of somebody in whom one input tells of episodes and another of nothing: so many
    /// hundreds outside, and half a hundred inside of them.
    fn windows(hundreds: u32) -> Windows {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for window in 0..hundreds * 100 + 50 {
            let wave = |by: u32| f64::from(window * by % 101) / 50.0 - 1.0;
            let inside = window < 50;
            let (tells, tells_not) = (wave(37) + if inside { 1.5 } else { 0.0 }, wave(53));
            // What the model before makes of them.
            x.extend([tells, tells_not, 1.0, -1.2 + 0.6 * tells + 0.6 * tells_not]);
            y.push(if inside { 1.0 } else { 0.0 });
        }
        let rows = y.len();
        let x = Array2::from_shape_vec((rows, 4), x).expect("four");
        Windows { x, y: Array1::from(y), trust: Array1::ones(rows) }
    }

    #[test]
    fn the_change_is_the_most_probable_one() {
        let windows = windows(4);
        let changes = windows.changes().expect("it fits");
        assert!((changes[3] - 1.0).abs() < 1e-6);
        // The slope of what is minimised is 0 there.
        let worth = windows.worth().expect("both");
        for (input, held) in [(0, 100.0), (1, 100.0), (2, 25.0)] {
            let each = windows.x.rows().into_iter().zip(&windows.y).zip(&worth);
            let each =
                each.map(|((row, y), worth)| worth * (sigmoid(row.dot(&changes)) - y) * row[input]);
            let slope = each.sum::<f64>() + held * changes[input];
            assert!(slope.abs() < 1e-6, "{input}: {slope}");
        }
        assert!(changes[0] > 0.01 && changes[1] < -0.01, "{changes}");
        // A window is worth a tenth, on average.
        assert!((worth.sum() - 0.1 * windows.y.len() as f64).abs() < 1e-9);
    }

    #[test]
    fn labels_that_are_trusted_half_change_less_and_as_fairly() {
        let whole = windows(4);
        let half = Windows { trust: whole.y.mapv(|y| 1.0 - 0.5 * y), ..windows(4) };
        let (whole_worth, half_worth) = (whole.worth().expect("both"), half.worth().expect("both"));
        assert!((&half_worth * 2.0 - &whole_worth).iter().all(|off| off.abs() < 1e-12));
        let [of_whole, of_half] = [&whole, &half].map(|it| it.changes().expect("it fits"));
        assert!(of_half[0] > 0.0 && of_half[0] < of_whole[0], "{of_half} {of_whole}");
        // One label of two is doubted: it is worth half the other.
        let trust = (0..whole.y.len()).map(|at| if at < 25 { 0.5 } else { 1.0 }).collect();
        let worth = Windows { trust, ..windows(4) }.worth().expect("both");
        assert!((worth[30] / worth[10] - 2.0).abs() < 1e-12);
        assert!((worth.sum() - 0.075 * worth.len() as f64).abs() < 1e-9);
    }

    #[test]
    fn whoever_is_seldom_aroused_goes_on_to_be_heard() {
        for hundreds in [1, 10, 60] {
            let windows = windows(hundreds);
            let changes = windows.changes().expect("it fits");
            let before = windows.x.column(3).to_owned();
            let after = windows.x.dot(&changes);
            let inside = windows.y.sum();
            let risen = (&after - &before).dot(&windows.y) / inside;
            assert!(risen > 0.0, "{hundreds}: {risen}");
        }
        let calm = Windows { y: Array1::zeros(150), ..windows(1) };
        assert!(calm.changes().is_err());
    }

    #[test]
    fn a_change_tilts_a_term_and_leaves_it_0_at_0() {
        let term = changed(&Term::line("scl.own", 0.5), 0.25);
        assert!((term.at(2.0) - 1.5).abs() < 1e-12);
        assert_eq!(term.at(0.0), 0.0);
    }

    #[test]
    fn what_is_weighed_without_a_signal_is_the_persons_own_too() -> anyhow::Result<()> {
        let Some(whole) = recorded("S02")? else { return Ok(()) };
        let whole = [whole];
        let prior = default_model();
        let changed = |model: &Model, signal| {
            let [prior, own] = [&prior, model].map(|it| &it.parts().lacking[&signal]);
            assert_eq!(prior.terms.len(), own.terms.len());
            prior != own
        };
        let model = personal(&prior, "S02", &whole)?;
        assert_ne!(model.parts().weights, prior.parts().weights);
        assert!(Signal::LEADING.into_iter().all(|signal| changed(&model, signal)));
        // A band that never read sweat has nothing to say of what to weigh without a pulse.
        let dry = personal(&prior, "S02", &[whole[0].without(Signal::Eda)])?;
        assert_eq!(Signal::LEADING.map(|it| changed(&dry, it)), [false, true, false]);
        Ok(())
    }
}
