use biosignal::Timestamp;

use super::event::ClockEstimate;

/// A line under the device's clock.
///
/// A packet never arrives before it was sent: `received - device time` is the clock's
/// offset plus a delay of zero or more. The line that lies under all such points and close
/// to them is the clock (S. Moon, P. Skelly, D. Towsley, "Estimation and removal of clock skew
/// from network delay measurements", INFOCOM 1999). Its slope is the edge of the lower convex
/// hull at the mean time, drawn towards what is known of crystals as long as the points
/// say little.
#[derive(Clone, Debug)]
pub(super) struct ClockFit {
    epoch: u32,
    /// The least delayed point of each bucket of time, ascending.
    points: Vec<Point>,
    /// What drift to expect, before the points say more.
    expected: Drift,
    told: Option<ClockEstimate>,
    /// Since when every packet came late, on the device's clock.
    late_since_us: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    device_us: u64,
    offset_us: i64,
    /// Of how many packets it is the least delayed.
    of: u32,
}

/// A drift and its standard deviation, parts per million.
#[derive(Clone, Copy, Debug)]
struct Drift {
    ppm: f64,
    deviation_ppm: f64,
}

/// One point is kept of each of these.
const BUCKET_US: u64 = 30_000_000;
/// The least delayed of so few may still be late: it says nothing about the drift.
const FEW: u32 = 20;
/// One hour of buckets.
const MAX_POINTS: usize = 120;
/// Crystals as they are sold.
const ANY_CRYSTAL: Drift = Drift { ppm: 0.0, deviation_ppm: 30.0 };
/// How well a device's drift is known from another epoch: temperatures differ.
const KNOWN_CRYSTAL_DEVIATION_PPM: f64 = 5.0;
/// No crystal is worse.
const MAX_DRIFT_PPM: f64 = 150.0;
/// What a single packet may be late by, in all likelihood.
const LIKELY_DELAY_US: f64 = 20_000.0;
/// The least delays are at least this uneven, and seem more even than they are while
/// there are few of them.
const LEAST_SCATTER_US: f64 = 1_000.0;
const SCATTER_OF_FEW_US: f64 = 10_000.0;
/// An estimate that moves less than this is not told.
const TELL_US: i64 = 1_000;
/// A packet that is this much too early shows that the gateway's clock was set back.
const EARLY_US: i64 = 25_000;
/// If for [`LATE_FOR_US`] every packet is this late, the gateway's clock was set forward.
const LATE_US: i64 = 500_000;
const LATE_FOR_US: u64 = 60_000_000;

impl ClockFit {
    /// Begins an epoch, knowing the estimate of the epoch before.
    pub(super) fn new(epoch: u32, earlier: Option<ClockEstimate>) -> Self {
        let known = |clock: ClockEstimate| Drift {
            ppm: clock.drift_ppm,
            deviation_ppm: KNOWN_CRYSTAL_DEVIATION_PPM,
        };
        let expected = earlier.map_or(ANY_CRYSTAL, known);
        Self { epoch, points: Vec::new(), expected, told: None, late_since_us: None }
    }

    /// Goes on with an epoch from its last estimate.
    pub(super) fn resumed(clock: ClockEstimate) -> Self {
        let mut fit = Self::new(clock.epoch, Some(clock));
        let device_us = clock.at.micros_since(Timestamp::from_micros(clock.offset_us));
        if let Ok(device_us) = u64::try_from(device_us) {
            fit.points.push(Point::new(device_us, clock.utc(device_us)));
        }
        fit.told = Some(clock);
        fit
    }

    /// Learns that a packet made at `device_us` arrived at `received`. Returns the new
    /// estimate where it differs from the last one.
    pub(super) fn observe(&mut self, device_us: u64, received: Timestamp) -> Option<ClockEstimate> {
        self.forget_if_stepped(device_us, received);
        if !self.insert(Point::new(device_us, received)) {
            return None;
        }
        let estimate = self.fit(device_us, received)?;
        let news = self.told.is_none_or(|told| {
            let moved = estimate.utc(device_us).micros_since(told.utc(device_us));
            moved.abs() >= TELL_US || estimate.uncertainty_us < told.uncertainty_us / 2
        });
        if !news {
            return None;
        }
        self.told = Some(estimate);
        Some(estimate)
    }

    /// Starts over where the gateway's own clock was set.
    fn forget_if_stepped(&mut self, device_us: u64, received: Timestamp) {
        let (Some(told), Some(last)) = (self.told, self.points.last()) else { return };
        let delay_us = received.micros_since(told.utc(device_us));
        let may_have_drifted = i64::try_from(device_us.abs_diff(last.device_us) / 5_000);
        if delay_us < -EARLY_US - may_have_drifted.unwrap_or(i64::MAX / 2) {
            self.points.clear();
        }
        if delay_us < LATE_US {
            self.late_since_us = None;
            return;
        }
        let since_us = *self.late_since_us.get_or_insert(device_us);
        if device_us.saturating_sub(since_us) > LATE_FOR_US {
            self.points.clear();
            self.late_since_us = None;
        }
    }

    /// Keeps the point if it is the least delayed of its bucket. Whether that says
    /// anything new.
    fn insert(&mut self, point: Point) -> bool {
        let bucket = |point: &Point| point.device_us / BUCKET_US;
        match self.points.last_mut() {
            Some(last) if bucket(last) > bucket(&point) => return false,
            Some(last) if bucket(last) == bucket(&point) => return last.join(point),
            _ => self.points.push(point),
        }
        if self.points.len() > MAX_POINTS {
            self.points.remove(0);
        }
        true
    }

    fn fit(&self, device_us: u64, at: Timestamp) -> Option<ClockEstimate> {
        let line = Line::under(&self.points, self.expected)?;
        let age_us = (float(device_us) - line.middle_us).abs();
        let uncertainty = line.scatter_us + line.drift.deviation_ppm / 1e6 * age_us;
        Some(ClockEstimate {
            epoch: self.epoch,
            offset_us: line.offset_us,
            drift_ppm: line.drift.ppm,
            uncertainty_us: whole(uncertainty).try_into().unwrap_or(u32::MAX),
            at,
        })
    }
}

impl Point {
    fn new(device_us: u64, received: Timestamp) -> Self {
        let device = i64::try_from(device_us).unwrap_or(i64::MAX);
        let offset_us = received.as_micros().saturating_sub(device);
        Self { device_us, offset_us, of: 1 }
    }

    /// Becomes the less delayed of both; whether that says anything new.
    fn join(&mut self, other: Self) -> bool {
        let of = self.of + other.of;
        let lower = other.offset_us < self.offset_us;
        *self = Self { of, ..if lower { other } else { *self } };
        lower || of == FEW
    }
}

/// The line, and how well it is known.
struct Line {
    offset_us: i64,
    drift: Drift,
    /// How far the least delayed points lie above it: the median.
    scatter_us: f64,
    /// The mean time of the points.
    middle_us: f64,
}

impl Line {
    fn under(points: &[Point], expected: Drift) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        // Relative to the first point, all fits exactly into 53 bits.
        let relative: Vec<_> = points
            .iter()
            .map(|point| {
                let time = float(point.device_us.saturating_sub(first.device_us));
                (time, exact(point.offset_us.saturating_sub(first.offset_us)))
            })
            .collect();
        let settled = points.len() - usize::from(last.of < FEW);
        let (drift, scatter_us) =
            drift(&relative[..settled], expected).unwrap_or((expected, LIKELY_DELAY_US));
        let lowest = lowest(&relative, drift.ppm / 1e6);
        let from_boot = drift.ppm / 1e6 * float(first.device_us);
        Some(Self {
            offset_us: first.offset_us.saturating_add(whole(lowest - from_boot)),
            drift,
            scatter_us,
            middle_us: float(first.device_us) + middle(&relative),
        })
    }
}

/// The drift that the points show, and how uneven they are; `None` for less than two.
fn drift(points: &[(f64, f64)], expected: Drift) -> Option<(Drift, f64)> {
    let span = points.last()?.0;
    if span <= 0.0 {
        return None;
    }
    let slope = slope_at(&lower_hull(points), middle(points));
    let least = LEAST_SCATTER_US + SCATTER_OF_FEW_US / count(points);
    let scatter = scatter(points, slope).max(least);
    let measured = Drift { ppm: slope * 1e6, deviation_ppm: 2e6 * scatter / span };
    Some((expected.with(measured), scatter))
}

impl Drift {
    /// Both taken together, each by its weight.
    fn with(self, measured: Self) -> Self {
        let weight = |drift: Self| 1.0 / (drift.deviation_ppm * drift.deviation_ppm);
        let (one, other) = (weight(self), weight(measured));
        let ppm = (self.ppm * one + measured.ppm * other) / (one + other);
        Self {
            ppm: ppm.clamp(-MAX_DRIFT_PPM, MAX_DRIFT_PPM),
            deviation_ppm: 1.0 / (one + other).sqrt(),
        }
    }
}

/// The corners under which no point lies (A. Andrew's monotone chain).
fn lower_hull(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for &(x, y) in points {
        while let [.., (ax, ay), (bx, by)] = hull[..] {
            if (bx - ax) * (y - ay) > (by - ay) * (x - ax) {
                break;
            }
            hull.pop();
        }
        hull.push((x, y));
    }
    hull
}

fn slope_at(hull: &[(f64, f64)], middle: f64) -> f64 {
    hull.windows(2)
        .find(|edge| edge[1].0 >= middle)
        .map_or(0.0, |edge| (edge[1].1 - edge[0].1) / (edge[1].0 - edge[0].0))
}

fn lowest(points: &[(f64, f64)], slope: f64) -> f64 {
    points.iter().map(|(x, y)| y - slope * x).fold(f64::INFINITY, f64::min)
}

fn scatter(points: &[(f64, f64)], slope: f64) -> f64 {
    let lowest = lowest(points, slope);
    let mut above: Vec<_> = points.iter().map(|(x, y)| y - slope * x - lowest).collect();
    above.sort_unstable_by(f64::total_cmp);
    above[above.len() / 2]
}

fn middle(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(time, _)| time).sum::<f64>() / count(points)
}

#[expect(clippy::cast_precision_loss, reason = "device times stay below 2^53")]
fn float(micros: u64) -> f64 {
    micros as f64
}

#[expect(clippy::cast_precision_loss, reason = "a difference of offsets")]
fn exact(micros: i64) -> f64 {
    micros as f64
}

#[expect(clippy::cast_precision_loss, reason = "at most 120 points")]
fn count(points: &[(f64, f64)]) -> f64 {
    points.len() as f64
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(micros: f64) -> i64 {
    micros.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: i64 = 1_750_000_000_000_000;

    /// UTC of a moment on a clock that is slow by `ppm`.
    fn truth(device_us: u64, ppm: f64) -> Timestamp {
        Timestamp::from_micros(BOOT).plus_micros(whole(float(device_us) * (1.0 + ppm / 1e6)))
    }

    /// Delays as a radio makes them: a floor, a long tail, and now and then a stall.
    fn delay(packet: u64) -> i64 {
        let noise = packet.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29) >> 33;
        let uniform = (float(noise) + 1.0) / 2_147_483_649.0;
        let stall = if packet % 997 < 6 { 2_000_000 } else { 0 };
        3_000 + whole(-25_000.0 * uniform.ln()) + stall
    }

    /// The worst error after the first minute, over `seconds` at two packets a second.
    fn worst_error(ppm: f64, seconds: u64) -> i64 {
        let mut fit = ClockFit::new(1, None);
        let mut told = None;
        let mut worst = 0;
        for packet in 0..seconds * 2 {
            let device_us = packet * 500_000;
            let received = truth(device_us, ppm).plus_micros(delay(packet));
            told = fit.observe(device_us, received).or(told);
            let clock = told.expect("the first packet is an estimate");
            let error = clock.utc(device_us).micros_since(truth(device_us, ppm));
            if packet > 120 {
                worst = worst.max(error.abs());
            }
        }
        worst
    }

    #[test]
    fn drift_and_jitter_leave_a_few_milliseconds() {
        for ppm in [-100.0, -20.0, 0.0, 20.0, 100.0] {
            let worst = worst_error(ppm, 4 * 3600);
            assert!(worst < 12_000, "{ppm} ppm: {worst} us");
        }
    }

    #[test]
    fn drift_is_found_and_bounded_by_its_uncertainty() {
        let mut fit = ClockFit::new(1, None);
        let mut told = Vec::new();
        for packet in 0..7200 {
            let device_us = packet * 500_000;
            told.extend(fit.observe(device_us, truth(device_us, 40.0).plus_micros(delay(packet))));
        }
        let clock = told.last().expect("an hour of packets");
        assert!((clock.drift_ppm - 40.0).abs() < 2.0, "{clock:?}");
        assert!(told.len() < 200, "{} estimates were told", told.len());
        let back = clock.utc(0).micros_since(truth(0, 40.0)).abs();
        assert!(back < 10_000, "an hour back it is off by {back} us");
    }

    #[test]
    fn a_gateway_clock_that_is_set_is_followed() {
        for (step, followed_within) in [(-3_600_000_000, 1), (3_600_000_000, 70)] {
            let mut fit = ClockFit::new(1, None);
            let mut last = None;
            for second in 0..600_u64 {
                let step = if second >= 300 { step } else { 0 };
                let device_us = second * 1_000_000;
                let received = truth(device_us, 10.0).plus_micros(3_000 + step);
                last = fit.observe(device_us, received).or(last);
                let error = last.expect("told").utc(device_us).micros_since(received);
                let settling = (300..300 + followed_within).contains(&second);
                assert!(settling || error.abs() < 10_000, "second {second}: {error} us");
            }
        }
    }

    #[test]
    fn a_resumed_fit_keeps_its_drift() {
        let clock = ClockEstimate {
            epoch: 1,
            offset_us: BOOT,
            drift_ppm: 60.0,
            uncertainty_us: 2_000,
            at: truth(3_600_000_000, 60.0),
        };
        let mut fit = ClockFit::resumed(clock);
        let device_us = 4 * 3_600_000_000;
        let told = fit.observe(device_us, truth(device_us, 60.0).plus_micros(200_000));
        let clock = told.unwrap_or(clock);
        let error = clock.utc(device_us).micros_since(truth(device_us, 60.0)).abs();
        assert!(error < 150_000, "one late packet after three hours: {error} us");
    }
}
