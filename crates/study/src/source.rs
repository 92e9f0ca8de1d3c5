//! Where recordings come from: E4 exports, zipped or unpacked, and the store.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use biosignal::recording::{FILES, Recording};
use biosignal::{Channel, PersonId, Timestamp};
use store::{Of, Scan, Store};
use tokio::runtime::Runtime;

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

/// What the detector reads, and as what it is known.
const READ: [(Channel, &str); 4] = [
    (Channel::Eda, "EDA"),
    (Channel::Bvp, "pulse wave (BVP)"),
    (Channel::Acceleration, "acceleration (ACC)"),
    (Channel::SkinTemperature, "skin temperature (TEMP)"),
];

impl Named {
    /// What the detector reads and the recording has no sample of: the file is not there, or
    /// ends with its header.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let has =
            |channel| self.stream.readings.iter().any(|it| it.channel == channel && !it.is_empty());
        READ.iter().filter(|(channel, _)| !has(*channel)).map(|(_, name)| *name).collect()
    }

    /// A word on what is missing, where anything is.
    fn warning(&self) -> Option<String> {
        let missing = self.missing();
        (!missing.is_empty())
            .then(|| format!("warning: {} has no sample of {}", self.name, missing.join(", ")))
    }
}

impl Sources {
    /// Whether any is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.person.is_empty()
    }

    /// Reads them all, in the order of their names. Says on standard error which channels are
    /// missing where.
    ///
    /// # Errors
    /// Names what cannot be read, and two of the same name.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<Named>> {
        let mut found = Vec::new();
        for path in &self.recordings {
            found.extend(exports(path)?);
        }
        let mut all =
            parallel::try_each("reading recordings", &found, |Export { path, named }| {
                let recording = recording(path);
                let recording = if *named { recording } else { recording.context(NOT_NAMED) }?;
                Ok(Named { name: name_of(path), stream: Stream::of(&recording) })
            })?;
        if let Some(folder) = &self.store {
            all.extend(self.stored(folder)?);
        }
        ensure!(!all.is_empty(), "no recording named; give E4 exports, or --store and --person");
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for pair in all.windows(2) {
            ensure!(pair[0].name != pair[1].name, "two recordings are called {}", pair[0].name);
        }
        for warning in all.iter().filter_map(Named::warning) {
            writeln!(std::io::stderr(), "{warning}")?;
        }
        Ok(all)
    }

    fn stored(&self, folder: &Path) -> anyhow::Result<Vec<Named>> {
        let (store, runtime) = (open_store(folder)?, runtime()?);
        let moment = |given: Option<jiff::Timestamp>, open: i64| {
            given.map_or(Timestamp::from_micros(open), |it| {
                Timestamp::from_micros(it.as_microsecond())
            })
        };
        let stored = |person: &PersonId| {
            runtime.block_on(ensure_worn(&store, person))?;
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

/// Opens a store that is there.
pub(crate) fn open_store(folder: &Path) -> anyhow::Result<Store> {
    ensure!(
        folder.join("tidewatch.sqlite").exists(),
        "{} holds no store (tidewatch.sqlite)",
        folder.display()
    );
    Store::open(folder).with_context(|| format!("cannot open the store in {}", folder.display()))
}

/// What a store's answers are waited for on.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Complains of a pseudonym under which nothing was ever measured.
pub(crate) async fn ensure_worn(store: &Store, person: &PersonId) -> anyhow::Result<()> {
    let worn = store.assignments_of_person(person).await?;
    ensure!(!worn.is_empty(), "no wristband was ever assigned to {person}");
    Ok(())
}

/// Where a recording is, and whether it was named itself or found in a folder that was.
struct Export {
    path: PathBuf,
    named: bool,
}

/// What to do about a file of a folder that cannot be read.
const NOT_NAMED: &str =
    "a file of the folder cannot be read: remove it, or name the recordings one by one";

/// The path itself where it is an export, else the exports in the folder.
fn exports(path: &Path) -> anyhow::Result<Vec<Export>> {
    if !path.is_dir() || is_unpacked(path) {
        return Ok(vec![Export { path: path.to_owned(), named: true }]);
    }
    let entries = entries(path)?;
    let found: Vec<Export> = entries
        .iter()
        .filter(|entry| is_export(entry))
        .map(|entry| Export { path: entry.clone(), named: false })
        .collect();
    if found.is_empty() {
        let deeper = |entry: &&PathBuf| {
            entry.is_dir() && self::entries(entry).is_ok_and(|it| it.iter().any(|it| is_export(it)))
        };
        match entries.iter().find(deeper) {
            Some(inner) => bail!(
                "{} holds no E4 export, but {} does: subfolders are not looked into; name them",
                path.display(),
                inner.display()
            ),
            None => bail!("{} holds no E4 export", path.display()),
        }
    }
    Ok(found)
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut entries = std::fs::read_dir(folder)
        .with_context(cannot)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<Vec<PathBuf>, _>>()
        .with_context(cannot)?;
    entries.sort();
    Ok(entries)
}

fn is_export(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "zip") || is_unpacked(path)
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        sources: Sources,
    }

    fn read(path: &Path) -> anyhow::Result<Vec<Named>> {
        Cli::parse_from(["x".as_ref(), path.as_os_str()]).sources.read()
    }

    fn says(path: &Path) -> String {
        format!("{:#}", read(path).expect_err("it is refused"))
    }

    fn write(folder: &Path, files: &[(&str, &str)]) {
        std::fs::create_dir_all(folder).expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("writable");
        }
    }

    const EDA: (&str, &str) = ("EDA.csv", "1600000000\n4\n0.5\n0.5\n");

    #[test]
    fn what_the_detector_reads_and_a_recording_lacks_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let header = ("TEMP.csv", "1600000000\n4\n");
        write(&folder.path().join("R01"), &[EDA, header]);
        let all = read(folder.path()).expect("it is read");
        assert_eq!(
            all[0].warning().as_deref(),
            Some(
                "warning: R01 has no sample of pulse wave (BVP), acceleration (ACC), skin \
                 temperature (TEMP)"
            )
        );
    }

    #[test]
    fn a_stray_file_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&folder.path().join("R01"), &[EDA]);
        write(folder.path(), &[("notes.zip", "no zip")]);
        let said = says(folder.path());
        assert!(said.contains("remove it, or name the recordings"), "{said}");
        assert!(said.contains("notes.zip: torn, or no zip archive"), "{said}");
        let named = says(&folder.path().join("notes.zip"));
        assert!(!named.contains("remove it"), "{named}");
    }

    #[test]
    fn a_folder_of_folders_says_that_it_is_not_looked_into() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&folder.path().join("first").join("R01"), &[EDA]);
        let said = says(folder.path());
        assert!(said.contains("first does: subfolders are not looked into"), "{said}");
        let empty = tempfile::tempdir().expect("a folder");
        assert!(says(empty.path()).ends_with("holds no E4 export"));
    }
}
