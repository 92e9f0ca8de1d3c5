//! Thresholds that keep a budget of false alerts, as the product raises them.

use anyhow::ensure;
use detector::{Config, Thresholds};

use super::alarms::Tally;
use super::alerts::Alerts;
use super::grid::Graded;
use super::sweep::thresholds;

/// No score reaches it.
pub(crate) const NEVER: f64 = 2.0;

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
    ensure!(
        calm_hours(unseen) > 0.0,
        "thresholds rest on hours outside of episodes in which alerts are raised, and there is \
         none: a person is learned for the first {} min that are seen",
        config.learning_s / 60
    );
    let found = keeping_or_never(unseen, config);
    let levels = [
        ("RISING", found.rising, config.rising_budget_per_hour),
        ("HIGH", found.high, config.high_budget_per_hour),
    ];
    for (level, threshold, budget) in levels {
        ensure!(
            threshold < NEVER,
            "no threshold keeps {level} within {budget} false alerts an hour on unseen people, of \
             whom {:.1} h outside of episodes were given; add recordings of more people",
            calm_hours(unseen)
        );
    }
    Ok(found)
}

/// The same, where a level that nothing keeps within its budget is never reached.
pub(crate) fn keeping_or_never(unseen: &[Graded], config: &Config) -> Thresholds {
    let hours = calm_hours(unseen);
    let scores = unseen.iter().flat_map(|it| it.verdicts().map(|(_, score)| score));
    let tried = thresholds(scores);
    let lowest = |keeps: &dyn Fn(f64) -> bool| {
        tried.iter().copied().take_while(|it| keeps(*it)).last().unwrap_or(NEVER)
    };
    let within = |alerts: usize, budget: f64| alerts as f64 <= budget * hours;
    let (budget, strict) = (config.rising_budget_per_hour, config.high_budget_per_hour);
    let rising = lowest(&|rising| {
        within(false_alerts(unseen, Thresholds { rising, high: NEVER }, config).rising, budget)
    });
    let high = lowest(&|high| {
        let found = false_alerts(unseen, Thresholds { rising, high }, config);
        high >= rising && within(found.high, strict) && within(found.rising, budget)
    });
    Thresholds { rising, high }
}

fn calm_hours(unseen: &[Graded]) -> f64 {
    unseen.iter().map(Graded::known_calm_hours).sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episodes::{Episode, Labels};
    use crate::scores::{Hop, Scores};

    /// Eight people, an hour each, known after ten minutes: by hop what each scores.
    fn people(score: impl Fn(u32, u32) -> f64) -> Vec<Graded> {
        let one = |person: u32| {
            let hop = |hop| {
                let (time, score) = (f64::from(hop) * 10.0, Some(score(person, hop)));
                Hop { time, score, level: None }
            };
            let scores = Scores { hops: (0..360).map(hop).collect(), has_level: false };
            let episodes = vec![Episode::new("x", 3000.0, 3300.0)];
            let labels = Labels { episodes, ..Labels::default() };
            Graded::of(&person.to_string(), &labels, &scores, None).map(|it| it.known_from(600.0))
        };
        (0..8).filter_map(one).collect()
    }

    #[test]
    fn the_lowest_thresholds_that_keep_the_budgets_are_found() {
        let config = Config::default();
        // One false peak each, from 0.55 to 0.9, in 6.6 h: three may ring, and none at HIGH.
        let people = people(|person, hop| match hop {
            200..203 => 0.55 + 0.05 * f64::from(person),
            310..320 => 0.95 + f64::from(hop) / 1e5,
            _ => 0.1,
        });
        let found = keeping(&people, &config).expect("they can be kept");
        assert!((0.74..0.805).contains(&found.rising), "{found:?}");
        assert!((0.89..0.96).contains(&found.high), "{found:?}");
        let alerts = false_alerts(&people, found, &config);
        assert_eq!((alerts.rising, alerts.high), (3, 0));
    }

    #[test]
    fn a_budget_that_nothing_keeps_is_an_error() {
        let config = Config::default();
        let complaint = |people: &[Graded]| {
            keeping(people, &config).expect_err("there are no such thresholds").to_string()
        };
        let always = people(|_, _| 0.9);
        let never = Thresholds { rising: NEVER, high: NEVER };
        assert_eq!(keeping_or_never(&always, &config), never);
        assert!(complaint(&always).starts_with("no threshold keeps RISING within 0.5 false"));
        let learning: Vec<Graded> = always.into_iter().map(|it| it.known_from(1e9)).collect();
        assert!(
            complaint(&learning).contains("there is none: a person is learned for the first 10")
        );
    }
}
