//! What was going on, as people labelled it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use crate::table::Table;

/// A stretch that carries a label, seconds since 1970 UTC, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode {
    pub(crate) label: String,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

/// What is known of a recording besides its signals.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Labels {
    /// Whose it is; where the file does not say, the recording stands for its person.
    pub(crate) person: Option<String>,
    /// In the order of the file.
    pub(crate) episodes: Vec<Episode>,
}

/// Labels by the recording's name.
pub(crate) type Episodes = BTreeMap<String, Labels>;

/// Reads `recording,label,start_unix_utc,end_unix_utc` with, at will, `person`.
///
/// # Errors
/// Names the file, line and column that cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<Episodes> {
    let mut table = Table::open(path)?;
    let [recording, label, start, end] =
        ["recording", "label", "start_unix_utc", "end_unix_utc"].map(|name| table.column(name));
    let (recording, label, start, end) = (recording?, label?, start?, end?);
    let person = table.column("person").ok();
    let mut episodes = Episodes::new();
    while let Some(row) = table.next_row()? {
        let episode = Episode {
            label: row.text(label).to_owned(),
            start: row.number(start)?,
            end: row.number(end)?,
        };
        if episode.end < episode.start {
            return Err(row.complain(end, "the episode ends before it starts"));
        }
        let labels = episodes.entry(row.text(recording).to_owned()).or_default();
        labels.episodes.push(episode);
        labels.person =
            person.map(|column| row.text(column).to_owned()).filter(|it| !it.is_empty());
    }
    (!episodes.is_empty())
        .then_some(episodes)
        .with_context(|| format!("{}: no episode", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("episodes.csv");
        std::fs::write(&path, text).expect("writable");
        match read(&path) {
            Ok(episodes) => format!("{episodes:?}"),
            Err(error) => format!("{error:#}").replace(&*folder.path().to_string_lossy(), "DIR"),
        }
    }

    const HEAD: &str = "recording,label,start_unix_utc,end_unix_utc\n";

    #[test]
    fn episodes_are_kept_by_recording() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("episodes.csv");
        let text =
            "recording,label,start_unix_utc,end_unix_utc,person\nA,x,1,2,p\nA,y,3,4,p\nB,x,5,6,\n";
        std::fs::write(&path, text).expect("writable");
        let episodes = read(&path).expect("good");
        assert_eq!(episodes["A"].episodes.len(), 2);
        assert_eq!(episodes["A"].person.as_deref(), Some("p"));
        assert_eq!(episodes["B"].person, None);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(
            says(&format!("{HEAD}A,x,1,2\nA,x,soon,2\n")),
            "DIR/episodes.csv line 3, column start_unix_utc: \"soon\" is not a number"
        );
        assert_eq!(
            says(&format!("{HEAD}A,x,2,1\n")),
            "DIR/episodes.csv line 2, column end_unix_utc: the episode ends before it starts"
        );
        assert_eq!(says("recording,label\n"), "DIR/episodes.csv: no column start_unix_utc");
        assert_eq!(says(HEAD), "DIR/episodes.csv: no episode");
    }
}
