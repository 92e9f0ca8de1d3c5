//! The alerts that the product raises: its own rules on the scores, not the scores alone.

use biosignal::Timestamp;
use detector::batch::{self, ScoredHop};
use detector::{AlertTransition, Config, Level, Thresholds};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::Serialize;

use super::STEP_S;
use super::alarms::Tally;
use super::effort::Effort;
use super::events::{EventFigures, events, mean, of_begun};
use super::grid::Graded;

/// What alerts come to that really ring, by level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct AlertFigures {
    /// Raised, at whichever level.
    pub(crate) rising: EventFigures,
    /// Raised at HIGH, or escalated to it.
    pub(crate) high: EventFigures,
}

/// The alerts of one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Alerts {
    pub(super) rising: Begun,
    pub(super) high: Begun,
}

/// Alerts of one level.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Begun {
    /// Where on the grid they began.
    pub(super) at: Vec<usize>,
    /// How many points they held.
    held: usize,
    open: Option<usize>,
}

impl Begun {
    fn begin(&mut self, place: usize) {
        self.at.push(place);
        self.open = Some(place);
    }

    fn end(&mut self, place: usize) {
        self.held += self.open.take().map_or(0, |from| place - from);
    }
}

impl Alerts {
    /// What the product raises on a recording; nothing where it is not known when it would.
    pub(super) fn of(graded: &Graded, thresholds: Thresholds, config: &Config) -> Self {
        let first = graded.points.first().map_or(0.0, |point| point.time);
        let own = graded.points.iter().zip(&graded.scores).map(|(point, score)| ScoredHop {
            at: moment(point.time),
            score: *score,
            learning: !graded.is_known_at(point),
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let place = |at: Timestamp| ((at.as_seconds_f64() - first) / STEP_S).round() as usize;
        let hops = graded.before.iter().copied().chain(own);
        let mut found = Self::default();
        let alerts = batch::alerts(hops, thresholds, config);
        let begins = |it: &AlertTransition| it.alert().at.as_seconds_f64() >= first;
        for transition in alerts.into_iter().filter(begins) {
            let (alert, at) = (transition.alert(), place(transition.alert().at));
            match transition {
                AlertTransition::Raised(_) => {
                    found.rising.begin(at);
                    if alert.level == Level::High {
                        found.high.begin(at);
                    }
                }
                AlertTransition::Escalated(_) => found.high.begin(at),
                AlertTransition::Ended(_) => {
                    found.rising.end(at);
                    found.high.end(at);
                }
            }
        }
        found.rising.end(graded.points.len());
        found.high.end(graded.points.len());
        found
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the year 2255 is far")]
fn moment(time: f64) -> Timestamp {
    Timestamp::from_micros((time * 1e6).round() as i64)
}

/// What the product's alerts come to, under thresholds for each recording. None where scores do
/// not say from when on alerts are raised.
pub(crate) fn alert_figures(
    recordings: &[Graded],
    thresholds: &[Thresholds],
    effort: &Effort,
) -> Option<AlertFigures> {
    if recordings.iter().any(|it| it.known_from.is_none()) {
        return None;
    }
    let config = Config::default();
    let of = |(it, thresholds): (&Graded, &Thresholds)| Alerts::of(it, *thresholds, &config);
    let alerts: Vec<Alerts> = recordings.iter().zip(thresholds).map(of).collect();
    let level = |of: fn(&Alerts) -> &Begun, threshold: fn(&Thresholds) -> f64| {
        let begun: Vec<&Begun> = alerts.iter().map(of).collect();
        let first = thresholds.first().map(threshold);
        let threshold = first.filter(|first| thresholds.iter().all(|it| threshold(it) == *first));
        EventFigures { threshold, ..figures(recordings, &begun, effort) }
    };
    Some(AlertFigures {
        rising: level(|it| &it.rising, |it| it.rising),
        high: level(|it| &it.high, |it| it.high),
    })
}

fn figures(recordings: &[Graded], begun: &[&Begun], effort: &Effort) -> EventFigures {
    let at: Vec<Vec<usize>> = begun.iter().map(|it| it.at.clone()).collect();
    let hours = recordings.iter().map(Graded::known_calm_hours).sum();
    let figures = of_begun(recordings, &at, hours, effort);
    let chances: Vec<f64> = (0..effort.surrogates)
        .map(|index| by_chance(recordings, &at, effort.seed, index))
        .collect();
    let known: usize = recordings.iter().map(|it| it.known().count()).sum();
    let as_good = chances.iter().filter(|it| **it >= figures.sensitivity - 1e-9).count();
    EventFigures {
        chance: (!chances.is_empty()).then(|| mean(&chances)),
        p: (!chances.is_empty()).then(|| (1 + as_good) as f64 / (1 + chances.len()) as f64),
        time_in_alarm: begun.iter().map(|it| it.held).sum::<usize>() as f64 / known.max(1) as f64,
        ..figures
    }
}

/// The part of the events that the same alerts find when those of each recording are turned in
/// time, within the time in which alerts are raised.
fn by_chance(recordings: &[Graded], begun: &[Vec<usize>], seed: u64, index: u64) -> f64 {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(1_000_003) ^ index);
    let mut found = 0;
    for (it, begun) in recordings.iter().zip(begun) {
        let from = it.points.partition_point(|point| !it.is_known_at(point));
        let span = it.points.len() - from;
        let turn = if span > 1 { random.random_range(1..span) } else { 0 };
        let turned: Vec<usize> =
            begun.iter().map(|place| from + (place - from + turn) % span).collect();
        found += Tally::of_begun(it, &turned).hits();
    }
    found as f64 / events(recordings).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episodes::{Episode, Labels};
    use crate::scores::{Hop, Scores};

    const THRESHOLDS: Thresholds = Thresholds { rising: 0.5, high: 0.9 };

    /// An hour of scores of 0.1 but for these hops; the person is known after ten minutes.
    fn graded(high: &[(std::ops::Range<u32>, f64)]) -> Graded {
        let score = |hop| high.iter().find(|(hops, _)| hops.contains(&hop)).map_or(0.1, |it| it.1);
        let hop = |hop| Hop { time: f64::from(hop) * 10.0, score: Some(score(hop)), level: None };
        let scores = Scores { hops: (0..360).map(hop).collect(), has_level: false };
        let labels =
            Labels { episodes: vec![Episode::new("x", 1000.0, 1300.0)], ..Labels::default() };
        Graded::of("A", &labels, &scores, None).expect("there are rows").known_from(600.0)
    }

    #[test]
    fn one_hop_alone_and_what_comes_while_learning_raise_nothing() {
        let graded = graded(&[(20..30, 0.99), (110..111, 0.99), (200..202, 0.7)]);
        let found = Alerts::of(&graded, THRESHOLDS, &Config::default());
        assert_eq!((found.rising.at, found.high.at), (vec![201], vec![]));
    }

    #[test]
    fn levels_are_counted_apart_and_chance_is_at_the_same_rate() {
        let graded = [graded(&[(105..110, 0.7), (110..120, 0.99), (250..260, 0.7)])];
        let effort = Effort { surrogates: 50, bootstrap: 10, seed: 0 };
        let found = alert_figures(&graded, &[THRESHOLDS], &effort).expect("it is known when");
        let (rising, high) = (&found.rising, &found.high);
        assert_eq!(
            (rising.latencies_s.clone(), high.latencies_s.clone()),
            (vec![60.0], vec![110.0])
        );
        assert_eq!((rising.sensitivity, rising.threshold), (1.0, Some(0.5)));
        let hours = graded[0].known_calm_hours();
        assert!((rising.fa_per_h - 1.0 / hours).abs() < 1e-9 && high.fa_per_h == 0.0);
        assert!((hours - (360.0 - 60.0 - 31.0) / 360.0).abs() < 0.01, "{hours}");
        assert!(rising.chance > high.chance && high.chance > Some(0.0));
        assert!((high.time_in_alarm - 9.0 / 299.0).abs() < 0.01, "{}", high.time_in_alarm);
    }

    #[test]
    fn thresholds_have_moved_with_what_was_scored_before_and_no_alert_of_then_counts() {
        let hop = |hop: i64, score| ScoredHop {
            at: Timestamp::from_seconds(hop * 10 - 72_000),
            score: Some(score),
            learning: false,
        };
        // Hours of calm, and just before the recording an alert that ends within it.
        let before: Vec<_> =
            (0..7200).map(|at| hop(at, if at < 7190 { 0.1 } else { 0.7 })).collect();
        let it = graded(&[(0..5, 0.7), (150..160, 0.45)]).known_from(-1e9);
        let alone = Alerts::of(&it, THRESHOLDS, &Config::default());
        assert_eq!(alone.rising.at, [1]);
        let after = Alerts::of(&it.after(before), THRESHOLDS, &Config::default());
        assert_eq!(after.rising.at, [151], "to somebody calm 0.45 is much");
    }

    #[test]
    fn scores_that_do_not_say_when_the_person_is_known_have_no_alerts() {
        let unknown = Graded { known_from: None, ..graded(&[]) };
        let effort = Effort { surrogates: 0, bootstrap: 0, seed: 0 };
        assert_eq!(alert_figures(&[unknown], &[THRESHOLDS], &effort), None);
    }
}
