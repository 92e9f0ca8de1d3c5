//! Logistic regression with a Gaussian prior, by Newton's method.

use anyhow::ensure;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// What to fit: rows of inputs, the last column the bias; whether each was inside; its weight.
pub(super) struct Problem<'a> {
    pub(super) x: ArrayView2<'a, f64>,
    pub(super) y: ArrayView1<'a, f64>,
    pub(super) weights: ArrayView1<'a, f64>,
}

/// What is believed before: `w` is drawn around `mean` with these precisions.
pub(super) struct Prior {
    pub(super) mean: Array1<f64>,
    pub(super) precision: Array1<f64>,
}

const MOST_STEPS: usize = 50;
const CLOSE: f64 = 1e-8;

/// Minimises `sum weight * NLL + 1/2 (w - mean)' diag(precision) (w - mean)`.
///
/// The objective is convex; steps are halved while they do not lead down, so that it converges
/// from anywhere.
///
/// # Errors
/// Where a number is not finite, or the matrix of second derivatives is not positive.
pub(super) fn fit(problem: &Problem<'_>, prior: &Prior) -> anyhow::Result<Array1<f64>> {
    ensure!(problem.x.iter().all(|it| it.is_finite()), "an input is not a finite number");
    let mut at = prior.mean.clone();
    let mut loss = objective(problem, prior, &at);
    for _ in 0..MOST_STEPS {
        let step = newton_step(problem, prior, &at)?;
        let mut scale = 1.0;
        let (next, lower) = loop {
            let next = &at - &(&step * scale);
            let lower = objective(problem, prior, &next);
            if lower <= loss || scale < 1e-6 {
                break (next, lower);
            }
            scale /= 2.0;
        };
        let moved = (&next - &at).iter().fold(0.0_f64, |most, it| most.max(it.abs()));
        (at, loss) = (next, lower);
        if moved < CLOSE {
            break;
        }
    }
    Ok(at)
}

fn objective(problem: &Problem<'_>, prior: &Prior, w: &Array1<f64>) -> f64 {
    let logits = problem.x.dot(w);
    let loss = |((logit, y), weight): ((&f64, &f64), &f64)| weight * (softplus(*logit) - y * logit);
    let data: f64 = logits.iter().zip(problem.y).zip(problem.weights).map(loss).sum();
    let off = w - &prior.mean;
    data + 0.5 * (&off * &off * &prior.precision).sum()
}

fn newton_step(
    problem: &Problem<'_>,
    prior: &Prior,
    w: &Array1<f64>,
) -> anyhow::Result<Array1<f64>> {
    let p = problem.x.dot(w).mapv(sigmoid);
    let residual = &(&p - &problem.y) * &problem.weights;
    let gradient = problem.x.t().dot(&residual) + &((w - &prior.mean) * &prior.precision);
    let curvature = &p * &p.mapv(|it| 1.0 - it) * problem.weights;
    let weighted = &problem.x * &curvature.insert_axis(Axis(1));
    let mut hessian = problem.x.t().dot(&weighted);
    for (place, precision) in prior.precision.iter().enumerate() {
        hessian[[place, place]] += precision;
    }
    solve(hessian, gradient)
}

/// Solves a symmetric positive definite system by Cholesky decomposition.
fn solve(mut a: Array2<f64>, mut b: Array1<f64>) -> anyhow::Result<Array1<f64>> {
    let n = b.len();
    for column in 0..n {
        let (above, mut below) = a.view_mut().split_at(Axis(0), column);
        let _ = above;
        let mut row = below.row_mut(0);
        let known: f64 = row.iter().take(column).map(|it| it * it).sum();
        let pivot = row[column] - known;
        ensure!(pivot > 0.0, "the inputs do not determine a model: raise the ridge");
        row[column] = pivot.sqrt();
        let pivot_row = row.to_owned();
        for mut lower in below.rows_mut().into_iter().skip(1) {
            let known: f64 = lower.iter().zip(&pivot_row).take(column).map(|(a, b)| a * b).sum();
            lower[column] = (lower[column] - known) / pivot_row[column];
        }
    }
    for row in 0..n {
        let known: f64 = (0..row).map(|column| a[[row, column]] * b[column]).sum();
        b[row] = (b[row] - known) / a[[row, row]];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|below| a[[below, row]] * b[below]).sum();
        b[row] = (b[row] - known) / a[[row, row]];
    }
    Ok(b)
}

/// `1 / (1 + exp(-x))`.
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `ln(1 + exp(x))` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn fitted(precision: f64, weights: &Array1<f64>) -> Array1<f64> {
        let x = array![[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0], [1.5, 1.0], [2.5, 1.0]];
        let y = array![0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let problem = Problem { x: x.view(), y: y.view(), weights: weights.view() };
        let prior = Prior { mean: array![0.0, 0.0], precision: array![precision, 1e-9] };
        fit(&problem, &prior).expect("positive")
    }

    /// scikit-learn 1.9.1: `LogisticRegression(C=1.0, tol=1e-12, max_iter=10000)`.
    #[test]
    fn the_ridge_is_that_of_scikit_learn() {
        let found = fitted(1.0, &Array1::ones(6));
        assert!((found[0] - 0.632_988_864_0).abs() < 1e-6, "{found}");
        assert!((found[1] + 1.061_338_373_6).abs() < 1e-6, "{found}");
    }

    #[test]
    fn a_weight_of_two_is_a_row_twice_and_a_strong_prior_wins() {
        let doubled = fitted(1.0, &array![2.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(doubled[0] > fitted(1.0, &Array1::ones(6))[0]);
        assert!(fitted(1e9, &Array1::ones(6))[0].abs() < 1e-6);
    }
}
