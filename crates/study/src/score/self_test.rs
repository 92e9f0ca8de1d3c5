//! Scores whose figures are known, as the independent scorer tests itself.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::*;
use crate::episodes::{Episode, Labels};
use crate::scores::{Hop, Scores};

/// Twelve people, an hour each, three events; the timetable differs from person to person.
fn people(mut score: impl FnMut(usize, f64, bool) -> Option<f64>) -> Vec<Graded> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut one = |person: usize| {
        let moved = f64::from(random.random_range(-300..300));
        let event = |(start, end): (f64, f64)| Episode::new("x", start, end).later(moved);
        let episodes = [(700.0, 1000.0), (1500.0, 2000.0), (2600.0, 2720.0)].map(event).to_vec();
        let inside =
            |time: f64| episodes.iter().any(|it| (it.start..=it.end).contains(&(time - 5.0)));
        let hop = |index: u32| {
            let time = f64::from(index) * 10.0;
            Hop { time, score: score(person, time, inside(time)), level: None }
        };
        let scores = Scores { hops: (0..360).map(hop).collect(), has_level: false };
        let labels = Labels { episodes: episodes.clone(), ..Labels::default() };
        Graded::of(&person.to_string(), &labels, &scores, None).expect("rows")
    };
    (0..12).map(&mut one).collect()
}

fn figures(graded: &[Graded]) -> Summary {
    summary(graded, &Effort { surrogates: 60, bootstrap: 100, seed: 0 })
}

fn truth(inside: bool) -> f64 {
    f64::from(u8::from(inside))
}

#[test]
fn a_perfect_detector_is_perfect_and_chance_is_not() {
    let found = figures(&people(|_, _, inside| Some(truth(inside))));
    assert_eq!((found.auroc, found.auprc), (Some(1.0), Some(1.0)));
    let at = &found.events_at["0.5"];
    assert_eq!((at.sensitivity, at.fa_per_h), (1.0, 0.0));
    assert!(at.median_latency_s <= Some(10.0));
    assert!(at.chance < Some(0.5));
    assert_eq!((found.brier, found.ece), (Some(0.0), Some(0.0)));
}

#[test]
fn an_inverted_detector_finds_nothing_beyond_chance() {
    let found = figures(&people(|_, _, inside| Some(1.0 - truth(inside))));
    assert_eq!(found.auroc, Some(0.0));
    assert!(found.events_at["0.5"].sensitivity <= 0.1);
}

#[test]
fn noise_is_worth_nothing_and_its_interval_says_so() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let found = figures(&people(|_, _, _| Some(random.random())));
    let [low, high] = found.auroc_ci95.expect("draws");
    assert!((found.auroc.expect("both classes") - 0.5).abs() < 0.04);
    assert!(low < 0.5 && 0.5 < high, "{low} {high}");
}

#[test]
fn people_who_differ_spoil_the_pooled_figure_alone() {
    let found = figures(&people(|person, _, inside| Some(truth(inside) + 10.0 * person as f64)));
    assert_eq!(found.auroc_person_normalised, Some(1.0));
    assert_eq!(found.auroc_person_median, Some(1.0));
    assert!(found.auroc < Some(0.75));
    assert_eq!(found.brier, None);
}

#[test]
fn six_silent_minutes_of_an_hour_are_a_tenth() {
    let found = figures(&people(|_, time, inside| (time >= 360.0).then_some(truth(inside))));
    assert!((found.no_verdict_pct - 10.0).abs() < 0.01);
}

#[test]
fn a_clock_is_worth_nothing_once_time_is_balanced() {
    let found = figures(&people(|_, time, _| Some((time / 60.0).floor())));
    assert!((found.auroc_time_balanced.expect("both") - 0.5).abs() < 1e-6);
}
