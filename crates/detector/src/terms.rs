use serde::{Deserialize, Serialize};

/// What one input adds to the logit: a piecewise linear function through its knots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The input's name, one of [`Inputs::names`](crate::Inputs::names).
    pub input: String,
    /// Where the function is given, ascending; beyond the ends it stays as at the ends.
    pub knots: Vec<f64>,
    /// What it is there. At 0 it must be 0: what is missing adds nothing.
    pub values: Vec<f64>,
}

/// A term that is no function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// The input has another term.
    #[error("stands twice")]
    Twice,
    /// Knots and values do not go together.
    #[error("needs as many values as knots, two or more")]
    Count,
    /// Knots do not ascend, or a number is none.
    #[error("needs numbers at ascending knots")]
    Order,
    /// It is not 0 where nothing is remarkable.
    #[error("is not 0 at 0")]
    NotZero,
    /// It weighs what is to be done without.
    #[error("weighs the signal that is lacking")]
    Lacking,
}

impl Term {
    /// A straight line through 0 over the range that inputs have.
    #[must_use]
    pub fn line(input: &str, weight: f64) -> Self {
        let values = vec![-4.0 * weight, 4.0 * weight];
        Self { input: input.to_owned(), knots: vec![-4.0, 4.0], values }
    }

    /// What an input of this size adds.
    #[must_use]
    pub fn at(&self, input: f64) -> f64 {
        let next = self.knots.iter().take_while(|knot| **knot <= input).count();
        let Some(before) = next.checked_sub(1) else { return self.values[0] };
        let (Some(end), Some(value)) = (self.knots.get(next), self.values.get(next)) else {
            return self.values[before];
        };
        let part = (input - self.knots[before]) / (end - self.knots[before]);
        self.values[before] + part * (value - self.values[before])
    }

    pub(crate) fn check(&self) -> Result<(), TermError> {
        if self.knots.len() != self.values.len() || self.knots.len() < 2 {
            return Err(TermError::Count);
        }
        let numbers = self.knots.iter().chain(&self.values).all(|number| number.is_finite());
        if !numbers || !self.knots.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(TermError::Order);
        }
        if self.at(0.0).abs() > 1e-9 { Err(TermError::NotZero) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(knots: &[f64], values: &[f64]) -> Term {
        Term { input: "scl.own".to_owned(), knots: knots.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn between_knots_it_is_straight_and_beyond_them_it_stays() {
        let bent = term(&[-1.0, 0.0, 2.0], &[-0.5, 0.0, 4.0]);
        let found = [-9.0, -1.0, -0.5, 0.0, 1.0, 2.0, 9.0].map(|x| bent.at(x));
        assert_eq!(found, [-0.5, -0.5, -0.25, 0.0, 2.0, 4.0, 4.0]);
        assert_eq!(Term::line("scl.own", 0.5).at(3.0), 1.5);
    }

    #[test]
    fn what_is_no_function_is_told() {
        assert_eq!(term(&[0.0], &[0.0]).check(), Err(TermError::Count));
        assert_eq!(term(&[0.0, 1.0], &[0.0]).check(), Err(TermError::Count));
        assert_eq!(term(&[1.0, 0.0], &[0.0, 0.0]).check(), Err(TermError::Order));
        assert_eq!(term(&[0.0, 1.0], &[0.0, f64::NAN]).check(), Err(TermError::Order));
        assert_eq!(term(&[-1.0, 1.0], &[0.0, 1.0]).check(), Err(TermError::NotZero));
        assert_eq!(Term::line("scl.own", 0.5).check(), Ok(()));
    }
}
