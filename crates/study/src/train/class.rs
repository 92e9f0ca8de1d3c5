use std::collections::BTreeMap;
use std::sync::Arc;

use detector::{About, Inputs, Model, Parts, Signal, Term, Thresholds, Usual, Weights};
use ndarray::{Array1, Axis};

use super::elastic::{Moments, elastic_net};
use super::logistic::{Prior, Problem, fit, sigmoid};
use super::population::{self, Measured};
use super::rows::{Rows, Timetable};
use super::{NO_ALARM, Recipe, card, grade, matched, thresholds_or_never};
use crate::features::inputs_of;
use crate::score::Graded;
use crate::scores::{Hop, Scores};
use crate::sitting::Sitting;

/// Seeds that no evaluation uses: what is learned from is not what is scored.
const CROP_SEED: u64 = 1_000;
const SHUFFLE_SEED: u64 = 2_000;
/// How much the recordings as they are weigh beside those cropped, those reordered, and those of
/// skins that conduct otherwise.
const SHARES: [f64; 4] = [0.4, 0.9, 1.5, 1.0];

/// A recording with all that can be learned from it.
pub(crate) struct Lesson {
    pub(crate) sitting: Sitting,
    crops: Vec<Sitting>,
    orders: Vec<Sitting>,
    skins: Vec<Sitting>,
    measured: Measured,
}

impl Lesson {
    pub(crate) fn of(sitting: &Sitting, recipe: &Recipe) -> Self {
        let blank = Arc::new(blank(population::unknown()));
        Self {
            crops: (0..recipe.crops).map(|seed| sitting.cropped(CROP_SEED + seed)).collect(),
            skins: recipe.conductances.iter().map(|it| sitting.conducting(*it)).collect(),
            orders: (0..recipe.shuffles).map(|it| sitting.shuffled(SHUFFLE_SEED + it)).collect(),
            measured: Measured::of(sitting, &blank),
            sitting: sitting.clone(),
        }
    }
}

/// What people's recordings have to teach: what is usual, and the second moments of the inputs
/// by recording, so that any set of them is fitted by a sum.
pub(crate) struct Class<'a> {
    pub(super) lessons: &'a [Lesson],
    pub(super) recipe: &'a Recipe,
    population: BTreeMap<String, Usual>,
    /// The inputs' spreads, by which they are divided before the fit.
    spreads: Array1<f64>,
    rows: Vec<Rows>,
    /// Of each recording's crops.
    cropped: Vec<Vec<Rows>>,
    moments: Vec<Moments>,
}

/// What a fit on other people says of a recording, smoothed.
pub(crate) struct Unseen {
    /// The recording's place among the lessons.
    place: usize,
    fitted: Fitted,
    said: Vec<f64>,
    /// The same of each of its crops.
    cropped: Vec<Vec<f64>>,
}

/// Recordings judged by models that had not seen their people.
pub(crate) struct Judged {
    pub(crate) whole: Vec<Graded>,
    /// Each of them several times, with its start cut off.
    pub(crate) cropped: Vec<Graded>,
}

impl Judged {
    /// All of them.
    pub(super) fn all(&self) -> Vec<Graded> {
        [self.whole.as_slice(), &self.cropped].concat()
    }
}

/// Weights before they are any: a number around -1 outside and 1 inside of episodes.
pub(crate) struct Fitted(Array1<f64>);

/// What was learned from some people.
pub(crate) struct Learned {
    pub(crate) weights: Weights,
    pub(crate) thresholds: Thresholds,
    /// What people came to of whom nothing was learned.
    pub(crate) unseen: Judged,
    /// What led to it.
    fits: Vec<Unseen>,
    calibration: [f64; 2],
}

impl Fitted {
    fn weights(&self, [bias, slope]: [f64; 2]) -> Weights {
        let names = Inputs::names();
        let terms = names.iter().zip(&self.0).filter(|(_, weight)| **weight != 0.0);
        Weights {
            bias: bias + slope * self.0[names.len()],
            terms: terms.map(|(name, weight)| Term::line(name, slope * weight)).collect(),
        }
    }
}

impl<'a> Class<'a> {
    /// Nothing that is the same for all, be it what is usual or what the timetable was, comes
    /// from the lessons that are kept back.
    pub(crate) fn of(
        lessons: &'a [Lesson],
        recipe: &'a Recipe,
        kept_back: impl Fn(&Sitting) -> bool,
    ) -> Self {
        let shown: Vec<&Lesson> =
            lessons.iter().filter(|lesson| !kept_back(&lesson.sitting)).collect();
        let measured: Vec<&Measured> = shown.iter().map(|lesson| &lesson.measured).collect();
        let population = population::population(&measured);
        let blank = Arc::new(blank(population.clone()));
        let rows_of = |it: &Sitting| Rows::of(it, &blank);
        let rows: Vec<Rows> = lessons.iter().map(|it| rows_of(&it.sitting)).collect();
        let cropped_of = |it: &Lesson| it.crops.iter().map(rows_of).collect();
        let crops: Vec<Vec<Rows>> = lessons.iter().map(cropped_of).collect();
        let whole = Timetable::of(shown.iter().map(|lesson| &lesson.sitting));
        let cropped = Timetable::of(shown.iter().flat_map(|lesson| &lesson.crops));
        let spreads = spreads(
            lessons.iter().zip(&rows).filter(|(it, _)| !kept_back(&it.sitting)).map(|(_, it)| it),
        );
        let scaled = |rows: &Rows| &rows.x / &spreads;
        let moments_of = |((lesson, own), crops): ((&Lesson, &Rows), &Vec<Rows>)| {
            let mut moments = Moments::none(spreads.len());
            let mut take = |rows: &Rows, timetable: Option<&Timetable>, share: f64| {
                let weights = rows.weights(timetable, share);
                moments.take(&scaled(rows), &rows.target(), &weights);
            };
            take(own, Some(&whole), SHARES[0]);
            for crop in crops {
                take(crop, Some(&cropped), SHARES[1] / crops.len() as f64);
            }
            for order in &lesson.orders {
                take(&rows_of(order), None, SHARES[2] / lesson.orders.len() as f64);
            }
            for skin in &lesson.skins {
                take(&rows_of(skin), Some(&whole), SHARES[3] / lesson.skins.len() as f64);
            }
            moments
        };
        let moments = lessons.iter().zip(&rows).zip(&crops).map(moments_of).collect();
        Self { lessons, recipe, population, spreads, rows, cropped: crops, moments }
    }

    /// Fits the inputs of the mask on the recordings that count.
    pub(crate) fn fit(&self, mask: &[bool], counts: impl Fn(&Sitting) -> bool) -> Fitted {
        let mut sum = Moments::none(self.spreads.len());
        let mut weight = 0.0;
        for (lesson, moments) in self.lessons.iter().zip(&self.moments) {
            if counts(&lesson.sitting) {
                sum.add(moments);
                weight += moments.gram[[self.spreads.len() - 1, self.spreads.len() - 1]];
            }
        }
        sum.gram /= weight;
        sum.pull /= weight;
        let used: Vec<usize> = (0..mask.len()).filter(|place| mask[*place]).collect();
        Fitted(elastic_net(&sum, &used, self.recipe.lasso, self.recipe.ridge) / &self.spreads)
    }

    /// For each recording that counts what a fit on the other people says of it.
    pub(crate) fn unseen(&self, mask: &[bool], counts: impl Fn(&Sitting) -> bool) -> Vec<Unseen> {
        let counted = self.lessons.iter().enumerate().filter(|(_, it)| counts(&it.sitting));
        counted
            .map(|(place, lesson)| {
                let others = |it: &Sitting| counts(it) && it.person != lesson.sitting.person;
                let fitted = self.fit(mask, others);
                let say = |rows: &Rows| self.smooth(&rows.times, &rows.x.dot(&fitted.0));
                let cropped = self.cropped[place].iter().map(say).collect();
                Unseen { place, said: say(&self.rows[place]), cropped, fitted }
            })
            .collect()
    }

    /// As the detector smooths: anew after a gap.
    fn smooth(&self, times: &[f64], said: &Array1<f64>) -> Vec<f64> {
        let hop = crate::run::HOP_S as f64;
        let keep = (-hop / self.recipe.smoothing.max(1e-3)).exp();
        let mut smoothed: Vec<f64> = Vec::new();
        for (place, value) in said.iter().enumerate() {
            let goes_on = place > 0 && times[place] - times[place - 1] < 1.5 * hop;
            smoothed.push(match smoothed.last().filter(|_| goes_on) {
                Some(before) => keep * before + (1.0 - keep) * value,
                None => *value,
            });
        }
        smoothed
    }

    /// How what is said becomes a logit, learned from what was said of unseen people: bias and
    /// slope (Platt 1999).
    pub(crate) fn calibration(&self, unseen: &[Unseen]) -> anyhow::Result<[f64; 2]> {
        let said = unseen.iter().flat_map(|it| it.said.iter().copied());
        let x: Vec<f64> = said.flat_map(|it| [1.0, it]).collect();
        let inside = unseen.iter().flat_map(|it| &self.rows[it.place].inside);
        let y: Array1<f64> = inside.map(|inside| f64::from(u8::from(*inside))).collect();
        let x = ndarray::Array2::from_shape_vec((y.len(), 2), x).expect("two a row");
        let weights = Array1::ones(y.len());
        let problem = Problem { x: x.view(), y: y.view(), weights: weights.view() };
        let prior = Prior { mean: Array1::zeros(2), precision: Array1::from_elem(2, 1e-3) };
        let found = fit(&problem, &prior)?;
        Ok([found[0], found[1].max(1e-3)])
    }

    /// The unseen, graded as probabilities: what thresholds are chosen on.
    pub(crate) fn graded(&self, unseen: &[Unseen], [bias, slope]: [f64; 2]) -> Judged {
        let grade = |sitting: &Sitting, rows: &Rows, said: &[f64]| {
            let times = rows.times.iter().zip(said);
            let hops = times.map(|(time, said)| Hop {
                time: *time,
                score: Some(sigmoid(bias + slope * said)),
                level: None,
            });
            let scores = Scores { hops: hops.collect(), has_level: false };
            let graded = Graded::of(&sitting.name, &sitting.labels, &scores, None)?;
            Some(graded.known_from(rows.known_from))
        };
        let whole =
            |it: &Unseen| grade(&self.lessons[it.place].sitting, &self.rows[it.place], &it.said);
        let crops = |it: &Unseen| {
            let crops = self.lessons[it.place].crops.iter().zip(&self.cropped[it.place]);
            let crops = crops.zip(&it.cropped);
            crops.filter_map(|((crop, rows), said)| grade(crop, rows, said)).collect::<Vec<_>>()
        };
        Judged {
            whole: unseen.iter().filter_map(whole).collect(),
            cropped: unseen.iter().flat_map(crops).collect(),
        }
    }

    /// The unseen as the running detector scores them, which learns nothing of what is usual while
    /// its score is above a threshold.
    fn heard(&self, learned: &Learned) -> anyhow::Result<Judged> {
        let mut judged = Judged { whole: Vec::new(), cropped: Vec::new() };
        for it in &learned.fits {
            let weights = it.fitted.weights(learned.calibration);
            let model = Arc::new(Model::new(self.parts("unseen", weights, learned.thresholds))?);
            let lesson = &self.lessons[it.place];
            judged.whole.extend(grade(&lesson.sitting, &model));
            judged.cropped.extend(lesson.crops.iter().filter_map(|crop| grade(crop, &model)));
        }
        Ok(judged)
    }

    /// The model of the recordings that count.
    ///
    /// # Errors
    /// Where its parts do not fit.
    pub(crate) fn model(
        &self,
        id: &str,
        learned: &Learned,
        lacking: BTreeMap<Signal, Weights>,
    ) -> anyhow::Result<Model> {
        let parts = self.parts(id, learned.weights.clone(), learned.thresholds);
        Ok(Model::new(Parts { about: card::about(self), lacking, ..parts })?)
    }

    /// What makes a model of weights and thresholds, but for the words about it.
    fn parts(&self, id: &str, weights: Weights, thresholds: Thresholds) -> Parts {
        Parts {
            id: id.to_owned(),
            about: About::default(),
            population: self.population.clone(),
            weights,
            lacking: BTreeMap::new(),
            smoothing_s: self.recipe.smoothing,
            thresholds,
        }
    }

    /// What is learned about the inputs of the mask from the recordings that count: weights, and
    /// thresholds that people whom they had not seen lead to.
    ///
    /// # Errors
    /// Where no weights or thresholds can be found.
    pub(crate) fn learn(
        &self,
        mask: &[bool],
        counts: impl Fn(&Sitting) -> bool,
        choose: impl Fn(&Judged) -> anyhow::Result<Thresholds>,
    ) -> anyhow::Result<Learned> {
        let fits = self.unseen(mask, &counts);
        let calibration = self.calibration(&fits)?;
        let unseen = self.graded(&fits, calibration);
        let thresholds = choose(&unseen)?;
        let weights = self.fit(mask, counts).weights(calibration);
        Ok(Learned { weights, thresholds, unseen, fits, calibration })
    }

    /// What is weighed where one of these signals is lacking, such that RISING keeps its budget of
    /// false alerts at the threshold that was learned from all of them. Nothing of its own where
    /// no threshold does.
    ///
    /// False alerts are those of the running detector here. For all signals the scores of the fit
    /// lead to the same number of them and find more; for these they led to twice the budget.
    ///
    /// # Errors
    /// Where no weights can be found.
    pub(crate) fn lacking(
        &self,
        mask: &[bool],
        signals: &[Signal],
        counts: impl Fn(&Sitting) -> bool,
        whole: &Learned,
    ) -> anyhow::Result<BTreeMap<Signal, Weights>> {
        let mut lacking = BTreeMap::new();
        for signal in signals {
            let of_signal = inputs_of(*signal);
            let rest: Vec<bool> = mask.iter().zip(of_signal).map(|(it, of)| *it && !of).collect();
            let learned = self.learn(&rest, &counts, |unseen| Ok(thresholds_or_never(unseen)))?;
            let thresholds = thresholds_or_never(&self.heard(&learned)?);
            let weights = matched(learned.weights, thresholds, whole.thresholds);
            lacking.extend(weights.map(|weights| (*signal, weights)));
        }
        Ok(lacking)
    }

    /// How many hops there are, and how many of them inside an episode.
    pub(super) fn counts(&self) -> (usize, usize) {
        let inside = |rows: &Rows| rows.inside.iter().filter(|it| **it).count();
        (self.rows.iter().map(|it| it.inside.len()).sum(), self.rows.iter().map(inside).sum())
    }
}

/// The standard deviation of each input; 1 for the bias and for what never changes.
fn spreads<'a>(rows: impl Iterator<Item = &'a Rows>) -> Array1<f64> {
    let views: Vec<_> = rows.map(|rows| rows.x.view()).collect();
    let all = ndarray::concatenate(Axis(0), &views).expect("all are as wide");
    all.std_axis(Axis(0), 0.0).mapv(|spread| if spread > 1e-6 { spread } else { 1.0 })
}

/// A model that says nothing, to compute inputs with.
fn blank(population: BTreeMap<String, Usual>) -> Model {
    Model::new(Parts {
        id: "blank".to_owned(),
        about: About::default(),
        population,
        weights: Weights::default(),
        lacking: BTreeMap::new(),
        smoothing_s: 0.0,
        thresholds: NO_ALARM,
    })
    .expect("it has every feature's population")
}
