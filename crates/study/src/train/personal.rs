use std::sync::Arc;

use anyhow::ensure;
use detector::{Inputs, Model, Term};
use ndarray::{Array1, Array2};

use super::logistic::{Prior, Problem, fit};
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
/// # Errors
/// Where the recordings are of several people, or the model has no input that could change.
pub(super) fn personal(prior: &Model, id: &str, sittings: &[Sitting]) -> anyhow::Result<Model> {
    ensure!(
        !prior.parts().terms.is_empty(),
        "the model {} has no input that could be changed: give one that has, or train anew \
         without --personal",
        prior.id()
    );
    let person = &sittings[0].person;
    for sitting in sittings {
        ensure!(sitting.person == *person, "{} is not of {person}", sitting.name);
    }
    let model = Arc::new(prior.clone());
    let rows: Vec<Rows> = sittings.iter().map(|it| Rows::of(it, &model)).collect();
    let names = Inputs::names();
    let place = |term: &Term| names.iter().position(|name| *name == term.input);
    let places: Vec<usize> = prior.parts().terms.iter().filter_map(place).collect();
    let used = places.len();
    let mut x = Vec::new();
    let mut y = Vec::new();
    for (row, inside) in rows.iter().flat_map(|it| it.x.rows().into_iter().zip(&it.inside)) {
        let said = prior.parts().terms.iter().zip(&places).map(|(term, at)| term.at(row[*at]));
        let said = prior.parts().bias + said.sum::<f64>();
        x.extend(places.iter().map(|at| row[*at]).chain([1.0, said]));
        y.push(f64::from(u8::from(*inside)));
    }
    let x = Array2::from_shape_vec((y.len(), used + 2), x)?;
    let (y, weights) = (Array1::from(y), Array1::from_elem(x.nrows(), WORTH));
    let mut mean = Array1::zeros(used + 2);
    mean[used + 1] = 1.0;
    let precision = std::iter::repeat_n(HELD, used).chain([BIAS_HELD, FIXED]).collect();
    let problem = Problem { x: x.view(), y: y.view(), weights: weights.view() };
    let changes = fit(&problem, &Prior { mean, precision })?;
    let mut parts = prior.parts().clone();
    parts.id = id.to_owned();
    parts.bias += changes[used];
    let names = sittings.iter().map(|it| it.name.as_str());
    parts.about.data = std::iter::once(prior.parts().about.data.as_str())
        .filter(|known| !known.is_empty())
        .chain(names)
        .collect::<Vec<_>>()
        .join(", ");
    parts.about.protocol += "; then changed by one person's own recordings";
    for (term, change) in parts.terms.iter_mut().zip(&changes) {
        *term = changed(term, *change);
    }
    Ok(Model::new(parts)?)
}

/// The same function and a straight line through 0 on top.
fn changed(term: &Term, slope: f64) -> Term {
    let values = term.knots.iter().zip(&term.values).map(|(knot, value)| value + slope * knot);
    Term { values: values.collect(), ..term.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_tilts_a_term_and_leaves_it_0_at_0() {
        let term = changed(&Term::line("scl.own", 0.5), 0.25);
        assert!((term.at(2.0) - 1.5).abs() < 1e-12);
        assert_eq!(term.at(0.0), 0.0);
    }
}
