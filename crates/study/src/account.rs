//! What one hop's score is made of: every number between the measured features and the score,
//! so that pencil, paper and the columns of a replay are enough to check it.

use std::fmt::{Display, Write as _};

use detector::{Assessment, Ground, Inputs, Model, Term};

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
    "  is the past's mean squared distance; each is taken from the mean of the time with its window.",
    "The past is not every hop. All with a score teach until 10 minutes are known; later those of",
    "  quality 0.5 and more, below RISING, and not within half an hour of HIGH (what lasts for longer",
    "  than an hour teaches after all). It counts as many windows as a half-life of 2 h leaves, so",
    "  that it forgets; its mean moves by no more than 0.67 an hour once an hour is known.",
    "  30 windows of the population stand beside it in own and rank, 60 in scatter; a person's usual",
    "  is the mean * windows / (windows + 30), in the feature's unit.",
    "adds: is * weight. now: the sum over a feature's inputs.",
    "smoothed: keep * before + (1 - keep) * now; now where there is nothing before.",
    "A reason's words are those of the input that adds most now, among those of its sign whose",
    "  numbers lie on the side that the input says: level, rank and own are told as the value against",
    "  what is usual for the person; the others as the mean of the last hops against that of those",
    "  before, back in the feature's unit. It adds what all features of its sign add, smoothed.",
    "Every reason of an alert: up to three signs that add more than 0.3, at least the heaviest.",
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
        let all: Vec<(&Term, f64)> =
            self.model.parts().terms.iter().zip(self.model.weigh(&self.of.inputs)).collect();
        let added = self.grounds.iter().filter_map(|ground| {
            let name = ground.feature.name();
            let own = all.iter().filter(|(term, _)| feature_of(&term.input) == name);
            let terms: Vec<_> = own.map(|(term, adds)| (*term, is(&term.input), *adds)).collect();
            let of =
                |hop: &Assessment| hop.contributions.iter().find(|it| it.0 == name).map(|it| it.1);
            (!terms.is_empty()).then(|| Added {
                ground,
                now: terms.iter().map(|(_, _, adds)| adds).sum(),
                terms,
                before: self.before.and_then(of),
                smoothed: of(self.of).unwrap_or(0.0),
            })
        });
        added.collect()
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
        let (bias, logit) = (parts.bias, parts.bias + smoothed);
        text.line(format_args!(
            "bias {bias:+.4}; all features now {now:+.4}, smoothed {smoothed:+.4}, keep exp(-{HOP_S} / {}) = {keep:.4}",
            parts.smoothing_s
        ));
        text.line(format_args!(
            "logit = bias + smoothed = {logit:+.4}; score = 1 / (1 + exp(-logit)) = {:.4}",
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
