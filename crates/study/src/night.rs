//! A made-up night: the calmest minutes of a recording over and over, with a slower heart, less
//! sweat, warmer skin, and an arm that lies and turns over now and then. No recording of sleep
//! is at hand; what becomes of what is usual in its hours can be seen on this.

use std::ops::Range;

use biosignal::{Channel, MICROS_PER_SECOND, Reading, Timestamp};

use crate::episodes::Labels;
use crate::stream::Stream;

const NIGHT_S: i64 = 8 * 3600;
/// So much of a recording is repeated, s.
const BLOCK_S: i64 = 300;
/// Blocks are tried so far from each other, s.
const TRIED_S: i64 = 60;
/// From beat to beat it takes so much longer.
const SLOWER: f64 = 1.15;
/// Skin conducts so much of what it did,
const SWEAT: f64 = 0.6;
/// and is warmer by so much, in steps of its channel.
const WARMER: i32 = 80;
/// The arm turns over so often, for so long, s.
const TURNS_EVERY_S: i64 = 1200;
const TURN_S: i64 = 3;
/// Where gravity points, in turn, in steps of the channel.
const LIES: [[i32; 3]; 3] = [[0, 0, 1024], [1024, 0, 0], [0, 1024, 0]];

/// The recording as an evening, and a night after it that ends at a moment.
pub(crate) fn evening_and_night(stream: &Stream, labels: &Labels, end: Timestamp) -> Vec<Reading> {
    let block = calmest(stream, labels);
    let block = stream.part(block.start, block.end);
    let begin = end.plus_micros(-NIGHT_S * MICROS_PER_SECOND);
    let mut readings = stream.clone().moved(begin.micros_since(stream.end), 1).readings;
    for number in 0..NIGHT_S / BLOCK_S {
        let later = begin.micros_since(block.start) + number * BLOCK_S * MICROS_PER_SECOND;
        let epoch = 2 + u32::try_from(number).expect("a hundred blocks");
        let moved = block.clone().moved(later, epoch);
        let until = moved.start.plus_micros(BLOCK_S * MICROS_PER_SECOND);
        readings.extend(moved.readings.into_iter().filter_map(|it| asleep(it, moved.start, until)));
    }
    readings
}

/// The minutes outside of episodes in which the wrist moves least; the first where there are none.
fn calmest(stream: &Stream, labels: &Labels) -> Range<Timestamp> {
    let whole_s = stream.end.micros_since(stream.start) / MICROS_PER_SECOND;
    let at = |second: i64| stream.start.plus_micros(second * MICROS_PER_SECOND);
    let blocks = (0..(whole_s - BLOCK_S).max(0) / TRIED_S + 1)
        .map(|number| at(number * TRIED_S)..at(number * TRIED_S + BLOCK_S));
    let free = |block: &Range<Timestamp>| {
        let [from, until] = [block.start, block.end].map(Timestamp::as_seconds_f64);
        labels.episodes.iter().all(|it| it.end < from || until < it.start)
    };
    let way = |block: &Range<Timestamp>| -> u64 {
        let part = stream.part(block.start, block.end);
        let moved = part.readings.iter().filter(|it| it.channel == Channel::Acceleration);
        moved.map(|it| way(&it.samples)).sum()
    };
    let first = at(0)..at(BLOCK_S);
    blocks.filter(free).min_by_key(way).unwrap_or(first)
}

/// The way from sample to sample, in steps.
fn way(samples: &[i32]) -> u64 {
    let pairs = samples.iter().zip(samples.get(3..).unwrap_or_default());
    pairs.map(|(before, after)| u64::from(before.abs_diff(*after))).sum()
}

/// What a reading would have been in sleep; none where a slower one lies beyond its block.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a recording's samples and periods"
)]
fn asleep(mut reading: Reading, begin: Timestamp, until: Timestamp) -> Option<Reading> {
    match reading.channel {
        Channel::Bvp => {
            let after = reading.measured_at.micros_since(begin) as f64 * SLOWER;
            reading.measured_at = begin.plus_micros(after as i64);
            reading.period_us = (f64::from(reading.period_us) * SLOWER) as u32;
        }
        Channel::Eda => {
            reading.samples.iter_mut().for_each(|step| *step = (f64::from(*step) * SWEAT) as i32);
        }
        Channel::SkinTemperature => reading.samples.iter_mut().for_each(|step| *step += WARMER),
        Channel::Acceleration => lie(&mut reading),
        Channel::HeartRate | Channel::Ibi | Channel::Button => return None,
    }
    (reading.end() <= until).then_some(reading)
}

/// An arm that trembles, and turns over now and then.
fn lie(reading: &mut Reading) {
    let micros = reading.measured_at.as_micros();
    let second = micros.div_euclid(MICROS_PER_SECOND);
    let lies = LIES[usize::try_from(second / TURNS_EVERY_S % 3).unwrap_or(0)];
    let turns = second % TURNS_EVERY_S < TURN_S;
    for (axes, at) in reading.samples.chunks_mut(3).zip(micros / 31_250..) {
        let trembles = i32::try_from(at * 7919 % 3).unwrap_or(0) * 8 - 8;
        let turning = if turns { i32::try_from(at * 97 % 300).unwrap_or(0) } else { 0 };
        axes.iter_mut().zip(lies).for_each(|(axis, lies)| *axis = lies + trembles + turning);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use detector::{Config, Feature, default_model};

    use super::*;
    use crate::run::run;
    use crate::sitting::recorded;

    #[test]
    fn somebody_sleeps_between_the_evening_and_the_morning() -> anyhow::Result<()> {
        let Some(whole) = recorded("S02")? else { return Ok(()) };
        let sitting = whole.after_a_night();
        let heard = sitting.heard();
        let spans = |of: &Stream| of.end.micros_since(of.start) / MICROS_PER_SECOND;
        assert_eq!(spans(&heard), 2 * spans(&sitting.stream) + NIGHT_S);
        let found = run(&heard, &Config::default(), &Arc::new(default_model())).assessments;
        let ago = |it: Timestamp| sitting.stream.start.micros_since(it) / MICROS_PER_SECOND;
        let mean = |hours: Range<i64>, feature: Feature| {
            let within = found.iter().filter(|it| hours.contains(&(ago(it.at).div_euclid(3600))));
            let values: Vec<f64> =
                within.filter_map(|it| it.features.get(feature.name())).collect();
            assert!(values.len() > 300, "{} of {feature:?}", values.len());
            values.iter().sum::<f64>() / values.len() as f64
        };
        let rests = |hours: Range<i64>| {
            let within = found.iter().filter(|it| hours.contains(&(ago(it.at).div_euclid(3600))));
            within.map(|it| it.rests).collect::<Vec<_>>()
        };
        assert!(rests(0..7).iter().all(|rests| *rests), "all night");
        assert!(!rests(9..10).iter().any(|rests| *rests), "the evening");
        assert!(mean(1..7, Feature::HeartRate) < mean(8..10, Feature::HeartRate) - 5.0);
        assert!(mean(1..7, Feature::Scl) < mean(8..10, Feature::Scl));
        Ok(())
    }
}
