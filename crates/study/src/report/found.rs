//! What was found of the events, line by line: each figure says whose threshold it rests on.

use crate::evaluate::outcome::Row;
use crate::score::EventFigures;

/// A line of the table of events.
pub(super) struct Found<'a> {
    /// Whose threshold, or which level.
    pub(super) by: &'static str,
    /// False alarms an hour that were allowed; nothing for a level.
    pub(super) budget: &'a str,
    pub(super) figures: &'a EventFigures,
    /// Of the false alarms within a budget, those in the most active fifth of the time.
    pub(super) active: String,
}

/// All lines of a detector: the first ones are in hindsight.
pub(super) fn found(row: &Row) -> Vec<Found<'_>> {
    let in_hindsight = row.summary.events_at.iter().map(|(budget, figures)| Found {
        by: "in hindsight",
        budget,
        figures,
        active: active(row, budget),
    });
    let line = |by, budget, figures| Found { by, budget, figures, active: String::new() };
    let carried = row.carried_over.iter();
    let carried = carried.map(|(budget, figures)| line("chosen on others", budget, figures));
    let own = match (&row.alerts, &row.summary.own_level) {
        (Some(alerts), _) => {
            vec![("own level RISING", &alerts.rising), ("own level HIGH", &alerts.high)]
        }
        (None, Some(figures)) => vec![("own level", figures)],
        (None, None) => Vec::new(),
    };
    let own = own.into_iter().map(|(by, figures)| line(by, "", figures));
    in_hindsight.chain(carried).chain(own).collect()
}

fn active(row: &Row, budget: &str) -> String {
    let of = row.false_alarms_while_active.get(budget);
    of.map(|it| format!("{}/{}", it.while_active, it.all)).unwrap_or_default()
}
