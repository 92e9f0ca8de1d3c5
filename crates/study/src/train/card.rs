use std::fmt::Write as _;

use detector::{About, Config, Inputs, Model};

use super::Class;

/// What holds of every model that is made so.
const LIMITS: &str = "**Limits:** sensors see arousal, not what it means. What people did not do \
    while they were recorded the model has not learned; its scores are probabilities only where \
    episodes are as common as here; on new people expect less than on these. No clinical \
    performance is claimed.";

/// The facts of a model card, as Markdown.
pub(super) fn card(class: &Class<'_>, model: &Model) -> String {
    let sittings = class.lessons.iter().map(|it| &it.sitting);
    let people: std::collections::BTreeSet<&str> =
        sittings.clone().map(|it| it.person.as_str()).collect();
    let episodes: usize = sittings.clone().map(|it| it.labels.episodes.len()).sum();
    let seconds: f64 =
        sittings.map(|it| it.stream.end.micros_since(it.stream.start) as f64 / 1e6).sum();
    let (thresholds, budgets) = (model.parts().thresholds, Config::default());
    let mut card = format!("## {}\n\n", model.id());
    let mut line = |text: String| writeln!(card, "- {text}").expect("a string takes all");
    line(format!(
        "**Kind:** additive logistic model, {} of {} inputs of {}; time since the start is no input.",
        model.parts().weights.terms.len(),
        Inputs::names().len(),
        detector::VERSION
    ));
    let lacking = model.parts().lacking.iter();
    let lacking =
        lacking.map(|(signal, it)| format!("{} without {}", it.terms.len(), signal.name()));
    let lacking = lacking.collect::<Vec<_>>().join(", ");
    if !lacking.is_empty() {
        line(format!("**Where a signal is not seen**, inputs of the others alone: {lacking}."));
    }
    line(format!(
        "**Data:** {} recordings of {} people, {:.1} h, {episodes} episodes.",
        class.lessons.len(),
        people.len(),
        seconds / 3600.0
    ));
    line(format!("**Protocol:** {}.", model.parts().about.protocol));
    line(format!("**Licence of the data:** {}.", model.parts().about.licence));
    line(format!(
        "**Thresholds:** RISING {:.3} and HIGH {:.3}: the lowest at which the product's alerts on \
         people by whom no weight was learned stay within {} and {} false ones an hour.",
        thresholds.rising,
        thresholds.high,
        budgets.rising_budget_per_hour,
        budgets.high_budget_per_hour
    ));
    line("**Figures:** `tidewatch study evaluate` on the same recordings.".to_owned());
    line(LIMITS.to_owned());
    card
}

/// Where the model comes from, as its file says.
pub(super) fn about(class: &Class<'_>) -> About {
    let recipe = class.recipe;
    let (rows, inside) = class.counts();
    let names: Vec<&str> = class.lessons.iter().map(|it| it.sitting.name.as_str()).collect();
    About {
        data: names.join(", "),
        licence: recipe.licence.clone(),
        protocol: format!(
            "label: {} at the middle of the hop; recordings and classes weigh the same, \
             onsets more; elastic net on targets of -1 and 1, lasso {}, ridge {}, then calibrated \
             on unseen people; each recording as it is, {} times with its start cropped, {} times \
             with its blocks reordered, with its skin conductance times {}; {rows} windows, \
             {inside} of them inside",
            recipe.asked.label(),
            recipe.lasso,
            recipe.ridge,
            recipe.crops,
            recipe.shuffles,
            recipe.conductances.iter().map(f64::to_string).collect::<Vec<_>>().join(" and ")
        ),
    }
}
