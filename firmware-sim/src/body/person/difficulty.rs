//! Simulated people must not be easy: no single feature may tell that an incident comes.

use biosignal::Channel;

use super::{EpisodeKind, Person, Segment};
use crate::body::WINDOW_US;

const PEOPLE: u64 = 24;
const HOURS: i64 = 10;
const MINUTE_US: i64 = 60_000_000;
/// The stretch before an onset in which it should be told.
const BEFORE_US: i64 = 180_000_000;
const AFTER_US: i64 = 600_000_000;

const FEATURES: [&str; 6] =
    ["heart rate", "conductance", "sweat responses", "temperature", "activity", "pulse height"];

/// A minute: what was felt, and whether an incident came within three.
struct Minute {
    features: [f64; 6],
    comes: bool,
}

#[test]
fn no_single_feature_tells_an_incident() {
    let days: Vec<Vec<Minute>> = (0..PEOPLE).map(day).collect();
    let minutes: Vec<&Minute> = days.iter().flatten().collect();
    let coming = minutes.iter().filter(|minute| minute.comes).count();
    println!("{PEOPLE} people, {} minutes, {coming} of them before an incident", minutes.len());
    assert!(coming > 60, "too few incidents to tell anything");
    let mut best = 0.0_f64;
    for (index, name) in FEATURES.iter().enumerate() {
        let area = auc(&minutes, |minute| minute.features[index]);
        println!("{name:>16}: AUC {area:.3}");
        best = best.max(area.max(1.0 - area));
    }
    let sum = auc(&minutes, |minute| {
        let [heart, level, responses, _, activity, pulse] = minute.features;
        heart + 0.5 * level + responses - 0.7 * activity - 0.5 * pulse
    });
    println!("{:>16}: AUC {sum:.3}", "weighted sum");
    assert!(best < 0.70, "a single feature reaches {best:.3}");
    assert!((0.60..0.80).contains(&sum), "the sum reaches {sum:.3}");
}

/// A day of a person by the minute, each feature against the person's own spread.
fn day(seed: u64) -> Vec<Minute> {
    let mut person = Person::new(seed, Vec::new());
    let minutes = HOURS * 60;
    let mut raw: Vec<(i64, [f64; 6])> = (0..minutes)
        .map(|minute| {
            let windows =
                (0..MINUTE_US / WINDOW_US).map(|at| minute * MINUTE_US + (at + 1) * WINDOW_US);
            let felt: Vec<Segment> = windows.flat_map(|until| person.live_until(until)).collect();
            ((minute + 1) * MINUTE_US, features(&felt))
        })
        .collect();
    for index in 0..FEATURES.len() {
        standardise(&mut raw, index);
    }
    let truth = person.truth();
    let onsets = truth.iter().filter(|episode| episode.kind == EpisodeKind::Incident);
    let onsets: Vec<i64> = onsets.map(|episode| episode.onset_us).collect();
    let within = |at: i64, from: i64, until: i64| {
        onsets.iter().any(|onset| (onset - from..onset + until).contains(&at))
    };
    let told = raw.into_iter().skip(15).filter(|(at, _)| !within(*at, 0, AFTER_US));
    told.map(|(at, features)| Minute { features, comes: within(at, BEFORE_US, 0) }).collect()
}

fn features(felt: &[Segment]) -> [f64; 6] {
    let values = |channel: Channel| -> Vec<f64> {
        let of = felt.iter().filter(|segment| segment.channel == channel);
        of.flat_map(|segment| segment.samples.iter().map(|sample| f64::from(*sample))).collect()
    };
    let conductance = values(Channel::Eda);
    let rises = conductance.windows(2).map(|pair| (pair[1] - pair[0] - 4_000.0).max(0.0));
    [
        mean(&values(Channel::HeartRate)),
        mean(&conductance).max(1.0).ln(),
        (rises.sum::<f64>() + 10_000.0).ln(),
        mean(&values(Channel::SkinTemperature)),
        spread(&values(Channel::Acceleration)),
        spread(&values(Channel::Bvp)).max(1.0).ln(),
    ]
}

fn standardise(raw: &mut [(i64, [f64; 6])], index: usize) {
    let column: Vec<f64> = raw.iter().map(|(_, features)| features[index]).collect();
    let (mean, spread) = (mean(&column), spread(&column).max(1e-9));
    for (_, features) in raw {
        features[index] = ((features[index] - mean) / spread).clamp(-5.0, 5.0);
    }
}

fn count(values: &[f64]) -> f64 {
    f64::from(u32::try_from(values.len()).expect("a day at most")).max(1.0)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

fn spread(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count(values)).sqrt()
}

/// The share of pairs of minutes in which the one before an incident scores higher.
fn auc(minutes: &[&Minute], score: impl Fn(&Minute) -> f64) -> f64 {
    let of = |comes: bool| -> Vec<f64> {
        let chosen = minutes.iter().filter(|minute| minute.comes == comes);
        chosen.map(|minute| score(minute)).collect()
    };
    let (before, mut rest) = (of(true), of(false));
    rest.sort_by(f64::total_cmp);
    let lower = |value: &f64| rest.partition_point(|other| other < value);
    let pairs: Vec<f64> =
        before.iter().map(|value| f64::from(u32::try_from(lower(value)).expect("few"))).collect();
    mean(&pairs) / count(&rest)
}
