//! Whether a score of 0.3 means three in ten.

use serde::Serialize;

use super::rank::Window;

/// Scores of one tenth: how many, their mean, and the share that was inside an episode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Bin {
    pub(crate) windows: usize,
    pub(crate) mean_score: f64,
    pub(crate) share_inside: f64,
}

/// Ten bins of equal width. None where a score is no probability.
pub(crate) fn bins(windows: &[Window]) -> Option<Vec<Bin>> {
    let mut sums = [(0_usize, 0.0, 0.0); 10];
    for (inside, score, _) in windows {
        if !(0.0..=1.0).contains(score) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let bin = &mut sums[((score * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += score;
        bin.2 += f64::from(u8::from(*inside));
    }
    let mean = |(windows, scores, inside): (usize, f64, f64)| {
        let count = windows.max(1) as f64;
        Bin { windows, mean_score: scores / count, share_inside: inside / count }
    };
    Some(sums.map(mean).to_vec())
}

/// Expected calibration error: the mean distance between score and share over the bins.
pub(crate) fn ece(bins: &[Bin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.windows).sum();
    let off = |bin: &Bin| bin.windows as f64 * (bin.mean_score - bin.share_inside).abs();
    bins.iter().map(off).sum::<f64>() / all.max(1) as f64
}

/// Brier score: the mean square of score less outcome.
pub(crate) fn brier(windows: &[Window]) -> f64 {
    let square = |(inside, score, _): &Window| (score - f64::from(u8::from(*inside))).powi(2);
    windows.iter().map(square).sum::<f64>() / windows.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_and_right_score_is_calibrated() {
        let windows = [(true, 1.0, 1.0), (false, 0.0, 1.0), (false, 0.25, 1.0), (true, 0.25, 1.0)];
        let bins = bins(&windows).expect("probabilities");
        assert_eq!(bins[9], Bin { windows: 1, mean_score: 1.0, share_inside: 1.0 });
        assert!((ece(&bins) - 2.0 * 0.25 / 4.0).abs() < 1e-12);
        assert!((brier(&windows) - (0.0625 + 0.5625) / 4.0).abs() < 1e-12);
        assert_eq!(super::bins(&[(true, 1.5, 1.0)]), None);
    }
}
