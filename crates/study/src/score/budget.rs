//! Thresholds that keep a budget of false alerts, as the product raises them.

use anyhow::{Context, ensure};
use detector::{Config, Thresholds};

use super::alarms::Tally;
use super::alerts::Alerts;
use super::grid::Graded;
use super::sweep::thresholds;

/// No score reaches it.
const NEVER: f64 = 2.0;

/// False alerts of some recordings.
struct False {
    /// Raised, at whichever level.
    rising: usize,
    /// Raised at HIGH, or escalated to it.
    high: usize,
}

/// The lowest thresholds at which, as at each higher one that is tried, the product's alerts
/// outside of episodes stay within the configuration's budgets; RISING first, and HIGH where
/// RISING then stands. Hours are those outside of episodes in which alerts are raised.
///
/// # Errors
/// Where there is no such hour, or no threshold that keeps a budget.
pub(crate) fn keeping(unseen: &[Graded], config: &Config) -> anyhow::Result<Thresholds> {
    let hours: f64 = unseen.iter().map(Graded::known_calm_hours).sum();
    ensure!(
        hours > 0.0,
        "thresholds rest on hours outside of episodes in which alerts are raised, and there is \
         none: a person is learned for the first {} min that are seen",
        config.learning_s / 60
    );
    let scores = unseen.iter().flat_map(|it| it.verdicts().map(|(_, score)| score));
    let tried = thresholds(scores);
    let lowest = |level: &str, budget: f64, keeps: &dyn Fn(f64) -> bool| {
        tried.iter().copied().take_while(|it| keeps(*it)).last().with_context(|| {
            format!(
                "no threshold keeps {level} within {budget} false alerts an hour on unseen people"
            )
        })
    };
    let within = |alerts: usize, budget: f64| alerts as f64 <= budget * hours;
    let (budget, strict) = (config.rising_budget_per_hour, config.high_budget_per_hour);
    let rising = lowest("RISING", budget, &|rising| {
        within(false_alerts(unseen, Thresholds { rising, high: NEVER }, config).rising, budget)
    })?;
    let high = lowest("HIGH", strict, &|high| {
        let found = false_alerts(unseen, Thresholds { rising, high }, config);
        high >= rising && within(found.high, strict) && within(found.rising, budget)
    })?;
    Ok(Thresholds { rising, high })
}

fn false_alerts(unseen: &[Graded], thresholds: Thresholds, config: &Config) -> False {
    let mut sum = False { rising: 0, high: 0 };
    for it in unseen {
        let alerts = Alerts::of(it, thresholds, config);
        sum.rising += Tally::of_begun(it, &alerts.rising.at).false_alarms;
        sum.high += Tally::of_begun(it, &alerts.high.at).false_alarms;
    }
    sum
}
