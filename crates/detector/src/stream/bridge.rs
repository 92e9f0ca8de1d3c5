use crate::samples::Run;

/// What a hole in samples at a steady rate lacks: they lie on the way from the last one before
/// it straight to the first one after it. None where nothing is lacking.
///
/// Filters and spectra can go on over a hole; what was lost is nowhere taken for measured.
pub(super) fn bridge<const N: usize>(
    (last_us, last): (i64, [i32; N]),
    (next_us, next): (i64, [i32; N]),
    period_us: u32,
) -> Option<(Run, Vec<[i32; N]>)> {
    let period = i64::from(period_us).max(1);
    let steps = (next_us.saturating_sub(last_us) + period / 2) / period;
    let lacking = (1..steps).map(|step| {
        std::array::from_fn(|at| {
            let (from, to) = (i64::from(last[at]), i64::from(next[at]));
            i32::try_from(from + (to - from) * step / steps).unwrap_or(last[at])
        })
    });
    let lacking: Vec<[i32; N]> = lacking.collect();
    let run = Run { at_us: last_us + period, period_us, count: lacking.len() };
    (!lacking.is_empty()).then_some((run, lacking))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_lies_on_a_straight_line() {
        let (run, steps) = bridge((100, [0, 8]), (140, [4, -8]), 10).expect("three are lacking");
        assert_eq!(run, Run { at_us: 110, period_us: 10, count: 3 });
        assert_eq!(steps, [[1, 4], [2, 0], [3, -4]]);
        let (run, steps) = bridge((0, [i32::MIN]), (20, [i32::MAX]), 10).expect("one is lacking");
        assert_eq!((run.last(), steps), (10, vec![[-1]]));
    }

    #[test]
    fn a_clock_that_is_put_right_by_less_than_half_a_period_leaves_no_hole() {
        for next_us in [96, 106, 110, 114] {
            assert_eq!(bridge((100, [0]), (next_us, [4]), 10), None, "{next_us}");
        }
        assert_eq!(bridge((100, [0]), (115, [4]), 10).map(|(run, _)| run.count), Some(1));
    }
}
