//! Skin conductance responses, trough to peak on EDA smoothed over four samples (1 s at
//! 4 Hz): amplitude at least 0.05 uS, rise 0.5 to 5 s. A peak counts once the signal has
//! fallen 0.01 uS from it, so noise makes none. Rate /min, sum of amplitudes uS, mean rise s.
//!
//! Reference: `scipy.signal.find_peaks(prominence=0.01)` and the lowest point before each;
//! exact.

use serde::{Deserialize, Serialize};

const SMOOTHED_SAMPLES: usize = 4;
const TURN_US: f64 = 0.01;
const SMALLEST_US: f64 = 0.05;
const RISE_S: std::ops::RangeInclusive<f64> = 0.5..=5.0;

/// A skin conductance response.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScrEvent {
    /// When it peaked.
    pub(crate) at_us: i64,
    pub(crate) amplitude: f64,
    pub(crate) rise_s: f64,
}

/// Finds responses sample by sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScrDetector {
    /// The newest values, and how many there are.
    recent: [f64; SMOOTHED_SAMPLES],
    count: usize,
    trough: Option<Point>,
    /// Highest since the trough.
    peak: Option<Point>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    at_us: i64,
    value: f64,
}

impl ScrDetector {
    /// Takes a valid sample; yields the response whose end it shows.
    pub(crate) fn push(&mut self, at_us: i64, value: f64) -> Option<ScrEvent> {
        self.recent.rotate_left(1);
        self.recent[SMOOTHED_SAMPLES - 1] = value;
        self.count = SMOOTHED_SAMPLES.min(self.count + 1);
        if self.count < SMOOTHED_SAMPLES {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "four")]
        let smooth = self.recent.iter().sum::<f64>() / SMOOTHED_SAMPLES as f64;
        self.follow(Point { at_us, value: smooth })
    }

    fn follow(&mut self, point: Point) -> Option<ScrEvent> {
        let trough = *self.trough.get_or_insert(point);
        match self.peak {
            None if point.value < trough.value => self.trough = Some(point),
            None if point.value >= trough.value + TURN_US => self.peak = Some(point),
            Some(peak) if point.value > peak.value => self.peak = Some(point),
            Some(peak) if point.value <= peak.value - TURN_US => {
                self.trough = Some(point);
                self.peak = None;
                return response(trough, peak);
            }
            _ => {}
        }
        None
    }
}

fn response(trough: Point, peak: Point) -> Option<ScrEvent> {
    let amplitude = peak.value - trough.value;
    #[expect(clippy::cast_precision_loss, reason = "a short time")]
    let rise_s = (peak.at_us - trough.at_us) as f64 / 1e6;
    (amplitude >= SMALLEST_US && RISE_S.contains(&rise_s)).then_some(ScrEvent {
        at_us: peak.at_us,
        amplitude,
        rise_s,
    })
}

/// Responses per minute of valid signal.
pub(crate) fn scr_rate(events: usize, valid_s: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let events = events as f64;
    (valid_s >= 30.0).then(|| events * 60.0 / valid_s)
}

/// Sum of amplitudes, uS, brought to 60 s of valid signal.
pub(crate) fn scr_amplitude<'a>(
    events: impl Iterator<Item = &'a ScrEvent>,
    valid_s: f64,
) -> Option<f64> {
    let sum: f64 = events.map(|event| event.amplitude).sum();
    (valid_s >= 30.0).then(|| sum * 60.0 / valid_s)
}

/// Mean rise time, s; missing without a response.
pub(crate) fn scr_rise<'a>(events: impl Iterator<Item = &'a ScrEvent>) -> Option<f64> {
    let (sum, count) = events.fold((0.0, 0.0), |(sum, n), event| (sum + event.rise_s, n + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use biosignal::Channel;

    use super::*;
    use crate::golden::{Window, assert_close, numbers};

    #[test]
    fn responses_are_those_of_scipy() {
        let reference = Window::read();
        let mut detector = ScrDetector::default();
        let eda = reference.signal(Channel::Eda);
        let each = eda.iter().enumerate();
        let found: Vec<ScrEvent> = each
            .filter_map(|(index, value)| detector.push(index as i64 * 250_000, *value))
            .collect();
        let expected = reference.of("skin", "scr").as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected.iter().map(numbers)) {
            // The smoothed signal starts at the fourth sample.
            assert_close(found.at_us as f64 / 250_000.0 - 3.0, expected[0], 0.0);
            assert_close(found.amplitude, expected[1], 1e-9);
            assert_close(found.rise_s, expected[2], 1e-9);
        }
    }

    #[test]
    fn the_rate_is_per_valid_minute() {
        assert_eq!(scr_rate(3, 30.0), Some(6.0));
        assert_eq!(scr_rate(3, 20.0), None);
    }
}
