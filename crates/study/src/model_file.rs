//! Models as files.

use std::path::Path;

use anyhow::Context;
use detector::Model;

/// Reads a model, or takes the one that is built in.
pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Model> {
    let Some(path) = path else { return Ok(detector::default_model()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the model {}", path.display()))?;
    Model::from_json(&text).with_context(|| format!("model {}", path.display()))
}

/// Writes a model.
pub(crate) fn write(path: &Path, model: &Model) -> anyhow::Result<()> {
    std::fs::write(path, model.to_json() + "\n")
        .with_context(|| format!("cannot write the model {}", path.display()))
}
