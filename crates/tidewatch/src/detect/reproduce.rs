//! Judges what the store holds once more, and compares with what was said live.

use std::collections::VecDeque;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use biosignal::{DeviceId, PersonId, Timestamp};
use bus::wire;
use prost::Message as _;
use store::Store;

use super::session::Session;
use super::wearer::{Judge, Wearer};
use crate::config::Config;

/// Arguments of `tidewatch reproduce`.
#[derive(clap::Args)]
pub(crate) struct ReproduceArgs {
    /// The configuration file.
    #[arg(long, env = "TIDEWATCH_CONFIG", default_value = "/etc/tidewatch/tidewatch.toml")]
    config: PathBuf,
    /// The wristband, by its address (12 hex digits).
    #[arg(long)]
    device: DeviceId,
}

/// Prints how many assessments came out the same, and where the first did not.
pub(crate) fn reproduce(args: &ReproduceArgs) -> anyhow::Result<ExitCode> {
    let config = Config::read(&args.config)?;
    let judge = Judge::new(config.detector.rules.clone(), Arc::new(config.model()?));
    let store = Store::open(&config.data_dir)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(compare(&store, &judge, &args.device))?;
    let mut out = stdout().lock();
    writeln!(
        out,
        "{}: {} assessments made live, {} byte-identical when judged again, {} different",
        args.device, report.live, report.identical, report.different
    )?;
    if let Some(first) = &report.first_difference {
        writeln!(out, "first difference: {first}")?;
    }
    anyhow::ensure!(report.live > 0, "no assessment of {} is stored", args.device);
    Ok(if report.different == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

#[derive(Default)]
struct Report {
    live: usize,
    identical: usize,
    different: usize,
    first_difference: Option<String>,
}

async fn compare(store: &Store, judge: &Judge, device: &DeviceId) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut replay = Replay { store, judge, device, wearer: None, said: VecDeque::new() };
    for stored in store.assessments_of(device).await? {
        let live = wire::Assessment::decode(stored.payload.as_slice())
            .context("a stored assessment cannot be read")?;
        replay.follow(&live).await?;
        report.live += 1;
        let again = replay.said.pop_front();
        if again.as_ref().is_some_and(|again| again.encode_to_vec() == stored.payload) {
            report.identical += 1;
        } else {
            report.different += 1;
            report.first_difference.get_or_insert_with(|| difference(&live, again.as_ref()));
        }
    }
    Ok(report)
}

fn difference(live: &wire::Assessment, again: Option<&wire::Assessment>) -> String {
    let Some(again) = again else {
        return format!("at {} us nothing was said again", live.at_us);
    };
    format!(
        "at {} us: live level {} score {:?} quality {}, again at {} us level {} score {:?} quality {}",
        live.at_us,
        live.level,
        live.score,
        live.quality,
        again.at_us,
        again.level,
        again.score,
        again.quality
    )
}

/// A wearer that is led through the same steps.
struct Replay<'a> {
    store: &'a Store,
    judge: &'a Judge,
    device: &'a DeviceId,
    wearer: Option<(Wearer, Vec<u8>)>,
    said: VecDeque<wire::Assessment>,
}

impl Replay<'_> {
    async fn follow(&mut self, live: &wire::Assessment) -> anyhow::Result<()> {
        if live.steps.is_empty() {
            return Ok(());
        }
        let (mut wearer, mut snapshot) = self.wearer_of(live).await?;
        for step in &live.steps {
            for range in &step.inputs {
                let numbers = range.first..=range.last;
                for batch in self.store.batches(self.device, range.epoch, numbers).await? {
                    wearer.feed(batch.epoch, batch.sequence, &batch.readings);
                }
            }
            if let Some(decision) = wearer.tick(Timestamp::from_micros(step.decided_at_us))? {
                self.said.extend(decision.assessments);
                snapshot = decision.snapshot;
            }
        }
        self.wearer = Some((wearer, snapshot));
        Ok(())
    }

    /// The wearer as it stood: the same as before, or begun again as the live one was.
    async fn wearer_of(&mut self, live: &wire::Assessment) -> anyhow::Result<(Wearer, Vec<u8>)> {
        let before = self.wearer.take();
        if let Some((wearer, snapshot)) = before {
            if wearer.session() == live.session {
                return Ok((wearer, snapshot));
            }
            if Session::resumes(&live.session) {
                let fresh = self.fresh(live).await?;
                let resumed = fresh.resumed(&snapshot, self.judge, live.session.clone())?;
                return Ok((resumed, snapshot));
            }
        }
        Ok((self.fresh(live).await?, Vec::new()))
    }

    async fn fresh(&self, live: &wire::Assessment) -> anyhow::Result<Wearer> {
        let person = PersonId::new(live.person.as_str())?;
        let at = Timestamp::from_micros(live.decided_at_us);
        let assignment = self
            .store
            .assignment_at(self.device, at)
            .await?
            .context("nobody is known to have worn the band then")?;
        let session = live.session.clone();
        Ok(Wearer::fresh(person, self.device.clone(), assignment.from, self.judge, session))
    }
}
