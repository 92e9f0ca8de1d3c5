use std::collections::BTreeSet;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use detector::{Model, Signal};

use super::card::card;
use super::{Class, Lesson, Recipe, personal, thresholds};
use crate::sitting::{Sitting, sittings, with_episodes};
use crate::source::Sources;
use crate::words::counted;
use crate::{episodes, model_file, output, parallel};

/// Arguments of `tidewatch study train`.
#[derive(clap::Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    sources: Sources,
    /// When what was going on: recording,label,start_unix_utc,end_unix_utc and, at will, person
    /// and weight (0 to 1, or neither). `study labels` writes what staff said of alerts.
    #[arg(long)]
    episodes: PathBuf,
    /// The model file to write.
    #[arg(long)]
    out: PathBuf,
    /// The model's name, as assessments will carry it; else that of the file.
    #[arg(long)]
    id: Option<String>,
    /// Do not start anew: change this model by what one person's recordings say.
    #[arg(long, value_name = "MODEL", conflicts_with_all = Recipe::MAKING)]
    personal: Option<PathBuf>,
    #[command(flatten)]
    recipe: Recipe,
}

/// Thresholds are chosen on people whom a model of the others scored.
const FEWEST_PEOPLE: usize = 2;

/// Makes a model, and prints what its card has to say. What can be refused at once is so before
/// anything is computed.
pub(crate) fn execute(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let mask = args.recipe.mask()?;
    output::check(&args.out)?;
    let prior = args.personal.as_deref().map(|path| model_file::read(Some(path))).transpose()?;
    let episodes = episodes::read(&args.episodes, &args.recipe.asked)?;
    let sittings = sittings(args.sources.read()?, &episodes)?;
    let people = with_episodes(sittings.iter());
    ensure!(!people.is_empty(), "{} labels none of the recordings", args.episodes.display());
    let stem = args.out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let id = args.id.clone().unwrap_or(stem);
    let (model, said) = match &prior {
        Some(prior) => args.personal(prior, &id, &sittings)?,
        None => args.anew(&id, &sittings, &people, &mask)?,
    };
    ensure!(
        !model.parts().weights.terms.is_empty(),
        "no input is worth a weight, so that the model would say the same of every window: lower \
         --lasso (now {}) or give more of --features and --views; nothing was written",
        args.recipe.lasso
    );
    let printed = writeln!(stdout(), "{said}");
    model_file::write(&args.out, &model)?;
    printed?;
    writeln!(stdout(), "{} is written.", args.out.display())?;
    Ok(ExitCode::SUCCESS)
}

impl TrainArgs {
    /// A model of one person, and what to say of it.
    fn personal(
        &self,
        prior: &Model,
        id: &str,
        sittings: &[Sitting],
    ) -> anyhow::Result<(Model, String)> {
        let model = personal::personal(prior, id, sittings)?;
        let recordings = counted(sittings.len(), "recording");
        let said = format!(
            "{id}: {} with what {recordings} of one person added. Thresholds stay as they were: see \
             what `study evaluate --model` finds in other recordings of the person before anybody \
             is watched by it.",
            prior.id()
        );
        Ok((model, said))
    }

    /// A model of everybody, and its card.
    fn anew(
        &self,
        id: &str,
        sittings: &[Sitting],
        people: &BTreeSet<&str>,
        mask: &[bool],
    ) -> anyhow::Result<(Model, String)> {
        ensure!(
            people.len() >= FEWEST_PEOPLE,
            "training takes episodes of {FEWEST_PEOPLE} people, as one is left out to choose the \
             thresholds: {} has none but {}'s; add recordings of others and their rows, or change a \
             finished model with --personal",
            self.episodes.display(),
            people.iter().copied().collect::<Vec<_>>().join(" and ")
        );
        let lessons =
            parallel::each("measuring", sittings, |sitting| Lesson::of(sitting, &self.recipe));
        let class = Class::of(&lessons, &self.recipe, |_| false);
        let learned = class.learn(mask, |_| true, thresholds)?;
        let lacking = class.lacking(mask, &Signal::LEADING, |_| true, &learned)?;
        let model = class.model(id, &learned, lacking)?;
        let card = card(&class, &model);
        Ok((model, card))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use detector::Weights;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        train: TrainArgs,
    }

    /// As far as another machine's logarithms go.
    #[test]
    fn the_recipe_on_the_card_makes_the_model_that_is_built_in() {
        let recordings = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/recordings/stress-predict");
        if !recordings.exists() {
            println!("{} is absent: nothing is trained", recordings.display());
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("arousal-1.json");
        let words = ["train".into(), recordings.clone().into_os_string(), "--episodes".into()]
            .into_iter()
            .chain([recordings.join("episodes.csv").into_os_string(), "--licence".into()])
            .chain(["MIT".into(), "--out".into(), out.clone().into_os_string()]);
        execute(&Cli::parse_from(words).train).expect("it trains");
        let (made, shipped) =
            (model_file::read(Some(&out)).expect("a model"), detector::default_model());
        let (made, shipped) = (made.parts(), shipped.parts());
        assert_eq!((&made.id, &made.about), (&shipped.id, &shipped.about));
        let close = |one: f64, other: f64| (one - other).abs() < 1e-6;
        let same = |made: &Weights, shipped: &Weights| {
            assert_eq!(made.terms.len(), shipped.terms.len());
            for (made, shipped) in made.terms.iter().zip(&shipped.terms) {
                assert_eq!(made.input, shipped.input);
                assert!(close(made.at(1.0), shipped.at(1.0)), "{}", made.input);
            }
            assert!(close(made.bias, shipped.bias));
        };
        same(&made.weights, &shipped.weights);
        assert_eq!(made.lacking.len(), Signal::LEADING.len());
        for (signal, shipped) in &shipped.lacking {
            same(&made.lacking[signal], shipped);
        }
        assert!(close(made.thresholds.rising, shipped.thresholds.rising));
        assert!(close(made.thresholds.high, shipped.thresholds.high));
    }
}
