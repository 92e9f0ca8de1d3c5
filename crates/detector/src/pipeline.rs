use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use crate::beats::{BeatFinder, Found};
use crate::features::FeatureVector;
use crate::inbox::Sample;
use crate::intervals::{Cleaner, median};
use crate::motion::Mover;
use crate::second::Second;
use crate::sight::Stillness;
use crate::skin::{Skin, Worth};
use crate::window;

/// Seconds kept: the longest window is that of the slopes.
pub(crate) const KEPT_S: usize = 180;
/// Hops kept, 10 s each: the last ten minutes.
pub(crate) const KEPT_HOPS: usize = 61;
pub(crate) const HOP_S: i64 = 10;
/// What a jump of the skin conductance makes doubtful before it, s.
const DOUBT_S: usize = 5;
/// What was frozen before that was certain, s.
const FROZEN_S: usize = 5;

/// From samples to features, second by second. Two of these stand in a detector: one for
/// what is live, one for what comes late and only teaches the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    beats: BeatFinder,
    cleaner: Cleaner,
    reported: Cleaner,
    skin: Skin,
    mover: Mover,
    pub(crate) still: Stillness,
    /// The last second that was processed.
    pub(crate) at: Option<i64>,
    /// Seconds, newest last.
    pub(crate) seconds: VecDeque<Second>,
    /// Features of the last hops, newest last.
    pub(crate) hops: VecDeque<FeatureVector>,
}

impl Pipeline {
    /// Processes second `second` with its samples in order of time. Seconds follow on each other.
    pub(crate) fn take(&mut self, second: i64, samples: &[Sample]) {
        let mut sums = Second::default();
        let mut raw = Vec::new();
        let mut valid = Vec::new();
        let mut warmth = Vec::new();
        for sample in samples {
            self.still.take(sample);
            match sample.channel {
                Channel::Bvp => self.pulse(sample, &mut sums),
                Channel::Acceleration => {
                    let axes = [0, 1, 2].map(|axis| sample.value(axis));
                    self.mover.take(sample.at_us, axes, &mut sums.motion);
                }
                Channel::Eda => {
                    raw.push(sample.value(0));
                    self.skin(sample, &mut sums, &mut valid);
                }
                Channel::SkinTemperature => warmth.push(sample.value(0)),
                Channel::HeartRate => {
                    sums.heart_rate =
                        Some(sample.value(0)).filter(|rate| (25.0..=240.0).contains(rate));
                }
                Channel::Ibi => sums.reported.extend(self.reported.take(sample.value(1) / 1e3)),
                Channel::Button => {}
            }
        }
        sums.eda_raw = median(&mut raw);
        sums.eda = median(&mut valid);
        sums.temperature = median(&mut warmth).filter(|warmth| (10.0..=45.0).contains(warmth));
        self.keep(second, sums);
    }

    fn pulse(&mut self, sample: &Sample, sums: &mut Second) {
        sums.pulse_samples += 1;
        match self.beats.take(sample.at_us, sample.value(0)) {
            Found::Nothing => {}
            Found::Gap => self.cleaner.interrupt(),
            Found::Interval(seconds) => sums.intervals.extend(self.cleaner.take(seconds)),
        }
    }

    fn skin(&mut self, sample: &Sample, sums: &mut Second, valid: &mut Vec<f64>) {
        match self.skin.take(sample.at_us, sample.value(0)) {
            Worth::Valid { response } => {
                valid.push(sample.value(0));
                sums.responses.extend(response);
            }
            Worth::Invalid => {}
            Worth::Jump => {
                valid.clear();
                sums.responses.clear();
                for second in self.seconds.iter_mut().rev().take(DOUBT_S) {
                    second.eda = None;
                    second.responses.clear();
                }
            }
        }
    }

    fn keep(&mut self, second: i64, mut sums: Second) {
        let frozen = self.still.frozen();
        sums.valid = !frozen
            && (sums.pulse_samples > 0
                || sums.motion.count > 0
                || sums.eda.is_some()
                || sums.heart_rate.is_some()
                || !sums.reported.is_empty());
        if frozen {
            sums = Second::default();
            for second in self.seconds.iter_mut().rev().take(FROZEN_S) {
                *second = Second::default();
            }
        }
        self.at = Some(second);
        self.seconds.push_back(sums);
        if self.seconds.len() > KEPT_S {
            self.seconds.pop_front();
        }
    }

    /// Closes a hop: the features of the last window.
    pub(crate) fn hop(&mut self) -> FeatureVector {
        let features = window::features(&self.seconds);
        self.hops.push_back(features.clone());
        if self.hops.len() > KEPT_HOPS {
            self.hops.pop_front();
        }
        features
    }
}
