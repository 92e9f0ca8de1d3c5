//! Where recordings come from: E4 exports, zipped or unpacked, and the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use biosignal::recording::{FILES, Recording};
use biosignal::{PersonId, Timestamp};
use store::{Of, Scan, Store};

use crate::parallel;
use crate::stream::Stream;

/// Which recordings are meant.
#[derive(clap::Args)]
pub(crate) struct Sources {
    /// E4 exports: zip archives, unpacked folders, or folders full of either.
    recordings: Vec<PathBuf>,
    /// A store's folder (`data_dir`), to take people's readings from.
    #[arg(long, requires = "person")]
    store: Option<PathBuf>,
    /// Whose readings, by pseudonym; may be given more than once.
    #[arg(long, requires = "store")]
    person: Vec<PersonId>,
    /// From this moment on, such as 2026-11-24T08:00:00Z; else from the first reading.
    #[arg(long, requires = "store")]
    from: Option<jiff::Timestamp>,
    /// Until this moment; else to the last reading.
    #[arg(long, requires = "store")]
    to: Option<jiff::Timestamp>,
}

/// A recording by its name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// The file's name without its ending, or the person's pseudonym.
    pub(crate) name: String,
    pub(crate) stream: Stream,
}

impl Sources {
    /// Whether any is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.person.is_empty()
    }

    /// Reads them all, in the order of their names.
    ///
    /// # Errors
    /// Names what cannot be read, and two of the same name.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<Named>> {
        let mut paths = Vec::new();
        for path in &self.recordings {
            paths.extend(exports(path)?);
        }
        let mut all = parallel::try_each("reading recordings", &paths, |path| {
            Ok(Named { name: name_of(path), stream: Stream::of(&recording(path)?) })
        })?;
        if let Some(folder) = &self.store {
            all.extend(self.stored(folder)?);
        }
        ensure!(!all.is_empty(), "no recording named; give E4 exports, or --store and --person");
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for pair in all.windows(2) {
            ensure!(pair[0].name != pair[1].name, "two recordings are called {}", pair[0].name);
        }
        Ok(all)
    }

    fn stored(&self, folder: &Path) -> anyhow::Result<Vec<Named>> {
        ensure!(
            folder.join("tidewatch.sqlite").exists(),
            "{} holds no store (tidewatch.sqlite)",
            folder.display()
        );
        let store = Store::open(folder)
            .with_context(|| format!("cannot open the store in {}", folder.display()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let moment = |given: Option<jiff::Timestamp>, open: i64| {
            given.map_or(Timestamp::from_micros(open), |it| {
                Timestamp::from_micros(it.as_microsecond())
            })
        };
        let stored = |person: &PersonId| {
            let worn = runtime.block_on(store.assignments_of_person(person))?;
            ensure!(!worn.is_empty(), "no wristband was ever assigned to {person}");
            let readings = runtime.block_on(store.scan(Scan {
                of: Of::Person(person.clone()),
                channels: Vec::new(),
                from: moment(self.from, i64::MIN),
                until: moment(self.to, i64::MAX),
            }))?;
            let start = readings.first().map(|it| it.measured_at);
            let end = readings.iter().map(biosignal::Reading::end).max();
            let (start, end) = start.zip(end).with_context(|| self.nothing_of(person))?;
            let stream = Stream::from_readings(readings, start, end);
            Ok(Named { name: person.as_str().to_owned(), stream })
        };
        self.person.iter().map(stored).collect()
    }

    /// Says of which stretch the store holds nothing.
    fn nothing_of(&self, person: &PersonId) -> String {
        let from = self.from.map(|it| format!(" from {it} on")).unwrap_or_default();
        let to = self.to.map(|it| format!(" before {it}")).unwrap_or_default();
        format!("the store holds no reading of {person}{from}{to}")
    }
}

/// The path itself where it is an export, else the exports in the folder.
fn exports(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() || is_unpacked(path) {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let entry = entry?.path();
        if entry.extension().is_some_and(|it| it == "zip") || is_unpacked(&entry) {
            found.push(entry);
        }
    }
    ensure!(!found.is_empty(), "{} holds no E4 export", path.display());
    Ok(found)
}

fn is_unpacked(path: &Path) -> bool {
    FILES.iter().any(|file| path.join(file).exists())
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads an E4 recording from a zip archive or a folder.
pub(crate) fn recording(path: &Path) -> anyhow::Result<Recording> {
    let read = if path.is_dir() {
        Recording::from_files(&files_of(path)?)
    } else {
        let archive = std::fs::read(path)
            .with_context(|| format!("cannot read the recording {}", path.display()))?;
        Recording::from_zip(&archive)
    };
    read.with_context(|| format!("recording {}", path.display()))
}

fn files_of(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for name in FILES {
        let path = folder.join(name);
        if path.exists() {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    Ok(files)
}
