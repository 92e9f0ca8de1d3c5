//! Simulated people must not be easy: what the real detector measures of them before an incident
//! tells no more than it does of real people, no single input tells much, and effort fools who
//! does not allow for it.

mod alarms;
mod day;
mod ridge;

use detector::Inputs;
use rayon::prelude::*;

use alarms::Watch;
use day::{Day, Hop, Phase, places};
use ridge::Ridge;

const PEOPLE: u64 = 40;
const HOURS: i64 = 10;
/// Of so many hops one is learned from; neighbours say nearly the same.
const EVERY: usize = 6;

/// The reference model's inputs beside the heart rate: none of movement, so that compensation is
/// all that it knows of it.
const REFERENCE: [&str; 11] = [
    "rmssd.own",
    "pulse_amplitude.own",
    "pulse_amplitude.medium",
    "scl.own",
    "scl.medium",
    "scl_slope.level",
    "scr_rate.own",
    "scr_amplitude.own",
    "phasic_deviation.own",
    "skin_temperature.own",
    "temperature_slope_5min.level",
];
/// The heart rate as it is,
const RAW: [&str; 2] = ["heart_rate.own", "heart_rate.medium"];
/// and beyond what movement explains.
const COMPENSATED: [&str; 2] = ["heart_rate_residual.own", "heart_rate_residual.medium"];

#[test]
fn people_are_as_hard_to_read_as_people_are() {
    let days: Vec<Day> = (1..=PEOPLE).into_par_iter().map(|seed| Day::of(seed, HOURS)).collect();
    tell_of(&days);

    let (input, area) = best_single(&days);
    println!("best single input: {input}, AUROC {area:.3}");
    let [_, reference] = [RAW, COMPENSATED].map(|heart| {
        let scores = left_out(&days, &heart);
        let area = auroc(&days, |person, at| scores[person][at]);
        let watch = Watch::of(&days, &scores);
        println!("reference model with {}: AUROC {area:.3}, {watch}", heart[0]);
        area
    });

    let [raw, compensated] = [RAW, COMPENSATED].map(|heart| {
        let watch = Watch::of(&days, &alone(&days, &heart));
        println!("{} alone: {watch}", heart[0]);
        watch.in_active_fifth()
    });

    assert!(area < 0.70, "{input} alone reaches {area:.3}");
    assert!((0.65..=0.78).contains(&reference), "the reference model reaches {reference:.3}");
    assert!(compensated < raw - 0.15, "{compensated:.2} in the most active fifth, raw {raw:.2}");
}

#[expect(clippy::print_stdout, reason = "figures to read")]
fn tell_of(days: &[Day]) {
    let hops = || days.iter().flat_map(|day| &day.hops);
    let coming = hops().filter(|hop| hop.phase == Phase::Coming).count();
    let incidents: usize = days.iter().map(|day| day.onsets.len()).sum();
    println!(
        "{PEOPLE} people, {HOURS} h each: {incidents} incidents, {} hops, {coming} before one",
        hops().count()
    );
    assert!(incidents > 20, "too few incidents to tell anything");
}

/// The input that tells most by itself, whichever way round.
fn best_single(days: &[Day]) -> (String, f64) {
    let names = Inputs::names();
    let area = |place: usize| {
        let area = auroc(days, |person, at| days[person].hops[at].inputs[place]);
        area.max(1.0 - area)
    };
    let areas: Vec<f64> = (0..names.len()).into_par_iter().map(area).collect();
    let best = areas.into_iter().zip(names).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(area, name)| (name, area)).expect("there are inputs")
}

/// Scores by the mean of some inputs: a rule that nobody taught to distrust effort.
fn alone(days: &[Day], names: &[&str]) -> Vec<Vec<f64>> {
    let places = places(names);
    let score = |hop: &Hop| {
        let mean = places.iter().map(|at| hop.inputs[*at]).sum::<f64>() / count(places.len());
        1.0 / (1.0 + (-mean).exp())
    };
    days.iter().map(|day| day.hops.iter().map(score).collect()).collect()
}

/// Scores of each person's hops by a model of all others.
fn left_out(days: &[Day], heart: &[&str]) -> Vec<Vec<f64>> {
    let names: Vec<&str> = heart.iter().chain(&REFERENCE).copied().collect();
    let places = places(&names);
    let inputs = |hop: &Hop| places.iter().map(|at| hop.inputs[*at]).collect::<Vec<f64>>();
    let rows = |day: &Day| -> Vec<(Vec<f64>, bool)> {
        let hops = day.hops.iter().step_by(EVERY).filter(|hop| hop.phase != Phase::After);
        hops.map(|hop| (inputs(hop), hop.phase == Phase::Coming)).collect()
    };
    let lessons: Vec<_> = days.iter().map(rows).collect();
    let without = |person: usize| {
        let others = (0..days.len()).filter(|other| *other != person);
        let rows: Vec<_> = others.flat_map(|other| lessons[other].clone()).collect();
        let model = Ridge::fit(&rows);
        days[person].hops.iter().map(|hop| model.score(&inputs(hop))).collect()
    };
    (0..days.len()).into_par_iter().map(without).collect()
}

/// The share of pairs of hops of which the one before an incident scores higher; equal ones
/// count half. `score` is asked for a person's hop.
fn auroc(days: &[Day], score: impl Fn(usize, usize) -> f64) -> f64 {
    let of = |phase: Phase| -> Vec<f64> {
        let each = days.iter().enumerate().flat_map(|(person, day)| {
            let chosen = day.hops.iter().enumerate().filter(|(_, hop)| hop.phase == phase);
            chosen.map(|(at, _)| score(person, at)).collect::<Vec<f64>>()
        });
        each.collect()
    };
    let (coming, mut calm) = (of(Phase::Coming), of(Phase::Calm));
    calm.sort_by(f64::total_cmp);
    let below = |value: &f64| {
        let lower = calm.partition_point(|other| other < value);
        let not_higher = calm.partition_point(|other| other <= value);
        (count(lower) + count(not_higher)) / 2.0
    };
    coming.iter().map(below).sum::<f64>() / count(coming.len()) / count(calm.len())
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).expect("days at most"))
}
