//! Trains the arousal model on induced stress, and says how well it does on people it has not seen.
//! `train RECORDINGS MODEL`: the folder of zips with `episodes.csv`, and the file to write.

#![expect(clippy::print_stdout, reason = "the figures of a training run")]
#![expect(clippy::cast_possible_truncation, reason = "counts of packets and shares of lists")]
#![expect(clippy::needless_range_loop, reason = "people are numbered")]

use std::collections::BTreeMap;
use std::sync::Arc;

use biosignal::{Channel, DeviceId, Reading, Timestamp, recording::Recording};
use detector::{
    About, Assessment, Config, Detector, Inputs, Model, Output, Parts, Term, Thresholds, Usual,
};
use ndarray::{Array1, Array2};

const RIDGE: f64 = 30.0;

struct Hop {
    person: usize,
    at: i64,
    inside: bool,
    found: Assessment,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (folder, target) = (&args[1], &args[2]);
    let episodes = episodes(folder);
    let names: Vec<String> = {
        let mut n: Vec<_> = episodes.keys().cloned().collect();
        n.sort();
        n
    };
    let streams: Vec<Vec<Reading>> =
        names.iter().map(|name| readings(&format!("{folder}/{name}.zip"))).collect();
    // First pass: what is usual in the population. Second pass: inputs against it.
    let mut population: BTreeMap<String, Usual> = plain();
    let mut hops = Vec::new();
    for _ in 0..2 {
        let model = Arc::new(model(
            &vec![0.0; Inputs::names().len()],
            0.0,
            Thresholds { rising: 2.0, high: 2.0 },
            &population,
        ));
        hops = streams
            .iter()
            .enumerate()
            .flat_map(|(person, stream)| {
                replay(stream, &model, Config { learning_s: 0, ..Config::default() })
                    .into_iter()
                    .filter(|found| found.score.is_some())
                    .map(|found| {
                        let at = found.at.as_micros() / 1_000_000;
                        Hop { person, at, inside: inside(&episodes[&names[person]], at), found }
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        population = usual(&hops);
    }
    let folds: Vec<(Vec<f64>, f64)> =
        (0..names.len()).map(|out| fit(hops.iter().filter(|hop| hop.person != out))).collect();
    let mut scores = Vec::new();
    for (person, (weights, bias)) in folds.iter().enumerate() {
        let mut smooth: Option<(i64, f64)> = None;
        for hop in hops.iter().filter(|hop| hop.person == person) {
            let p = bias + dot(weights, &hop.found.inputs);
            let keep = (-10.0_f64 / 30.0).exp();
            let value = match smooth {
                Some((at, before)) if hop.at - at <= 10 => keep * before + (1.0 - keep) * p,
                _ => p,
            };
            smooth = Some((hop.at, value));
            scores.push((value, hop.inside, hop.at, person));
        }
    }
    println!(
        "hops {} of {} people, {} inside",
        hops.len(),
        names.len(),
        hops.iter().filter(|h| h.inside).count()
    );
    println!("leave-one-person-out pooled AUROC {:.3}", auroc(&scores));
    let mut own = Vec::new();
    for person in 0..names.len() {
        let s: Vec<_> = scores.iter().copied().filter(|s| s.3 == person).collect();
        own.push(format!("{} {:.2}", names[person], auroc(&s)));
    }
    println!("per person: {}", own.join(", "));
    let mut outside: Vec<f64> = scores.iter().filter(|s| !s.1).map(|s| s.0).collect();
    outside.sort_by(f64::total_cmp);
    let at = |part: f64| sigmoid(outside[((1.0 - part) * outside.len() as f64) as usize]);
    let (weights, bias) = fit(hops.iter());
    let thresholds = Thresholds { rising: at(0.08), high: at(0.03) };
    let trained = model(&weights, bias, thresholds, &population);
    std::fs::write(target, trained.to_json() + "\n").expect("writable");
    println!("thresholds {thresholds:?}");
    let trained = Arc::new(trained);
    for (person, name) in names.iter().enumerate() {
        show(name, &streams[person], &episodes[name], &trained);
    }
}

/// Plays a recording whole, and says when HIGH was on after each onset.
fn show(name: &str, stream: &[Reading], episodes: &[(String, i64, i64)], model: &Arc<Model>) {
    let found = replay(stream, model, Config::default());
    let high: Vec<i64> = found
        .iter()
        .filter(|a| a.level.name() == "high")
        .map(|a| a.at.as_micros() / 1_000_000)
        .collect();
    let words: Vec<String> = episodes
        .iter()
        .map(|(label, from, until)| {
            let first = high.iter().find(|at| *at >= from && *at <= until);
            first.map_or(format!("{label} -"), |at| {
                format!("{label} {:.1}", (at - from) as f64 / 60.0)
            })
        })
        .collect();
    let count = |level: &str| found.iter().filter(|a| a.level.name() == level).count();
    let outside = high.iter().filter(|at| !inside(episodes, **at)).count();
    println!(
        "{name} HIGH min after onset: {} | hops high {} ({outside} outside) rising {} settled {} none {}",
        words.join(", "),
        high.len(),
        count("rising"),
        count("settled"),
        count("no_reading")
    );
}

fn model(
    weights: &[f64],
    bias: f64,
    thresholds: Thresholds,
    population: &BTreeMap<String, Usual>,
) -> Model {
    let terms = Inputs::names().iter().zip(weights).map(|(name, w)| Term::line(name, *w)).collect();
    let about = About {
        data: "Iqbal et al. 2022, Sensors 22(21):8135: 20 people under induced stress".to_owned(),
        licence: "MIT".to_owned(),
        protocol: "label: a task was running; ridge on all windows of all people".to_owned(),
    };
    let (id, population, smoothing_s) = ("arousal-1".to_owned(), population.clone(), 30.0);
    Model::new(Parts { id, about, population, bias, terms, smoothing_s, thresholds }).expect("fits")
}

fn plain() -> BTreeMap<String, Usual> {
    Inputs::names()
        .iter()
        .map(|name| {
            (
                name.split('.').next().expect("feature").to_owned(),
                Usual { usual: 0.0, scale: 1.0, within: 1.0 },
            )
        })
        .collect()
}

fn usual(hops: &[Hop]) -> BTreeMap<String, Usual> {
    plain()
        .into_keys()
        .map(|name| {
            let mut values: Vec<f64> = hops
                .iter()
                .filter(|hop| !hop.inside)
                .filter_map(|hop| hop.found.features.weighed().get(&name))
                .collect();
            values.sort_by(f64::total_cmp);
            let middle = values[values.len() / 2];
            let mut off: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
            off.sort_by(f64::total_cmp);
            let scale = (1.4826 * off[off.len() / 2])
                .max(values.iter().map(|v| (v - middle).abs()).sum::<f64>() / values.len() as f64);
            (name, Usual { usual: middle, scale, within: 0.7 })
        })
        .collect()
}

fn episodes(folder: &str) -> BTreeMap<String, Vec<(String, i64, i64)>> {
    let mut all: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for line in
        std::fs::read_to_string(format!("{folder}/episodes.csv")).expect("episodes").lines().skip(1)
    {
        let w: Vec<&str> = line.split(',').collect();
        all.entry(w[0].to_owned()).or_default().push((
            w[1].to_owned(),
            w[2].parse().expect("time"),
            w[3].trim().parse().expect("time"),
        ));
    }
    all
}

fn inside(episodes: &[(String, i64, i64)], at: i64) -> bool {
    episodes.iter().any(|(_, from, until)| at > *from && at <= *until)
}

fn readings(path: &str) -> Vec<Reading> {
    let recording = Recording::from_zip(&std::fs::read(path).expect("zip")).expect("recording");
    let mut all = Vec::new();
    for track in recording.tracks.iter().filter(|track| track.channel != Channel::HeartRate) {
        let size = (500_000 / track.period_us).max(1) as usize;
        for (packet, samples) in track.samples.chunks(size * track.channel.components()).enumerate()
        {
            let measured_at =
                track.start.plus_micros((packet * size) as i64 * i64::from(track.period_us));
            all.push(Reading {
                device: DeviceId::from_address([1; 6]),
                channel: track.channel,
                epoch: 1,
                sequence: packet as u32,
                measured_at,
                received_at: measured_at,
                period_us: track.period_us,
                samples: samples.to_vec(),
            });
        }
    }
    all.sort_by_key(|reading| reading.measured_at);
    all
}

fn replay(stream: &[Reading], model: &Arc<Model>, config: Config) -> Vec<Assessment> {
    let mut detector = Detector::new(config, Arc::clone(model));
    let (from, until) = (
        stream[0].measured_at.as_micros() / 1_000_000,
        stream[stream.len() - 1].measured_at.as_micros() / 1_000_000,
    );
    let (mut next, mut found) = (0, Vec::new());
    for second in from..until {
        while next < stream.len() && stream[next].end() <= Timestamp::from_seconds(second) {
            detector.push(&stream[next]);
            next += 1;
        }
        found.extend(detector.tick(Timestamp::from_seconds(second)).into_iter().filter_map(
            |output| match output {
                Output::Assessment(a) => Some(a),
                Output::Alert(_) => None,
            },
        ));
    }
    found
}

fn dot(weights: &[f64], inputs: &Inputs) -> f64 {
    inputs.values().zip(weights).map(|(x, w)| x * w).sum()
}
fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Ridge logistic regression by Newton's method; the bias is not punished. People weigh the same.
fn fit<'a>(hops: impl Iterator<Item = &'a Hop>) -> (Vec<f64>, f64) {
    let rows: Vec<(Vec<f64>, f64)> = hops
        .map(|hop| {
            (hop.found.inputs.values().chain([1.0]).collect(), f64::from(u8::from(hop.inside)))
        })
        .collect();
    let n = rows[0].0.len();
    let x = Array2::from_shape_vec(
        (rows.len(), n),
        rows.iter().flat_map(|row| row.0.clone()).collect(),
    )
    .expect("shape");
    let y: Array1<f64> = rows.iter().map(|row| row.1).collect();
    let mut w = Array1::<f64>::zeros(n);
    for _ in 0..12 {
        let p = x.dot(&w).mapv(sigmoid);
        let mut gradient = x.t().dot(&(&p - &y));
        let mut weighted = x.clone();
        for (mut row, p) in weighted.outer_iter_mut().zip(&p) {
            row *= p * (1.0 - p);
        }
        let mut hessian = x.t().dot(&weighted);
        for i in 0..n - 1 {
            gradient[i] += RIDGE * w[i];
            hessian[[i, i]] += RIDGE;
        }
        hessian[[n - 1, n - 1]] += 1e-6;
        w -= &solve(hessian, gradient);
    }
    (w.iter().take(n - 1).copied().collect(), w[n - 1])
}

/// Gaussian elimination; the matrix is positive definite.
fn solve(mut a: Array2<f64>, mut b: Array1<f64>) -> Array1<f64> {
    let n = b.len();
    for i in 0..n {
        for j in i + 1..n {
            let f = a[[j, i]] / a[[i, i]];
            for k in i..n {
                let v = a[[i, k]];
                a[[j, k]] -= f * v;
            }
            let v = b[i];
            b[j] -= f * v;
        }
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            let v = b[k];
            b[i] -= a[[i, k]] * v;
        }
        b[i] /= a[[i, i]];
    }
    b
}

fn auroc(scores: &[(f64, bool, i64, usize)]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins, mut inside) = (0.0, 0.0, 0.0);
    for s in &sorted {
        if s.1 {
            wins += below;
            inside += 1.0;
        } else {
            below += 1.0;
        }
    }
    wins / (below * inside)
}
