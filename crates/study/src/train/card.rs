use std::fmt::Write as _;

use detector::{Inputs, Model};

use super::Class;

/// The facts of a model card, as Markdown.
pub(super) fn card(class: &Class<'_>, model: &Model) -> String {
    let sittings = class.lessons.iter().map(|it| &it.sitting);
    let people: std::collections::BTreeSet<&str> =
        sittings.clone().map(|it| it.person.as_str()).collect();
    let episodes: usize = sittings.clone().map(|it| it.labels.episodes.len()).sum();
    let seconds: f64 =
        sittings.map(|it| it.stream.end.micros_since(it.stream.start) as f64 / 1e6).sum();
    let (rows, inside) = class.table.counts();
    let thresholds = model.thresholds();
    let mut card = format!("## {}\n\n", model.id());
    let mut line = |text: String| writeln!(card, "- {text}").expect("a string takes all");
    line(format!(
        "**Kind:** ridge logistic regression over {} inputs of {}; time since the start is no input.",
        Inputs::names().len(),
        detector::VERSION
    ));
    line(format!(
        "**Data:** {} recordings of {} people, {:.1} h, {episodes} episodes.",
        class.lessons.len(),
        people.len(),
        seconds / 3600.0
    ));
    line(format!(
        "**Protocol:** ridge {}; each recording {} times: as it is, {} with its start cropped, {} \
         with its blocks reordered; {rows} windows, {inside} of them inside an episode.",
        class.recipe.ridge,
        1 + class.recipe.crops + class.recipe.shuffles,
        class.recipe.crops,
        class.recipe.shuffles
    ));
    line(format!(
        "**Thresholds:** rising {:.3} and high {:.3}, chosen at {} and {} false alarms an hour on \
         people whom a model made without them scored.",
        thresholds.rising,
        thresholds.high,
        super::RISING_BUDGET,
        super::HIGH_BUDGET
    ));
    line("**Figures:** `tidewatch study evaluate` on the same recordings.".to_owned());
    card
}
