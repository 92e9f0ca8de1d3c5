use rayon::prelude::*;

use super::bootstrap::draws;
use super::grid::Graded;
use super::rank::{quantile, sorted};

/// A 95 % interval.
pub(crate) type Interval = [f64; 2];

/// How much work the uncertain figures are worth, and from which seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Turned copies of the scores, for chance.
    pub(crate) surrogates: u64,
    /// Draws of people, for intervals.
    pub(crate) bootstrap: usize,
    pub(crate) seed: u64,
}

impl Effort {
    /// The interval of a figure over draws of people; none without draws.
    pub(crate) fn interval(
        &self,
        recordings: &[Graded],
        figure: impl Fn(&[usize]) -> Option<f64> + Sync,
    ) -> Option<Interval> {
        let draws = draws(recordings, self.bootstrap, self.seed);
        let figures: Vec<f64> = draws.par_iter().filter_map(|drawn| figure(drawn)).collect();
        let sorted = sorted(figures);
        Some([quantile(&sorted, 0.025)?, quantile(&sorted, 0.975)?])
    }
}
