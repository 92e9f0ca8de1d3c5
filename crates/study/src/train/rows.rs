use std::sync::Arc;

use detector::{Assessment, Config, FeatureVector, Model};
use ndarray::{Array1, Array2, Axis};

use super::logistic::Problem;
use crate::run::run;
use crate::score::STEP_S;
use crate::sitting::Sitting;

/// What was measured in a recording, whatever any model says.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(super) hops: Vec<MeasuredHop>,
}

#[derive(Clone, Debug)]
pub(super) struct MeasuredHop {
    pub(super) inside: bool,
    /// The features, as models weigh them.
    pub(super) weighed: FeatureVector,
}

impl Measured {
    /// Measures a recording. Features do not depend on the model.
    pub(crate) fn of(sitting: &Sitting, model: &Arc<Model>) -> Self {
        let hops = assessed(sitting, model).map(|it| MeasuredHop {
            inside: is_inside(sitting, &it),
            weighed: it.features.weighed(),
        });
        Self { hops: hops.collect() }
    }
}

/// Rows to learn from: inputs with the bias last, whether inside, and what each counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    inputs: Vec<f64>,
    inside: Vec<f64>,
    weights: Vec<f64>,
    /// The recording that each row comes from.
    sitting: Vec<usize>,
}

impl Rows {
    /// The rows of one recording: one hop of so many, as neighbours say nearly the same.
    pub(super) fn of(place: usize, sitting: &Sitting, model: &Arc<Model>, every: usize) -> Self {
        let mut rows = Self::default();
        for it in assessed(sitting, model).step_by(every.max(1)) {
            rows.inputs.extend(it.inputs.values());
            rows.inputs.push(1.0);
            rows.inside.push(f64::from(u8::from(is_inside(sitting, &it))));
            rows.weights.push(1.0);
            rows.sitting.push(place);
        }
        rows
    }

    /// The same, weighed so that inside and outside count alike, and all of it as an hour.
    pub(super) fn balanced(mut self) -> Self {
        let inside: f64 = self.inside.iter().sum();
        let outside = self.inside.len() as f64 - inside;
        for (weight, is_inside) in self.weights.iter_mut().zip(&self.inside) {
            let of_its_kind = if *is_inside > 0.5 { inside } else { outside };
            *weight = HOPS_PER_HOUR / 2.0 / of_its_kind;
        }
        self
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.inputs.append(&mut other.inputs);
        self.inside.append(&mut other.inside);
        self.weights.append(&mut other.weights);
        self.sitting.append(&mut other.sitting);
    }
}

/// A recording counts as so many hops, however long it is.
const HOPS_PER_HOUR: f64 = 360.0;

/// Rows as a matrix.
pub(super) struct Table {
    x: Array2<f64>,
    y: Array1<f64>,
    weights: Array1<f64>,
    sitting: Vec<usize>,
}

impl Table {
    pub(super) fn of(rows: Rows, width: usize) -> Self {
        let x = Array2::from_shape_vec((rows.inside.len(), width + 1), rows.inputs)
            .expect("a row is as long as the inputs' names, and the bias");
        Self { x, y: rows.inside.into(), weights: rows.weights.into(), sitting: rows.sitting }
    }

    /// What each row counts where some recordings count for nothing.
    pub(super) fn without(&self, left_out: impl Fn(usize) -> bool) -> Array1<f64> {
        let weight = |(sitting, weight): (&usize, &f64)| {
            if left_out(*sitting) { 0.0 } else { *weight }
        };
        self.sitting.iter().zip(&self.weights).map(weight).collect()
    }

    /// The logit of the share of rows inside an episode.
    pub(super) fn prior_logit(&self) -> f64 {
        let (all, inside) = self.counts();
        let share = (inside as f64 + 0.5) / (all as f64 + 1.0);
        (share / (1.0 - share)).ln()
    }

    /// The rows that count, with some of their columns.
    pub(super) fn part(&self, columns: &[usize], weights: &Array1<f64>) -> Part {
        let rows: Vec<usize> = (0..weights.len()).filter(|row| weights[*row] > 0.0).collect();
        Part {
            x: self.x.select(Axis(0), &rows).select(Axis(1), columns),
            y: self.y.select(Axis(0), &rows),
            weights: weights.select(Axis(0), &rows),
        }
    }

    /// How many rows, and how many of them inside an episode.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.y.len(), self.y.iter().filter(|it| **it > 0.5).count())
    }
}

/// The rows and columns that are fitted.
pub(super) struct Part {
    x: Array2<f64>,
    y: Array1<f64>,
    weights: Array1<f64>,
}

impl Part {
    pub(super) fn problem(&self) -> Problem<'_> {
        Problem { x: self.x.view(), y: self.y.view(), weights: self.weights.view() }
    }
}

/// The hops with a verdict.
fn assessed(sitting: &Sitting, model: &Arc<Model>) -> impl Iterator<Item = Assessment> {
    let found = run(&sitting.stream, &Config::default(), model);
    found.assessments.into_iter().filter(|it| it.score.is_some())
}

/// The label of a hop, as it will be scored: that of the middle of its 10 s.
fn is_inside(sitting: &Sitting, assessment: &Assessment) -> bool {
    let middle = assessment.at.as_seconds_f64() - STEP_S / 2.0;
    sitting.labels.episodes.iter().any(|it| it.start <= middle && middle <= it.end)
}
