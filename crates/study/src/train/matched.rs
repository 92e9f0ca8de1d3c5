use detector::{Thresholds, Weights};

use crate::score::NEVER;

/// Weights whose score reaches RISING at one threshold where it did at another: so much is added
/// to the logit. None where either is never reached.
///
/// HIGH is not matched: so few alerts lead to it that a line through both would follow chance.
pub(super) fn matched(weights: Weights, own: Thresholds, to: Thresholds) -> Option<Weights> {
    let reached = [own, to].iter().all(|it| it.rising < NEVER);
    let bias = weights.bias + logit(to.rising) - logit(own.rising);
    reached.then_some(Weights { bias, ..weights })
}

fn logit(score: f64) -> f64 {
    (score / (1.0 - score)).ln()
}

#[cfg(test)]
mod tests {
    use detector::Term;

    use super::*;

    #[test]
    fn rising_is_reached_where_it_was() {
        let weights = Weights { bias: -1.0, terms: vec![Term::line("scl.own", 2.0)] };
        let own = Thresholds { rising: 0.5, high: 0.9 };
        let to = Thresholds { rising: 0.7, high: 0.8 };
        let matched = matched(weights.clone(), own, to).expect("both are reached");
        let input = (logit(own.rising) - weights.bias) / 2.0;
        assert!((matched.bias + matched.terms[0].at(input) - logit(to.rising)).abs() < 1e-12);
        assert_eq!(matched.terms, weights.terms);
    }

    #[test]
    fn what_is_never_reached_matches_nothing() {
        let reached = Thresholds { rising: 0.5, high: NEVER };
        let never = Thresholds { rising: NEVER, high: NEVER };
        assert!(matched(Weights::default(), reached, reached).is_some());
        assert_eq!(matched(Weights::default(), never, reached), None);
        assert_eq!(matched(Weights::default(), reached, never), None);
    }
}
