use std::collections::VecDeque;

use biosignal::{MICROS_PER_SECOND, Timestamp};

use super::card::Level;
use crate::moment::Millis;

/// How far back the trend goes.
pub(crate) const TREND_US: i64 = 600 * MICROS_PER_SECOND;

/// One finding of the detector, as far as the board shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) score: Option<f64>,
    pub(crate) cause: Option<String>,
    pub(crate) personal: bool,
}

/// The detector's findings on one person in the last ten minutes, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts {
    recent: VecDeque<Verdict>,
    /// When the run of findings of the newest level began.
    run_since: Timestamp,
}

impl Verdicts {
    /// Takes a finding; one that is not newer than the newest is dropped (a detector
    /// that restarts may say again what it said before).
    pub(crate) fn take(&mut self, verdict: Verdict) {
        let newest = self.recent.back();
        if newest.is_some_and(|newest| verdict.at <= newest.at) {
            return;
        }
        if newest.is_none_or(|newest| newest.level != verdict.level) {
            self.run_since = verdict.at;
        }
        let oldest_kept = verdict.at.plus_micros(-TREND_US);
        self.recent.push_back(verdict);
        while self.recent.front().is_some_and(|verdict| verdict.at < oldest_kept) {
            self.recent.pop_front();
        }
    }

    pub(crate) fn newest(&self) -> Option<&Verdict> {
        self.recent.back()
    }

    pub(crate) fn run_since(&self) -> Timestamp {
        self.run_since
    }

    /// Scores to draw: none where nothing could be said, and one none in each
    /// hole of more than `fresh_us`, so that no line crosses it.
    pub(crate) fn trend(&self, now: Timestamp, fresh_us: i64) -> Vec<(Millis, Option<f64>)> {
        let oldest_shown = now.plus_micros(-TREND_US);
        let mut points = Vec::with_capacity(self.recent.len());
        let mut last: Option<Timestamp> = None;
        for verdict in self.recent.iter().filter(|verdict| verdict.at >= oldest_shown) {
            if let Some(last) = last.filter(|last| verdict.at.micros_since(*last) > fresh_us) {
                points.push((Millis::from(last.plus_micros(MICROS_PER_SECOND)), None));
            }
            let score = verdict.score.filter(|_| verdict.level != Level::NoReading);
            points.push((Millis::from(verdict.at), score));
            last = Some(verdict.at);
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP_US: i64 = 30 * MICROS_PER_SECOND;

    fn verdict(at_s: i64, level: Level, score: f64) -> Verdict {
        let at = Timestamp::from_seconds(at_s);
        Verdict { at, level, score: Some(score), cause: None, personal: false }
    }

    fn of(list: impl IntoIterator<Item = (i64, Level, f64)>) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for (at, level, score) in list {
            verdicts.take(verdict(at, level, score));
        }
        verdicts
    }

    #[test]
    fn a_level_stands_since_its_first_finding() {
        let verdicts = of([
            (10, Level::Settled, 0.1),
            (20, Level::Rising, 0.5),
            (30, Level::Rising, 0.6),
            (25, Level::Settled, 0.1),
        ]);
        assert_eq!(verdicts.newest().map(|newest| newest.level), Some(Level::Rising));
        assert_eq!(verdicts.run_since(), Timestamp::from_seconds(20));
    }

    #[test]
    fn the_trend_is_the_last_ten_minutes() {
        let verdicts = of((0..200).map(|hop| (hop * 10, Level::Settled, 0.1)));
        let trend = verdicts.trend(Timestamp::from_seconds(2000), HOP_US);
        assert_eq!(trend.first(), Some(&(Millis(1_400_000), Some(0.1))));
        assert_eq!(trend.last(), Some(&(Millis(1_990_000), Some(0.1))));
        assert_eq!(verdicts.trend(Timestamp::from_seconds(9000), HOP_US), []);
    }

    #[test]
    fn no_line_crosses_what_was_not_seen() {
        let verdicts = of([
            (0, Level::Settled, 0.1),
            (10, Level::NoReading, 0.9),
            (20, Level::Settled, 0.2),
            (90, Level::Settled, 0.3),
        ]);
        assert_eq!(
            verdicts.trend(Timestamp::from_seconds(100), HOP_US),
            [
                (Millis(0), Some(0.1)),
                (Millis(10_000), None),
                (Millis(20_000), Some(0.2)),
                (Millis(21_000), None),
                (Millis(90_000), Some(0.3)),
            ]
        );
    }
}
