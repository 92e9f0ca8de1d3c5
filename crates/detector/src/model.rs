use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features::Feature;
use crate::inputs::{Inputs, VIEWS};

const COUNT: usize = Feature::ALL.len();

const FORMAT: &str = "tidewatch-model 1";

/// What a model file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    id: String,
    checksum: String,
    inputs: Vec<String>,
    weights: Vec<f64>,
    bias: f64,
    thresholds: Thresholds,
    population: BTreeMap<String, Usual>,
}

/// The smoothed scores from which a level is taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// From here it is RISING.
    pub rising: f64,
    /// From here it is HIGH.
    pub high: f64,
}

/// What is usual for a feature, and the spread around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// The middle.
    pub usual: f64,
    /// The spread, as a standard deviation.
    pub scale: f64,
}

/// A logistic regression on the detector's inputs, with the population that it was learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    file: File,
    weights: [[f64; VIEWS.len()]; COUNT],
    population: [Usual; COUNT],
}

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
        if checksum(&file) != file.checksum {
            return Err(ModelError::Checksum);
        }
        Self::from_file(file)
    }

    /// A new model, for training.
    ///
    /// # Errors
    /// [`ModelError`] where the parts do not fit this detector.
    pub fn new(
        id: &str,
        weights: &[f64],
        bias: f64,
        thresholds: Thresholds,
        population: BTreeMap<String, Usual>,
    ) -> Result<Self, ModelError> {
        let (format, checksum_of_none) = (FORMAT.to_owned(), String::new());
        let mut file = File {
            format,
            id: id.to_owned(),
            checksum: checksum_of_none,
            inputs: Inputs::names(),
            weights: weights.to_vec(),
            bias,
            thresholds,
            population,
        };
        file.checksum = checksum(&file);
        Self::from_file(file)
    }

    fn from_file(file: File) -> Result<Self, ModelError> {
        let names = Inputs::names();
        if let Some(name) = file.inputs.iter().find(|name| !names.contains(name)) {
            return Err(ModelError::UnknownInput(name.clone()));
        }
        let mut weights = [[0.0; VIEWS.len()]; COUNT];
        for (place, name) in weights.iter_mut().flatten().zip(&names) {
            let at = file.inputs.iter().position(|input| input == name);
            *place = at
                .and_then(|at| file.weights.get(at).copied())
                .ok_or_else(|| ModelError::MissingInput(name.clone()))?;
        }
        if file.inputs.len() != names.len() || file.weights.len() != names.len() {
            return Err(ModelError::Count {
                inputs: file.inputs.len(),
                weights: file.weights.len(),
            });
        }
        let mut population = [Usual { usual: 0.0, scale: 1.0 }; COUNT];
        for feature in Feature::ALL {
            population[feature as usize] = file
                .population
                .get(feature.name())
                .copied()
                .filter(|usual| usual.usual.is_finite() && usual.scale > 0.0)
                .ok_or_else(|| ModelError::MissingInput(feature.name().to_owned()))?;
        }
        Ok(Self { file, weights, population })
    }

    /// The model as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.file).expect("names and numbers always serialize")
    }

    /// The model's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// The scores from which a level is taken.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.file.thresholds
    }

    pub(crate) fn population(&self, feature: Feature) -> Usual {
        self.population[feature as usize]
    }

    /// How much each feature adds to the logit, over its three views.
    pub(crate) fn contributions(&self, inputs: &Inputs) -> [f64; COUNT] {
        let mut values = inputs.values();
        self.weights.map(|weights| weights.iter().zip(values.by_ref()).map(|(w, x)| w * x).sum())
    }

    pub(crate) fn score(&self, contributions: &[f64; COUNT]) -> f64 {
        let logit = self.file.bias + contributions.iter().sum::<f64>();
        1.0 / (1.0 + (-logit).exp())
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

fn checksum(file: &File) -> String {
    let bare = File { checksum: String::new(), ..file.clone() };
    let bytes = serde_json::to_vec(&bare).expect("names and numbers always serialize");
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
    /// It lacks an input, or what is usual for a feature.
    #[error("the model lacks {0:?}")]
    MissingInput(String),
    /// Its weights do not go with its inputs.
    #[error("the model has {inputs} inputs and {weights} weights")]
    Count {
        /// How many inputs it names.
        inputs: usize,
        /// How many weights it has.
        weights: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_is_whole_and_a_touched_one_is_refused() {
        let text = default_model().to_json();
        assert_eq!(Model::from_json(&text), Ok(default_model()));
        let touched = text.replacen("\"bias\": ", "\"bias\": 1", 1).replacen(": 1-", ": -1", 1);
        assert_eq!(Model::from_json(&touched), Err(ModelError::Checksum));
        assert!(matches!(Model::from_json("{}"), Err(ModelError::Json(_))));
    }

    #[test]
    fn unknown_and_missing_inputs_are_refused() {
        let mut file = default_model().file;
        let first = std::mem::replace(&mut file.inputs[0], "minutes_since_start".to_owned());
        let found = Model::from_file(file.clone());
        assert_eq!(found, Err(ModelError::UnknownInput("minutes_since_start".to_owned())));
        file.inputs.remove(0);
        file.weights.remove(0);
        assert_eq!(Model::from_file(file), Err(ModelError::MissingInput(first)));
    }
}
