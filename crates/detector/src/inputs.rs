use crate::features::Feature;

/// How a feature is looked at.
const VIEWS: [&str; 7] = ["level", "rank", "own", "brief", "short", "medium", "long"];
/// The first so many compare with what is usual, the others with the minutes before.
pub(crate) const LEVELS: usize = 3;

/// What a model weighs: seven views of each feature. All lie within 4; what is missing is 0.
///
/// `.level` is the value against the population's usual one in the population's spreads,
/// `.own` against the person's own mean; `.rank` is the part of the person's past below it,
/// from -1.5 to 1.5. Both are shrunk towards the population while little of the person is known. `.brief`, `.short`, `.medium` and `.long` are the last 20 s, half minute,
/// minute and minute against 0.5 to 2, 1 to 4, 3 to 6 and 6 to 12 minutes before, in the
/// scatter of the person's own moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs(pub(crate) Vec<[f64; VIEWS.len()]>);

impl Inputs {
    /// The inputs' names, in order: `heart_rate.level`, ..
    #[must_use]
    pub fn names() -> Vec<String> {
        let of = |feature: Feature| VIEWS.map(|view| format!("{}.{view}", feature.name()));
        Feature::ALL.into_iter().flat_map(of).collect()
    }

    /// The inputs, in the order of [`Inputs::names`].
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flatten().copied()
    }

    /// The feature and the view of an input's name.
    pub(crate) fn place(name: &str) -> Option<(Feature, usize)> {
        let (feature, view) = name.rsplit_once('.')?;
        Some((Feature::named(feature)?, VIEWS.iter().position(|known| *known == view)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_their_values_do() {
        let names = Inputs::names();
        let of = |place: usize| (Feature::ALL[place / VIEWS.len()], place % VIEWS.len());
        assert!((0..names.len()).all(|place| Inputs::place(&names[place]) == Some(of(place))));
        assert_eq!(Inputs::place("scl.own"), Some((Feature::Scl, 2)));
        assert_eq!([Inputs::place("scl"), Inputs::place("scl.")], [None; 2]);
        assert_eq!(names.len(), 7 * Feature::ALL.len());
    }
}
