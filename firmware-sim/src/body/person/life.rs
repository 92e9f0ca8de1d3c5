use std::fmt;

use serde::Serialize;

use super::chance::{Chance, Wander};

/// What truly happened to a simulated person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// What it was.
    pub kind: EpisodeKind,
    /// Whether the body told nothing of it before its onset.
    pub silent: bool,
    /// When arousal began to rise, microseconds.
    pub rise_us: i64,
    /// When it could be seen from outside, microseconds.
    pub onset_us: i64,
    /// When arousal began to fall, microseconds.
    pub end_us: i64,
}

/// What an episode was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EpisodeKind {
    /// Distress that staff would log.
    Incident,
    /// Arousal without distress: joy, effort, a surprise.
    Bout,
}

impl fmt::Display for EpisodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incident => "incident",
            Self::Bout => "bout",
        })
    }
}

impl Episode {
    /// The same episode, later.
    #[must_use]
    pub fn shifted(self, later_us: i64) -> Self {
        Self {
            rise_us: self.rise_us + later_us,
            onset_us: self.onset_us + later_us,
            end_us: self.end_us + later_us,
            ..self
        }
    }
}

/// The hidden course of a person's arousal, in steps of half a second.
#[derive(Debug)]
pub(super) struct Life {
    chance: Chance,
    mood: Wander,
    incidents_per_h: f64,
    silent_share: f64,
    /// Extra rate of incidents after one, dying away within an hour.
    excitement_per_h: f64,
    episodes: Vec<(Episode, f64)>,
    now_us: i64,
}

const STEP_S: f64 = 0.5;
const STEP_US: i64 = 500_000;
const BOUTS_PER_H: f64 = 4.5 / 6.0;
const DECAY_S: f64 = 300.0;
/// No two episodes come closer than that.
const APART_US: i64 = 900_000_000;

impl Life {
    /// `incidents`: onsets that are sure to come, microseconds.
    pub(super) fn new(seed: u64, incidents: &[i64]) -> Self {
        let mut chance = Chance::new(seed, 1);
        let tau_s = chance.uniform(300.0, 600.0);
        let mood = Wander::new(&mut chance, tau_s, 0.35, STEP_S);
        let silent_share = beta_2_9(&mut chance);
        let incidents_per_h = chance.uniform(1.0, 4.0) / 14.0;
        let sure = |onset_us: &i64| {
            let episode = Episode {
                kind: EpisodeKind::Incident,
                silent: false,
                rise_us: onset_us - 210_000_000,
                onset_us: *onset_us,
                end_us: onset_us + 240_000_000,
            };
            (episode, 2.0)
        };
        let episodes = incidents.iter().map(sure).collect();
        let excitement_per_h = 0.0;
        Self { chance, mood, incidents_per_h, silent_share, excitement_per_h, episodes, now_us: 0 }
    }

    /// Lives a step; arousal is about 0 at rest, 1 to 2 in an episode.
    pub(super) fn step(&mut self) -> f64 {
        self.now_us += STEP_US;
        self.excitement_per_h *= (-STEP_S / 3600.0_f64).exp();
        let per_step = STEP_S / 3600.0;
        if self.chance.happens((self.incidents_per_h + self.excitement_per_h) * per_step) {
            self.begin(EpisodeKind::Incident);
        }
        if self.chance.happens(BOUTS_PER_H * per_step) {
            self.begin(EpisodeKind::Bout);
        }
        let moved: f64 = self.episodes.iter().map(|(of, height)| self.part(of) * height).sum();
        self.mood.step(&mut self.chance) + moved
    }

    /// Episodes so far and those that are sure to come, by onset.
    pub(super) fn truth(&self) -> Vec<Episode> {
        let mut truth: Vec<_> = self.episodes.iter().map(|(episode, _)| *episode).collect();
        truth.sort_by_key(|episode| episode.onset_us);
        truth
    }

    fn begin(&mut self, kind: EpisodeKind) {
        let lead = self.chance.lognormal(210.0, 0.6).clamp(40.0, 900.0);
        let length = self.chance.lognormal(240.0, 0.5).clamp(60.0, 900.0);
        // Distress goes deeper than joy, mostly.
        let mean_height = if kind == EpisodeKind::Incident { 1.6 } else { 0.9 };
        let height = self.chance.normal(mean_height, 0.4).max(0.4);
        let silent = kind == EpisodeKind::Incident && self.chance.happens(self.silent_share);
        let onset_us = self.now_us + micros(lead);
        let near = |(other, _): &(Episode, f64)| (other.onset_us - onset_us).abs() < APART_US;
        if self.episodes.iter().any(near) {
            return;
        }
        let rise_us = if silent { onset_us - 10_000_000 } else { self.now_us };
        let end_us = onset_us + micros(length);
        self.episodes.push((Episode { kind, silent, rise_us, onset_us, end_us }, height));
        if kind == EpisodeKind::Incident {
            self.excitement_per_h += 0.3;
        }
    }

    /// How much of an episode's height is felt now.
    fn part(&self, episode: &Episode) -> f64 {
        let Episode { rise_us, onset_us, end_us, .. } = *episode;
        if self.now_us <= rise_us {
            0.0
        } else if self.now_us < onset_us {
            // Fast at first, then levelling off.
            let left = seconds(onset_us - self.now_us) / seconds(onset_us - rise_us);
            1.0 - left * left
        } else if self.now_us < end_us {
            1.0
        } else {
            (-seconds(self.now_us - end_us) / DECAY_S).exp()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "times of days")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "at most minutes")]
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

/// Beta(2, 9) as the second smallest of ten uniform draws.
fn beta_2_9(chance: &mut Chance) -> f64 {
    let mut draws: Vec<f64> = (0..10).map(|_| chance.uniform(0.0, 1.0)).collect();
    draws.sort_by(f64::total_cmp);
    draws[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidents_come_a_few_times_a_day_and_raise_arousal() {
        let (mut incidents, mut bouts, mut silent) = (0, 0, 0);
        for seed in 0..60 {
            let mut life = Life::new(seed, &[]);
            (0..14 * 7_200).for_each(|_| {
                life.step();
            });
            let truth = life.truth();
            let of = |kind| truth.iter().filter(|episode| episode.kind == kind).count();
            incidents += of(EpisodeKind::Incident);
            bouts += of(EpisodeKind::Bout);
            silent += truth.iter().filter(|episode| episode.silent).count();
        }
        println!("in 60 days of 14 h: {incidents} incidents, {silent} silent, {bouts} bouts");
        assert!((100..=260).contains(&incidents), "{incidents} incidents");
        assert!((400..=640).contains(&bouts), "{bouts} bouts");
        assert!((10..=35).contains(&(silent * 100 / incidents)), "{silent} silent");
    }

    #[test]
    fn a_sure_incident_comes_at_its_time() {
        let mut life = Life::new(1, &[600_000_000]);
        let course: Vec<f64> = (0..1_800).map(|_| life.step()).collect();
        let mean = |from: usize, until: usize| {
            course[from..until].iter().sum::<f64>()
                / f64::from(u16::try_from(until - from).expect("few"))
        };
        assert!(mean(1_200, 1_500) > mean(0, 700) + 1.0);
        assert_eq!(life.truth()[0].onset_us, 600_000_000);
    }
}
