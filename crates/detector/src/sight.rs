use std::collections::{BTreeMap, VecDeque};

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use crate::inbox::Sample;
use crate::intervals::median;
use crate::second::Second;
use crate::window::slope_per_minute;

/// A pulse wave that stands still for so long is none, us.
const PULSE_US: i64 = 3_000_000;
/// All other signals standing still for so long are frozen, us.
const ALL_US: i64 = 5_000_000;
/// A worn band moves more than this over the time, g.
const STILL_G: f64 = 0.013;
const STILL_S: usize = 120;

/// Since when each signal has had the same value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stillness(BTreeMap<Channel, Run>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    steps: [i32; 3],
    since_us: i64,
    last_us: i64,
}

impl Stillness {
    pub(crate) fn take(&mut self, sample: &Sample) {
        let fresh = Run { steps: sample.steps, since_us: sample.at_us, last_us: sample.at_us };
        let run = self.0.entry(sample.channel).or_insert_with(|| fresh.clone());
        if run.steps == sample.steps && sample.at_us - run.last_us < ALL_US {
            run.last_us = sample.at_us;
        } else {
            *run = fresh;
        }
    }

    /// When the newest sample was taken.
    pub(crate) fn newest_us(&self) -> i64 {
        self.0.values().map(|run| run.last_us).max().unwrap_or_default()
    }

    /// Whether the signals stand still beyond what their sensors can.
    pub(crate) fn frozen(&self) -> bool {
        let newest = self.newest_us();
        let fresh =
            |channel: Channel| self.0.get(&channel).filter(|run| newest - run.last_us < PULSE_US);
        if fresh(Channel::Bvp).is_some_and(|run| run.last_us - run.since_us >= PULSE_US) {
            return true;
        }
        let others: Vec<_> =
            [Channel::HeartRate, Channel::Eda, Channel::Acceleration, Channel::Bvp]
                .into_iter()
                .filter_map(fresh)
                .collect();
        // A tenth less: the last sample stands a period before the end of the time.
        let still = |run: &&Run| run.last_us - run.since_us >= ALL_US * 9 / 10;
        others.len() >= 2 && others.iter().all(still)
    }
}

/// Whether the band lies somewhere rather than being worn.
pub(crate) fn off_wrist(seconds: &VecDeque<Second>) -> bool {
    let last = || seconds.iter().rev().take(STILL_S);
    let (count, sum, square) = last().fold((0.0, 0.0, 0.0), |(count, sum, square), second| {
        let motion = &second.motion;
        (count + f64::from(motion.count), sum + motion.norm, square + motion.square)
    });
    let covered = last().filter(|second| second.motion.count > 0).count();
    if covered < STILL_S * 9 / 10 {
        return false;
    }
    let mean: f64 = sum / count;
    let deviation = (square / count - mean * mean).max(0.0).sqrt();
    deviation < STILL_G && (cooling(seconds) || dry(seconds) || pulseless(seconds))
}

fn cooling(seconds: &VecDeque<Second>) -> bool {
    slope_per_minute(seconds, |second| second.temperature).is_some_and(|slope| slope < -0.2)
}

fn dry(seconds: &VecDeque<Second>) -> bool {
    let mut raw: Vec<_> =
        seconds.iter().rev().take(10).filter_map(|second| second.eda_raw).collect();
    median(&mut raw).is_some_and(|raw| raw < 0.05)
}

fn pulseless(seconds: &VecDeque<Second>) -> bool {
    let last = || seconds.iter().rev().take(60);
    let sampled = last().filter(|second| second.pulse_samples > 0).count() >= 50;
    sampled && last().map(|second| second.intervals.len()).sum::<usize>() < 6
}
