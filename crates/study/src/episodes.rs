//! What was going on, as people labelled it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::table::{Row, Table};
use crate::words::counted;

/// A stretch that carries a label, seconds since 1970 UTC, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode {
    pub(crate) label: String,
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// When that began of which the label tells: at the start, or after it where the stretch is
    /// what came before.
    pub(crate) onset: f64,
    /// How much it teaches beside others, above 0 to 1.
    pub(crate) weight: f64,
}

impl Episode {
    pub(crate) fn new(label: &str, start: f64, end: f64) -> Self {
        Self { label: label.to_owned(), start, end, onset: start, weight: 1.0 }
    }

    /// The same, so much later.
    pub(crate) fn later(&self, seconds: f64) -> Self {
        Self {
            label: self.label.clone(),
            start: self.start + seconds,
            end: self.end + seconds,
            onset: self.onset + seconds,
            weight: self.weight,
        }
    }

    pub(crate) fn holds(&self, time: f64) -> bool {
        self.start <= time && time <= self.end
    }
}

/// What is known of a recording besides its signals.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Labels {
    /// Whose it is; where the file does not say, the recording stands for its person.
    pub(crate) person: Option<String>,
    /// What is to be told, in the order of the file.
    pub(crate) episodes: Vec<Episode>,
    /// Stretches that are neither inside nor outside, as far as no episode to be told is in them.
    pub(crate) dropped: Vec<Episode>,
}

/// Labels by the recording's name.
pub(crate) type Episodes = BTreeMap<String, Labels>;

/// Which part of what was labelled is to be told.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Asked {
    /// Labels that count, separated by commas; else all. The others count as neither inside nor
    /// outside.
    #[arg(long, value_delimiter = ',')]
    tasks: Option<Vec<String>>,
    /// Early warning: the 3 min before an onset are to be told, in place of the episode itself.
    /// The 7 min before those, the episode, and all until 10 min after the onset count as neither.
    #[arg(long)]
    early: bool,
}

/// So long before an onset it should be told, s.
const EARLY_S: f64 = 180.0;
/// An alarm so long before an onset, s, is not false, be it early.
const EARLIEST_S: f64 = 600.0;
/// What follows an onset so closely tells of the episode, not of the next one, s.
const AFTER_S: f64 = 600.0;
/// Onsets that follow each other so closely are one incident, s.
const ONE_INCIDENT_S: f64 = 900.0;

impl Asked {
    /// The labels, those that are not asked for dropped.
    pub(crate) fn of(&self, labels: Labels) -> Labels {
        let asked =
            |it: &Episode| self.tasks.as_ref().is_none_or(|tasks| tasks.contains(&it.label));
        let (episodes, others): (Vec<_>, Vec<_>) = labels.episodes.into_iter().partition(asked);
        let dropped = [labels.dropped, others].concat();
        let told = Labels { episodes, dropped, ..labels };
        if self.early { before_onsets(told) } else { told }
    }

    /// Complains of labels that no episode carries.
    fn check(&self, episodes: &Episodes) -> anyhow::Result<()> {
        let all = || episodes.values().flat_map(|labels| &labels.episodes);
        let there: BTreeSet<&str> = all().map(|it| it.label.as_str()).collect();
        let missing = self.tasks.iter().flatten().find(|it| !there.contains(it.as_str()));
        let labels = there.iter().copied().collect::<Vec<_>>().join(", ");
        missing.map_or(Ok(()), |it| Err(anyhow!("no episode is labelled {it}: there are {labels}")))
    }

    /// What is asked for, to follow on "no episode".
    fn words(&self) -> String {
        let labels = |tasks: &Vec<String>| format!(" labelled {}", tasks.join(" or "));
        self.tasks.as_ref().map(labels).unwrap_or_default()
    }

    /// What the scores are held against, in words.
    pub(crate) fn label(&self) -> &'static str {
        if self.early { "the 3 min before an onset" } else { "inside an episode" }
    }
}

fn before_onsets(labels: Labels) -> Labels {
    let stretch = |of: &Episode, start: f64, end: f64| Episode {
        start,
        end,
        label: of.label.clone(),
        onset: of.start,
        weight: of.weight,
    };
    let before = |it: &Episode| stretch(it, it.start - EARLY_S, it.start);
    let around = |it: &Episode| stretch(it, it.start - EARLIEST_S, it.end.max(it.start + AFTER_S));
    Labels {
        person: labels.person,
        episodes: incidents(&labels.episodes).into_iter().map(before).collect(),
        dropped: labels.dropped.into_iter().chain(labels.episodes.iter().map(around)).collect(),
    }
}

/// Episodes in the order of their onsets, of those within 15 min the first.
pub(crate) fn incidents(episodes: &[Episode]) -> Vec<&Episode> {
    let mut sorted: Vec<&Episode> = episodes.iter().collect();
    sorted.sort_by(|a, b| a.onset.total_cmp(&b.onset));
    let mut first: Vec<&Episode> = Vec::new();
    for it in sorted {
        if first.last().is_none_or(|last| it.onset - last.onset > ONE_INCIDENT_S) {
            first.push(it);
        }
    }
    first
}

/// A weight in words: what goes on is not known.
pub(crate) const NEITHER: &str = "neither";

/// Reads `recording,label,start_unix_utc,end_unix_utc` with, at will, `person` and `weight`, and
/// keeps to what is asked for. A person who is named in one row of a recording is so in all of
/// them. A weight of less than 1 teaches less, 0 says that nothing went on, as in a false alarm,
/// and [`NEITHER`] that the stretch counts as neither inside nor outside.
///
/// # Errors
/// Names the file, line and column that cannot be read or names a second person, or the file that holds nothing of it.
pub(crate) fn read(path: &Path, asked: &Asked) -> anyhow::Result<Episodes> {
    let mut table = Table::open(path)?;
    let [recording, label, start, end] =
        ["recording", "label", "start_unix_utc", "end_unix_utc"].map(|name| table.column(name));
    let (recording, label, start, end) = (recording?, label?, start?, end?);
    let [person, weight] = ["person", "weight"].map(|name| table.column(name).ok());
    let (mut episodes, mut rows) = (Episodes::new(), 0);
    while let Some(row) = table.next_row()? {
        let episode = Episode::new(row.text(label), row.number(start)?, row.number(end)?);
        if episode.end < episode.start {
            return Err(row.complain(end, "the episode ends before it starts"));
        }
        rows += 1;
        let name = row.text(recording);
        let labels = episodes.entry(name.to_owned()).or_default();
        let same = |it: &Episode| Episode { weight: 1.0, ..it.clone() } == episode;
        if labels.episodes.iter().chain(&labels.dropped).any(same) {
            return Err(row.complain(start, "the same episode stands in a row before"));
        }
        match weight.map_or(Ok(Some(1.0)), |column| weight_in(&row, column))? {
            Some(0.0) => {}
            Some(weight) => labels.episodes.push(Episode { weight, ..episode }),
            None => labels.dropped.push(episode),
        }
        let Some(column) = person else { continue };
        let named = row.text(column);
        match &labels.person {
            _ if named.is_empty() => {}
            Some(before) if before != named => {
                let two = format!("{name} is of {before} in a row before, and of {named} here");
                return Err(row.complain(column, &two));
            }
            _ => labels.person = Some(named.to_owned()),
        }
    }
    asked.check(&episodes).with_context(|| path.display().to_string())?;
    let told: Episodes =
        episodes.into_iter().map(|(name, labels)| (name, asked.of(labels))).collect();
    told.values().any(|it| !it.episodes.is_empty()).then_some(told).with_context(|| {
        let rows = counted(rows, "row");
        format!("{}: no episode{} that counts, in {rows}", path.display(), asked.words())
    })
}

/// How much a row teaches; none where it counts as neither inside nor outside.
fn weight_in(row: &Row<'_>, column: usize) -> anyhow::Result<Option<f64>> {
    let text = row.text(column);
    if text == NEITHER {
        return Ok(None);
    }
    let wrong = || row.complain(column, &format!("{text:?}: a weight is 0 to 1, or {NEITHER}"));
    let weight = row.number(column).map_err(|_| wrong())?;
    if (0.0..=1.0).contains(&weight) { Ok(Some(weight)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("episodes.csv");
        std::fs::write(&path, text).expect("writable");
        match read(&path, &Asked::default()) {
            Ok(episodes) => format!("{episodes:?}"),
            Err(error) => format!("{error:#}").replace(&*folder.path().to_string_lossy(), "DIR"),
        }
    }

    const HEAD: &str = "recording,label,start_unix_utc,end_unix_utc\n";

    #[test]
    fn a_label_that_nobody_gave_is_not_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("episodes.csv");
        std::fs::write(&path, format!("{HEAD}A,x,1,2\nA,y,3,4\n")).expect("writable");
        let asked = |tasks: &[&str]| {
            let tasks = Some(tasks.iter().map(|it| (*it).to_owned()).collect());
            read(&path, &Asked { tasks, early: false }).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(asked(&["y"]).expect("one")["A"].episodes.len(), 1);
        let complaint = asked(&["y", "foo"]).expect_err("none");
        assert!(complaint.ends_with("no episode is labelled foo: there are x, y"), "{complaint}");
    }

    #[test]
    fn episodes_are_kept_by_recording() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("episodes.csv");
        let text = "recording,label,start_unix_utc,end_unix_utc,person\nA,x,1,2,p\nA,y,3,4,\nB,x,5,6,\nC,x,7,8,\nC,y,9,9,q\n";
        std::fs::write(&path, text).expect("writable");
        let episodes = read(&path, &Asked::default()).expect("good");
        assert_eq!(episodes["A"].episodes.len(), 2);
        assert_eq!(episodes["A"].person.as_deref(), Some("p"));
        assert_eq!(episodes["B"].person, None);
        assert_eq!(episodes["C"].person.as_deref(), Some("q"));
    }

    #[test]
    fn a_recording_is_of_one_person() {
        let head = HEAD.replace('\n', ",person\n");
        assert_eq!(
            says(&format!("{head}A,x,1,2,p\nA,y,3,4,\nA,y,5,6,q\n")),
            "DIR/episodes.csv line 4, column person: A is of p in a row before, and of q here"
        );
    }

    #[test]
    fn a_weight_says_how_much_a_label_teaches() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("episodes.csv");
        let head = HEAD.replace('\n', ",weight\n");
        let rows = "A,incident,1,2,1\nA,calmed,3,4,0.5\nA,exercise,5,6,0\nA,open,7,8,neither\n";
        std::fs::write(&path, format!("{head}{rows}")).expect("writable");
        let labels = &read(&path, &Asked::default()).expect("good")["A"];
        let calmed = Episode { weight: 0.5, ..Episode::new("calmed", 3.0, 4.0) };
        assert_eq!(labels.episodes, [Episode::new("incident", 1.0, 2.0), calmed]);
        assert_eq!(labels.dropped, [Episode::new("open", 7.0, 8.0)]);
        for wrong in ["1.5", "-1", "much", ""] {
            let said = says(&format!("{head}A,x,1,2,{wrong}\n"));
            let place = "DIR/episodes.csv line 2, column weight";
            assert_eq!(said, format!("{place}: {wrong:?}: a weight is 0 to 1, or neither"));
        }
        let twice = says(&format!("{head}A,x,1,2,1\nA,x,1,2,neither\n"));
        assert!(twice.ends_with("the same episode stands in a row before"), "{twice}");
    }

    #[test]
    fn what_is_not_asked_for_is_neither_inside_nor_outside() {
        let labels = Labels {
            episodes: vec![Episode::new("x", 1000.0, 1100.0), Episode::new("y", 5000.0, 5100.0)],
            ..Labels::default()
        };
        let asked = Asked { tasks: Some(vec!["x".to_owned()]), early: false };
        let told = asked.of(labels);
        assert_eq!(told.episodes, [Episode::new("x", 1000.0, 1100.0)]);
        assert_eq!(told.dropped, [Episode::new("y", 5000.0, 5100.0)]);
    }

    #[test]
    fn early_warning_is_held_against_the_minutes_before_an_onset() {
        let at = |start: f64, end: f64| Episode::new("x", start, end);
        let labels = Labels {
            episodes: vec![at(5300.0, 5400.0), at(5000.0, 5100.0), at(9000.0, 9900.0)],
            ..Labels::default()
        };
        let told = Asked { tasks: None, early: true }.of(labels);
        let stretches = |of: &[Episode]| -> Vec<(f64, f64)> {
            of.iter().map(|it| (it.start, it.end)).collect()
        };
        assert_eq!(stretches(&told.episodes), [(4820.0, 5000.0), (8820.0, 9000.0)]);
        assert_eq!(
            stretches(&told.dropped),
            [(4700.0, 5900.0), (4400.0, 5600.0), (8400.0, 9900.0)]
        );
        assert_eq!(told.episodes[0].onset, 5000.0);
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
        let rows = "A,x,1,2\nA,y,1,2\nA,x,1,2\n".replace('\n', "\r\n");
        assert_eq!(
            says(&format!("{}{rows}", HEAD.replace('\n', "\r\n"))),
            "DIR/episodes.csv line 4, column start_unix_utc: the same episode stands in a row before"
        );
        assert_eq!(says("recording,label\n"), "DIR/episodes.csv: no column start_unix_utc");
        assert_eq!(says(HEAD), "DIR/episodes.csv: no episode that counts, in 0 rows");
        let none = format!("{}A,x,1,2,0\n", HEAD.replace('\n', ",weight\n"));
        assert_eq!(says(&none), "DIR/episodes.csv: no episode that counts, in 1 row");
    }
}
