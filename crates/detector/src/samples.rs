use serde::{Deserialize, Serialize};

/// Samples of one channel, `N` components each, as runs at a steady rate.
///
/// Two samples belong to one run where the time between them is the period that they came
/// with: which runs there are depends on the samples, not on the packets that brought them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Samples<const N: usize> {
    runs: Vec<Run>,
    steps: Vec<i32>,
}

/// Moments at a steady rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The first one.
    pub(crate) at_us: i64,
    pub(crate) period_us: u32,
    pub(crate) count: usize,
}

impl Run {
    /// A moment by its place.
    pub(crate) fn time(&self, place: usize) -> i64 {
        let after = i64::try_from(place).unwrap_or(i64::MAX);
        self.at_us.saturating_add(after.saturating_mul(i64::from(self.period_us)))
    }

    /// The last moment; a run has one.
    pub(crate) fn last(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }

    /// Some of the moments.
    pub(crate) fn part(&self, places: std::ops::Range<usize>) -> Self {
        Self { at_us: self.time(places.start), period_us: self.period_us, count: places.len() }
    }

    /// The moments one by one.
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let run = *self;
        (0..run.count).map(move |place| run.time(place))
    }
}

impl<const N: usize> Samples<N> {
    /// Takes samples at a steady rate.
    pub(crate) fn push(&mut self, at_us: i64, period_us: u32, steps: &[i32]) {
        let count = steps.len() / N;
        self.steps.extend_from_slice(steps);
        match self.runs.last_mut() {
            Some(run) if run.period_us == period_us && run.time(run.count) == at_us => {
                run.count += count;
            }
            _ => self.runs.push(Run { at_us, period_us, count }),
        }
    }

    /// The runs with their samples.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Run, &[[i32; N]])> {
        let (mut rest, _) = self.steps.as_chunks();
        self.runs.iter().map(move |run| {
            let steps;
            (steps, rest) = rest.split_at(run.count);
            (*run, steps)
        })
    }

    /// When the newest sample was taken; none of none.
    pub(crate) fn newest_us(&self) -> Option<i64> {
        self.runs.last().map(Run::last)
    }

    /// Brings samples into the order of time; one per moment.
    pub(crate) fn order(&mut self) {
        if self.runs.is_sorted_by(|one, next| one.last() < next.at_us) {
            return;
        }
        let each = |(run, steps): (Run, &[[i32; N]])| {
            let steps = steps.to_vec();
            run.times().zip(steps).map(move |(at_us, steps)| (at_us, steps, run.period_us))
        };
        let mut samples: Vec<_> = self.runs().flat_map(each).collect();
        samples.sort_unstable();
        samples.dedup_by_key(|(at_us, ..)| *at_us);
        self.clear();
        for (at_us, steps, period_us) in samples {
            self.push(at_us, period_us, &steps);
        }
    }

    /// Forgets the samples and keeps their room.
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.steps.clear();
    }
}

impl Samples<1> {
    /// The samples one by one.
    pub(crate) fn each(&self) -> impl Iterator<Item = (i64, i32)> {
        self.runs().flat_map(|(run, steps)| run.times().zip(steps.iter().map(|[step]| *step)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(samples: &Samples<1>) -> Vec<(i64, u32, Vec<i32>)> {
        let steps = |steps: &[[i32; 1]]| steps.iter().map(|[step]| *step).collect();
        samples.runs().map(|(run, of)| (run.at_us, run.period_us, steps(of))).collect()
    }

    #[test]
    fn runs_are_the_same_however_samples_were_packed() {
        let mut whole = Samples::default();
        whole.push(0, 10, &[1, 2, 3, 4]);
        whole.push(100, 10, &[5]);
        let mut torn = Samples::default();
        torn.push(100, 10, &[5]);
        torn.push(20, 10, &[3, 4]);
        torn.push(0, 10, &[1, 2]);
        torn.push(10, 10, &[2]);
        torn.order();
        assert_eq!(seen(&torn), seen(&whole));
        assert_eq!(seen(&whole), [(0, 10, vec![1, 2, 3, 4]), (100, 10, vec![5])]);
        assert_eq!(whole.newest_us(), Some(100));
    }

    #[test]
    fn another_rate_is_another_run() {
        let mut samples = Samples::default();
        samples.push(0, 10, &[1, 2]);
        samples.push(20, 5, &[3]);
        samples.push(25, 5, &[4]);
        assert_eq!(seen(&samples), [(0, 10, vec![1, 2]), (20, 5, vec![3, 4])]);
    }
}
