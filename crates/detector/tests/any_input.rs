//! What holds whatever comes: the way in which samples travel changes nothing, a restart
//! changes nothing, and no fault makes anybody look calm.

mod made;

use std::collections::BTreeMap;
use std::sync::Arc;

use biosignal::{Channel, Reading, Timestamp};
use detector::{Assessment, Config, Detector, Level, Output, default_model};
use made::{at, fresh};
use proptest::prelude::*;

/// The state of one person fits into so many bytes, a minute of samples that came too early
/// among them.
const STATE_BYTES: usize = 200_000;

/// Ticks once a second; a reading is pushed before the tick of the second in which it begins.
fn play(detector: &mut Detector, all: &[Reading], seconds: std::ops::Range<i64>) -> Vec<Output> {
    let mut outputs = Vec::new();
    for second in seconds {
        let due = |r: &&Reading| r.measured_at >= at(second) && r.measured_at < at(second + 1);
        all.iter().filter(due).for_each(|reading| detector.push(reading));
        outputs.extend(detector.tick(at(second)));
    }
    outputs
}

fn usual_packets(seconds: i64) -> Vec<Reading> {
    made::readings(seconds, |_, _| 16)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn packets_of_any_size_in_any_order_say_the_same(
        sizes in prop::collection::vec(1..200_i64, 1..40),
        turn in 0..1000_usize,
        doubled in 0..50_usize,
    ) {
        let mut packets = made::readings(240, |channel, number| {
            sizes[(number as usize + usize::from(channel.code())) % sizes.len()]
        });
        let middle = turn % packets.len();
        packets.rotate_left(middle);
        let again: Vec<Reading> = packets.iter().take(doubled).cloned().collect();
        packets.extend(again);
        let found = play(&mut fresh(), &packets, 0..245);
        prop_assert_eq!(found, play(&mut fresh(), &usual_packets(240), 0..245));
    }

    #[test]
    fn a_restart_at_any_moment_changes_nothing(moments in prop::collection::vec(1..400_i64, 1..4)) {
        let all = usual_packets(400);
        let mut whole = fresh();
        let expected = play(&mut whole, &all, 0..400);
        let (mut detector, mut found, mut from) = (fresh(), Vec::new(), 0);
        let mut moments = moments;
        moments.sort_unstable();
        for moment in moments.into_iter().chain([400]) {
            found.extend(play(&mut detector, &all, from..moment));
            let model = Arc::new(default_model());
            detector = Detector::restore(Config::default(), model, &detector.snapshot())?;
            from = moment;
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(detector.snapshot(), whole.snapshot());
    }
}

/// Something that goes wrong with what a detector is given.
#[derive(Clone, Debug)]
enum Fault {
    /// Nothing of a channel, or of all.
    Gap {
        channel: Option<Channel>,
        from: i64,
        seconds: i64,
    },
    /// The highest or lowest value there is.
    Saturated {
        channel: Channel,
        from: i64,
        seconds: i64,
        high: bool,
    },
    /// The same value again and again.
    Frozen {
        channel: Option<Channel>,
        from: i64,
        seconds: i64,
    },
    /// All comes this much later.
    Late {
        from: i64,
        seconds: i64,
        by: i64,
    },
    Doubled,
    Reordered,
    /// The detector's clock jumps, and back.
    Clock {
        from: i64,
        seconds: i64,
        by: i64,
    },
}

fn channel() -> impl Strategy<Value = Channel> {
    (0..made::CHANNELS.len()).prop_map(|at| made::CHANNELS[at].0)
}

fn fault() -> impl Strategy<Value = Fault> {
    let (from, seconds) = (|| 0..500_i64, || prop_oneof![1..30_i64, 30..500_i64]);
    prop_oneof![
        (prop::option::of(channel()), from(), seconds())
            .prop_map(|(channel, from, seconds)| Fault::Gap { channel, from, seconds }),
        channel().prop_map(|channel| Fault::Gap { channel: Some(channel), from: 0, seconds: 600 }),
        (channel(), from(), seconds(), any::<bool>()).prop_map(|(channel, from, seconds, high)| {
            Fault::Saturated { channel, from, seconds, high }
        }),
        (prop::option::of(channel()), from(), seconds())
            .prop_map(|(channel, from, seconds)| Fault::Frozen { channel, from, seconds }),
        (from(), seconds(), 1..400_i64).prop_map(|(from, seconds, by)| Fault::Late {
            from,
            seconds,
            by
        }),
        Just(Fault::Doubled),
        Just(Fault::Reordered),
        (from(), seconds(), -20_000..20_000_i64).prop_map(|(from, seconds, by)| Fault::Clock {
            from,
            seconds,
            by
        }),
    ]
}

/// Readings with the moment (s) at which each comes, and the clock at each second.
struct Script {
    arrivals: Vec<(i64, Reading)>,
    clock: BTreeMap<i64, i64>,
}

const SECONDS: i64 = 600;

fn script(faults: &[Fault]) -> Script {
    let second = |reading: &Reading| reading.measured_at.micros_since(at(0)) / 1_000_000;
    let mut arrivals: Vec<_> =
        usual_packets(SECONDS).into_iter().map(|reading| (second(&reading), reading)).collect();
    let mut clock: BTreeMap<i64, i64> = (0..SECONDS).map(|second| (second, second)).collect();
    for fault in faults {
        let hit = |reading: &Reading, channel: Option<Channel>, from: i64, seconds: i64| {
            (from..from + seconds).contains(&second(reading))
                && channel.is_none_or(|channel| channel == reading.channel)
        };
        match *fault {
            Fault::Gap { channel, from, seconds } => {
                arrivals.retain(|(_, reading)| !hit(reading, channel, from, seconds));
            }
            Fault::Saturated { channel, from, seconds, high } => {
                let value = if high { i32::MAX } else { i32::MIN };
                let hit = arrivals.iter_mut().filter(|(_, r)| hit(r, Some(channel), from, seconds));
                hit.for_each(|(_, reading)| reading.samples.fill(value));
            }
            Fault::Frozen { channel, from, seconds } => {
                let hit = arrivals.iter_mut().filter(|(_, r)| hit(r, channel, from, seconds));
                hit.for_each(|(_, reading)| {
                    let still =
                        if reading.channel == Channel::Acceleration { 900 } else { 900_000 };
                    reading.samples.fill(still);
                });
            }
            Fault::Late { from, seconds, by } => {
                let hit = arrivals.iter_mut().filter(|(_, r)| hit(r, None, from, seconds));
                hit.for_each(|(comes, _)| *comes += by);
            }
            Fault::Doubled => arrivals.extend(arrivals.clone()),
            Fault::Reordered => arrivals.reverse(),
            Fault::Clock { from, seconds, by } => {
                clock.range_mut(from..from + seconds).for_each(|(_, now)| *now += by);
            }
        }
    }
    Script { arrivals, clock }
}

fn assessments(outputs: Vec<Output>) -> impl Iterator<Item = Assessment> {
    outputs.into_iter().filter_map(|output| match output {
        Output::Assessment(assessment) => Some(assessment),
        Output::Alert(_) => None,
    })
}

/// How many of heart, skin and motion came in time in the last 20 s before a moment, with a
/// value that has not stood still for longer than it can.
fn seen(script: &Script, until: i64, now: i64) -> usize {
    let within = |reading: &Reading, seconds: i64| {
        let begins = reading.measured_at.micros_since(at(0)) / 1_000_000;
        (until - seconds..until).contains(&begins)
    };
    let moves = |reading: &Reading| {
        let possible = reading.samples.iter().all(|step| (i32::MIN + 1..i32::MAX).contains(step));
        possible && reading.samples.windows(2).any(|pair| pair[0] != pair[1])
    };
    let live = |channel: Channel, still_s: i64| {
        let in_time = || {
            let in_time = script.arrivals.iter().filter(|(comes, _)| *comes <= now);
            in_time.map(|(_, r)| r).filter(|r| r.channel == channel)
        };
        in_time().any(|r| within(r, 20)) && in_time().any(|r| within(r, still_s) && moves(r))
    };
    let limits = [(Channel::Bvp, 20), (Channel::Eda, 65), (Channel::Acceleration, 50)];
    limits.into_iter().filter(|(channel, still_s)| live(*channel, *still_s)).count()
}

fn check(faults: &[Fault]) {
    let script = script(faults);
    let mut detector = fresh();
    for (second, now) in &script.clock {
        for (_, reading) in script.arrivals.iter().filter(|(comes, _)| comes == second) {
            detector.push(reading);
        }
        for found in assessments(detector.tick(at(*now))) {
            assert_eq!(found.level == Level::NoReading, found.cause.is_some(), "{found:?}");
            assert_eq!(found.score.is_some(), found.cause.is_none(), "{found:?}");
            assert!(found.score.is_none_or(|score| (0.0..=1.0).contains(&score)), "{found:?}");
            assert!((0.0..=1.0).contains(&found.quality), "{found:?}");
            assert!(found.inputs.values().all(f64::is_finite), "{found:?}");
            let until = found.at.micros_since(at(0)) / 1_000_000;
            if seen(&script, until, *second) < 2 {
                assert_eq!(found.level, Level::NoReading, "at {until}: {found:?}");
            }
        }
        let bytes = detector.snapshot().len();
        assert!(bytes < STATE_BYTES, "{bytes} bytes of state");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_fault_makes_anybody_look_calm(faults in prop::collection::vec(fault(), 1..5)) {
        check(&faults);
    }
}

#[test]
fn each_fault_alone_makes_nobody_look_calm() {
    for (channel, _) in made::CHANNELS {
        check(&[Fault::Gap { channel: Some(channel), from: 0, seconds: SECONDS }]);
        check(&[Fault::Frozen { channel: Some(channel), from: 200, seconds: 300 }]);
        check(&[Fault::Saturated { channel, from: 200, seconds: 300, high: true }]);
    }
    check(&[Fault::Gap { channel: None, from: 200, seconds: 100 }]);
    check(&[Fault::Frozen { channel: None, from: 200, seconds: 100 }]);
}

#[test]
fn three_hours_of_nothing_are_three_hours_without_a_reading() {
    let mut detector = fresh();
    play(&mut detector, &usual_packets(300), 0..303);
    let silent = play(&mut detector, &[], 320..11_100);
    assert!(assessments(silent).all(|found| found.level == Level::NoReading));
}

#[test]
fn a_clock_at_either_end_of_time_is_survived_and_says_nothing() {
    for micros in [i64::MIN, i64::MIN + 61_000_000, 0, i64::MAX - 61_000_000, i64::MAX] {
        let mut detector = fresh();
        play(&mut detector, &usual_packets(120), 0..120);
        let mut wrong = usual_packets(1);
        for (reading, epoch) in wrong.iter_mut().zip(2..) {
            (reading.measured_at, reading.epoch) = (Timestamp::from_micros(micros), epoch);
            detector.push(reading);
        }
        let found = detector.tick(Timestamp::from_micros(micros));
        assert!(assessments(found).all(|found| found.level == Level::NoReading), "at {micros} us");
        assert!(assessments(detector.tick(at(121))).all(|found| found.level == Level::NoReading));
    }
}
