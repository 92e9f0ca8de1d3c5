//! Models as files.

use std::collections::BTreeSet;
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

/// Says which of the recordings a model was trained on: what it makes of them promises nothing.
pub(crate) fn learned_from<'a>(
    model: &Model,
    scored: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let learned: BTreeSet<&str> = model.parts().about.data.split(", ").collect();
    let known: Vec<&str> = scored.filter(|it| learned.contains(it)).collect();
    (!known.is_empty()).then(|| {
        format!(
            "The model {} was trained on {}: its figures there flatter it.",
            model.id(),
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_that_a_model_was_trained_on_are_named() {
        let model = detector::default_model();
        let remark = learned_from(&model, ["S10", "S99", "S02"].into_iter()).expect("two are");
        assert!(remark.contains(" was trained on S10, S02: "), "{remark}");
        assert_eq!(learned_from(&model, ["S99", "S1"].into_iter()), None);
    }
}
