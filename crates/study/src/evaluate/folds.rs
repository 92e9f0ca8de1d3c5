//! Leave one person out: each person is scored by a model that never saw them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detector::Inputs;

use super::contender::Contender;
use crate::features::{Signal, inputs_of};
use crate::parallel;
use crate::score::{BUDGETS, Graded, Grader, best_threshold};
use crate::sitting::Sitting;
use crate::train::{Class, Lesson, NO_ALARM, Recipe, grade};

/// The detector, and what it comes to on one signal alone.
fn kinds() -> [(&'static str, Vec<bool>); 4] {
    [
        ("tidewatch", vec![true; Inputs::names().len()]),
        ("heart alone", inputs_of(Signal::Heart)),
        ("EDA alone", inputs_of(Signal::Eda)),
        ("motion alone", inputs_of(Signal::Motion)),
    ]
}

/// What one left-out person came to, by kind.
struct Fold {
    graded: Vec<Vec<Graded>>,
    shuffled: Vec<Vec<Vec<Graded>>>,
    thresholds: BTreeMap<String, f64>,
}

/// Trains without each person in turn and scores that person.
pub(super) fn leave_one_out(
    sittings: &[Sitting],
    recipe: &Recipe,
    grader: &Grader,
    shuffles: u64,
) -> anyhow::Result<Vec<Contender>> {
    let lessons = parallel::each("measuring", sittings, |sitting| Lesson::of(sitting, recipe));
    let people: Vec<&str> =
        sittings.iter().map(|it| it.person.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    anyhow::ensure!(people.len() > 1, "leaving one person out takes two people or more");
    let folds = parallel::try_each("leaving one person out", &people, |person| {
        fold(&lessons, person, recipe, grader, shuffles)
    })?;
    Ok(assemble(&folds, shuffles))
}

fn fold(
    lessons: &[Lesson],
    person: &str,
    recipe: &Recipe,
    grader: &Grader,
    shuffles: u64,
) -> anyhow::Result<Fold> {
    let (own, others): (Vec<_>, Vec<_>) =
        lessons.iter().partition(|lesson| lesson.sitting.person == person);
    let class = Class::of(others, recipe);
    let mut fold = Fold { graded: Vec::new(), shuffled: Vec::new(), thresholds: BTreeMap::new() };
    for (place, (_, mask)) in kinds().iter().enumerate() {
        let mut thresholds = NO_ALARM;
        if place == 0 {
            let unseen = class.unseen(mask)?;
            thresholds = Class::thresholds(&unseen);
            let threshold = |budget| best_threshold(&unseen, budget).unwrap_or(f64::INFINITY);
            fold.thresholds = BUDGETS.iter().map(|it| (it.to_string(), threshold(*it))).collect();
        }
        let model = Arc::new(class.model("fold", mask, thresholds)?);
        let over = |of: &dyn Fn(&Sitting) -> Sitting| -> Vec<Graded> {
            own.iter().filter_map(|lesson| grade(&of(&lesson.sitting), &model, grader)).collect()
        };
        fold.graded.push(over(&Sitting::clone));
        fold.shuffled
            .push((0..shuffles).map(|seed| over(&|sitting| sitting.shuffled(seed))).collect());
    }
    Ok(fold)
}

/// From folds of kinds to kinds of all recordings.
fn assemble(folds: &[Fold], shuffles: u64) -> Vec<Contender> {
    let of_kind = |(kind, (name, _)): (usize, (&'static str, Vec<bool>))| {
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
        }
        contender
    };
    kinds().into_iter().enumerate().map(of_kind).collect()
}

fn carried_over(folds: &[Fold]) -> BTreeMap<String, Vec<f64>> {
    let of = |budget: &f64| {
        let budget = budget.to_string();
        let each = |fold: &Fold| vec![fold.thresholds[&budget]; fold.graded[0].len()];
        (budget.clone(), folds.iter().flat_map(each).collect())
    };
    BUDGETS.iter().map(of).collect()
}

/// Where people have several sessions: each later one is scored by a model of all other people
/// and of the person's own earlier sessions. None where nobody has.
pub(super) fn forward(
    sittings: &[Sitting],
    recipe: &Recipe,
    grader: &Grader,
) -> anyhow::Result<Option<Contender>> {
    let later: Vec<&Sitting> =
        sittings.iter().filter(|it| sittings.iter().any(|other| is_earlier(other, it))).collect();
    if later.is_empty() {
        return Ok(None);
    }
    let lessons = parallel::each("measuring", sittings, |sitting| Lesson::of(sitting, recipe));
    let graded = parallel::try_each("chaining forward", &later, |sitting| {
        let known =
            |it: &&Lesson| it.sitting.person != sitting.person || is_earlier(&it.sitting, sitting);
        let class = Class::of(lessons.iter().filter(known).collect(), recipe);
        let mask = &kinds()[0].1;
        let thresholds = Class::thresholds(&class.unseen(mask)?);
        let model = Arc::new(class.model("forward", mask, thresholds)?);
        Ok(grade(sitting, &model, grader))
    })?;
    let graded = graded.into_iter().flatten().collect();
    Ok(Some(Contender::new("tidewatch, forward", graded, Vec::new())))
}

/// Whether it is the same person's, from before.
fn is_earlier(sitting: &Sitting, than: &Sitting) -> bool {
    sitting.person == than.person && sitting.origin < than.origin
}
