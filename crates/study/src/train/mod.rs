//! From labelled recordings to a model.

mod card;
mod command;
mod logistic;
mod population;
mod recipe;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use detector::{About, Config, Inputs, Model, Parts, Term, Thresholds, Usual};
use ndarray::Array1;

use crate::run::run;
use crate::score::{Graded, Grader, best_threshold};
use crate::scores::{Hop, Scores};
use crate::sitting::Sitting;
use logistic::Prior;
use rows::{Rows, Table};

pub(crate) use command::{TrainArgs, execute};
pub(crate) use recipe::Recipe;
pub(crate) use rows::Measured;

/// While a model is being made, no score is an alarm.
pub(crate) const NO_ALARM: Thresholds = Thresholds { rising: 2.0, high: 2.0 };
/// False alarms an hour from which the two levels' thresholds are taken.
const RISING_BUDGET: f64 = 0.5;
const HIGH_BUDGET: f64 = 0.125;
/// Thresholds are chosen on people whom the model has not seen: so many parts.
const PARTS: usize = 5;

/// A recording with all that can be learned from it, measured once.
pub(crate) struct Lesson {
    pub(crate) sitting: Sitting,
    variants: Vec<Sitting>,
    measured: Measured,
}

impl Lesson {
    pub(crate) fn of(sitting: &Sitting, recipe: &Recipe) -> Self {
        let crops = (0..recipe.crops).map(|seed| sitting.cropped(CROP_SEED + seed));
        let shuffles = (0..recipe.shuffles).map(|seed| sitting.shuffled(SHUFFLE_SEED + seed));
        let blank = Arc::new(blank(population::unknown()));
        Self {
            variants: crops.chain(shuffles).collect(),
            measured: Measured::of(sitting, &blank),
            sitting: sitting.clone(),
        }
    }
}

/// Seeds that no evaluation uses: what is learned from is not what is scored.
const CROP_SEED: u64 = 1_000;
const SHUFFLE_SEED: u64 = 2_000;

/// What some people's recordings have to teach, ready to be fitted.
pub(crate) struct Class<'a> {
    lessons: Vec<&'a Lesson>,
    population: BTreeMap<String, Usual>,
    table: Table,
    recipe: &'a Recipe,
}

impl<'a> Class<'a> {
    pub(crate) fn of(lessons: Vec<&'a Lesson>, recipe: &'a Recipe) -> Self {
        let population = population::population(lessons.iter().map(|it| &it.measured));
        let blank = Arc::new(blank(population.clone()));
        let mut rows = Rows::default();
        for (place, lesson) in lessons.iter().enumerate() {
            let mut own = Rows::default();
            for variant in std::iter::once(&lesson.sitting).chain(&lesson.variants) {
                own.append(Rows::of(place, variant, &blank, recipe.every));
            }
            rows.append(own.balanced());
        }
        let table = Table::of(rows, Inputs::names().len());
        Self { lessons, population, table, recipe }
    }

    /// The model of all of them that weighs the inputs of the mask alone.
    pub(crate) fn model(
        &self,
        id: &str,
        mask: &[bool],
        thresholds: Thresholds,
    ) -> anyhow::Result<Model> {
        self.build(id, &self.fit(mask, |_| false)?, thresholds)
    }

    /// Thresholds for the two levels, from scores of people whom the model had not seen.
    pub(crate) fn thresholds(unseen: &[Graded]) -> Thresholds {
        let at = |budget| best_threshold(unseen, budget).unwrap_or(1.0);
        let rising = at(RISING_BUDGET);
        Thresholds { rising, high: at(HIGH_BUDGET).max(rising) }
    }

    /// Their recordings, each scored by a model that was made without it.
    pub(crate) fn unseen(&self, mask: &[bool]) -> anyhow::Result<Vec<Graded>> {
        let mut graded = Vec::new();
        for part in 0..PARTS.min(self.lessons.len()) {
            let held_out = |place: usize| place % PARTS == part;
            let weights = self.fit(mask, held_out)?;
            let model = Arc::new(self.build("part", &weights, NO_ALARM)?);
            for (place, lesson) in self.lessons.iter().enumerate() {
                if held_out(place) {
                    graded.extend(grade(&lesson.sitting, &model, &Grader::default()));
                }
            }
        }
        Ok(graded)
    }

    /// What the model's card has to say.
    pub(crate) fn card(&self, model: &Model) -> String {
        card::card(self, model)
    }

    /// Weights for every input, 0 for those outside of the mask, and the bias.
    fn fit(&self, mask: &[bool], left_out: impl Fn(usize) -> bool) -> anyhow::Result<Array1<f64>> {
        let used: Vec<usize> =
            (0..=mask.len()).filter(|it| *it == mask.len() || mask[*it]).collect();
        let counted = self.table.without(left_out);
        let mut precision = Array1::from_elem(used.len(), self.recipe.ridge);
        precision[used.len() - 1] = LOOSE;
        let mut lasso = Array1::from_elem(used.len(), self.recipe.lasso);
        lasso[used.len() - 1] = 0.0;
        let prior = Prior { mean: Array1::zeros(used.len()), precision, lasso };
        let fitted = logistic::fit(&self.table.part(&used, &counted).problem(), &prior)?;
        let mut weights = Array1::zeros(mask.len() + 1);
        for (place, weight) in used.into_iter().zip(fitted) {
            weights[place] = weight;
        }
        Ok(weights)
    }

    fn build(
        &self,
        id: &str,
        weights: &Array1<f64>,
        thresholds: Thresholds,
    ) -> anyhow::Result<Model> {
        let (bias, weights) =
            weights.as_slice().and_then(<[f64]>::split_last).expect("the bias stands last");
        let named = Inputs::names().into_iter().zip(weights);
        let terms = named.filter(|(_, weight)| **weight != 0.0);
        Ok(Model::new(Parts {
            id: id.to_owned(),
            about: card::about(self),
            population: self.population.clone(),
            // Both classes weighed the same; the score is to be a probability all the same.
            bias: bias + self.table.prior_logit(),
            terms: terms.map(|(name, weight)| Term::line(&name, *weight)).collect(),
            smoothing_s: self.recipe.smoothing,
            thresholds,
        })?)
    }
}

/// Precision of the prior of the bias.
const LOOSE: f64 = 1e-6;

/// A model that says nothing, to compute inputs with.
fn blank(population: BTreeMap<String, Usual>) -> Model {
    Model::new(Parts {
        id: "blank".to_owned(),
        about: About::default(),
        population,
        bias: 0.0,
        terms: Vec::new(),
        smoothing_s: 0.0,
        thresholds: NO_ALARM,
    })
    .expect("it has every feature's population")
}

/// Runs the whole detector with a model over a recording, and grades it.
pub(crate) fn grade(sitting: &Sitting, model: &Arc<Model>, grader: &Grader) -> Option<Graded> {
    let found = run(&sitting.stream, &Config::default(), model);
    let hops = found.assessments.iter().map(Hop::of).collect();
    let scores = Scores { hops, has_level: true };
    let origin = sitting.origin.as_seconds_f64();
    let mut labels = sitting.labels.clone();
    labels.person = Some(sitting.person.clone());
    grader.grade(&sitting.name, &labels, &scores, Some(origin))
}
