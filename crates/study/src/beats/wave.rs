use anyhow::{Context, ensure};
use biosignal::Channel;

use crate::stream::Stream;

/// A whole pulse wave without a hole.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    /// When its first sample was taken, unix seconds.
    pub(super) start: f64,
    /// From sample to sample, us.
    pub(super) period_us: u32,
    /// Sensor counts.
    pub(super) samples: Vec<f64>,
}

impl Wave {
    /// Strings a stream's pulse wave together.
    ///
    /// # Errors
    /// Where there is none, or it has a hole: whole-recording detectors know of none.
    pub(super) fn of(stream: &Stream) -> anyhow::Result<Self> {
        let mut readings = stream.readings.iter().filter(|it| it.channel == Channel::Bvp);
        let first = readings.next().context("no pulse wave (BVP)")?;
        let mut samples: Vec<f64> = first.values().collect();
        let mut end = first.end();
        for reading in readings {
            let hole_us = reading.measured_at.micros_since(end);
            ensure!(
                reading.period_us == first.period_us && hole_us.abs() < i64::from(first.period_us),
                "the pulse wave has a hole at {} s",
                end.as_seconds_f64()
            );
            samples.extend(reading.values());
            end = reading.end();
        }
        Ok(Self { start: first.measured_at.as_seconds_f64(), period_us: first.period_us, samples })
    }

    pub(super) fn rate_hz(&self) -> f64 {
        1e6 / f64::from(self.period_us)
    }

    /// First moment after it, unix seconds.
    pub(super) fn end(&self) -> f64 {
        self.time(self.samples.len())
    }

    /// When samples were taken, unix seconds.
    pub(super) fn times(&self, samples: &[usize]) -> Vec<f64> {
        samples.iter().map(|at| self.time(*at)).collect()
    }

    fn time(&self, sample: usize) -> f64 {
        self.start + sample as f64 / self.rate_hz()
    }
}
