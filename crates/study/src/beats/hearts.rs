//! Heart rate and RMSSD of windows from a list of beats, by the rules of the detector's
//! features: intervals that are plausible, normal and near their median, no difference across
//! a gap.

use detector::{BeatClass, NEAR_MEDIAN, PLAUSIBLE_S, classify};

use super::windows::Windows;

/// The part of a window that normal intervals have to cover.
const CLEAN_ENOUGH: f64 = 0.6;
const WINDOW_S: f64 = 60.0;
const FEWEST_INTERVALS: f64 = 5.0;
const FEWEST_DIFFERENCES: f64 = 10.0;

/// What the heart did in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Heart {
    /// Beats/min: 60 over the mean normal interval.
    pub(super) rate: Option<f64>,
    /// Root mean square of differences of successive normal intervals, ms.
    pub(super) rmssd: Option<f64>,
}

/// An interval between two beats, by the beat that ends it.
struct Interval {
    end: f64,
    seconds: f64,
    /// Follows without a gap on the interval before it.
    joined: bool,
}

/// Sums over a window.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Seconds that normal intervals cover, whether near the median or not.
    covered: f64,
    count: f64,
    seconds: f64,
    differences: f64,
    squares: f64,
}

/// The heart in each window.
pub(super) fn hearts(beats: &[f64], windows: &Windows) -> Vec<Heart> {
    let intervals = intervals(beats);
    let lengths: Vec<f64> = intervals.iter().map(|interval| interval.seconds).collect();
    let classes = classify(&lengths);
    let places = intervals.iter().zip(classes).map(|(interval, class)| {
        windows.place(interval.end).filter(|_| class == BeatClass::Normal)
    });
    let places: Vec<Option<usize>> = places.collect();
    let mut normal = vec![Vec::new(); windows.len()];
    for (place, seconds) in places.iter().zip(lengths) {
        place.iter().for_each(|place| normal[*place].push(seconds));
    }
    let mut sums = vec![Sums::default(); windows.len()];
    let medians: Vec<f64> = normal
        .into_iter()
        .zip(&mut sums)
        .map(|(mut normal, sums)| {
            sums.covered = normal.iter().sum();
            normal.sort_by(f64::total_cmp);
            normal.get(normal.len() / 2).copied().unwrap_or(0.0)
        })
        .collect();
    let mut before: Option<(usize, f64)> = None;
    for (interval, place) in intervals.iter().zip(places) {
        let near = |median: f64| (interval.seconds - median).abs() <= NEAR_MEDIAN * median;
        let place = place.filter(|place| near(medians[*place]));
        let here = place.map(|place| (place, interval.seconds));
        let before = std::mem::replace(&mut before, here);
        let Some((place, seconds)) = here else { continue };
        let previous = before.filter(|(other, _)| interval.joined && *other == place);
        sums[place].take(seconds, previous.map(|(_, seconds)| seconds));
    }
    sums.iter().map(Sums::heart).collect()
}

fn intervals(beats: &[f64]) -> Vec<Interval> {
    let mut joined = false;
    let mut intervals = Vec::new();
    for pair in beats.windows(2) {
        let seconds = pair[1] - pair[0];
        let plausible = PLAUSIBLE_S.contains(&seconds);
        if plausible {
            intervals.push(Interval { end: pair[1], seconds, joined });
        }
        joined = plausible;
    }
    intervals
}

impl Sums {
    fn take(&mut self, seconds: f64, before: Option<f64>) {
        self.count += 1.0;
        self.seconds += seconds;
        if let Some(before) = before {
            self.differences += 1.0;
            self.squares += ((seconds - before) * 1000.0).powi(2);
        }
    }

    fn heart(&self) -> Heart {
        if self.covered / WINDOW_S < CLEAN_ENOUGH {
            return Heart::default();
        }
        Heart {
            rate: (self.count >= FEWEST_INTERVALS).then(|| 60.0 * self.count / self.seconds),
            rmssd: (self.differences >= FEWEST_DIFFERENCES)
                .then(|| (self.squares / self.differences).sqrt()),
        }
    }
}
