use std::process::ExitCode;
#[derive(clap::Args)]
pub(crate) struct ExplainArgs {}
pub(crate) fn execute(_: &ExplainArgs) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
