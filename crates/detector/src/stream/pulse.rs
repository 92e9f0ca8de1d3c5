use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::bridge::bridge;
use crate::beats::{BeatLog, Elgendi, Moments};
use crate::filter::Band;
use crate::samples::Run;

/// Two packets of half a second may be lost; a hole longer than this makes the filter start anew.
const LONGEST_HOLE_US: i64 = 1_100_000;
/// A hole shorter than this hides no part of a wave.
const SHORTEST_HOLE_US: i64 = 50_000;
/// What is seen so near to a hole may be its doing, us.
const NEAR_US: i64 = 100_000;
/// Holes are remembered until beats around them were found, us.
const KEPT_US: i64 = 5_000_000;
/// Rates that a pulse wave can be read at, us from sample to sample: 20 to 500 Hz.
const PERIODS_US: std::ops::RangeInclusive<i64> = 2_000..=50_000;

/// From samples of blood volume pulse to beats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pulse {
    running: Option<Running>,
    last_rise_us: Option<i64>,
    agreement: Agreement,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    /// From sample to sample, us.
    period: usize,
    /// The newest sample.
    last: (i64, [i32; 1]),
    /// When samples that lack came last before and first after, lately.
    holes: Vec<(i64, i64)>,
    /// How many samples came, with those that a hole may have held.
    seen: usize,
    moments: Moments,
    band: Band,
    peaks: Elgendi,
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
        let (Some([first]), Ok(period), true) =
            (steps.first(), usize::try_from(period_us), PERIODS_US.contains(&period_us))
        else {
            return;
        };
        let goes_on = |running: &&Running| {
            running.period == period && run.at_us - running.last.0 <= LONGEST_HOLE_US
        };
        match self.running.as_ref().filter(goes_on).map(|running| running.last) {
            Some((last_us, last)) => {
                let hole = (run.at_us - last_us >= SHORTEST_HOLE_US)
                    .then(|| bridge((last_us, last), (run.at_us, [*first]), run.period_us));
                if let Some((lacking, steps)) = hole.flatten() {
                    self.remember((last_us, run.at_us));
                    self.follow(lacking, &steps, log, &mut interval);
                }
            }
            None => {
                self.running = Some(Running::start(*first, period_us, period));
                self.last_rise_us = None;
                self.agreement.interrupt();
                log.interrupt();
            }
        }
        self.follow(run, steps, log, &mut interval);
    }

    fn follow(
        &mut self,
        run: Run,
        steps: &[[i32; 1]],
        log: &mut BeatLog,
        interval: &mut impl FnMut(f64),
    ) {
        let (Some(running), Some(newest)) = (&mut self.running, steps.last()) else { return };
        let period_us = i64::from(run.period_us);
        running.last = (run.last(), *newest);
        let Self { last_rise_us, agreement, .. } = self;
        let mut filtered = [0.0; Band::MOST];
        for (index, steps) in steps.chunks(Band::MOST).enumerate() {
            let at_us = run.time(index * Band::MOST);
            let (mut number, mut rest) = running.filter(at_us, steps, &mut filtered);
            while !rest.is_empty() {
                let room = agreement.room(period_us);
                let most = if room == 0 { rest.len() } else { room.min(rest.len()) };
                let (part, after) = rest.split_at(most.min(running.moments.steady(number)));
                let at_us = running.moments.of(number, running.period);
                agreement.take(at_us, part, period_us);
                let holes = &running.holes;
                running.peaks.take(at_us, part, |peak| {
                    agreement.beat(peak.at_us);
                    let Some(last_us) = last_rise_us.replace(peak.rise_us) else { return };
                    if spans(holes, last_us, peak.at_us) {
                        return log.interrupt();
                    }
                    #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
                    let interval_s = (peak.rise_us - last_us) as f64 / 1e6;
                    log.push(peak.at_us, interval_s, peak.amplitude);
                    interval(interval_s);
                });
                number += part.len();
                rest = after;
            }
        }
    }

    fn remember(&mut self, hole: (i64, i64)) {
        let Some(Running { holes, .. }) = &mut self.running else { return };
        holes.retain(|(_, end_us)| hole.1 - end_us < KEPT_US);
        holes.push(hole);
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

/// Whether any of the holes lies between two moments, or near them.
fn spans(holes: &[(i64, i64)], from_us: i64, until_us: i64) -> bool {
    let within = |(start_us, end_us): &(i64, i64)| {
        start_us - NEAR_US < until_us && from_us < end_us + NEAR_US
    };
    holes.iter().any(within)
}

impl Running {
    fn start(first: i32, period_us: i64, period: usize) -> Self {
        Self {
            period,
            last: (0, [first]),
            holes: Vec::new(),
            seen: 0,
            moments: Moments::default(),
            band: Band::new(period_us, first),
            peaks: Elgendi::new(period_us),
        }
    }

    /// Takes samples, the first of them at a moment; yields those that come out of the filter,
    /// and the number of the first of them.
    fn filter<'a>(
        &mut self,
        at_us: i64,
        steps: &[[i32; 1]],
        into: &'a mut [f64; Band::MOST],
    ) -> (usize, &'a [f64]) {
        let number = self.seen.saturating_sub(self.band.delay());
        self.moments.note(self.seen, at_us, self.period, number);
        self.seen += steps.len();
        let filtered = self.band.take(steps, into);
        filtered.iter_mut().for_each(|value| *value *= Channel::Bvp.scale());
        (number, filtered)
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made numbers")]
mod tests {
    use super::*;
    use crate::beats::Beat;

    /// When hearts beat, s: faster and slower with the breath.
    fn beats(rate: f64) -> Vec<f64> {
        let mut at = 1.0_f64;
        let beats = std::iter::from_fn(|| {
            at += 60.0 / rate * (1.0 + 0.06 * (at * 1.3).sin());
            (at < 59.0).then_some(at)
        });
        beats.collect()
    }

    /// A minute of systolic and diastolic waves on a drifting line.
    fn wave(beats: &[f64], period_us: u32) -> Vec<[i32; 1]> {
        let bump = |seconds: f64, width: f64| (-0.5 * (seconds / width).powi(2)).exp();
        let value = |at: f64| {
            let near = beats.iter().filter(|beat| (at - **beat).abs() < 1.0);
            let waves = near.map(|beat| bump(at - beat, 0.08) + 0.3 * bump(at - beat - 0.3, 0.1));
            1e6 + 4e3 * waves.sum::<f64>() + 2e3 * (at * 0.4).sin()
        };
        let count = 60_000_000 / i64::from(period_us);
        let time = |number: i64| (number * i64::from(period_us)) as f64 / 1e6;
        (0..count).map(|number| [value(time(number)) as i32]).collect()
    }

    /// The beats in samples that come so many at once.
    fn found(steps: &[[i32; 1]], period_us: u32, at_once: usize) -> Vec<Beat> {
        let (mut pulse, mut log) = (Pulse::default(), BeatLog::default());
        for (index, steps) in steps.chunks(at_once).enumerate() {
            let at_us = (index * at_once) as i64 * i64::from(period_us);
            let run = Run { at_us, period_us, count: steps.len() };
            pulse.take(run, steps, &mut log, |_| {});
        }
        log.since(0).to_vec()
    }

    #[test]
    fn beats_and_intervals_are_those_of_the_heart_at_every_rate() {
        for period_us in [2_000, 4_000, 10_000, 15_625, 20_000, 31_250] {
            let sample_s = f64::from(period_us) / 1e6;
            for rate in [45.0, 70.0, 110.0] {
                let beats = beats(rate);
                let all = found(&wave(&beats, period_us), period_us, 500);
                assert_eq!(found(&wave(&beats, period_us), period_us, 37), all);
                // While the windows fill there is no measure of what a wave is; the last two
                // are not judged.
                let after_start = |beat: &&Beat| beat.at_us as f64 / 1e6 > beats[2] - 0.1;
                let all: Vec<&Beat> = all.iter().filter(after_start).collect();
                assert!((beats.len() - 6..beats.len()).contains(&all.len()), "{}", all.len());
                for beat in all {
                    let at = beat.at_us as f64 / 1e6;
                    let next = beats.partition_point(|true_one| *true_one < at - 0.1);
                    let (true_at, before) = (beats[next], beats[next - 1]);
                    let late = at - true_at;
                    assert!(late.abs() < 0.008 + sample_s / 4.0, "{sample_s} s, {rate}: {late}");
                    let longer = beat.interval_s - (true_at - before);
                    assert!(longer.abs() < 0.004 + sample_s / 8.0, "{sample_s}, {rate}: {longer}");
                }
            }
        }
    }

    #[test]
    fn what_came_before_a_short_hole_keeps_its_time() {
        let beats = beats(70.0);
        let steps = wave(&beats, 15_625);
        let (mut pulse, mut log) = (Pulse::default(), BeatLog::default());
        // 0.2 s are lost just after a top, while it still is on its way through the filter.
        let hole = (beats[30] * 64.0) as usize + 13;
        for part in [0..hole, hole + 13..steps.len()] {
            let at_us = part.start as i64 * 15_625;
            let run = Run { at_us, period_us: 15_625, count: part.len() };
            pulse.take(run, &steps[part], &mut log, |_| {});
        }
        for beat in [&beats[20..29], &beats[33..40]].into_iter().flatten() {
            let near = |at: &Beat| (at.at_us as f64 / 1e6 - beat).abs() < 0.015;
            assert!(log.since(0).iter().any(near), "{beat}");
        }
    }

    #[test]
    fn a_lost_packet_costs_the_intervals_around_it_and_tells_no_other() {
        const HALF: usize = 32;
        let beats = beats(70.0);
        let steps = wave(&beats, 15_625);
        let (mut pulse, mut log) = (Pulse::default(), BeatLog::default());
        // Single packets of half a second, and two on end.
        let lost = [20, 33, 47, 60, 61, 80];
        for (half, part) in steps.chunks(HALF).enumerate().filter(|(half, _)| !lost.contains(half))
        {
            let run = Run { at_us: half as i64 * 500_000, period_us: 15_625, count: part.len() };
            pulse.take(run, part, &mut log, |_| {});
        }
        let seconds = |us: i64| us as f64 / 1e6;
        let in_hole = |from: f64, until: f64| {
            lost.iter().map(|half| *half as f64 / 2.0).any(|at| from < at + 0.5 && at < until)
        };
        for beat in log.since(3_000_000) {
            let place = beats.partition_point(|at| *at < seconds(beat.at_us) - 0.1);
            let longer = beat.interval_s - (beats[place] - beats[place - 1]);
            assert!(longer.abs() < 0.01, "{beat:?}");
        }
        let told =
            |until: f64| log.since(0).iter().any(|beat| (seconds(beat.at_us) - until).abs() < 0.02);
        let away: Vec<&[f64]> = beats[4..beats.len() - 4]
            .windows(2)
            .filter(|pair| !in_hole(pair[0] - 0.35, pair[1] + 0.1))
            .collect();
        assert!(away.len() > 40);
        assert_eq!(away.iter().find(|pair| !told(pair[1])), None);
    }
}
