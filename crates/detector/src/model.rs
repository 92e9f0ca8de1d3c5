use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features::{Feature, FeatureVector, Signal};
use crate::inputs::Inputs;
use crate::terms::{Term, TermError};
use crate::usual::{CLIP, Usual};

const FORMAT: &str = "tidewatch-model 3";
const COUNT: usize = Feature::ALL.len();

/// What a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    checksum: String,
    model: Parts,
}

/// What a model consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// Its name.
    pub id: String,
    /// Where it comes from.
    pub about: About,
    /// What is usual for each feature in the population, as features are weighed.
    pub population: BTreeMap<String, Usual>,
    /// What is weighed where every signal is seen.
    pub weights: Weights,
    /// What is weighed where one of [`Signal::LEADING`] is not seen; else the same, with nothing
    /// from that signal. RISING means as many false alerts as ever; HIGH may mean fewer.
    pub lacking: BTreeMap<Signal, Weights>,
    /// Time constant of the smoothing of what the terms add, s.
    pub smoothing_s: f64,
    /// The levels' thresholds while little is known of a person.
    pub thresholds: Thresholds,
}

/// What a model weighs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// The logit of somebody of whom nothing is remarkable.
    pub bias: f64,
    /// What each input adds to the logit.
    pub terms: Vec<Term>,
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The data that it was trained on.
    pub data: String,
    /// The data's licence.
    pub licence: String,
    /// How it was trained, and what its figures rest on.
    pub protocol: String,
}

/// The scores from which a level is taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// From here it is RISING.
    pub rising: f64,
    /// From here it is HIGH.
    pub high: f64,
}

/// What a logit is the sum of.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Contributions {
    pub(crate) bias: f64,
    /// What each feature adds.
    #[serde(with = "crate::fixed")]
    pub(crate) features: [f64; COUNT],
}

/// An additive model: a logistic regression on functions of one input each.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    file: File,
    population: [Usual; COUNT],
    places: Places,
    lacking: BTreeMap<Signal, Places>,
}

/// The input that each term weighs, by feature and view.
type Places = Vec<(Feature, usize)>;

impl Model {
    /// Reads a model and checks that it is whole and fits this detector.
    ///
    /// # Errors
    /// [`ModelError`] says what does not fit.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        let file: File =
            serde_json::from_str(text).map_err(|error| ModelError::Json(error.to_string()))?;
        if file.format != FORMAT {
            return Err(ModelError::Format(file.format));
        }
        if checksum(&file.model) != file.checksum {
            return Err(ModelError::Checksum);
        }
        Self::from_file(file)
    }

    /// A new model, for training.
    ///
    /// # Errors
    /// [`ModelError`] where the parts do not fit this detector.
    pub fn new(parts: Parts) -> Result<Self, ModelError> {
        let checksum = checksum(&parts);
        Self::from_file(File { format: FORMAT.to_owned(), checksum, model: parts })
    }

    fn from_file(file: File) -> Result<Self, ModelError> {
        let parts = &file.model;
        let places = parts.weights.places()?;
        let mut lacking = BTreeMap::new();
        for (signal, weights) in &parts.lacking {
            let places = weights.places()?;
            if let Some(at) = places.iter().position(|(feature, _)| feature.signal() == *signal) {
                let input = weights.terms[at].input.clone();
                return Err(ModelError::Term { input, why: TermError::Lacking });
            }
            lacking.insert(*signal, places);
        }
        let Thresholds { rising, high } = parts.thresholds;
        for (what, fits) in [
            ("smoothing_s", parts.smoothing_s.is_finite() && parts.smoothing_s >= 0.0),
            ("thresholds", rising > 0.0 && rising <= high && high.is_finite()),
        ] {
            if !fits {
                return Err(ModelError::Number(what.to_owned()));
            }
        }
        let mut population = [Usual { usual: 0.0, scale: 1.0, within: 1.0 }; COUNT];
        for feature in Feature::ALL {
            let name = feature.name();
            let usual = parts.population.get(name);
            let usual = usual.ok_or_else(|| ModelError::MissingFeature(name.to_owned()))?;
            let spread = |spread: f64| spread.is_finite() && spread > 0.0;
            if !(usual.usual.is_finite() && spread(usual.scale) && spread(usual.within)) {
                return Err(ModelError::Number(format!("population of {name}")));
            }
            population[feature as usize] = *usual;
        }
        Ok(Self { file, population, places, lacking })
    }

    /// The model as a file.
    ///
    /// # Panics
    /// Never: names and numbers always serialize.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.file).expect("names and numbers always serialize")
    }

    /// The model's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.model.id
    }

    /// What tells it from every other model, one of the same name too.
    #[must_use]
    pub fn checksum(&self) -> &str {
        &self.file.checksum
    }

    /// What it consists of.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.file.model
    }

    /// What is weighed where a signal is lacking, if any is.
    #[must_use]
    pub fn weights(&self, lacking: Option<Signal>) -> &Weights {
        let parts = self.parts();
        lacking.and_then(|signal| parts.lacking.get(&signal)).unwrap_or(&parts.weights)
    }

    /// How much each term adds to the logit for these inputs, unsmoothed, in the order of
    /// [`Model::weights`]'.
    pub fn weigh(&self, inputs: &Inputs, lacking: Option<Signal>) -> impl Iterator<Item = f64> {
        self.added(inputs, lacking).map(|(_, _, adds)| adds)
    }

    /// The probability of a logit.
    #[must_use]
    pub fn score(logit: f64) -> f64 {
        1.0 / (1.0 + (-logit).exp())
    }

    pub(crate) fn population(&self, feature: Feature) -> Usual {
        self.population[feature as usize]
    }

    /// Features in the population's spreads from its middle, within 4.
    pub(crate) fn spreads(&self, features: &FeatureVector) -> FeatureVector {
        let mut spreads = FeatureVector::default();
        for (feature, Usual { usual, scale, .. }) in Feature::ALL.into_iter().zip(self.population) {
            let spread = |value| ((feature.weighed(value) - usual) / scale).clamp(-CLIP, CLIP);
            spreads.set(feature, features.of(feature).map(spread));
        }
        spreads
    }

    /// How much each feature adds to the logit, over its views, in the features' order.
    pub(crate) fn contributions(&self, inputs: &Inputs, lacking: Option<Signal>) -> Contributions {
        let mut features = [0.0; COUNT];
        for (feature, _, added) in self.added(inputs, lacking) {
            features[feature as usize] += added;
        }
        Contributions { bias: self.weights(lacking).bias, features }
    }

    /// What each term adds for these inputs, with the feature and the view that it weighs. What
    /// is read from a lacking signal adds nothing.
    pub(crate) fn added(
        &self,
        inputs: &Inputs,
        lacking: Option<Signal>,
    ) -> impl Iterator<Item = (Feature, usize, f64)> {
        let places = lacking.and_then(|signal| self.lacking.get(&signal)).unwrap_or(&self.places);
        let terms = self.weights(lacking).terms.iter().zip(places);
        terms.map(move |(term, (feature, view))| {
            let is_lacking = Some(feature.signal()) == lacking;
            let input = if is_lacking { 0.0 } else { inputs.0[*feature as usize][*view] };
            (*feature, *view, term.at(input))
        })
    }
}

impl Weights {
    /// Where the inputs of the terms stand, if all are there once.
    fn places(&self) -> Result<Places, ModelError> {
        if !self.bias.is_finite() {
            return Err(ModelError::Number("bias".to_owned()));
        }
        let mut places = Vec::new();
        for term in &self.terms {
            let wrong = |why| ModelError::Term { input: term.input.clone(), why };
            let place = Inputs::place(&term.input);
            let place = place.ok_or_else(|| ModelError::UnknownInput(term.input.clone()))?;
            if places.contains(&place) {
                return Err(wrong(TermError::Twice));
            }
            term.check().map_err(wrong)?;
            places.push(place);
        }
        Ok(places)
    }
}

/// The model that the detector comes with.
///
/// # Panics
/// Never: a test reads it.
#[must_use]
pub fn default_model() -> Model {
    Model::from_json(include_str!("../../../models/arousal-1.json"))
        .expect("the model is checked by a test")
}

fn checksum(parts: &Parts) -> String {
    let bytes = serde_json::to_vec(parts).expect("names and numbers always serialize");
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A model that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is no JSON of a model.
    #[error("not a model: {0}")]
    Json(String),
    /// It is of a format that this detector does not know.
    #[error("unknown model format {0:?}")]
    Format(String),
    /// It was changed or torn.
    #[error("the model's checksum does not fit its contents")]
    Checksum,
    /// It needs an input that this detector does not have.
    #[error("the model needs an unknown input {0:?}")]
    UnknownInput(String),
    /// It lacks what is usual for a feature.
    #[error("the model lacks the population of {0:?}")]
    MissingFeature(String),
    /// A number is none, or out of its range.
    #[error("the model's {0} is out of range")]
    Number(String),
    /// A term is no function.
    #[error("the model's term of {input:?} {why}")]
    Term {
        /// The input that it weighs.
        input: String,
        /// What is wrong.
        why: TermError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_is_whole_and_a_touched_one_is_refused() {
        let text = default_model().to_json();
        assert_eq!(Model::from_json(&text), Ok(default_model()));
        // Its file's name: whoever reads it in an assessment finds the card.
        assert_eq!(default_model().id(), "arousal-1");
        let touched = text.replacen("\"rising\": 0.", "\"rising\": 0.1", 1);
        assert_eq!(Model::from_json(&touched), Err(ModelError::Checksum));
        assert!(matches!(Model::from_json("{}"), Err(ModelError::Json(_))));
        let old = text.replacen(FORMAT, "tidewatch-model 2", 1);
        assert_eq!(Model::from_json(&old), Err(ModelError::Format("tidewatch-model 2".into())));
    }

    fn refused(change: impl FnOnce(&mut Parts)) -> ModelError {
        let mut parts = default_model().parts().clone();
        change(&mut parts);
        Model::new(parts).expect_err("it does not fit")
    }

    #[test]
    fn a_model_that_does_not_fit_is_refused_by_name() {
        let name = "minutes_since_start.level".to_owned();
        let unknown = refused(|parts| parts.weights.terms[0].input.clone_from(&name));
        assert_eq!(unknown, ModelError::UnknownInput(name));
        let lacking = refused(|parts| parts.population.retain(|name, _| name != "scl"));
        assert_eq!(lacking, ModelError::MissingFeature("scl".to_owned()));
        let turned = refused(|parts| parts.thresholds = Thresholds { rising: 0.9, high: 0.1 });
        assert_eq!(turned, ModelError::Number("thresholds".to_owned()));
        let twice = refused(|parts| parts.weights.terms.push(parts.weights.terms[0].clone()));
        assert!(matches!(twice, ModelError::Term { why: TermError::Twice, .. }));
        let weighs_eda = Weights { bias: 0.0, terms: vec![Term::line("scl.own", 0.5)] };
        let lacking = refused(|parts| parts.lacking = [(Signal::Eda, weighs_eda.clone())].into());
        assert!(matches!(lacking, ModelError::Term { why: TermError::Lacking, .. }));
    }
}
