/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    id: String,
}
/// A model file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Not a model file.
    #[error("not a model file: {0}")]
    Syntax(String),
}
impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`ModelError`] says why it cannot be used.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        serde_json::from_str::<serde_json::Value>(text)
            .map_err(|e| ModelError::Syntax(e.to_string()))?;
        Ok(Self { id: String::new() })
    }
    /// The model's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
/// The model that the binary carries.
#[must_use]
pub fn default_model() -> Model {
    Model { id: "arousal-0".into() }
}
