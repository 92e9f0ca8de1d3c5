//! Judges what the store holds once more, and compares with what was said live.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use biosignal::{DeviceId, PersonId, Timestamp};
use bus::wire;
use prost::Message as _;
use store::{Of, Store};

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

/// A detector goes on with a person from band to band, so that whoever wore this one is judged
/// from the first band on.
async fn compare(store: &Store, judge: &Judge, device: &DeviceId) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let wearers: BTreeSet<PersonId> =
        store.assessments_of(device).await?.into_iter().map(|it| it.person).collect();
    let (from, until) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    for person in wearers {
        let mut replay = Replay { store, judge, wearer: None, said: VecDeque::new() };
        for stored in store.assessments(&Of::Person(person), from, until).await? {
            let live = wire::Assessment::decode(stored.payload.as_slice())
                .context("a stored assessment cannot be read")?;
            replay.follow(&live).await?;
            let again = replay.said.pop_front();
            if stored.device != *device {
                continue;
            }
            report.live += 1;
            if again.as_ref().is_some_and(|again| again.encode_to_vec() == stored.payload) {
                report.identical += 1;
            } else {
                report.different += 1;
                report.first_difference.get_or_insert_with(|| difference(&live, again.as_ref()));
            }
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
                for batch in self.store.batches(wearer.device(), range.epoch, numbers).await? {
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
        let device = DeviceId::new(live.device.as_str())?;
        let at = Timestamp::from_micros(live.decided_at_us);
        let assignment = self
            .store
            .assignment_at(&device, at)
            .await?
            .context("nobody is known to have worn the band then")?;
        let session = live.session.clone();
        Ok(Wearer::fresh(person, device, assignment.from, self.judge, session))
    }
}

#[cfg(test)]
mod tests {
    use biosignal::{Channel, GatewayId, Reading};
    use bus::BatchHead;
    use store::Batch;
    use tokio::sync::Notify;

    use super::super::watch::Watch;
    use super::*;

    const BEGINS: i64 = 1_700_000_000;

    fn band(number: u8) -> DeviceId {
        DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, number])
    }

    /// What a band measured in a second.
    fn second(device: &DeviceId, sequence: u32, at: Timestamp) -> Vec<Reading> {
        let channels = [(Channel::Eda, 4), (Channel::Acceleration, 32)];
        let one = |(channel, rate): (Channel, i32)| Reading {
            device: device.clone(),
            channel,
            epoch: 1,
            sequence,
            measured_at: at,
            received_at: at,
            period_us: 1_000_000 / u32::try_from(rate).expect("a rate"),
            samples: match channel {
                Channel::Acceleration => (0..rate).flat_map(|it| [it * 7 % 31, 20, 1024]).collect(),
                _ => (0..rate).map(|it| 2_000_000 + it * 900).collect(),
            },
        };
        channels.map(one).into()
    }

    /// A band's batch of a second, as it travels and as it is stored.
    fn batch(device: &DeviceId, sequence: u32, at: Timestamp) -> (wire::Batch, Batch) {
        let head = BatchHead {
            device: device.clone(),
            gateway: GatewayId::new("g1").expect("a name"),
            epoch: 1,
            sequence: u64::from(sequence),
            created_at: at,
            clock: None,
        };
        let readings = second(device, sequence, at.plus_micros(-1_000_000));
        let batch = bus::batch_from_readings(&head, &readings).expect("a batch");
        let kept = Batch {
            device: device.clone(),
            gateway: head.gateway,
            epoch: 1,
            sequence: u64::from(sequence),
            live: true,
            received_at: at,
            payload: batch.encode_to_vec(),
            readings,
        };
        (batch, kept)
    }

    /// Has a band send so many batches, one a second, each stored and then judged.
    async fn worn(store: &Store, watch: &mut Watch, device: &DeviceId, from: i64, count: u32) {
        for sequence in 1..=count {
            let at = Timestamp::from_seconds(from + i64::from(sequence));
            let (batch, kept) = batch(device, sequence, at);
            store.append(vec![kept]).await.expect("kept");
            watch.receive(Ok(bus::Message::Batch(batch)), at).await.expect("received");
            watch.tick(at).await.expect("judged");
        }
    }

    /// The numbers of the batches that the assessments of a band from a moment on rest on.
    async fn inputs(store: &Store, device: &DeviceId, from: Timestamp) -> Vec<(u64, u64)> {
        let stored = store.assessments_of(device).await.expect("stored").into_iter();
        let said = stored
            .filter(|it| it.decided_at >= from)
            .map(|it| wire::Assessment::decode(it.payload.as_slice()).expect("said"));
        let steps = said.flat_map(|it| it.steps).flat_map(|it| it.inputs);
        steps.map(|it| (it.first, it.last)).collect()
    }

    #[tokio::test]
    async fn after_a_pause_a_band_of_months_is_taken_up_with_what_is_new_and_of_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let person = store.create_person("Somebody", Vec::new()).await.expect("a person").id;
        let at = Timestamp::from_seconds;
        store.assign(&band(1), Some(&person), at(BEGINS), "test").await.expect("worn");
        let config = detector::Config::default();
        let watch = |config: detector::Config| {
            let judge = Judge::new(config, Arc::new(detector::default_model()));
            Watch::new(judge, store.clone(), Arc::new(Notify::new()))
        };
        let mut first = watch(config.clone());
        first.begin(at(BEGINS)).await.expect("watched");
        worn(&store, &mut first, &band(1), BEGINS, 120).await;
        drop(first);
        // Unseen, as no detector runs: a minute later, and hours later.
        let send = async |sequence: u32, seconds: i64| {
            let (_, kept) = batch(&band(1), sequence, at(BEGINS + seconds));
            store.append(vec![kept]).await.expect("kept");
        };
        let taken_up = async |config: detector::Config, seconds: i64| {
            let (mut watch, now) = (watch(config), BEGINS + seconds);
            watch.begin(at(now)).await.expect("watched");
            for second in now..now + 15 {
                watch.tick(at(second)).await.expect("judged");
            }
            inputs(&store, &band(1), at(now)).await
        };
        send(121, 180).await;
        // The snapshot was made at the last decision, eight batches before the end.
        assert_eq!(taken_up(config.clone(), 3600).await, [(113, 121)]);
        send(122, 7 * 3600).await;
        send(123, 14 * 3600).await;
        assert_eq!(taken_up(config.clone(), 14 * 3600).await, [(123, 123)]);
        // To another configuration the snapshot means nothing: of all that came it takes the same.
        let other = detector::Config { hop_s: 5, ..config };
        assert_eq!(taken_up(other, 14 * 3600 + 60).await, [(123, 123)]);
    }

    #[tokio::test]
    async fn with_another_band_a_person_is_seen_at_once_and_all_of_it_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let person = store.create_person("Somebody", Vec::new()).await.expect("a person").id;
        let judge = Judge::new(detector::Config::default(), Arc::new(detector::default_model()));
        let mut watch = Watch::new(judge.clone(), store.clone(), Arc::new(Notify::new()));
        let mut from = BEGINS;
        for (device, count) in [(band(1), 120), (band(2), 150), (band(3), 40)] {
            let at = Timestamp::from_seconds(from);
            store.assign(&device, Some(&person), at, "test").await.expect("worn");
            watch.begin(at).await.expect("watched");
            worn(&store, &mut watch, &device, from, count).await;
            from += i64::from(count);
        }
        for (device, begins, least) in [(band(1), 0, 10), (band(2), 120, 13), (band(3), 270, 3)] {
            let report = compare(&store, &judge, &device).await.expect("compared");
            assert_eq!((report.different, report.live), (0, report.identical), "{device}");
            assert!(report.live >= least, "{device}: {}", report.live);
            let blind = |it: &wire::Assessment| it.cause == detector::Cause::NoSignal.name();
            for stored in store.assessments_of(&device).await.expect("stored") {
                let said = wire::Assessment::decode(stored.payload.as_slice()).expect("said");
                let since = said.at_us / 1_000_000 - BEGINS - begins;
                assert!(since < 12 || !blind(&said), "{device} after {since} s");
            }
        }
    }
}
