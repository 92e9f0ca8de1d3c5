//! The detector from outside: what holds whatever the readings are.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "helpers of tests")]

mod made;

use std::sync::Arc;

use biosignal::{Channel, DeviceId, Reading};
use detector::{Cause, Config, Detector, Level, Output, RestoreError, default_model};
use made::{CHANNELS, at, fresh};
use sha2::{Digest, Sha256};

fn stream(seconds: i64, size: i64) -> Vec<Reading> {
    let mut all = made::readings(seconds, |_, _| size);
    all.sort_by_key(Reading::end);
    all
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
fn a_snapshot_is_not_gone_on_from_under_other_rules() {
    let mut whole = fresh();
    play(&mut whole, &stream(30, 16), 0, 30);
    let other = Config { refractory_s: 1, ..Config::default() };
    assert!(Detector::restore(other, Arc::new(default_model()), &whole.snapshot()).is_err());
}

#[test]
fn a_snapshot_with_one_wrong_bit_is_not_gone_on_from() {
    let (mut whole, model) = (fresh(), Arc::new(default_model()));
    play(&mut whole, &stream(30, 16), 0, 30);
    let mut bytes = whole.snapshot();
    assert!(Detector::restore(Config::default(), Arc::clone(&model), &bytes[1..]).is_err());
    assert!(Detector::restore(Config::default(), Arc::clone(&model), &[]).is_err());
    for at in (0..bytes.len()).step_by(bytes.len() / 300) {
        bytes[at] ^= 1 << (at % 8);
        let found = Detector::restore(Config::default(), Arc::clone(&model), &bytes);
        assert!(matches!(found, Err(RestoreError::Torn(_))), "byte {at}");
        bytes[at] ^= 1 << (at % 8);
    }
    assert!(Detector::restore(Config::default(), model, &bytes).is_ok());
}

/// Two detectors of one version find the same. Where this fails, what is computed has changed:
/// raise the version, so that no snapshot passes from one to the other, make the model again and
/// put the new digest here. Twelve digits count, since logarithms may differ in the last one
/// between machines.
#[test]
fn what_a_version_finds_does_not_change() {
    let mut readings = stream(900, 16);
    // Twice a minute what began in half a second is lost.
    readings.retain(|reading| reading.measured_at.as_micros() % 30_000_000 >= 500_000);
    let outputs = play(&mut fresh(), &readings, 0, 900);
    let mut digest = Sha256::new();
    let assessments = outputs.iter().filter_map(|output| match output {
        Output::Assessment(assessment) => Some(assessment),
        Output::Alert(_) => None,
    });
    for found in assessments {
        digest.update(format!("{:?}", found.cause));
        for (name, value) in found.features.iter() {
            digest.update(format!("{name} {value:.11e}"));
        }
    }
    let digest: String = digest.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        (detector::VERSION, digest.as_str()),
        ("tidewatch-detector 0.8.0", "54d3bbf5ec009f90")
    );
}

#[test]
fn a_look_each_second_changes_nothing_of_what_every_tenth_says() {
    let all = stream(760, 16);
    let every = |hop_s| {
        let config = Config { hop_s, ..Config::default() };
        let mut detector = Detector::new(config, Arc::new(default_model()));
        play(&mut detector, &all, 0, 760)
    };
    let (mut looks, hops) = (every(1), every(10));
    let scored = |o: &Output| matches!(o, Output::Assessment(a) if a.score.is_some());
    assert!(looks.iter().filter(|o| scored(o)).count() > 690);
    looks.retain(|o| match o {
        Output::Assessment(a) => a.at.as_micros() % 10_000_000 == 0 || hops.contains(o),
        Output::Alert(_) => true,
    });
    assert_eq!(looks, hops);
}

#[test]
fn a_clock_that_was_wrong_does_not_silence_what_comes_after() {
    let (all, mut detector) = (stream(400, 16), fresh());
    play(&mut detector, &all, 0, 200);
    // For a minute the clock is a day ahead.
    for second in 200..260 {
        detector.tick(at(86_400 + second));
    }
    let outputs = play(&mut detector, &all, 261, 400);
    assert!(last(&outputs).0 >= Level::Learning, "{:?}", last(&outputs));
}

/// A stream of so many seconds in which the band lies on a table from 300 s until `worn_again`.
fn taken_off(seconds: i64, worn_again: i64) -> Vec<Reading> {
    let mut all = stream(seconds, 16);
    let lies = |r: &&mut Reading| r.measured_at >= at(300) && r.measured_at < at(worn_again);
    for r in all.iter_mut().filter(lies) {
        let count = r.len();
        match r.channel {
            Channel::Acceleration => r.samples = [16, -16, 1008].repeat(count),
            Channel::Eda => r.samples.iter_mut().for_each(|step| *step %= 3000),
            Channel::SkinTemperature => {
                let cooled = r.measured_at.micros_since(at(300)) / 1_000_000;
                let cooled = i32::try_from(cooled).unwrap();
                r.samples.iter_mut().for_each(|step| *step -= cooled);
            }
            _ => r.samples.iter_mut().for_each(|step| *step %= 80),
        }
    }
    for r in all.iter_mut().filter(lies) {
        // The sensor flickers as sensors do.
        if r.channel == Channel::Acceleration {
            r.samples[2] += 16;
        }
    }
    all
}

#[test]
fn off_the_wrist_is_no_reading_within_two_and_a_half_minutes() {
    let (all, mut detector) = (taken_off(500, 500), fresh());
    assert!(last(&play(&mut detector, &all, 0, 305)).0 >= Level::Learning);
    let off = (Level::NoReading, Some(Cause::OffWrist));
    assert_eq!(last(&play(&mut detector, &all, 305, 450)), off);
}

#[test]
fn worn_again_a_band_is_judged_by_what_it_sees_on_the_wrist_alone() {
    let (all, mut detector) = (taken_off(1060, 900), fresh());
    play(&mut detector, &all, 0, 900);
    let found = play(&mut detector, &all, 900, 1060);
    let found = found.iter().filter_map(|o| match o {
        Output::Assessment(a) => Some(a),
        Output::Alert(_) => None,
    });
    let verdicts: Vec<_> = found.filter(|a| a.score.is_some()).collect();
    assert!(verdicts.iter().all(|a| a.at >= at(960)), "{:?}", verdicts.first().map(|a| a.at));
    assert!(verdicts.len() >= 8, "{}", verdicts.len());
    assert!(!verdicts.iter().take(6).any(|a| changed(a)), "compared with a table");
}

/// Whether movement is held against the minutes before: what is seen on a table is none of the
/// wearer's.
fn changed(of: &detector::Assessment) -> bool {
    let at = detector::Inputs::names().iter().position(|it| it == "activity.medium").unwrap();
    of.inputs.values().nth(at).unwrap() != 0.0
}

#[test]
fn what_a_table_shows_is_no_past_of_the_wearers_where_it_comes_late_either() {
    let (all, mut detector) = (taken_off(1060, 900), fresh());
    let is_late = |r: &&Reading| r.end() > at(310) && r.end() <= at(895);
    let (late, timely): (Vec<_>, Vec<_>) = all.iter().partition(is_late);
    let timely: Vec<Reading> = timely.into_iter().cloned().collect();
    play(&mut detector, &timely, 0, 900);
    late.into_iter().for_each(|reading| detector.push(reading));
    let found = play(&mut detector, &timely, 900, 1060);
    let verdicts = found.iter().filter_map(|o| match o {
        Output::Assessment(a) => Some(a).filter(|a| a.score.is_some()),
        Output::Alert(_) => None,
    });
    let verdicts: Vec<_> = verdicts.collect();
    assert!(verdicts.len() >= 8, "{}", verdicts.len());
    assert!(!verdicts.iter().take(6).any(|a| changed(a)), "compared with a table");
}

/// What a band measures that lies on a table for so many seconds from one on: it has cooled
/// after some minutes, and light that flickers on the pulse sensor by so many steps looks like
/// anything.
fn on_a_table(from: i64, seconds: i64, flicker: i32) -> Vec<Reading> {
    let packets = (2 * from..2 * (from + seconds)).flat_map(|half| {
        let measured_at = at(0).plus_micros(half * 500_000);
        let cooled = 900.0 * (-((half - 2 * from) as f64) / 600.0).exp();
        CHANNELS.map(|(channel, hz)| {
            let sample = |index: i64| match channel {
                Channel::Bvp => vec![white(index) % flicker.max(1)],
                Channel::Acceleration => vec![white(index) % 2, 0, 1024 + white(index + 1) % 2],
                Channel::Eda => vec![10_000 + white(index) % 1000],
                _ => vec![2400 + cooled as i32 + white(index) % 2],
            };
            Reading {
                device: DeviceId::from_address([1; 6]),
                channel,
                epoch: 2,
                sequence: half as u32,
                measured_at,
                received_at: measured_at,
                period_us: (1_000_000 / hz) as u32,
                samples: (half * hz / 2..(half + 1) * hz / 2).flat_map(sample).collect(),
            }
        })
    });
    packets.collect()
}

/// White noise: SplitMix64 of a number (Steele GL, Lea D, Flood CH (2014) OOPSLA: 453-472).
fn white(index: i64) -> i32 {
    let mut z = index.unsigned_abs().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as i32
}

/// A wearer for 900 s, then a table, then the wearer again.
fn laid_down(table: i64, silent: i64, flicker: i32) -> Vec<Reading> {
    let again = 900 + table + silent;
    let mut all = stream(again + 200, 16);
    all.retain(|r| r.measured_at < at(900) || r.measured_at >= at(again));
    all.extend(on_a_table(900, table, flicker));
    all.sort_by_key(Reading::end);
    all
}

#[test]
fn an_hour_on_a_table_is_never_taken_for_calm() {
    for flicker in [2, 50, 500, 5000] {
        let (all, mut detector) = (laid_down(3600, 0, flicker), fresh());
        play(&mut detector, &all, 0, 900);
        let found = play(&mut detector, &all, 900, 4500);
        let late = found.iter().filter_map(|o| match o {
            Output::Assessment(a) if a.at > at(1060) => Some((a.level, a.cause)),
            _ => None,
        });
        let off = (Level::NoReading, Some(Cause::OffWrist));
        let other = late.clone().find(|seen| *seen != off);
        assert_eq!((late.count() > 300, other), (true, None), "flickers by {flicker} steps");
    }
}

#[test]
fn a_hole_of_the_link_puts_no_band_on_a_wrist() {
    for hole in [3, 8, 60] {
        let (mut all, mut detector) = (laid_down(900, 0, 50), fresh());
        all.retain(|r| r.measured_at < at(1300) || r.measured_at >= at(1300 + hole));
        let outputs = play(&mut detector, &all, 0, 1800);
        let mut after = outputs.iter().filter_map(|o| match o {
            Output::Assessment(a) if a.at > at(1060) => a.cause,
            _ => None,
        });
        let unseen = [Cause::OffWrist, Cause::NoSignal];
        assert_eq!(after.clone().find(|cause| !unseen.contains(cause)), None, "{hole} s");
        assert_eq!(after.next_back(), Some(Cause::OffWrist), "{hole} s");
    }
}

#[test]
fn put_on_while_nothing_is_heard_a_band_is_judged_by_the_wrist_alone() {
    let (all, mut detector) = (laid_down(400, 60, 50), fresh());
    play(&mut detector, &all, 0, 1360);
    let found = play(&mut detector, &all, 1360, 1540);
    let verdicts = found.iter().filter_map(|o| match o {
        Output::Assessment(a) if a.score.is_some() => Some(a.at),
        _ => None,
    });
    let first = verdicts.min();
    assert!(first.is_some_and(|first| first >= at(1420) && first <= at(1450)), "{first:?}");
}

#[test]
fn history_teaches_and_is_silent() {
    let mut detector = fresh();
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
            Output::Assessment(a) => Some(a.inputs.values().skip(6).step_by(7).collect::<Vec<_>>()),
            Output::Alert(_) => None,
        });
        found.unwrap()
    };
    let all = stream(1210, 16);
    let (late, now) = all.split_at(all.partition_point(|r| r.measured_at < at(1140)));
    let mut detector = fresh();
    now.iter().for_each(|r| detector.push(r));
    assert!(changes(&mut detector, 1202).iter().all(|change| *change == 0.0));
    late.iter().for_each(|r| detector.push(r));
    assert!(changes(&mut detector, 1212).iter().any(|change| *change != 0.0));
}

#[test]
fn silence_is_no_reading_within_twelve_seconds() {
    let (all, mut detector) = (stream(120, 16), fresh());
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
    let mut detector = fresh();
    assert_eq!(last(&play(&mut detector, &all, 0, 131)), (Level::NoReading, Some(Cause::Frozen)));
    assert_eq!(last(&play(&mut detector, &all, 131, 160)), (Level::NoReading, Some(Cause::Frozen)));
}

/// A band that sends no pulse wave but a rate each second, and the length of each beat, ms,
/// where `beats` says one.
fn without_a_pulse_wave(
    seconds: i32,
    rate: impl Fn(i32) -> Option<i32>,
    beat: impl Fn(i32) -> Option<i32>,
) -> Vec<Reading> {
    let mut all = stream(i64::from(seconds), 16);
    all.retain(|r| r.channel != Channel::Bvp);
    for second in 0..seconds {
        let of = |channel, period_us, samples| Reading {
            channel,
            sequence: u32::try_from(second).unwrap(),
            measured_at: at(i64::from(second)),
            period_us,
            samples,
            ..all[0].clone()
        };
        let rate = rate(second).map(|rate| of(Channel::HeartRate, 1_000_000, vec![rate]));
        let beat = beat(second).map(|ms| of(Channel::Ibi, 0, vec![0, ms * 1000]));
        all.extend(rate.into_iter().chain(beat));
    }
    all.sort_by_key(Reading::end);
    all
}

#[test]
fn a_rate_that_stood_and_stays_away_is_missing_and_hides_nobody() {
    let rate = |second: i32| match second {
        0..120 => Some(7000 + 13 * (second % 5)),
        120..160 => Some(7000),
        _ => None,
    };
    let all = without_a_pulse_wave(260, rate, |_| None);
    let mut detector = fresh();
    let frozen = (Level::NoReading, Some(Cause::Frozen));
    assert_eq!(last(&play(&mut detector, &all, 0, 160)), frozen);
    let found = last(&play(&mut detector, &all, 160, 200));
    assert!(found.0 >= Level::Learning, "sweat and movement are seen: {found:?}");
}

#[test]
fn a_rate_in_whole_beats_a_minute_may_stand_while_beats_come_unevenly() {
    let uneven = |second: i32| Some(1000 + 7 * (second % 5));
    let all = without_a_pulse_wave(260, |_| Some(6000), uneven);
    let found = last(&play(&mut fresh(), &all, 0, 200));
    assert!(found.0 >= Level::Learning, "{found:?}");
    let even = without_a_pulse_wave(260, |_| Some(6000), |_| Some(1000));
    let frozen = (Level::NoReading, Some(Cause::Frozen));
    assert_eq!(last(&play(&mut fresh(), &even, 0, 200)), frozen);
}

/// A band that sends no pulse wave but the rate itself.
#[test]
fn a_heart_rate_that_stands_still_is_no_reading_even_where_no_pulse_wave_tells() {
    let mut all = stream(160, 16);
    all.retain(|r| r.channel != Channel::Bvp);
    for second in 0..160_i32 {
        let measured_at = at(i64::from(second));
        let beats = if second < 120 { 7000 + 13 * (second % 5) } else { 7000 };
        all.push(Reading {
            channel: Channel::HeartRate,
            sequence: u32::try_from(second).unwrap(),
            measured_at,
            period_us: 1_000_000,
            samples: vec![beats],
            ..all[0].clone()
        });
    }
    all.sort_by_key(Reading::end);
    let moves = last(&play(&mut fresh(), &all, 0, 150));
    assert!(moves.0 >= Level::Learning, "the rate alone may stand for a while: {moves:?}");
    let frozen = (Level::NoReading, Some(Cause::Frozen));
    assert_eq!(last(&play(&mut fresh(), &all, 0, 158)), frozen, "but not for so long");
    for r in all.iter_mut().filter(|r| r.measured_at >= at(120)) {
        r.samples.fill(900);
    }
    all.retain(|r| r.channel != Channel::HeartRate || r.measured_at < at(120));
    assert_eq!(last(&play(&mut fresh(), &all, 0, 131)), frozen, "and nothing stands with all");
}
