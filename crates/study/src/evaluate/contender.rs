use std::path::Path;

use anyhow::ensure;
use detector::Thresholds;

use crate::episodes::Episodes;
use crate::score::Graded;
use crate::scores;
use std::collections::{BTreeMap, BTreeSet};

/// A detector that is compared with others: what it said of each recording.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) graded: Vec<Graded>,
    /// The same recordings with their blocks in other orders, a set for each order.
    pub(super) shuffled: Vec<Vec<Graded>>,
    /// For each budget of false alarms an hour, the threshold of each recording that other
    /// people's recordings led to.
    pub(super) carried_over: BTreeMap<String, Vec<f64>>,
    /// The thresholds of each recording from which the product would raise alerts, where known.
    pub(super) alerting: Option<Vec<Thresholds>>,
}

impl Contender {
    pub(super) fn new(name: &str, graded: Vec<Graded>, shuffled: Vec<Vec<Graded>>) -> Self {
        let (name, carried_over) = (name.to_owned(), BTreeMap::new());
        Self { name, graded, shuffled, carried_over, alerting: None }
    }

    /// The same, raising alerts from these thresholds on.
    pub(super) fn alerting(self, thresholds: Vec<Thresholds>) -> Self {
        Self { alerting: Some(thresholds), ..self }
    }

    /// Reads the score files of a folder, `NAME.csv` for each recording that has episodes or
    /// whose start is known: the latter without an episode were calm from end to end.
    ///
    /// # Errors
    /// Names the file, line and column that cannot be read, or the folder that holds none.
    pub(super) fn read(
        name: &str,
        folder: &Path,
        episodes: &Episodes,
        starts: &BTreeMap<String, f64>,
    ) -> anyhow::Result<Self> {
        ensure!(folder.is_dir(), "there is no folder {}", folder.display());
        let mut graded = Vec::new();
        let recordings: BTreeSet<&String> = episodes.keys().chain(starts.keys()).collect();
        for recording in recordings {
            let path = folder.join(format!("{recording}.csv"));
            if path.exists() {
                let scores = scores::read(&path)?;
                let labels = episodes.get(recording).cloned().unwrap_or_default();
                let start = starts.get(recording).copied();
                graded.extend(Graded::of(recording, &labels, &scores, start));
            }
        }
        ensure!(!graded.is_empty(), "{} holds no score of a labelled recording", folder.display());
        Ok(Self::new(name, graded, Vec::new()))
    }
}
