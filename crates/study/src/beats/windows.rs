use std::collections::BTreeMap;
use std::ops::Range;

use biosignal::{Channel, MICROS_PER_SECOND};

use super::wave::Wave;
use crate::stream::Stream;

const WINDOW_S: i64 = 60;

/// Two detectors mean the same beat within this, s.
const SAME_S: f64 = 0.15;
/// From this agreement of two detectors on, a pulse wave is clear.
const CLEAR: f64 = 0.9;

/// The whole minutes of a recording, and of what kind each is.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// The minutes since 1970 that lie whole in the pulse wave.
    minutes: Range<i64>,
    /// Of each: whether the wrist moved; none where no acceleration tells.
    moving: Vec<Option<bool>>,
    /// Of each: whether the pulse wave can be read beyond doubt.
    clear: Vec<bool>,
}

/// Which windows count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    All,
    /// Still, and the pulse wave is clear: two detectors that work in different ways agree.
    Clean,
    Still,
    Moving,
}

impl Stretch {
    pub(super) const EVERY: [Self; 4] = [Self::All, Self::Clean, Self::Still, Self::Moving];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Clean => "clean",
            Self::Still => "still",
            Self::Moving => "moving",
        }
    }
}

impl Windows {
    /// The windows of a wave in which two detectors found these beats, unix seconds.
    #[expect(clippy::cast_possible_truncation, reason = "minutes since 1970")]
    pub(super) fn of(stream: &Stream, wave: &Wave, found: [&[f64]; 2], moving_from_g: f64) -> Self {
        let window_s = WINDOW_S as f64;
        let first = (wave.start / window_s).ceil() as i64;
        let minutes = first..((wave.end() / window_s).floor() as i64).max(first);
        let activity = activity(stream);
        let moves = |minute| activity.get(&minute).map(|g| *g >= moving_from_g);
        let clear = |minute| agreement(found.map(|beats| within(beats, minute))) >= CLEAR;
        Self {
            moving: minutes.clone().map(moves).collect(),
            clear: minutes.clone().map(clear).collect(),
            minutes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.moving.len()
    }

    /// How many are of a kind.
    pub(super) fn count(&self, stretch: Stretch) -> usize {
        (0..self.len()).filter(|window| self.is(*window, stretch)).count()
    }

    /// Whether a window is of a kind.
    pub(super) fn is(&self, window: usize, stretch: Stretch) -> bool {
        match stretch {
            Stretch::All => true,
            Stretch::Clean => self.moving[window] == Some(false) && self.clear[window],
            Stretch::Still => self.moving[window] == Some(false),
            Stretch::Moving => self.moving[window] == Some(true),
        }
    }

    /// The window in which a moment lies, unix seconds.
    #[expect(clippy::cast_possible_truncation, reason = "minutes since 1970")]
    pub(super) fn place(&self, time: f64) -> Option<usize> {
        let minute = (time / WINDOW_S as f64).floor() as i64;
        let inside = self.minutes.contains(&minute);
        inside.then(|| usize::try_from(minute - self.minutes.start).ok()).flatten()
    }

    /// Each from where it begins to where it ends, unix seconds.
    pub(super) fn each(&self) -> impl Iterator<Item = Range<i64>> {
        self.minutes.clone().map(|minute| minute * WINDOW_S..(minute + 1) * WINDOW_S)
    }
}

/// Standard deviation of the norm of acceleration, g, by the minute since 1970.
fn activity(stream: &Stream) -> BTreeMap<i64, f64> {
    let mut sums: BTreeMap<i64, [f64; 3]> = BTreeMap::new();
    for reading in stream.readings.iter().filter(|it| it.channel == Channel::Acceleration) {
        let values: Vec<f64> = reading.values().collect();
        for (index, axes) in values.chunks_exact(3).enumerate() {
            let at_us = reading.time_of(index).as_micros();
            let norm = axes.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
            let sum = sums.entry(at_us.div_euclid(WINDOW_S * MICROS_PER_SECOND)).or_default();
            *sum = [sum[0] + 1.0, sum[1] + norm, sum[2] + norm * norm];
        }
    }
    let deviation =
        |[count, sum, squares]: [f64; 3]| (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
    sums.into_iter().map(|(minute, sum)| (minute, deviation(sum))).collect()
}

/// The beats of a minute.
fn within(beats: &[f64], minute: i64) -> &[f64] {
    let place = |minute: i64| beats.partition_point(|beat| *beat < (minute * WINDOW_S) as f64);
    &beats[place(minute)..place(minute + 1)]
}

/// Twice the beats that both found, of all that either found.
fn agreement([first, second]: [&[f64]; 2]) -> f64 {
    let both = first.iter().filter(|beat| second.iter().any(|it| (*beat - it).abs() <= SAME_S));
    let all = first.len() + second.len();
    if all == 0 { 0.0 } else { (2 * both.count()) as f64 / all as f64 }
}
