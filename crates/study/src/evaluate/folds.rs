//! Leave one person out: each person is scored by a model that never saw them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::ensure;
use detector::{Model, Signal};
use rayon::prelude::*;

use super::contender::Contender;
use super::trouble::Trouble;
use crate::features::inputs_of;
use crate::parallel;
use crate::score::{BUDGETS, Graded, best_threshold};
use crate::sitting::{Sitting, with_episodes};
use crate::train::{Class, Judged, Lesson, Recipe, grade, thresholds_or_never};

/// The detector, and what it comes to on one signal alone: names, and inputs that count.
type Kinds = [(&'static str, Vec<bool>); 4];

fn kinds(recipe: &Recipe) -> anyhow::Result<Kinds> {
    let mask = recipe.mask()?;
    let alone = |signal| {
        let of_signal = inputs_of(signal);
        mask.iter().zip(of_signal).map(|(used, it)| *used && it).collect::<Vec<bool>>()
    };
    Ok([
        ("tidewatch", mask.clone()),
        ("heart alone", alone(Signal::Heart)),
        ("EDA alone", alone(Signal::Eda)),
        ("motion alone", alone(Signal::Motion)),
    ])
}

/// What one left-out person came to, by kind.
#[derive(Default)]
struct Fold {
    graded: Vec<Vec<Graded>>,
    shuffled: Vec<Vec<Vec<Graded>>>,
    /// The detector's through each of [`Trouble::ALL`].
    troubled: Vec<Vec<Graded>>,
    /// The detector's, chosen on the others' scores alone for each budget of false alarms.
    thresholds: BTreeMap<String, f64>,
    /// For each kind, made of the others alone.
    models: Vec<Arc<Model>>,
}

/// People are kept back in so many groups: what is usual and when it was comes from outside of
/// the group, the weights from everybody but the person.
const GROUPS: usize = 5;
/// With fewer people who had an episode nothing is left to learn from.
const FEWEST_PEOPLE: usize = 3;

/// Trains on the whole recordings of all people but one, each in turn, and scores that person's.
pub(super) fn leave_one_out(
    lessons: &[Lesson],
    scored: &[Sitting],
    recipe: &Recipe,
    shuffles: u64,
) -> anyhow::Result<Vec<Contender>> {
    let kinds = kinds(recipe)?;
    let folds = folds(lessons, scored, recipe, shuffles, &kinds)?;
    Ok(assemble(&kinds, &folds, shuffles))
}

fn folds(
    lessons: &[Lesson],
    scored: &[Sitting],
    recipe: &Recipe,
    shuffles: u64,
    kinds: &Kinds,
) -> anyhow::Result<Vec<Fold>> {
    let people: BTreeSet<&str> = lessons.iter().map(|it| it.sitting.person.as_str()).collect();
    let people: Vec<&str> = people.into_iter().collect();
    let able = with_episodes(lessons.iter().map(|it| &it.sitting));
    ensure!(
        able.len() >= FEWEST_PEOPLE,
        "leaving one person out takes episodes of {FEWEST_PEOPLE} people: one is scored, one \
         chooses the thresholds, and one is learned from. Here {} of {} people had any ({}); add \
         recordings with rows in the file of episodes, or score a finished model with --model",
        able.len(),
        people.len(),
        able.into_iter().collect::<Vec<_>>().join(", ")
    );
    let groups: Vec<Vec<&str>> = (0..GROUPS.min(people.len()))
        .map(|group| people.iter().skip(group).step_by(GROUPS).copied().collect())
        .collect();
    let folds = parallel::try_each("leaving one person out", &groups, |group| {
        let class = Class::of(lessons, recipe, |it| group.contains(&it.person.as_str()));
        let fold = |person: &&str| fold(&class, kinds, person, scored, shuffles);
        group.par_iter().map(fold).collect::<anyhow::Result<Vec<Fold>>>()
    })?;
    Ok(folds.into_iter().flatten().collect())
}

fn fold(
    class: &Class<'_>,
    kinds: &Kinds,
    person: &str,
    scored: &[Sitting],
    shuffles: u64,
) -> anyhow::Result<Fold> {
    let mut fold = Fold::default();
    let others = |it: &Sitting| it.person != person;
    for (kind, (_, mask)) in kinds.iter().enumerate() {
        let is_whole = kind == 0;
        let lacking: &[Signal] = if is_whole { &Signal::LEADING } else { &[] };
        let (model, unseen) = learned("fold", class, mask, lacking, others)?;
        let over = |of: &dyn Fn(&Sitting) -> Sitting| -> Vec<Graded> {
            let own = scored.iter().filter(|it| it.person == person);
            own.filter_map(|sitting| grade(&of(sitting), &model)).collect()
        };
        fold.graded.push(over(&Sitting::clone));
        fold.shuffled
            .push((0..shuffles).map(|seed| over(&|sitting| sitting.shuffled(seed))).collect());
        if is_whole {
            fold.troubled = Trouble::ALL.map(|trouble| over(&|it| trouble.of(it))).into();
            let at = |budget| best_threshold(&unseen.whole, budget).unwrap_or(f64::INFINITY);
            fold.thresholds = BUDGETS.iter().map(|it| (it.to_string(), at(*it))).collect();
        }
        fold.models.push(model);
    }
    Ok(fold)
}

/// The model that the recordings that are known lead to, with what it weighs where one of these
/// signals is lacking; and each of those recordings, judged without its person.
pub(super) fn learned(
    id: &str,
    class: &Class<'_>,
    mask: &[bool],
    lacking: &[Signal],
    known: impl Fn(&Sitting) -> bool,
) -> anyhow::Result<(Arc<Model>, Judged)> {
    let learned = class.learn(mask, &known, |unseen| Ok(thresholds_or_never(unseen)))?;
    let lacking = class.lacking(mask, lacking, known, &learned)?;
    let model = Arc::new(class.model(id, &learned, lacking)?);
    Ok((model, learned.unseen))
}

/// From folds of kinds to kinds of all recordings.
fn assemble(kinds: &Kinds, folds: &[Fold], shuffles: u64) -> Vec<Contender> {
    let of_kind = |(kind, (name, _)): (usize, &(&'static str, Vec<bool>))| {
        let mut graded: Vec<Graded> =
            folds.iter().flat_map(|fold| fold.graded[kind].clone()).collect();
        if kind > 0 {
            // Comparators raise no alarms of their own.
            graded.iter_mut().for_each(|it| it.levels = None);
        }
        let order = |seed: u64| {
            let seed = usize::try_from(seed).expect("a handful");
            folds.iter().flat_map(|fold| fold.shuffled[kind][seed].clone()).collect()
        };
        let mut contender = Contender::new(name, graded, (0..shuffles).map(order).collect());
        if kind == 0 {
            contender.carried_over = carried_over(folds);
            let each =
                |fold: &Fold| vec![fold.models[kind].parts().thresholds; fold.graded[kind].len()];
            return contender.alerting(folds.iter().flat_map(each).collect());
        }
        contender
    };
    let troubled = |(place, trouble): (usize, Trouble)| {
        let graded = folds.iter().flat_map(|fold| fold.troubled[place].clone()).collect();
        let each =
            |fold: &Fold| vec![fold.models[0].parts().thresholds; fold.troubled[place].len()];
        Contender::new(&trouble.name(), graded, Vec::new())
            .alerting(folds.iter().flat_map(each).collect())
    };
    let kinds = kinds.iter().enumerate().map(of_kind);
    kinds.chain(Trouble::ALL.into_iter().enumerate().map(troubled)).collect()
}

fn carried_over(folds: &[Fold]) -> BTreeMap<String, Vec<f64>> {
    let of = |budget: &f64| {
        let budget = budget.to_string();
        let each = |fold: &Fold| vec![fold.thresholds[&budget]; fold.graded[0].len()];
        (budget.clone(), folds.iter().flat_map(each).collect())
    };
    BUDGETS.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;

    /// What the folds of some people's recordings came to, by person: the detector's models and
    /// thresholds, but for the words about their data.
    fn all(sittings: &[Sitting]) -> anyhow::Result<BTreeMap<String, String>> {
        let (recipe, lessons) = (made::recipe(), made::lessons(sittings));
        let folds = folds(&lessons, sittings, &recipe, 0, &kinds(&recipe)?)?;
        let told = |fold: Fold| {
            let [first, ..] = &fold.graded[0][..] else { panic!("somebody is scored") };
            let models = fold.models.iter().map(|it| made::bytes(it)).collect::<String>();
            (first.person.clone(), format!("{models}{:?}", fold.thresholds))
        };
        Ok(folds.into_iter().map(told).collect())
    }

    #[test]
    fn nothing_of_a_person_reaches_the_model_that_scores_them() -> anyhow::Result<()> {
        // Somebody with several recordings, who shares a group with somebody else.
        let person = made::PEOPLE[0];
        let before = all(&made::sittings(&[]))?;
        let after = all(&made::sittings(&made::names(person)))?;
        assert_eq!(before.len(), made::PEOPLE.len());
        for other in made::PEOPLE {
            assert_eq!(before[other] == after[other], other == person, "the model without {other}");
        }
        Ok(())
    }
}
