//! The detector from outside: what holds whatever the readings are.

#![expect(clippy::cast_possible_truncation, reason = "small made-up samples")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use biosignal::{Channel, DeviceId, Reading, Timestamp};
use detector::{Cause, Config, Detector, Level, Output, default_model};

const T0: i64 = 1_700_000_000;

fn stream(seconds: i64, size: usize) -> Vec<Reading> {
    let mut all = Vec::new();
    for (channel, hz) in [
        (Channel::Bvp, 64_i64),
        (Channel::Acceleration, 32),
        (Channel::Eda, 4),
        (Channel::SkinTemperature, 4),
    ] {
        let period = 1_000_000 / hz;
        let samples: Vec<Vec<i32>> = (0..seconds * hz)
            .map(|i| {
                let t = i as f64 / hz as f64;
                let noise = ((i * 7919) % 101) as i32;
                match channel {
                    Channel::Bvp => vec![(8000.0 * (t * 7.5).sin()) as i32 + noise],
                    Channel::Acceleration => vec![noise, 20, 1024 + noise],
                    Channel::Eda => vec![2_000_000 + noise * 900],
                    _ => vec![3300 + noise / 50],
                }
            })
            .collect();
        for (packet, part) in samples.chunks(size).enumerate() {
            let at = Timestamp::from_seconds(T0).plus_micros((packet * size) as i64 * period);
            all.push(Reading {
                device: DeviceId::from_address([1; 6]),
                channel,
                epoch: 1,
                sequence: packet as u32,
                measured_at: at,
                received_at: at,
                period_us: period as u32,
                samples: part.concat(),
            });
        }
    }
    all.sort_by_key(Reading::end);
    all
}

fn new() -> Detector {
    Detector::new(Config::default(), Arc::new(default_model()))
}
fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(T0 + second)
}

fn play(detector: &mut Detector, all: &[Reading], from: i64, until: i64) -> Vec<Output> {
    (from..until)
        .flat_map(|s| {
            for r in all.iter().filter(|r| r.end() > at(s - 1) && r.end() <= at(s)) {
                detector.push(r);
                detector.push(r);
            }
            detector.tick(at(s))
        })
        .collect()
}

fn last(outputs: &[Output]) -> (Level, Option<Cause>) {
    outputs
        .iter()
        .rev()
        .find_map(|o| match o {
            Output::Assessment(a) => Some((a.level, a.cause)),
            Output::Alert(_) => None,
        })
        .unwrap()
}

#[test]
fn packet_size_and_order_change_nothing() {
    let one = play(&mut new(), &stream(200, 4), 0, 200);
    let mut other = stream(200, 1);
    other.reverse();
    assert_eq!(one, play(&mut new(), &other, 0, 200));
}

#[test]
fn a_restart_goes_on_as_if_nothing_had_been() {
    let all = stream(300, 16);
    let mut whole = new();
    play(&mut whole, &all, 0, 155);
    let model = Arc::new(default_model());
    let mut again =
        Detector::restore(Config::default(), Arc::clone(&model), &whole.snapshot()).unwrap();
    assert_eq!(play(&mut whole, &all, 155, 300), play(&mut again, &all, 155, 300));
    assert_eq!(whole.snapshot(), again.snapshot());
    let other = Config { refractory_s: 1, ..Config::default() };
    assert!(Detector::restore(other, model, &whole.snapshot()).is_err());
}

#[test]
fn history_teaches_and_is_silent() {
    let mut detector = new();
    for reading in stream(1500, 16) {
        detector.push(&reading);
    }
    let outputs = detector.tick(at(3000));
    assert!(
        outputs.iter().all(
            |o| matches!(o, Output::Assessment(a) if a.level == Level::NoReading && a.personal)
        )
    );
}

#[test]
fn the_last_minutes_are_known_at_once_when_they_come_late() {
    let changes = |detector: &mut Detector, until| {
        let found = detector.tick(at(until)).into_iter().rev().find_map(|o| match o {
            Output::Assessment(a) => Some(a.inputs.values().skip(1).step_by(3).collect::<Vec<_>>()),
            Output::Alert(_) => None,
        });
        found.unwrap()
    };
    let all = stream(1210, 16);
    let (late, now) = all.split_at(all.partition_point(|r| r.measured_at < at(1140)));
    let mut detector = new();
    now.iter().for_each(|r| detector.push(r));
    assert!(changes(&mut detector, 1202).iter().all(|change| *change == 0.0));
    late.iter().for_each(|r| detector.push(r));
    assert!(changes(&mut detector, 1212).iter().any(|change| *change != 0.0));
}

#[test]
fn silence_is_no_reading_within_twelve_seconds() {
    let (all, mut detector) = (stream(120, 16), new());
    assert!(last(&play(&mut detector, &all, 0, 121)).0 >= Level::Learning);
    assert_eq!(
        last(&play(&mut detector, &all, 121, 133)),
        (Level::NoReading, Some(Cause::NoSignal))
    );
}

#[test]
fn frozen_values_are_no_reading() {
    let mut all = stream(160, 16);
    for r in all.iter_mut().filter(|r| r.measured_at >= at(120)) {
        r.samples.fill(900_000);
    }
    let mut detector = new();
    assert_eq!(last(&play(&mut detector, &all, 0, 131)), (Level::NoReading, Some(Cause::Frozen)));
    assert_eq!(last(&play(&mut detector, &all, 131, 160)), (Level::NoReading, Some(Cause::Frozen)));
}
