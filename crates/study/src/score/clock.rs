use super::grid::Graded;

/// Width of the smoothing, minutes.
const WIDTH_MIN: f64 = 1.5;

/// What the timetable alone is worth: the chance of an episode at so many minutes since the
/// start, as all *other* recordings have it. A score for each point.
pub(crate) fn clock(recordings: &[Graded]) -> Vec<Vec<Option<f64>>> {
    let alone = recordings.len() == 1;
    let of = |index: usize, minute: f64| {
        let others = recordings.iter().enumerate().filter(|(it, _)| alone || *it != index);
        let (mut inside, mut all) = (1e-9, 1e-6);
        for point in others.flat_map(|(_, it)| &it.points) {
            let weight = (-0.5 * ((minute - point.minute) / WIDTH_MIN).powi(2)).exp();
            all += weight;
            if point.inside {
                inside += weight;
            }
        }
        Some(inside / all)
    };
    recordings
        .iter()
        .enumerate()
        .map(|(index, it)| it.points.iter().map(|point| of(index, point.minute)).collect())
        .collect()
}
