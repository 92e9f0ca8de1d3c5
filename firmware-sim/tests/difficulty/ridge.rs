//! Logistic regression with a ridge, by Newton's method.

/// Precision of the prior of each weight; the bias has next to none.
const RIDGE: f64 = 10.0;
const STEPS: usize = 12;

/// Weights of the inputs, and the bias last.
pub(crate) struct Ridge(Vec<f64>);

impl Ridge {
    /// Fits rows of inputs, each with whether an incident comes.
    pub(crate) fn fit(rows: &[(Vec<f64>, bool)]) -> Self {
        let width = rows.first().map_or(0, |(inputs, _)| inputs.len()) + 1;
        let mut ridge = Self(vec![0.0; width]);
        for _ in 0..STEPS {
            let step = ridge.step(rows, width);
            ridge.0.iter_mut().zip(step).for_each(|(weight, part)| *weight -= part);
        }
        ridge
    }

    /// The probability that an incident comes.
    pub(crate) fn score(&self, inputs: &[f64]) -> f64 {
        let (bias, weights) = self.0.split_last().expect("it has a bias");
        let logit = inputs.iter().zip(weights).map(|(input, weight)| input * weight).sum::<f64>();
        1.0 / (1.0 + (-bias - logit).exp())
    }

    fn step(&self, rows: &[(Vec<f64>, bool)], width: usize) -> Vec<f64> {
        let precision = |at: usize| if at + 1 == width { 1e-6 } else { RIDGE };
        let mut slope: Vec<f64> = (0..width).map(|at| precision(at) * self.0[at]).collect();
        let mut bend = vec![vec![0.0; width]; width];
        (0..width).for_each(|at| bend[at][at] = precision(at));
        for (inputs, comes) in rows {
            let p = self.score(inputs);
            let (off, curve) = (p - f64::from(u8::from(*comes)), p * (1.0 - p));
            let row = || inputs.iter().copied().chain([1.0]);
            for (at, input) in row().enumerate() {
                slope[at] += off * input;
                let bent = bend[at].iter_mut().zip(row());
                bent.for_each(|(entry, other)| *entry += curve * input * other);
            }
        }
        solve(bend, slope)
    }
}

/// Solves `matrix x = right` for a positive definite matrix, by Gauss and Jordan.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    for at in 0..right.len() {
        let pivot = matrix[at][at];
        matrix[at].iter_mut().for_each(|entry| *entry /= pivot);
        right[at] /= pivot;
        let (own, own_right) = (matrix[at].clone(), right[at]);
        for other in (0..right.len()).filter(|other| *other != at) {
            let share = matrix[other][at];
            matrix[other].iter_mut().zip(&own).for_each(|(entry, by)| *entry -= share * by);
            right[other] -= share * own_right;
        }
    }
    right
}

#[test]
fn weights_that_made_the_answers_are_found_again() {
    let rows: Vec<(Vec<f64>, bool)> = (0..40_000_u32)
        .map(|index| {
            let noise = |step: u32| f64::from(index.wrapping_mul(step) % 1_009) / 504.5 - 1.0;
            let inputs = vec![noise(7_919), noise(104_729)];
            let p = 1.0 / (1.0 + (1.0 - 2.0 * inputs[0] + 0.5 * inputs[1]).exp());
            (inputs, (noise(15_485_863) + 1.0) / 2.0 < p)
        })
        .collect();
    let Ridge(weights) = Ridge::fit(&rows);
    for (weight, truth) in weights.iter().zip([2.0, -0.5, -1.0]) {
        assert!((weight - truth).abs() < 0.15, "{weights:?}");
    }
}
