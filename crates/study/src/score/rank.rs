//! Figures that look at the order of scores alone.

/// A scored window: whether it was inside an episode, its score, its weight.
pub(crate) type Window = (bool, f64, f64);

/// Area under the ROC curve, ties counted half. None where one class is missing.
pub(crate) fn auroc(windows: &[Window]) -> Option<f64> {
    let (mut wins, mut inside, mut below) = (0.0, 0.0, 0.0);
    for tied in by_score(windows, f64::total_cmp) {
        let (hits, misses) = weigh(&tied);
        wins += hits * (below + misses / 2.0);
        inside += hits;
        below += misses;
    }
    (inside > 0.0 && below > 0.0).then(|| wins / (inside * below))
}

/// Area under the precision-recall curve as average precision, ties taken together.
pub(crate) fn auprc(windows: &[Window]) -> Option<f64> {
    let (mut hits, mut all, mut area) = (0.0, 0.0, 0.0);
    for tied in by_score(windows, |a, b| b.total_cmp(a)) {
        let (found, missed) = weigh(&tied);
        hits += found;
        all += found + missed;
        if all > 0.0 {
            area += found * hits / all;
        }
    }
    (hits > 0.0).then(|| area / hits)
}

/// The ROC curve from (0, 0) to (1, 1): false positive rate, true positive rate.
pub(crate) fn roc(windows: &[Window]) -> Vec<(f64, f64)> {
    let (inside, outside) = weigh(windows);
    let (mut hits, mut misses) = (0.0, 0.0);
    let mut curve = vec![(0.0, 0.0)];
    for tied in by_score(windows, |a, b| b.total_cmp(a)) {
        let (found, missed) = weigh(&tied);
        hits += found;
        misses += missed;
        curve.push((misses / outside, hits / inside));
    }
    curve
}

/// The windows in order, those of one score together.
fn by_score(
    windows: &[Window],
    order: impl Fn(&f64, &f64) -> std::cmp::Ordering,
) -> Vec<Vec<Window>> {
    let mut sorted = windows.to_vec();
    sorted.sort_by(|a, b| order(&a.1, &b.1));
    #[expect(clippy::float_cmp, reason = "a tie is the same number")]
    let tied = |a: &Window, b: &Window| a.1 == b.1;
    sorted.chunk_by(tied).map(<[Window]>::to_vec).collect()
}

fn weigh(windows: &[Window]) -> (f64, f64) {
    let of = |side: bool| -> f64 {
        windows.iter().filter(|(inside, ..)| *inside == side).map(|(.., weight)| weight).sum()
    };
    (of(true), of(false))
}

/// Each score's rank, 1 for the lowest; ties share the mean of theirs.
pub(crate) fn ranks(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut ranks = vec![0.0; scores.len()];
    let mut before = 0;
    #[expect(clippy::float_cmp, reason = "a tie is the same number")]
    for tied in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let shared = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        before += tied.len();
        for index in tied {
            ranks[*index] = shared;
        }
    }
    ranks
}

/// The value below which a part of them lies, with linear interpolation (Hyndman and Fan's
/// type 7, as numpy computes it). None for none.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = (sorted.len().checked_sub(1)? as f64 * part).max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    let along = place - place.floor();
    // From the nearer end, so that both ends are met exactly.
    Some(if along < 0.5 { low + (high - low) * along } else { high - (high - low) * (1.0 - along) })
}

/// The middle of some values; none of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    quantile(&sorted(values), 0.5)
}

pub(crate) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(of: &[(u8, f64)]) -> Vec<Window> {
        of.iter().map(|(inside, score)| (*inside == 1, *score, 1.0)).collect()
    }

    #[test]
    fn order_is_all_that_counts() {
        let mixed = windows(&[(0, 0.1), (1, 0.2), (0, 0.2), (1, 0.9)]);
        assert_eq!(auroc(&mixed), Some(0.875));
        let precision = auprc(&mixed).expect("some are inside");
        assert!((precision - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        assert_eq!(auroc(&windows(&[(0, 0.1), (0, 0.2)])), None);
        assert_eq!(auprc(&windows(&[(0, 0.1)])), None);
        assert_eq!(roc(&mixed), [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn ranks_and_quantiles_are_those_of_numpy() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sorted, 0.5), Some(3.0));
        assert!((quantile(&sorted, 0.9).expect("some") - 6.8).abs() < 1e-12);
        assert_eq!(quantile(&sorted, 1.0), Some(8.0));
        assert_eq!(median([]), None);
    }
}
