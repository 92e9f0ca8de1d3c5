//! What the store holds of a person is judged as the recording itself is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};

use biosignal::recording::Recording;
use biosignal::{DeviceId, GatewayId, PersonId, Timestamp};
use clap::Parser;
use store::{AlertLevel, AlertRecord, Batch, Outcome, Role, Store};
use study::StudyArgs;
use tempfile::TempDir;

const START_S: i64 = 1_600_000_003;
const SECONDS: u32 = 900;

/// A store that holds what a wristband sent of a recording, and who wore it.
struct World {
    folder: TempDir,
    recording: Recording,
    person: PersonId,
    nobody: PersonId,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = write_recording(&folder.path().join("R01"));
        let device = DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1]);
        let store = Store::open(&folder.path().join("store")).expect("it opens");
        let (person, nobody) = block_on(async {
            let [person, nobody] = ["A", "B"].map(|name| store.create_person(name, Vec::new()));
            let (person, nobody) = (person.await.expect("new").id, nobody.await.expect("new").id);
            let assigned = store.assign(&device, Some(&person), recording.start(), "a test");
            assigned.await.expect("it was free");
            store.append(batches(&recording, &device)).await.expect("they fit");
            (person, nobody)
        });
        Self { folder, recording, person, nobody }
    }

    /// Alerts, as long after the start, of which some came to something.
    fn alert(&self, said: &[(i64, Option<i64>, Option<Outcome>)]) {
        let store = Store::open(&self.folder.path().join("store")).expect("it opens");
        let at = |seconds: i64| self.recording.start().plus_micros(seconds * 1_000_000);
        block_on(async {
            let user = store.create_user("sam", "x", Role::Carer).await.expect("new").id;
            for (raised, ended, outcome) in said {
                let id = raised.to_string();
                let record = AlertRecord {
                    id: id.clone(),
                    device: DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1]),
                    person: self.person.clone(),
                    level: AlertLevel::High,
                    raised_at: at(*raised),
                    reasons: Vec::new(),
                    quality: 1.0,
                    score: 0.9,
                };
                store.raise(record).await.expect("kept");
                if let Some(ended) = ended {
                    store.end(&id, at(*ended)).await.expect("kept");
                }
                if let Some(outcome) = outcome {
                    store
                        .resolve(&id, &user, *outcome, None, at(raised + 200))
                        .await
                        .expect("kept");
                }
            }
        });
    }

    /// A command of the study about the person in the store, its files in the folder.
    fn study(&self, command: &str, files: &[(&str, &str)]) -> anyhow::Result<()> {
        let store = self.folder.path().join("store");
        let mut words: Vec<OsString> = ["study", command].map(OsString::from).to_vec();
        words.extend(
            ["--store", text(&store), "--person", self.person.as_str()].map(OsString::from),
        );
        for (option, file) in files {
            words.extend([option.into(), self.folder.path().join(file).into()]);
        }
        study::execute(Cli::parse_from(words).study).map(|_| ())
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("it was written")
    }

    /// Replays into a folder of its own and gives the one file.
    fn replay(&self, out: &str, source: &[&str]) -> anyhow::Result<String> {
        let out = self.folder.path().join(out);
        let mut words: Vec<OsString> = ["study", "replay", "--out"].map(OsString::from).to_vec();
        words.push(out.clone().into());
        words.extend(source.iter().map(OsString::from));
        study::execute(Cli::parse_from(words).study)?;
        let files: Vec<PathBuf> =
            std::fs::read_dir(out)?.map(|it| it.expect("it lists").path()).collect();
        assert_eq!(files.len(), 1);
        Ok(std::fs::read_to_string(&files[0])?)
    }

    fn stored(&self, out: &str, person: &PersonId, range: &[&str]) -> anyhow::Result<String> {
        let store = self.folder.path().join("store");
        let source = ["--store", text(&store), "--person", person.as_str()];
        self.replay(out, &[&source, range].concat())
    }
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    study: StudyArgs,
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

/// A quarter of an hour of a pulse, sweat and a moving wrist, as an E4 export.
fn write_recording(folder: &Path) -> Recording {
    let rows = |rate: u32, row: &dyn Fn(f64) -> String| {
        let rows = (0..SECONDS * rate).map(|at| row(f64::from(at) / f64::from(rate)) + "\n");
        format!("{rate}\n{}", rows.collect::<String>())
    };
    let pulse = |t: f64| format!("{:.2}", 60.0 * (t * 7.5).sin() + 20.0 * (t * 15.0).cos());
    let skin = |t: f64| format!("{:.6}", 2.0 + 0.3 * (t / 9.0).sin());
    let wrist = |t: f64| format!("{:.0},3,{:.0}", 4.0 * (t * 3.0).sin(), 62.0 + (t * 5.0).cos());
    let channels =
        [("BVP.csv", rows(64, &pulse)), ("EDA.csv", rows(4, &skin)), ("ACC.csv", rows(32, &wrist))];
    std::fs::create_dir(folder).expect("a folder");
    let files: BTreeMap<String, String> = channels
        .into_iter()
        .map(|(name, rows)| (name.to_owned(), format!("{START_S}\n{rows}")))
        .collect();
    for (name, text) in &files {
        std::fs::write(folder.join(name), text).expect("writable");
    }
    Recording::from_files(&files).expect("it was just made")
}

/// Packets of another length than the replay of a file makes, the newest first.
fn batches(recording: &Recording, device: &DeviceId) -> Vec<Batch> {
    let batch = |(reading, sequence): (biosignal::Reading, u64)| Batch {
        device: device.clone(),
        gateway: GatewayId::new("g1").expect("a good word"),
        epoch: 1,
        sequence,
        live: true,
        received_at: reading.end(),
        payload: sequence.to_le_bytes().to_vec(),
        readings: vec![reading],
    };
    let mut batches: Vec<Batch> =
        recording.readings(device, 1_000_000).into_iter().zip(1..).map(batch).collect();
    batches.reverse();
    batches
}

fn times(csv: &str) -> Vec<i64> {
    let time = |line: &str| line.split(',').next().and_then(|it| it.parse().ok());
    csv.lines().skip(1).map(|line| time(line).expect("a whole second")).collect()
}

#[test]
fn a_person_from_the_store_is_judged_as_the_recording_is() {
    let world = World::new();
    let played = world.replay("a", &[text(&world.folder.path().join("R01"))]).expect("it plays");
    assert!(played.lines().any(|line| line.contains("learning")), "nothing was judged");
    assert_eq!(world.stored("b", &world.person, &[]).expect("it is there"), played);
}

#[test]
fn a_range_is_all_that_is_judged() {
    let world = World::new();
    let moment = |seconds: i64| world.recording.start().plus_micros(seconds * 1_000_000);
    let said = |at: Timestamp| {
        jiff::Timestamp::from_microsecond(at.as_micros()).expect("this century").to_string()
    };
    let (from, to) = (said(moment(300)), said(moment(600)));
    let part = world.stored("part", &world.person, &["--from", &from, "--to", &to]);
    let times = times(&part.expect("it is there"));
    assert_eq!((times[0], times.len()), (START_S + 307, 30));
}

#[test]
fn what_staff_said_of_alerts_is_learned_from() {
    let world = World::new();
    let unanswered = world.study("labels", &[("--out", "labels.csv")]).expect_err("no answer");
    let none = "nobody said what came of any alert of 1 person (0 alerts); nothing was written";
    assert_eq!(unanswered.to_string(), none);
    let start = world.recording.start().as_micros() / 1_000_000;
    world.alert(&[
        (610, Some(640), Some(Outcome::Exercise)),
        (700, Some(760), Some(Outcome::Incident)),
        (800, None, Some(Outcome::Calmed)),
        (1100, None, None),
    ]);
    world.study("labels", &[("--out", "labels.csv")]).expect("they are written");
    let row = |label: &str, from: i64, until: i64, weight: &str| {
        let (from, until, person) = (start + from, start + until, &world.person);
        format!("{person},{label},{from},{until},{person},{weight}\n")
    };
    let rows = [
        "recording,label,start_unix_utc,end_unix_utc,person,weight\n".to_owned(),
        row("exercise", 610, 640, "0"),
        row("before incident", 400, 700, "neither"),
        row("incident", 700, 760, "1"),
        row("before calmed", 500, 800, "neither"),
        row("calmed", 800, 1000, "0.5"),
        row("before no answer", 800, 1100, "neither"),
        row("no answer", 1100, 4700, "neither"),
    ];
    assert_eq!(world.file("labels.csv"), rows.concat());

    std::fs::write(world.folder.path().join("old.json"), detector::default_model().to_json())
        .expect("writable");
    let learned = [("--episodes", "labels.csv"), ("--personal", "old.json"), ("--out", "new.json")];
    world.study("train", &learned).expect("it learns");
    let model = |name: &str| {
        let path = world.folder.path().join(name);
        detector::Model::from_json(&std::fs::read_to_string(path).expect("there")).expect("a model")
    };
    assert_ne!(model("new.json").parts().weights, model("old.json").parts().weights);
    for name in ["old.json", "new.json"] {
        let figures = format!("{name}.figures");
        let files = [("--episodes", "labels.csv"), ("--model", name), ("--json", &figures)];
        world.study("evaluate", &files).expect("it evaluates");
    }
}

#[test]
fn what_is_missing_is_named() {
    let world = World::new();
    let says = |of: anyhow::Result<String>| format!("{:#}", of.expect_err("nothing is there"));
    let nobody = says(world.stored("c", &world.nobody, &[]));
    assert_eq!(nobody, format!("no wristband was ever assigned to {}", world.nobody));
    let late = says(world.stored("d", &world.person, &["--from", "2026-01-01T00:00:00Z"]));
    assert_eq!(
        late,
        format!("the store holds no reading of {} from 2026-01-01T00:00:00Z on", world.person)
    );
    let elsewhere = world.folder.path().join("R01");
    let source = ["--store", text(&elsewhere), "--person", world.person.as_str()];
    let empty = says(world.replay("e", &source));
    assert_eq!(empty, format!("{} holds no store (tidewatch.sqlite)", elsewhere.display()));
}
