use std::fmt::Write as _;

use super::found::{Found, found};
use crate::evaluate::outcome::{Outcome, Row, interval};
use crate::score::EventFigures;
use crate::words::counted;

/// The table as text.
pub(crate) fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("a string takes all");
    for words in about(outcome) {
        line(words);
    }
    line(String::new());
    let width = outcome.rows.iter().map(|row| row.name.len()).max().unwrap_or_default().max(22);
    line(format!(
        "{:<width$} {:>3} {:>6} {:>15} {:>7} {:>11} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>6} {:>6} {:>6} {:>7}",
        "detector",
        "n",
        "AUROC",
        "95 %",
        "person",
        "range",
        "norm.",
        "AUPRC",
        "Brier",
        "ECE",
        "balanced",
        "guarded",
        "shuff.",
        "still",
        "clock",
        "no verd"
    ));
    for row in &outcome.rows {
        line(figures(row, width));
    }
    line(String::new());
    let named: Vec<(String, &Row, Found<'_>)> = outcome.rows.iter().flat_map(lines).collect();
    let width = named.iter().map(|(name, ..)| name.len()).max().unwrap_or_default().max(34);
    line(format!(
        "{:<width$} {:>3} {:>6} {:>6} {:>15} {:>6} {:>9} {:>6} {:>9} {:>7} {:>9} {:>8} {:>15} {:>8}",
        "events",
        "n",
        "FA/h <",
        "found",
        "95 %",
        "chance",
        "same thr.",
        "p",
        "real FA/h",
        "active",
        "latency",
        "in alarm",
        "lead (quart.)",
        "warned"
    ));
    for (name, row, of) in named {
        line(events(&format!("{name:<width$} {:>3}", row.summary.recordings), of));
    }
    for words in people(outcome).into_iter().chain(notes()) {
        line(words);
    }
    text
}

/// What was scored, and how, in sentences.
pub(super) fn about(outcome: &Outcome) -> Vec<String> {
    let (it, first) = (&outcome.protocol, &outcome.rows[0].summary);
    let crop =
        it.crop_seed.map_or("not cropped".to_owned(), |seed| format!("cropped, seed {seed}"));
    let mut words = vec![
        format!(
            "{}, {}: {} of {}, {crop}; to be told: {}.",
            it.detector,
            it.scored_by,
            counted(it.recordings, "recording"),
            counted(it.people, "person"),
            it.label
        ),
        format!(
            "{}, prevalence {:.3}, {}, {:.2} h outside of episodes, clock {}.",
            counted(first.windows, "window"),
            first.prevalence,
            counted(first.events, "event"),
            first.non_episode_hours,
            number(first.auroc_clock_same_windows)
        ),
    ];
    if !it.missing_recordings.is_empty() {
        words.push(format!("No scores for {}.", it.missing_recordings.join(", ")));
    }
    words.extend(outcome.remarks.clone());
    words
}

/// The lines of a detector in the table of events; the first one names it.
fn lines(row: &Row) -> Vec<(String, &Row, Found<'_>)> {
    let names =
        std::iter::once(format!("{}, ", row.name)).chain(std::iter::repeat("  ".to_owned()));
    let named = names.zip(found(row)).map(|(name, of)| (name + of.by, row, of));
    named.collect()
}

fn figures(row: &Row, width: usize) -> String {
    let it = &row.summary;
    let range = it.auroc_person_range.map(|[low, high]| format!("{low:.2} - {high:.2}"));
    let brief = |of| interval(of).replace(" to ", " - ");
    format!(
        "{:<width$} {:>3} {:>6} {:>15} {:>7} {:>11} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>6} {:>6} {:>6} {:>6.1}%",
        row.name,
        it.recordings,
        number(it.auroc),
        brief(it.auroc_ci95),
        number(it.auroc_person_median),
        range.unwrap_or_default(),
        number(it.auroc_person_normalised),
        number(it.auprc),
        number(it.brier),
        number(it.ece),
        number(it.auroc_time_balanced),
        number(it.auroc_time_balanced_guarded),
        number(row.auroc_shuffled),
        number(row.auroc_still),
        number(it.auroc_clock_same_windows),
        it.no_verdict_pct
    )
}

fn events(name: &str, Found { budget, figures: it, active, .. }: Found<'_>) -> String {
    let lead = it
        .early
        .lead_quartiles_s
        .map(|[low, middle, high]| format!("{middle:.0} s ({low:.0}-{high:.0})"));
    format!(
        "{name} {budget:>6} {:>6.3} {:>15} {:>6} {:>9} {:>6} {:>9.2} {active:>7} {:>9} {:>7.1}% {:>15} {:>8}",
        it.sensitivity,
        interval(it.sensitivity_ci95).replace(" to ", " - "),
        number(it.chance),
        number(it.chance_same_threshold),
        number(it.p),
        it.fa_per_h,
        it.median_latency_s.map(|it| format!("{it:.0} s")).unwrap_or_default(),
        it.time_in_alarm * 100.0,
        lead.unwrap_or_default(),
        format!("{}/{}", it.early.warned, it.early.onsets)
    )
}

fn people(outcome: &Outcome) -> Vec<String> {
    let row = &outcome.rows[0];
    let one = |(person, auroc): (&String, &Option<f64>)| format!("{person} {}", number(*auroc));
    let people: Vec<String> = row.summary.auroc_by_person.iter().map(one).collect();
    let tasks = |found: String, it: &EventFigures| {
        let tasks: Vec<String> =
            it.by_task.iter().map(|(task, found)| format!("{task} {found}")).collect();
        format!("{found}: {}.", if tasks.is_empty() { "-".to_owned() } else { tasks.join(", ") })
    };
    let mut words =
        vec![String::new(), format!("AUROC by person ({}): {}.", row.name, people.join(", "))];
    words.extend(
        row.summary.events_at.iter().map(|(budget, it)| {
            tasks(format!("Found in hindsight at {budget} false alarms/h"), it)
        }),
    );
    words.extend(row.alerts.iter().flat_map(|it| {
        [("RISING", &it.rising), ("HIGH", &it.high)]
            .map(|(level, it)| tasks(format!("Found by own level {level}"), it))
    }));
    let guarded = interval(row.summary.auroc_time_balanced_guarded_ci95);
    words.push(format!("Guarded time-balanced AUROC of {}, 95 %: {guarded}.", row.name));
    words
}

/// How to read the table.
pub(super) fn notes() -> Vec<String> {
    [
        "",
        "n: recordings scored. AUROC: pooled. person: median over people; range: lowest and highest. norm.: ranks within each recording.",
        "balanced: windows weighed within each minute so that a clock gets some 0.5, of few recordings less or more: see the",
        "row of the clock; guarded: besides, without 60 s after onset and 90 s after end.",
        "packets lost: each on its own, with all channels of half a second. after a made-up night: the detector heard the recording",
        "once before, and then eight hours of its calmest minutes with a slower heart, less sweat and an arm that lies.",
        "shuff.: recordings cut in their rests, reordered and judged anew. still: windows that move less than half of the recording.",
        "in hindsight: the threshold that finds most within the budget, chosen on the scored people themselves; no alert rings there.",
        "chosen on others: such a threshold of people who were not scored. Both count wherever the score rises to it.",
        "own level: the alerts that the product would raise, RISING at any level and HIGH, with hold, end and pause; hours after learning alone.",
        "A false alarm is one outside of episodes, be it just before an onset; with --early none within 10 min before or after one.",
        "chance: the same search on scores turned in time (own level: as many alerts at other times); same thr.: turned scores at the same threshold.",
        "active: of the false alarms, those in the fifth of the time in which each wrist moved most (by chance 1 in 5).",
        "lead: from an alarm 10 min to 30 s before an onset to that onset. Onsets that a protocol sets cannot be foreseen: read it as chance.",
        "forward: each later recording of a person, by a model of all others and of the person's own earlier ones.",
        "leave one session out: each recording of whoever has several, by a model of all others and of all the person's other",
        "ones. It is optimistic about people whose later days are known, as they are to nobody who is watched.",
        "moving-average rate: the part of the last half hour that lay in episodes which are over. Intervals: people drawn anew.",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Three decimals, or a dash.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}
