use std::fmt;

use super::matching::{delays, matched};
use super::windows::Stretch;
use super::{Compared, Found};

/// Ways of finding beats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Live,
    Batch,
    NeuroKit,
    /// The running detector's features: no beats.
    Features,
}

/// How two ways agree over the windows of a kind.
#[derive(Clone, Debug)]
pub(super) struct Row {
    first: Source,
    second: Source,
    stretch: Stretch,
    /// Beats of the second, and how many of them the first has.
    pub(super) beats: usize,
    recalled: usize,
    /// Beats of the first, and how many of them the second has.
    found: usize,
    true_found: usize,
    /// By how much the first is later.
    pub(super) lag_s: f64,
    /// Beats/min.
    pub(super) rate: Differences,
    /// Beats/min, of the windows in which each has every beat of the other.
    pub(super) rate_of_same: Differences,
    /// ms.
    rmssd: Differences,
}

/// A sum of absolute differences.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Differences {
    sum: f64,
    count: usize,
}

const PAIRS: [(Source, Source); 5] = [
    (Source::Live, Source::Batch),
    (Source::Live, Source::NeuroKit),
    (Source::Batch, Source::NeuroKit),
    (Source::Features, Source::Batch),
    (Source::Features, Source::NeuroKit),
];

/// The table; pairs of which one is not there are left out.
pub(super) fn rows(all: &[Compared]) -> Vec<Row> {
    let pairs = PAIRS.into_iter().flat_map(|pair| Stretch::EVERY.map(|stretch| (pair, stretch)));
    pairs.filter_map(|((first, second), stretch)| row(all, first, second, stretch)).collect()
}

/// How the first agrees with the second.
pub(super) fn row(
    all: &[Compared],
    first: Source,
    second: Source,
    stretch: Stretch,
) -> Option<Row> {
    let pairs: Option<Vec<(&Compared, &Found, &Found)>> = all
        .iter()
        .map(|it| Some((it, it.sources.get(&first)?, it.sources.get(&second)?)))
        .collect();
    let pairs = pairs?;
    let lag_s =
        median(pairs.iter().flat_map(|(_, one, other)| delays(&one.beats, &other.beats)).collect());
    let mut row = Row {
        first,
        second,
        stretch,
        beats: 0,
        recalled: 0,
        found: 0,
        true_found: 0,
        lag_s,
        rate: Differences::default(),
        rate_of_same: Differences::default(),
        rmssd: Differences::default(),
    };
    pairs.iter().for_each(|(recording, one, other)| row.take(recording, one, other));
    Some(row)
}

impl Row {
    pub(super) const HEAD: &str = "first    second    stretch   beats  recall  precision  lag ms   HR MAE bpm  windows  same beats  windows  RMSSD MAE ms  windows";

    fn take(&mut self, recording: &Compared, one: &Found, other: &Found) {
        let mut differs = vec![false; recording.windows.len()];
        let mut counts = |beats: &[f64], also: Vec<bool>| {
            let mut counts = [0, 0];
            for (beat, also) in beats.iter().zip(also) {
                let Some(at) = recording.windows.place(*beat) else { continue };
                differs[at] |= !also;
                if recording.windows.is(at, self.stretch) {
                    counts = [counts[0] + 1, counts[1] + usize::from(also)];
                }
            }
            counts
        };
        let recalled = counts(&other.beats, matched(&other.beats, &one.beats, -self.lag_s));
        let found = counts(&one.beats, matched(&one.beats, &other.beats, self.lag_s));
        self.beats += recalled[0];
        self.recalled += recalled[1];
        self.found += found[0];
        self.true_found += found[1];
        for (at, (one, other)) in one.hearts.iter().zip(&other.hearts).enumerate() {
            if recording.windows.is(at, self.stretch) {
                self.rate.take(one.rate, other.rate);
                self.rmssd.take(one.rmssd, other.rmssd);
                if !differs[at] {
                    self.rate_of_same.take(one.rate, other.rate);
                }
            }
        }
    }

    pub(super) fn recall(&self) -> f64 {
        self.recalled as f64 / self.beats as f64
    }

    pub(super) fn precision(&self) -> f64 {
        self.true_found as f64 / self.found as f64
    }
}

impl Differences {
    fn take(&mut self, one: Option<f64>, other: Option<f64>) {
        if let (Some(one), Some(other)) = (one, other) {
            self.sum += (one - other).abs();
            self.count += 1;
        }
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second, stretch, .. } = self;
        write!(f, "{:<8} {:<9} {:<7} ", first.name(), second.name(), stretch.name())?;
        if *first == Source::Features {
            write!(f, "{:>7} {:>7} {:>10} {:>7} ", "-", "-", "-", "-")?;
        } else {
            let (recall, precision) = (100.0 * self.recall(), 100.0 * self.precision());
            let lag_ms = 1000.0 * self.lag_s;
            write!(f, "{:>7} {recall:>5.1} % {precision:>8.1} % {lag_ms:>7.1} ", self.beats)?;
        }
        let mean = |it: &Differences| it.mean().map_or("-".to_owned(), |mean| format!("{mean:.2}"));
        let (rate, rmssd) = (mean(&self.rate), mean(&self.rmssd));
        write!(f, "{rate:>12} {:>8} ", self.rate.count)?;
        if *first == Source::Features {
            write!(f, "{:>11} {:>8} ", "-", "-")?;
        } else {
            let same = &self.rate_of_same;
            write!(f, "{:>11} {:>8} ", mean(same), same.count)?;
        }
        write!(f, "{rmssd:>13} {:>8}", self.rmssd.count)
    }
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Batch => "batch",
            Self::NeuroKit => "NeuroKit2",
            Self::Features => "features",
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
