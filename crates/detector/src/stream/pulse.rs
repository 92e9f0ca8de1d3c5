use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use crate::beats::{BeatLog, Elgendi};
use crate::filter::{Cascade, Section, band_pass};
use crate::samples::Run;

/// Pulse waves carry their beat between these.
const BAND_HZ: (f64, f64) = (0.5, 8.0);
/// A hole longer than this makes the filter start anew.
const LONGEST_HOLE_US: i64 = 250_000;
/// Rates that a pulse wave can be read at, us from sample to sample: 20 to 500 Hz.
const PERIODS_US: std::ops::RangeInclusive<i64> = 2_000..=50_000;

/// From samples of blood volume pulse to beats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pulse {
    running: Option<Running>,
    last_beat_us: Option<i64>,
    agreement: Agreement,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    period_us: i64,
    last_us: i64,
    filter: Cascade<2>,
    peaks: Elgendi,
    #[serde(skip)]
    sections: Option<[Section; 2]>,
}

impl Pulse {
    /// Takes a run of samples; beats go into the log. Tells of each interval that a beat
    /// ends, s.
    pub(super) fn take(
        &mut self,
        run: Run,
        steps: &[[i32; 1]],
        log: &mut BeatLog,
        mut interval: impl FnMut(f64),
    ) {
        let period_us = i64::from(run.period_us);
        let (Some([first]), true) = (steps.first(), PERIODS_US.contains(&period_us)) else {
            return;
        };
        let goes_on = self.running.as_ref().is_some_and(|running| {
            running.period_us == period_us && (run.at_us - running.last_us) <= LONGEST_HOLE_US
        });
        if !goes_on {
            self.running = Some(Running::start(value(*first), period_us));
            self.last_beat_us = None;
            self.agreement.interrupt();
            log.interrupt();
        }
        let Some(running) = &mut self.running else { return };
        running.last_us = run.last();
        let mut filtered = [0.0; Elgendi::MOST];
        let mut from = 0;
        while from < steps.len() {
            let room = self.agreement.room(period_us);
            let most = if room == 0 { Elgendi::MOST } else { room.min(Elgendi::MOST) };
            let until = steps.len().min(from + most);
            let filtered = &mut filtered[..until - from];
            running.filter(&steps[from..until], filtered);
            let at_us = run.time(from);
            self.agreement.take(at_us, filtered, period_us);
            running.peaks.take(at_us, filtered, |peak| {
                self.agreement.beat(peak.at_us);
                let Some(last_us) = self.last_beat_us.replace(peak.at_us) else { return };
                #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
                let interval_s = (peak.at_us - last_us) as f64 / 1e6;
                log.push(peak.at_us, interval_s, peak.amplitude);
                interval(interval_s);
            });
            from = until;
        }
    }

    /// The sensor stands still: what comes next is a new start.
    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    /// Lets what is too old go.
    pub(super) fn forget(&mut self, now_us: i64) {
        self.agreement.forget(now_us);
    }

    /// How far a second detector finds the same beats in the last minute, 0 to 1.
    pub(super) fn agreement(&self, now_us: i64) -> Option<f64> {
        self.agreement.mean(now_us)
    }
}

impl Running {
    fn start(value: f64, period_us: i64) -> Self {
        let sections = sections(period_us);
        Self {
            period_us,
            last_us: 0,
            filter: Cascade::settled(&sections, value),
            peaks: Elgendi::new(period_us),
            sections: Some(sections),
        }
    }

    fn filter(&mut self, steps: &[[i32; 1]], into: &mut [f64]) {
        let sections = self.sections.get_or_insert_with(|| sections(self.period_us));
        for (into, [step]) in into.iter_mut().zip(steps) {
            *into = self.filter.step(sections, value(*step));
        }
    }
}

fn value(step: i32) -> f64 {
    f64::from(step) * Channel::Bvp.scale()
}

#[expect(clippy::cast_precision_loss, reason = "a period in us")]
fn sections(period_us: i64) -> [Section; 2] {
    band_pass(BAND_HZ.0, BAND_HZ.1, 1e6 / period_us as f64)
}
