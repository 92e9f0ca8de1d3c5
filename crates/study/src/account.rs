//! What one hop's score is made of: every number between the measured features and the score,
//! so that pencil, paper and the columns of a replay are enough to check it.

use std::fmt::{Display, Write as _};

use detector::{Assessment, Config, Ground, Inputs, Model, Term, Thresholds, Weights};

use crate::features::{feature_of, view_of};
use crate::run::HOP_S;

/// The views of change, with the ages in hops that they compare; the hop itself has the age 0.
const CHANGES: [(&str, &str, &str); 4] = [
    ("brief", "0-1", "3-11"),
    ("short", "0-2", "6-23"),
    ("medium", "0-5", "18-35"),
    ("long", "0-5", "36-71"),
];

/// How each number follows from those before it.
const NOTES: &[&str] = &[
    "value: the replay's column. All else is in the population's spreads, within 4.",
    "level: (weighed - usual) / spread.",
    "own: level - (windows * mean + level) / (windows + 31), from the person's past.",
    "rank: 3 * ((below + (alike + 1) / 2 + 30 * N(level)) / (all + 31) - 0.5), where N is the",
    "  normal distribution, and the person's past is counted in bins of 0.25 from -3 to 3 and beyond;",
    "  a value on an edge lies in the bin below.",
    "brief, short, medium, long: (last - before) / scatter, each the mean level of the hops of these",
    "  ages that have the feature; the hop itself has age 0. 0 where less than a third are there.",
    "scatter: sqrt((60 * within^2 + windows * squared + own^2) / (60 + windows + 1)), where squared",
    "  is the mean of own^2 over the past, each as it was at its time.",
    "The past is not every hop. All with a score teach until 10 minutes are known; later those of",
    "  quality 0.5 and more with a score below RISING's threshold, while no alert goes on, and not",
    "  within half an hour of HIGH (what lasts for longer than an hour teaches after all). windows is",
    "  how many taught, at most as many as a half-life of 2 h leaves, so that what is older fades; the",
    "  mean moves by no more than 0.67 an hour once an hour is known.",
    "  Hours in which the arm rests, as in sleep, have a past of their own, in which squared is no less",
    "  than in the other. Each begins with the other one's, which then counts for 60 windows at most.",
    "  Who gets up after an hour of rest or more has no hops of before to be compared with.",
    "  30 windows of the population stand beside it in own and rank, 60 in scatter; a person's usual",
    "  is the mean * windows / (windows + 30), in the feature's unit.",
    "adds: is * weight. now: the sum over a feature's inputs. Where heart, EDA or motion is not",
    "  seen, weights and bias are those that the model has for the other two.",
    "smoothed: keep * before + (1 - keep) * now; now where there is nothing before.",
    "A reason's words are those of the input that adds most now, among those of its sign whose",
    "  numbers lie on the side that the input says: level, rank and own are told as the value against",
    "  what is usual for the person; the others as the mean of the last hops against that of those",
    "  before, back in the feature's unit. It adds what all features of its sign add, smoothed.",
    "Reasons are up to three signs that add more than 0.3, at least the heaviest.",
];

/// A hop, and what is needed to follow it.
pub(crate) struct Account<'a> {
    pub(crate) name: &'a str,
    pub(crate) of: &'a Assessment,
    /// The hop before it.
    pub(crate) before: Option<&'a Assessment>,
    pub(crate) grounds: Vec<Ground>,
    pub(crate) model: &'a Model,
}

/// What a feature adds.
struct Added<'a> {
    ground: &'a Ground,
    terms: Vec<(&'a Term, f64, f64)>,
    now: f64,
    before: Option<f64>,
    smoothed: f64,
}

impl Account<'_> {
    /// The words and the numbers.
    pub(crate) fn text(&self) -> String {
        let it = self.of;
        let mut text = Text::default();
        let at = it.at.as_seconds_f64();
        text.line(format_args!("{}, time_unix {at}, model {}", self.name, self.model.id()));
        let Some(score) = it.score else {
            let cause = it.cause.map_or("unknown", detector::Cause::name);
            text.line(format_args!("No verdict: {cause}."));
            return text.0;
        };
        text.line(format_args!("State {}, score {score:.4}, quality {:.2}.", it.level, it.quality));
        let Thresholds { rising, high } = self.model.parts().thresholds;
        let Config { hold_hops, off_ratio, .. } = Config::default();
        text.line(format_args!(
            "An alert takes {hold_hops} hops in a row above {rising:.4} (rising) or {high:.4} (high; \
             a person's own may be lower), and ends below {:.4}.",
            rising * off_ratio
        ));
        if let Some(signal) = it.lacking() {
            text.line(format_args!(
                "No {} is seen: the others are weighed by themselves.",
                signal.name()
            ));
        }
        if it.rests {
            text.line("The arm rests, as in sleep: the past is that of other hours of rest.");
        }
        if let Some(celsius) = it.unusual_skin() {
            text.line(format_args!(
                "The skin has {celsius:.1} C, where 30 to 40 are those of a band that sits well: \
                 read sweat with care."
            ));
        }
        let mut added = self.added();
        self.reasons(&added, &mut text);
        added.sort_by(|a, b| b.smoothed.abs().total_cmp(&a.smoothed.abs()));
        for feature in &added {
            text.line("");
            self.feature(feature, &mut text);
        }
        text.line("");
        self.sum(&added, &mut text);
        text.line("");
        NOTES.iter().for_each(|note| text.line(note));
        text.0
    }

    fn added(&self) -> Vec<Added<'_>> {
        let inputs: Vec<(String, f64)> =
            Inputs::names().into_iter().zip(self.of.inputs.values()).collect();
        let is = |name: &str| inputs.iter().find(|(input, _)| input == name).map_or(0.0, |it| it.1);
        let adds = self.model.weigh(&self.of.inputs, self.of.lacking());
        let all: Vec<(&Term, f64)> = self.weights().terms.iter().zip(adds).collect();
        let added = self.grounds.iter().filter_map(|ground| {
            let name = ground.feature.name();
            let own = all.iter().filter(|(term, _)| feature_of(&term.input) == name);
            let terms: Vec<_> = own.map(|(term, adds)| (*term, is(&term.input), *adds)).collect();
            let of =
                |hop: &Assessment| hop.contributions.iter().find(|it| it.0 == name).map(|it| it.1);
            let smoothed = of(self.of).unwrap_or(0.0);
            // What other signals weighed before goes on to add, less and less.
            (!terms.is_empty() || smoothed != 0.0).then(|| Added {
                ground,
                now: terms.iter().map(|(_, _, adds)| adds).sum(),
                terms,
                before: self.before.and_then(of),
                smoothed,
            })
        });
        added.collect()
    }

    fn weights(&self) -> &Weights {
        self.model.weights(self.of.lacking())
    }

    fn reasons(&self, added: &[Added<'_>], text: &mut Text) {
        for reason in &self.of.reasons {
            let features = added.iter().map(|it| (it.ground.feature, it.smoothed));
            let named = features.clone().find(|it| it.0.name() == reason.feature);
            let parts: Vec<String> = features
                .filter(|it| Some(it.0.sign()) == named.map(|named| named.0.sign()))
                .map(|(feature, smoothed)| format!("{} {smoothed:+.4}", feature.name()))
                .collect();
            let (adds, parts) = (reason.contribution, parts.join(", "));
            text.line(format_args!("- {} (adds {adds:+.4}: {parts})", reason.text));
        }
    }

    fn feature(&self, it: &Added<'_>, text: &mut Text) {
        let feature = it.ground.feature;
        let (name, unit) = (feature.name(), feature.unit());
        let population = &self.model.parts().population[name];
        let plain = |mean: f64| feature.plain(population.usual + population.scale * mean);
        let features = &self.of.features;
        match (features.get(name), features.weighed().get(name)) {
            (Some(value), Some(weighed)) => text.line(format_args!(
                "{name}: value {value:.6} {unit}, weighed {} = {weighed:.4}",
                feature.formula()
            )),
            _ => text.line(format_args!("{name}: missing")),
        }
        text.line(format_args!(
            "  population: usual {:.4}, spread {:.4}, within {:.4}",
            population.usual, population.scale, population.within
        ));
        if let Some(own) = it.ground.own {
            text.line(format_args!(
                "  past: windows {:.2}, mean {:+.4}, squared {:.4}; usually {:.4} {unit}",
                own.windows, own.mean, own.squared, it.ground.usual
            ));
            text.line(format_args!(
                "  bins: below {:.2}, alike {:.2}, all {:.2}",
                own.below, own.alike, own.all
            ));
        }
        text.line(format_args!("  scatter {:.4}", it.ground.scatter));
        for ((view, last, before), means) in CHANGES.iter().zip(it.ground.changes) {
            let Some(means) = means else { continue };
            if it.terms.iter().any(|(term, _, _)| view_of(&term.input) == *view) {
                text.line(format_args!(
                    "  {view}: last (hops {last}) {:+.4}, before (hops {before}) {:+.4}; in {unit}: {:.4}, {:.4}",
                    means.0, means.1, plain(means.0), plain(means.1)
                ));
            }
        }
        for (term, is, adds) in &it.terms {
            let weight = if *is == 0.0 { 0.0 } else { adds / is };
            let input = &term.input;
            text.line(format_args!(
                "  {input:<28} is {is:+.4}, weight {weight:+.4}, adds {adds:+.4}"
            ));
        }
        let before = it.before.map_or("nothing".to_owned(), |before| format!("{before:+.4}"));
        let (now, smoothed) = (it.now, it.smoothed);
        text.line(format_args!("  now {now:+.4}, before {before}, smoothed {smoothed:+.4}"));
    }

    fn sum(&self, added: &[Added<'_>], text: &mut Text) {
        let parts = self.model.parts();
        let keep = (-(HOP_S as f64) / parts.smoothing_s.max(1e-3)).exp();
        let now: f64 = added.iter().map(|it| it.now).sum();
        let smoothed: f64 = added.iter().map(|it| it.smoothed).sum();
        let score = self.of.score.unwrap_or_default();
        let logit = (score / (1.0 - score)).ln();
        text.line(format_args!(
            "bias now {:+.4}, smoothed {:+.4}; all features now {now:+.4}, smoothed {smoothed:+.4}; \
             keep exp(-{HOP_S} / {}) = {keep:.4}",
            self.weights().bias,
            logit - smoothed,
            parts.smoothing_s
        ));
        text.line(format_args!(
            "logit = bias + features, both smoothed = {logit:+.4}; score = 1 / (1 + exp(-logit)) = {:.4}",
            Model::score(logit)
        ));
    }
}

/// Lines of text.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, words: impl Display) {
        writeln!(self.0, "{words}").expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use biosignal::{Channel, DeviceId, Reading, Timestamp};
    use detector::Usual;

    use super::*;
    use crate::run::{before, run};
    use crate::scores;
    use crate::stream::Stream;

    const START: i64 = 1_600_000_000;
    const SECONDS: u32 = 840;

    /// A pulse, sweat that moves and a restless wrist that turns.
    fn stream() -> Stream {
        let second = |at: u32| {
            let measured_at = Timestamp::from_seconds(START + i64::from(at));
            let reading = move |channel, hz: u32, sample: &dyn Fn(f64) -> Vec<i32>| Reading {
                device: DeviceId::from_address([1; 6]),
                channel,
                epoch: 1,
                sequence: at,
                measured_at,
                received_at: measured_at,
                period_us: 1_000_000 / hz,
                samples: (0..hz)
                    .flat_map(|index| sample(f64::from(at) + f64::from(index) / f64::from(hz)))
                    .collect(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "small made-up samples")]
            let whole = |value: f64| value as i32;
            let sweat = |t: f64| 2.0e6 + 2.0e5 * (t / 9.0).sin() + 3.0e5 * (t / 140.0).cos();
            let swing = |t: f64| 30.0 + 25.0 * (t / 90.0).sin();
            [
                reading(Channel::Bvp, 64, &|t| {
                    vec![whole(8000.0 * (t * 7.5 + (t * 0.3).sin()).sin())]
                }),
                reading(Channel::Eda, 4, &|t| vec![whole(sweat(t))]),
                reading(Channel::Acceleration, 32, &|t| {
                    let turned = 400.0 * (t / 60.0).sin();
                    let [x, z] = [swing(t) * (t * 3.0).sin(), 1000.0 + swing(t) * t.cos()];
                    [x, turned, z].map(whole).to_vec()
                }),
            ]
        };
        let readings = (0..SECONDS).flat_map(second).collect();
        let end = START + i64::from(SECONDS);
        Stream::from_readings(
            readings,
            Timestamp::from_seconds(START),
            Timestamp::from_seconds(end),
        )
    }

    /// The built-in model, to which everybody's arousal rises.
    fn easily_alarmed() -> Arc<Model> {
        let mut parts = detector::default_model().parts().clone();
        parts.thresholds = Thresholds { rising: 1e-9, high: 2.0 };
        Arc::new(Model::new(parts).expect("it fits"))
    }

    /// The rows of a column up to a hop, with whether they have a score; the hop is the last.
    fn rows(csv: &str, column: &str, until: f64) -> Vec<(Option<f64>, bool)> {
        let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let head = lines.next().expect("a head");
        let place = head.iter().position(|name| *name == column).expect("a column");
        lines
            .take_while(|row| row[0].parse::<f64>().expect("a time") <= until)
            .map(|row| (row[place].parse().ok(), !row[1].is_empty()))
            .collect()
    }

    /// The scatter of the past before the last row, by the printed formula.
    fn scatter(levels: &[(Option<f64>, bool)], within: f64) -> f64 {
        let (mut windows, mut mean, mut squared) = (0.0, 0.0, 0.0);
        let own = |level: f64, windows: f64, mean: f64| {
            level - (windows * mean + level) / (windows + 31.0)
        };
        let (now, past) = levels.split_last().expect("a hop");
        // Ten minutes are learned from; from then on the score is above RISING.
        for level in past.iter().filter(|row| row.1).take(60).filter_map(|row| row.0) {
            let off = own(level, windows, mean);
            squared = (windows * squared + off * off) / (windows + 1.0);
            mean = (windows * mean + level) / (windows + 1.0);
            windows += 1.0;
        }
        let off = own(now.0.expect("a value"), windows, mean);
        ((60.0 * within * within + windows * squared + off * off) / (61.0 + windows)).sqrt()
    }

    fn mean(levels: &[(Option<f64>, bool)], youngest: usize, oldest: usize) -> f64 {
        let ages = levels.iter().rev().skip(youngest).take(oldest + 1 - youngest);
        let there: Vec<f64> = ages.filter_map(|row| row.0).collect();
        there.iter().sum::<f64>() / there.len() as f64
    }

    #[test]
    fn skin_that_is_cold_for_a_band_that_sits_well_is_told() {
        let (config, model) = (Config::default(), easily_alarmed());
        let text = |celsius: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "a temperature in its steps")]
            let step =
                |at: u32| (celsius / Channel::SkinTemperature.scale()) as i32 + (at % 2) as i32;
            let Stream { mut readings, start, end, .. } = stream();
            let skin = |it: &Reading| Reading {
                channel: Channel::SkinTemperature,
                period_us: 1_000_000,
                samples: vec![step(it.sequence)],
                ..it.clone()
            };
            let each_second = readings.iter().filter(|it| it.channel == Channel::Eda);
            readings.extend(each_second.map(skin).collect::<Vec<_>>());
            let stream = Stream::from_readings(readings, start, end);
            let hops = run(&stream, &config, &model).assessments;
            let of = hops.last().expect("there are hops");
            let grounds = before(&stream, &config, &model, of.at).grounds(of);
            Account { name: "R01", of, before: hops.iter().rev().nth(1), grounds, model: &model }
                .text()
        };
        let cold = text(28.5);
        assert!(cold.contains("The skin has 28.5 C, where 30 to 40 are"), "{cold}");
        assert!(!text(31.0).contains("The skin has"));
    }

    #[test]
    fn what_a_signal_added_before_it_went_is_told_as_long_as_it_adds() {
        let (config, model) = (Config::default(), easily_alarmed());
        let mut stream = stream();
        let gone = Timestamp::from_seconds(START + 700);
        stream.readings.retain(|it| it.channel != Channel::Eda || it.measured_at < gone);
        let hops = run(&stream, &config, &model).assessments;
        let lacks = |it: &Assessment| it.score.is_some() && it.lacking().is_some();
        let hop = hops.iter().position(lacks).expect("EDA goes");
        let of = &hops[hop];
        let grounds = before(&stream, &config, &model, of.at).grounds(of);
        let account =
            Account { name: "R01", of, before: Some(&hops[hop - 1]), grounds, model: &model };
        let text = account.text();
        assert!(text.contains("No EDA is seen"), "{text}");
        let after = |words: &str| -> f64 {
            let rest = text.split(words).nth(1).expect("printed");
            rest.split([',', ';', ' ']).next().and_then(|it| it.parse().ok()).expect("a number")
        };
        let keep = (-10.0 / model.parts().smoothing_s).exp();
        let bias = keep * model.parts().weights.bias + (1.0 - keep) * after("bias now ");
        let line = text.lines().find(|it| it.starts_with("bias now")).expect("printed");
        assert!(line.contains(&format!("smoothed {bias:+.4}; all")), "{bias}: {line}");
        let smoothed: f64 = of.contributions.iter().map(|it| it.1).sum();
        assert!(line.contains(&format!("smoothed {smoothed:+.4}; keep")), "{smoothed}: {line}");
    }

    #[test]
    fn rows_and_a_model_are_enough_to_find_the_printed_inputs() {
        let (stream, config, model) = (stream(), Config::default(), easily_alarmed());
        let found = run(&stream, &config, &model);
        let alert = &found.alerts[0];
        let hop = found.assessments.iter().position(|it| it.at == alert.at).expect("a row");
        let of = &found.assessments[hop];
        let account = Account {
            name: "R01",
            of,
            before: Some(&found.assessments[hop - 1]),
            grounds: before(&stream, &config, &model, of.at).grounds(of),
            model: &model,
        };
        let text = account.text();
        let file = tempfile::NamedTempFile::new().expect("a file");
        scores::write(file.path(), &found.assessments).expect("writable");
        let csv = std::fs::read_to_string(file.path()).expect("written");
        for feature in ["phasic_deviation", "posture_wander"] {
            let Usual { usual, scale, within } = model.parts().population[feature];
            let weigh = |value: f64| (((value + 0.001).ln() - usual) / scale).clamp(-4.0, 4.0);
            let rows = rows(&csv, feature, of.at.as_seconds_f64());
            let levels: Vec<_> = rows.iter().map(|(value, has)| (value.map(weigh), *has)).collect();
            let per_scatter = 1.0 / scatter(&levels, within);
            let change = |last, (from, until)| {
                let change = mean(&levels, 0, last) - mean(&levels, from, until);
                (change * per_scatter).clamp(-4.0, 4.0)
            };
            for (view, by_hand) in [
                ("level", mean(&levels, 0, 0)),
                ("brief", change(1, (3, 11))),
                ("medium", change(5, (18, 35))),
            ] {
                let line = text.lines().find(|it| it.contains(&format!("{feature}.{view} ")));
                let printed = line.and_then(|it| it.split("is ").nth(1)?.split(',').next());
                let printed: f64 = printed.expect("printed").parse().expect("a number");
                assert!((printed - by_hand).abs() < 2e-4, "{feature}.{view} {by_hand}: {text}");
                assert!(by_hand.abs() > 1e-3, "{feature}.{view} shows nothing");
            }
        }
    }
}
