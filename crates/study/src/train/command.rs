use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;

use super::card::card;
use super::{Class, Lesson, Recipe, personal, thresholds};
use crate::sitting::{sittings, with_episodes};
use crate::source::Sources;
use crate::{episodes, model_file, parallel};

/// Arguments of `tidewatch study train`.
#[derive(clap::Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    sources: Sources,
    /// When what was going on: recording,label,start_unix_utc,end_unix_utc and, at will, person.
    #[arg(long)]
    episodes: PathBuf,
    /// The model file to write.
    #[arg(long)]
    out: PathBuf,
    /// The model's name, as assessments will carry it; else that of the file.
    #[arg(long)]
    id: Option<String>,
    /// Do not start anew: change this model by what one person's recordings say.
    #[arg(long, value_name = "MODEL")]
    personal: Option<PathBuf>,
    #[command(flatten)]
    recipe: Recipe,
}

/// Thresholds are chosen on people whom a model of the others scored.
const FEWEST_PEOPLE: usize = 2;

/// Makes a model, and prints what its card has to say.
pub(crate) fn execute(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let episodes = episodes::read(&args.episodes, &args.recipe.asked)?;
    let sittings = sittings(args.sources.read()?, &episodes);
    let people = with_episodes(sittings.iter());
    ensure!(!people.is_empty(), "{} labels none of the recordings", args.episodes.display());
    let stem = args.out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let id = args.id.clone().unwrap_or(stem);
    if let Some(prior) = &args.personal {
        let prior = model_file::read(Some(prior))?;
        let model = personal::personal(&prior, &id, &sittings)?;
        model_file::write(&args.out, &model)?;
        writeln!(
            stdout(),
            "{}: {} with what {} recordings of one person added",
            id,
            prior.id(),
            sittings.len()
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        people.len() >= FEWEST_PEOPLE,
        "training takes episodes of {FEWEST_PEOPLE} people, as one is left out to choose the \
         thresholds: {} has none but {}'s; add recordings of others and their rows, or change a \
         finished model with --personal",
        args.episodes.display(),
        people.into_iter().collect::<Vec<_>>().join(" and ")
    );
    let lessons =
        parallel::each("measuring", &sittings, |sitting| Lesson::of(sitting, &args.recipe));
    let class = Class::of(&lessons, &args.recipe, |_| false);
    let mask = args.recipe.mask()?;
    let unseen = class.unseen(&mask, |_| true);
    let calibration = class.calibration(&unseen)?;
    let thresholds = thresholds(&class.graded(&unseen, calibration));
    let fitted = class.fit(&mask, |_| true);
    let model = class.model(&id, &fitted, calibration, thresholds)?;
    model_file::write(&args.out, &model)?;
    writeln!(stdout(), "{}", card(&class, &model))?;
    Ok(ExitCode::SUCCESS)
}
