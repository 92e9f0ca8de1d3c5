use std::collections::BTreeMap;

use super::grid::Point;
use super::rank::{Window, auroc};

/// AUROC with windows weighed so that both classes weigh the same within each minute since the
/// start: a pure clock gets 0.5. `guarded` leaves out what stands close to a change of label.
pub(crate) fn time_balanced<'a>(
    verdicts: impl IntoIterator<Item = (&'a Point, f64)>,
    guarded: bool,
) -> Option<f64> {
    let kept: Vec<_> = verdicts.into_iter().filter(|(it, _)| !(guarded && it.edge)).collect();
    let mut minutes: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (point, _) in &kept {
        let (inside, all) = minutes.entry(minute(point)).or_default();
        *inside += f64::from(u8::from(point.inside));
        *all += 1.0;
    }
    let windows: Vec<Window> = kept
        .iter()
        .map(|(point, score)| {
            let (inside, all) = minutes[&minute(point)];
            let share = inside / all;
            (point.inside, *score, if point.inside { 1.0 - share } else { share })
        })
        .collect();
    auroc(&windows)
}

#[expect(clippy::cast_possible_truncation, reason = "minutes of a recording")]
fn minute(point: &Point) -> i64 {
    point.minute.floor() as i64
}
