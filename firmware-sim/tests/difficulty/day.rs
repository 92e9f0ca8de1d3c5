//! A day of a simulated person, as the detector sees it.

use std::sync::Arc;

use biosignal::{Channel, DeviceId, Reading, Timestamp};
use detector::{
    Assessment, Config, Detector, Inputs, Model, Output, Parts, Thresholds, default_model,
};
use firmware_sim::body::{EpisodeKind, Person, Segment};

/// A hop is 10 s.
pub(crate) const HOPS_PER_HOUR: f64 = 360.0;
/// The stretch before an onset in which it should be told, s,
const BEFORE_S: i64 = 180;
/// and what follows an onset and belongs to no class, s.
const AFTER_S: i64 = 600;

/// What is known of a moment.
pub(crate) struct Hop {
    /// Seconds since the beginning; nothing learns from it.
    pub(crate) at_s: i64,
    /// In the order of [`Inputs::names`].
    pub(crate) inputs: Vec<f64>,
    /// SD of acceleration over the last minute, g.
    pub(crate) activity: f64,
    pub(crate) phase: Phase,
}

/// Where a moment lies to the incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No incident comes within three minutes.
    Calm,
    /// One does.
    Coming,
    /// One began within the last ten minutes.
    After,
}

pub(crate) struct Day {
    /// Hops with a verdict, in the order of time.
    pub(crate) hops: Vec<Hop>,
    /// When incidents began, seconds since the beginning.
    pub(crate) onsets: Vec<i64>,
}

impl Day {
    /// Lives the day of the person of a seed under a detector.
    pub(crate) fn of(seed: u64, hours: i64) -> Self {
        let mut person = Person::new(seed, Vec::new());
        let mut band = Band::default();
        let mut detector = Detector::new(Config::default(), Arc::new(silent_model()));
        let mut found = Vec::new();
        for second in 1..=hours * 3_600 {
            for half in [500_000, 0] {
                let felt = person.live_until(second * 1_000_000 - half);
                band.readings(felt).iter().for_each(|reading| detector.push(reading));
            }
            found.extend(detector.tick(Timestamp::from_seconds(second)));
        }
        let truth = person.truth().into_iter();
        let incidents = truth.filter(|episode| episode.kind == EpisodeKind::Incident);
        let onsets = incidents.map(|it| it.onset_us / 1_000_000);
        let onsets: Vec<i64> = onsets.filter(|onset| *onset < hours * 3_600).collect();
        let hops = found.into_iter().filter_map(|output| match output {
            Output::Assessment(it) if it.score.is_some() => Some(Hop::of(&it, &onsets)),
            _ => None,
        });
        Self { hops: hops.collect(), onsets }
    }
}

/// A model of which no score is an alarm: it would hold up the learning of what is usual.
fn silent_model() -> Model {
    let thresholds = Thresholds { rising: 2.0, high: 2.0 };
    Model::new(Parts { thresholds, ..default_model().parts().clone() })
        .expect("the model was whole before")
}

impl Hop {
    fn of(assessment: &Assessment, onsets: &[i64]) -> Self {
        let at_s = assessment.at.as_micros() / 1_000_000;
        Self {
            at_s,
            inputs: assessment.inputs.values().collect(),
            activity: assessment.features.get("activity").unwrap_or_default(),
            phase: Phase::at(at_s, onsets),
        }
    }
}

impl Phase {
    fn at(at_s: i64, onsets: &[i64]) -> Self {
        let within = |from: i64, until: i64| {
            onsets.iter().any(|onset| (onset + from..onset + until).contains(&at_s))
        };
        if within(0, AFTER_S) {
            Self::After
        } else if within(-BEFORE_S, 0) {
            Self::Coming
        } else {
            Self::Calm
        }
    }
}

/// The places of inputs among [`Inputs::names`].
pub(crate) fn places(names: &[&str]) -> Vec<usize> {
    let all = Inputs::names();
    let place = |name: &&str| all.iter().position(|it| it == name).expect("such an input exists");
    names.iter().map(place).collect()
}

/// Makes readings of what is felt. What a device would compute itself is left out: the detector
/// finds the beats.
#[derive(Default)]
struct Band {
    sequence: u32,
}

impl Band {
    fn readings(&mut self, felt: Vec<Segment>) -> Vec<Reading> {
        self.sequence += 1;
        let raw =
            felt.into_iter().filter(|it| !matches!(it.channel, Channel::HeartRate | Channel::Ibi));
        raw.map(|segment| self.reading(segment)).collect()
    }

    fn reading(&self, segment: Segment) -> Reading {
        let at = Timestamp::from_micros(segment.at_us);
        Reading {
            device: DeviceId::from_address([1; 6]),
            channel: segment.channel,
            epoch: 1,
            sequence: self.sequence,
            measured_at: at,
            received_at: at,
            period_us: segment.period_us,
            samples: segment.samples,
        }
    }
}
