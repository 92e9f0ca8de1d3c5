//! People made up for tests: their sweat, their heart and their wrist rise in their episodes.

#![expect(clippy::cast_possible_truncation, reason = "small made-up samples")]

use biosignal::{Channel, DeviceId, Reading, Timestamp};
use clap::Parser;
use detector::{About, Model, Parts};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::episodes::{Episode, Labels};
use crate::parallel;
use crate::score::NEVER;
use crate::sitting::Sitting;
use crate::stream::Stream;
use crate::train::{Lesson, Recipe};

/// The first of them came three times; the last shares a group with the first.
pub(super) const PEOPLE: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const LASTS_S: i64 = 1_200;
const DAY_S: i64 = 86_400;
const RATES_HZ: [(Channel, i64); 3] =
    [(Channel::HeartRate, 1), (Channel::Eda, 4), (Channel::Acceleration, 32)];

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    recipe: Recipe,
}

/// The usual recipe, with as little work as it takes.
pub(super) fn recipe() -> Recipe {
    let features = "--features=heart_rate_tracked,scl,scl_20s,activity";
    let words = ["evaluate", "--crops=1", "--shuffles=1", features, "--views=level,own,brief"];
    Cli::parse_from(words).recipe
}

/// The recordings of a person.
pub(super) fn names(person: &str) -> Vec<String> {
    let count = if person == PEOPLE[0] { 3 } else { 1 };
    (1..=count).map(|number| format!("{person}{number}")).collect()
}

/// All recordings, those of these names with other signals and other labels.
pub(super) fn sittings(changed: &[String]) -> Vec<Sitting> {
    let of = |(person, place): (&'static str, i64)| {
        let each = names(person).into_iter().zip(0..);
        each.map(move |(name, day)| {
            let changed = changed.contains(&name);
            sitting(person, name, place, day, changed)
        })
    };
    PEOPLE.into_iter().zip(0..).flat_map(of).collect()
}

pub(super) fn lessons(sittings: &[Sitting]) -> Vec<Lesson> {
    let recipe = recipe();
    parallel::each("measuring", sittings, |it| Lesson::of(it, &recipe))
}

/// A model's bytes, but for the words about its data.
pub(super) fn bytes(model: &Model) -> String {
    let parts = Parts { about: About::default(), ..model.parts().clone() };
    assert!(!parts.weights.terms.is_empty() && parts.thresholds.high < NEVER, "it judges");
    Model::new(parts).expect("only its words changed").to_json()
}

fn sitting(person: &str, name: String, place: i64, day: i64, changed: bool) -> Sitting {
    let start = 1_700_000_000 + DAY_S * day;
    let later = if changed { 90 } else { 15 * place + 40 * day };
    let onsets = [150 + later, 650 + later, 950 + later].map(|onset| start + onset);
    let episode = |onset: i64| Episode::new("task", onset as f64, (onset + 120) as f64);
    let labels = Labels {
        person: Some(person.to_owned()),
        episodes: onsets.map(episode).to_vec(),
        ..Labels::default()
    };
    let seed = (2 * (10 * place + day) + i64::from(changed)).unsigned_abs();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut readings = Vec::new();
    for second in start..start + LASTS_S {
        let aroused = labels.episodes.iter().any(|it| it.holds(second as f64));
        for (channel, hz) in RATES_HZ {
            let mut noise = || random.random_range(-50..=50);
            let risen = if aroused { 1 } else { 0 };
            let other = i32::from(changed);
            let sample = |_| match channel {
                Channel::HeartRate => vec![6_500 + 900 * risen + 2_000 * other + 8 * noise()],
                Channel::Eda => {
                    vec![1_500_000 + 700_000 * risen + 3_000_000 * other + 2_000 * noise()]
                }
                _ => {
                    let moves = 1 + 2 * risen + other;
                    vec![moves * noise(), moves * noise(), 1_000 + moves * noise()]
                }
            };
            let measured_at = Timestamp::from_seconds(second);
            readings.push(Reading {
                device: DeviceId::from_address([1; 6]),
                channel,
                epoch: 1,
                sequence: (second - start) as u32,
                measured_at,
                received_at: measured_at,
                period_us: (1_000_000 / hz) as u32,
                samples: (0..hz).flat_map(sample).collect(),
            });
        }
    }
    let origin = Timestamp::from_seconds(start);
    let stream = Stream::from_readings(readings, origin, Timestamp::from_seconds(start + LASTS_S));
    Sitting { name, person: person.to_owned(), labels, stream, before: Vec::new(), origin }
}
