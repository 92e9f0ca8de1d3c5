//! What a person costs where there are many: CPU time of one thread and memory, at 1 to
//! 10,000 people who wear their bands at once.

mod worn;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use detector::{Config, Detector, default_model};
use tests::Usage;
use worn::{Worn, cpu_time};

/// How many people wear a band.
const PEOPLE: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// Everybody has worn it for so long: everything that the detector keeps is there, s.
const BEFORE_S: usize = 1800;
/// What is measured: everybody goes through the same two minutes, s.
const STRETCH_S: usize = 120;
/// A measurement is made of so many people's stretches at least.
const FEWEST: usize = 1_000;

#[expect(clippy::print_stdout, reason = "the answer of the benchmark")]
fn main() -> Result<()> {
    let worn = Worn::read()?;
    let mut one = Detector::new(Config::default(), Arc::new(default_model()));
    for second in 0..BEFORE_S {
        worn.wear(second, &mut one);
    }
    println!(
        "{:>7} {:>22} {:>8} {:>18}",
        "people", "ns per person-second", "x of 1", "KiB per person"
    );
    let mut alone = None;
    for people in PEOPLE {
        let (spent, kib) = wear_at_once(&worn, &one, people)?;
        let ns = spent.as_secs_f64() * 1e9;
        let times = ns / *alone.get_or_insert(ns);
        let resident = if people >= 100 { format!("{kib:.0}") } else { "-".to_owned() };
        println!("{people:>7} {ns:>22.0} {times:>8.2} {resident:>18}");
    }
    for second in BEFORE_S..worn.len() {
        worn.wear(second, &mut one);
    }
    println!("snapshot of a person after 8 h: {} bytes", one.snapshot().len());
    Ok(())
}

/// CPU time per person-second where so many go through the stretch side by side, and
/// resident memory per person, KiB.
fn wear_at_once(worn: &Worn, one: &Detector, people: usize) -> Result<(Duration, f64)> {
    let rounds = FEWEST.div_ceil(people);
    let (mut spent, mut kib) = (Duration::ZERO, 0.0);
    for _ in 0..rounds {
        let before = Usage::of(std::process::id())?.memory_mib;
        let mut all = vec![one.clone(); people];
        spent += cpu_time(|| {
            for second in BEFORE_S..BEFORE_S + STRETCH_S {
                for detector in &mut all {
                    black_box(worn.wear(second, detector));
                }
            }
        });
        let after = Usage::of(std::process::id())?.memory_mib;
        kib = f64::max(kib, (after - before) * 1024.0 / people as f64);
    }
    Ok((spent.div_f64((rounds * people * STRETCH_S) as f64), kib))
}
