//! Leave one session out: where people have several, each is scored by a model that never saw it.

use std::sync::Arc;

use detector::{Model, Signal, Thresholds};

use super::contender::Contender;
use super::folds::learned;
use crate::parallel;
use crate::score::Graded;
use crate::sitting::Sitting;
use crate::train::{Class, Lesson, Recipe, grade};

/// Which of a person's own sessions are known besides everybody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Those from before: as it would be in use.
    Earlier,
    /// All but the one that is scored, later ones too, which nobody has in use.
    Others,
}

impl Own {
    const fn name(self) -> &'static str {
        match self {
            Self::Earlier => "tidewatch, forward",
            Self::Others => "tidewatch, leave one session out",
        }
    }

    /// Whether a model that scores a sitting may know another one of the same person: none of
    /// the same time, which would tell what it is to find.
    fn may_know(self, other: &Sitting, scored: &Sitting) -> bool {
        let before = other.stream.end <= scored.origin;
        match self {
            Self::Earlier => before,
            Self::Others => before || scored.stream.end <= other.origin,
        }
    }

    /// Whether a model that scores a sitting knows a recording.
    fn knows(self, it: &Sitting, scored: &Sitting) -> bool {
        it.person != scored.person || self.may_know(it, scored)
    }
}

/// Scores each session of whose person another one is known. None where there is no such.
pub(super) fn by_session(
    lessons: &[Lesson],
    scored: &[Sitting],
    recipe: &Recipe,
    own: Own,
) -> anyhow::Result<Option<Contender>> {
    let mask = &recipe.mask()?;
    let graded =
        parallel::try_each("session by session", &of_several(lessons, scored, own), |sitting| {
            let model = model(lessons, recipe, mask, sitting, own)?;
            Ok(grade(sitting, &model).map(|graded| (graded, model.parts().thresholds)))
        })?;
    let (graded, thresholds): (Vec<Graded>, Vec<Thresholds>) = graded.into_iter().flatten().unzip();
    let contender = Contender::new(own.name(), graded, Vec::new()).alerting(thresholds);
    Ok(Some(contender).filter(|it| !it.graded.is_empty()))
}

fn of_several<'a>(lessons: &[Lesson], scored: &'a [Sitting], own: Own) -> Vec<&'a Sitting> {
    let known = |it: &Sitting, of: &Sitting| it.person == of.person && own.may_know(it, of);
    let several = |of: &&Sitting| lessons.iter().any(|it| known(&it.sitting, of));
    scored.iter().filter(several).collect()
}

fn model(
    lessons: &[Lesson],
    recipe: &Recipe,
    mask: &[bool],
    scored: &Sitting,
    own: Own,
) -> anyhow::Result<Arc<Model>> {
    let knows = |it: &Sitting| own.knows(it, scored);
    let class = Class::of(lessons, recipe, |it| !knows(it));
    Ok(learned("session", &class, mask, &Signal::LEADING, knows)?.0)
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;

    const BOTH: [Own; 2] = [Own::Earlier, Own::Others];

    #[test]
    fn sessions_are_scored_whose_person_is_known_from_others() -> anyhow::Result<()> {
        let (sittings, recipe) = (made::sittings(&[]), made::recipe());
        let lessons = made::lessons(&sittings);
        for (own, sessions) in BOTH.into_iter().zip([&["a2", "a3"][..], &["a1", "a2", "a3"]]) {
            let found = by_session(&lessons, &sittings, &recipe, own)?.expect("one has several");
            let scored: Vec<&str> = found.graded.iter().map(|it| it.recording.as_str()).collect();
            assert_eq!((found.name.as_str(), scored), (own.name(), sessions.to_vec()));
            assert_eq!(found.alerting.map(|it| it.len()), Some(sessions.len()));
        }
        let one_each = |it: &&Sitting| !["a2", "a3"].contains(&it.name.as_str());
        let sittings: Vec<Sitting> = sittings.iter().filter(one_each).cloned().collect();
        for own in BOTH {
            assert!(by_session(&made::lessons(&sittings), &sittings, &recipe, own)?.is_none());
        }
        Ok(())
    }

    #[test]
    fn recordings_of_the_same_time_do_not_know_each_other() {
        let all = made::sittings(&[]);
        let named = |name: &str| all.iter().find(|it| it.name == name).expect("it is made");
        let (first, second) = (named("a1"), named("a2"));
        assert!(BOTH.iter().all(|own| own.knows(first, second)));
        let half_way = second.origin.micros_since(first.origin) - 600_000_000;
        let origin = first.origin.plus_micros(half_way);
        let stream = first.stream.clone().moved(half_way, 2);
        let other_band = Sitting { origin, stream, ..first.clone() };
        assert!(BOTH.iter().all(|own| !own.knows(&other_band, second)));
        assert!(BOTH.iter().all(|own| !own.knows(second, &other_band)));
    }

    #[test]
    fn nothing_of_a_session_reaches_the_model_that_scores_it() -> anyhow::Result<()> {
        let recipe = made::recipe();
        let mask = recipe.mask()?;
        // The models that score the second of three sessions, when one of them is another.
        let with = |changed: &[&str]| -> anyhow::Result<[String; 2]> {
            let changed: Vec<String> = changed.iter().map(|it| (*it).to_owned()).collect();
            let sittings = made::sittings(&changed);
            let scored = sittings.iter().find(|it| it.name == "a2").expect("it is made");
            let lessons = made::lessons(&sittings);
            let of = |own| model(&lessons, &recipe, &mask, scored, own);
            Ok([made::bytes(&*of(Own::Earlier)?), made::bytes(&*of(Own::Others)?)])
        };
        let before = with(&[])?;
        let same = |after: [String; 2]| [before[0] == after[0], before[1] == after[1]];
        assert_eq!(same(with(&["a1"])?), [false, false]);
        assert_eq!(same(with(&["a2"])?), [true, true]);
        assert_eq!(same(with(&["a3"])?), [true, false]);
        Ok(())
    }
}
