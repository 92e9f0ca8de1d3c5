use ndarray::{Array1, Array2};

/// Second moments of weighed rows: what least squares needs to know of them. Those of several
/// people add up, so that leaving one out is a sum.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    /// Inputs with inputs; the bias stands last.
    pub(super) gram: Array2<f64>,
    /// Inputs with the target.
    pub(super) pull: Array1<f64>,
}

impl Moments {
    pub(super) fn none(width: usize) -> Self {
        Self { gram: Array2::zeros((width, width)), pull: Array1::zeros(width) }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.gram += &other.gram;
        self.pull += &other.pull;
    }

    /// Takes rows (a matrix whose last column is 1), each with its target and weight.
    pub(super) fn take(&mut self, x: &Array2<f64>, target: &Array1<f64>, weights: &Array1<f64>) {
        let weighed = x * &weights.view().insert_axis(ndarray::Axis(1));
        self.gram += &weighed.t().dot(x);
        self.pull += &weighed.t().dot(target);
    }
}

const MOST_ROUNDS: usize = 1000;
const CLOSE: f64 = 1e-7;

/// Least squares with a lasso and a ridge on all but the last coefficient, the bias:
/// minimises `1/2 b'Gb - h'b + lasso |b| + 1/2 ridge b'b` by coordinate descent over the places
/// in `used` (Zou, Hastie 2005, J R Stat Soc B 67:301). The others stay 0.
pub(super) fn elastic_net(
    moments: &Moments,
    used: &[usize],
    lasso: f64,
    ridge: f64,
) -> Array1<f64> {
    let Moments { gram, pull } = moments;
    let bias = pull.len() - 1;
    let mut found = Array1::<f64>::zeros(pull.len());
    let mut told = Array1::<f64>::zeros(pull.len());
    for _ in 0..MOST_ROUNDS {
        let mut moved = 0.0_f64;
        for &place in used.iter().chain([&bias]) {
            let curvature = gram[[place, place]];
            let left = pull[place] - told[place] + curvature * found[place];
            let (lasso, ridge) = if place == bias { (0.0, 1e-9) } else { (lasso, ridge) };
            let wanted = left.signum() * (left.abs() - lasso).max(0.0) / (curvature + ridge);
            let change = wanted - found[place];
            if change != 0.0 {
                told.scaled_add(change, &gram.column(place));
                found[place] = wanted;
                moved = moved.max(change.abs());
            }
        }
        if moved < CLOSE {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn moments() -> Moments {
        let x = array![[0.0, 2.0, 1.0], [1.0, 0.0, 1.0], [2.0, 1.0, 1.0], [3.0, 1.0, 1.0]];
        let mut moments = Moments::none(3);
        moments.take(&x, &array![-1.0, -1.0, 1.0, 1.0], &Array1::from_elem(4, 0.25));
        moments
    }

    /// scikit-learn 1.9.1: `ElasticNet(alpha=0.15, l1_ratio=2/3, tol=1e-14)`, for lasso 0.1 and
    /// ridge 0.05.
    #[test]
    fn the_net_is_that_of_scikit_learn() {
        let found = elastic_net(&moments(), &[0, 1], 0.1, 0.05);
        let expected = [0.720_306_513_4, 0.145_593_869_7, -1.226_053_639_8];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found}");
    }

    #[test]
    fn what_is_not_used_or_not_worth_the_lasso_is_nothing() {
        let found = elastic_net(&moments(), &[1], 0.0, 0.05);
        assert_eq!(found[0], 0.0);
        assert!(elastic_net(&moments(), &[0, 1], 10.0, 0.0).iter().all(|it| it.abs() < 1e-9));
    }
}
