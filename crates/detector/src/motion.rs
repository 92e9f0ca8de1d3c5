use serde::{Deserialize, Serialize};

use crate::second::Motion;

/// A later next sample is a gap, across which no change is measured.
const GAP_US: i64 = 100_000;

/// Follows acceleration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mover {
    last: Option<(i64, f64)>,
}

impl Mover {
    /// Adds the sample of a moment (g) to the sums of its second.
    pub(crate) fn take(&mut self, at_us: i64, axes: [f64; 3], sums: &mut Motion) {
        let norm = axes.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
        sums.count += 1;
        sums.norm += norm;
        sums.square += norm * norm;
        sums.enmo += (norm - 1.0).max(0.0);
        if let Some((then, before)) = self.last.replace((at_us, norm))
            && at_us > then
            && at_us - then <= GAP_US
        {
            #[expect(clippy::cast_precision_loss, reason = "at most a tenth of a second")]
            let seconds = (at_us - then) as f64 / 1e6;
            sums.jerk += (norm - before).abs() / seconds;
        }
    }
}
