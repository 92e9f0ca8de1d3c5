use crate::baseline::Baseline;
use crate::features::Feature;
use crate::hops::Hops;
use crate::inputs::LEVELS;
use crate::model::{Contributions, Model};
use crate::usual::Usual;
use crate::views::Changes;
use crate::words::{Against, words};
use crate::{Assessment, Reason};

/// A lesser contribution to the logit is not worth a word.
const WORTH: f64 = 0.3;
const MOST: usize = 3;

/// What a reason compares.
struct Compared {
    feature: Feature,
    /// What the view adds to the logit now.
    adds: f64,
    value: f64,
    other: f64,
    against: Against,
}

/// The signs that weighed most, heaviest first: those worth a word, and at least the heaviest.
///
/// A sign weighs what its features add together. Its words are those of the view that adds
/// most in this window.
pub(crate) fn reasons(
    contributions: &Contributions,
    of: &Assessment,
    before: &Hops,
    baseline: &Baseline,
    model: &Model,
) -> Vec<Reason> {
    let mut sums = [0.0; Feature::ALL.len()];
    for (feature, adds) in Feature::ALL.into_iter().zip(contributions.features) {
        sums[feature.sign() as usize] += adds;
    }
    let mut signs: Vec<(Feature, f64)> =
        Feature::ALL.into_iter().zip(sums).filter(|(_, adds)| *adds > 0.0).collect();
    signs.sort_by(|a, b| b.1.total_cmp(&a.1));
    let compared = compared(of, before, baseline, model);
    let heaviest = |sign: Feature| {
        let views = compared.iter().filter(|view| view.feature.sign() == sign);
        views.reduce(|most, view| if view.adds > most.adds { view } else { most })
    };
    let found = signs.into_iter().filter_map(|(sign, adds)| Some(heaviest(sign)?.reason(adds)));
    let worth = found.enumerate().filter(|(place, it)| *place == 0 || it.contribution > WORTH);
    worth.take(MOST).map(|(_, reason)| reason).collect()
}

/// What speaks for an alarm, in numbers that say so: a value that lies on one side of what its
/// view compares it with, and on the other of what a carer would read, is none.
fn compared(of: &Assessment, before: &Hops, baseline: &Baseline, model: &Model) -> Vec<Compared> {
    let changes = Changes::of(&model.spreads(&of.features), before);
    let compare = |(feature, view, adds): (Feature, usize, f64)| {
        let (value, other, against) = if let Some(change) = view.checked_sub(LEVELS) {
            let Usual { usual, scale, .. } = model.population(feature);
            let plain = |mean: f64| feature.plain(usual + scale * mean);
            let (last, earlier) = changes.means(feature)[change]?;
            (plain(last), plain(earlier), Against::Before)
        } else {
            let usual = feature.plain(baseline.usual(feature, model));
            (of.features.of(feature)?, usual, Against::Usual)
        };
        let input = of.inputs.0[feature as usize][view];
        let agrees = if input > 0.0 { value > other } else { value < other };
        (adds > 0.0 && agrees).then_some(Compared { feature, adds, value, other, against })
    };
    model.added(&of.inputs, of.lacking()).filter_map(compare).collect()
}

impl Compared {
    fn reason(&self, contribution: f64) -> Reason {
        let Self { feature, value, other, against, .. } = *self;
        Reason {
            text: words(feature, value, other, against),
            feature: feature.name(),
            value,
            usual: (against == Against::Usual).then_some(other),
            before: (against == Against::Before).then_some(other),
            unit: feature.unit(),
            contribution,
        }
    }
}
