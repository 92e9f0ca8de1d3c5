//! What eight hours of one wearer cost the detector: CPU time of one thread, all features,
//! packets in, assessments out.

mod worn;

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Result;
use criterion::{Criterion, Throughput};
use detector::{Config, Detector, default_model};
use worn::{Worn, cpu_time};

fn main() -> Result<()> {
    let worn = Worn::read()?;
    let model = Arc::new(default_model());
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("eight_hours");
    group.throughput(Throughput::Elements(worn.len() as u64));
    for hop_s in [10, 1] {
        let whole = || {
            let config = Config { hop_s, ..Config::default() };
            let mut detector = Detector::new(config, Arc::clone(&model));
            for second in 0..worn.len() {
                black_box(worn.wear(second, &mut detector));
            }
        };
        group.bench_function(format!("hop_{hop_s}_s"), |bencher| {
            bencher.iter_custom(|times| cpu_time(|| (0..times).for_each(|_| whole())));
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
