use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use detector::{Assessment, Cause, Config, Detector, Level, Output, default_model};

use super::script::Script;

/// What the detector said, tick by tick.
#[derive(Debug)]
pub(super) struct Played {
    /// Each true second with all that was said at it.
    said: Vec<(i64, Vec<Said>)>,
    fault: Range<i64>,
    blind: Vec<Range<i64>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Said {
    level: Level,
    cause: Option<Cause>,
    score: Option<f64>,
    quality: f64,
    /// Whether there is a heart rate.
    heart: bool,
}

/// Plays a script to a new detector; none where it panics.
pub(super) fn play(script: &Script) -> Option<Played> {
    std::panic::catch_unwind(AssertUnwindSafe(|| said(script))).ok()
}

fn said(script: &Script) -> Played {
    let config = Config { hop_s: 1, ..Config::default() };
    let mut detector = Detector::new(config, Arc::new(default_model()));
    let mut arrivals = script.arrivals.iter().peekable();
    let mut said = Vec::new();
    for second in script.seconds.clone() {
        while let Some((_, reading)) = arrivals.next_if(|(comes, _)| *comes <= second) {
            detector.push(reading);
        }
        let outputs = detector.tick(script.clock(second));
        said.push((second, outputs.into_iter().filter_map(Said::of).collect()));
    }
    Played { said, fault: script.fault.clone(), blind: script.blind.clone() }
}

impl Said {
    fn of(output: Output) -> Option<Self> {
        let Output::Assessment(it) = output else { return None };
        let Assessment { level, cause, score, quality, features, .. } = it;
        Some(Self { level, cause, score, quality, heart: features.get("heart_rate").is_some() })
    }

    fn words(&self) -> String {
        match self.cause {
            Some(cause) => format!("no reading ({cause})"),
            None => self.level.to_string(),
        }
    }
}

impl Played {
    /// How much of the fault's time the detector said what, most first.
    pub(super) fn shares(&self) -> String {
        let mut seconds: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = 0;
        for (_, said) in self.during() {
            let words = said.last().map_or("nothing new".to_owned(), Said::words);
            *seconds.entry(words).or_default() += 1;
            count += 1;
        }
        let mut shares: Vec<(String, usize)> = seconds.into_iter().collect();
        shares.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let share = |seconds: usize| 100.0 * seconds as f64 / f64::from(count);
        let words = shares.iter().map(|(words, it)| format!("{words} {:.1} %", share(*it)));
        words.collect::<Vec<_>>().join(", ")
    }

    /// The part of the fault's time with a verdict, %.
    pub(super) fn verdicts(&self) -> f64 {
        self.part(|it| it.score.is_some())
    }

    /// The part of it with a verdict that has a heart rate, %.
    pub(super) fn hearts(&self) -> f64 {
        self.part(|it| it.score.is_some() && it.heart)
    }

    fn part(&self, is: impl Fn(&Said) -> bool) -> f64 {
        let there = |(_, said): &&(i64, Vec<Said>)| said.last().is_some_and(&is);
        100.0 * self.during().filter(there).count() as f64 / self.during().count() as f64
    }

    /// How much could be used at the end of the fault, 0 to 1.
    pub(super) fn quality(&self) -> Option<f64> {
        let last = self.during().filter_map(|(_, said)| said.last()).last()?;
        Some(last.quality)
    }

    /// From the start of the fault to the first "no reading", s.
    pub(super) fn said_after_s(&self) -> Option<i64> {
        let hidden = |said: &[Said]| said.iter().any(|it| it.level == Level::NoReading);
        let first = self.during().find(|(_, said)| hidden(said))?;
        Some(first.0 - self.fault.start)
    }

    /// From the end of the fault to the next verdict, s.
    pub(super) fn again_after_s(&self) -> Option<i64> {
        let after = self.said.iter().skip_while(|(second, _)| *second < self.fault.end);
        let mut verdicts =
            after.filter(|(_, said)| said.last().is_some_and(|it| it.score.is_some()));
        Some(verdicts.next()?.0 - self.fault.end)
    }

    /// How many seconds of the fault hide the wearer.
    pub(super) fn blind_seconds(&self) -> usize {
        self.blind().count()
    }

    /// How many of these have a verdict.
    pub(super) fn blind_verdicts(&self) -> usize {
        let verdict = |said: &[Said]| {
            said.iter().any(|it| it.score.is_some() || it.level != Level::NoReading)
        };
        self.blind().filter(|(_, said)| verdict(said)).count()
    }

    /// Whether another said the same at every second.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.said == other.said
    }

    fn during(&self) -> impl Iterator<Item = &(i64, Vec<Said>)> {
        self.said.iter().filter(|(second, _)| self.fault.contains(second))
    }

    fn blind(&self) -> impl Iterator<Item = &(i64, Vec<Said>)> {
        self.during().filter(|(second, _)| self.blind.iter().any(|it| it.contains(second)))
    }
}
