//! What the detector says of recordings, hop by hop, as CSV.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use detector::Config;

use crate::crop::crop_seconds;
use crate::model_file;
use crate::run::run;
use crate::source::{Named, Sources};
use crate::{parallel, scores};

/// Arguments of `tidewatch study replay`.
#[derive(clap::Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    sources: Sources,
    /// The folder to write to, one CSV file a recording; made where it is not there.
    #[arg(long)]
    out: PathBuf,
    /// Cut 0 to 10 min off each start, drawn from this seed and the recording's name.
    #[arg(long)]
    crop: Option<u64>,
    /// The model to judge by; else the one that is built in.
    #[arg(long)]
    model: Option<PathBuf>,
}

/// Writes a file a recording.
#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub(crate) fn execute(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let model = Arc::new(model_file::read(args.model.as_deref())?);
    let recordings = args.sources.read()?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let rows = parallel::try_each("replaying", &recordings, |recording: &Named| {
        let crop = args.crop.map_or(0, |seed| crop_seconds(seed, &recording.name));
        let found = run(&recording.stream.cropped(crop), &Config::default(), &model);
        scores::write(&args.out.join(format!("{}.csv", recording.name)), &found.assessments)?;
        Ok(found.assessments.len())
    })?;
    println!(
        "{} recordings, {} rows, model {}, written to {}",
        recordings.len(),
        rows.iter().sum::<usize>(),
        model.id(),
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}
