//! What has to hold of everything that a detector says.

use std::collections::BTreeSet;
use std::ops::Range;

use biosignal::{Channel, MICROS_PER_SECOND, Reading, Timestamp};
use detector::{Assessment, Config, Level, Output};

/// A signal that came longer ago than this is not there, s.
const FRESH_S: i64 = 16;

/// The detector's time does not begin before this.
const FIRST: Timestamp = Timestamp::from_micros(-(1 << 60));

/// Keeps what was pushed, and checks what is said of it.
#[derive(Default)]
pub struct Watch {
    /// The seconds in which samples of heart, skin and motion were measured.
    seen: [BTreeSet<i64>; 3],
    clock: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Watch {
    /// Every signal came in these seconds.
    pub fn saw_all(&mut self, seconds: Range<i64>) {
        self.seen.iter_mut().for_each(|seen| seen.extend(seconds.clone()));
    }

    pub fn pushed(&mut self, reading: &Reading) {
        let seen = match reading.channel {
            Channel::Bvp | Channel::HeartRate | Channel::Ibi => &mut self.seen[0],
            Channel::Eda => &mut self.seen[1],
            Channel::Acceleration => &mut self.seen[2],
            Channel::SkinTemperature | Channel::Button => return,
        };
        let times = (0..reading.len()).map(|index| reading.time_of(index).as_micros());
        seen.extend(times.map(|at_us| at_us.div_euclid(MICROS_PER_SECOND)));
    }

    pub fn check(&mut self, now: Timestamp, found: &[Output]) {
        // A clock that went back may tell of the same time again.
        if self.clock.is_some_and(|before| now < before) {
            self.last = None;
        }
        self.clock = Some(now);
        for output in found {
            match output {
                Output::Assessment(assessment) => self.assessment(now, assessment),
                Output::Alert(transition) => {
                    let alert = transition.alert();
                    assert!(alert.level >= Level::Rising, "{alert:?}");
                    assert!((0.0..=1.0).contains(&alert.score), "{alert:?}");
                    assert!((0.0..=1.0).contains(&alert.quality), "{alert:?}");
                }
            }
        }
    }

    fn assessment(&mut self, now: Timestamp, found: &Assessment) {
        assert!(found.at <= now.max(FIRST), "it tells of what is to come: {found:?}");
        assert!(self.last.is_none_or(|last| last < found.at), "the same time again: {found:?}");
        self.last = Some(found.at);
        assert_eq!(found.level == Level::NoReading, found.cause.is_some(), "{found:?}");
        assert_eq!(found.score.is_some(), found.cause.is_none(), "{found:?}");
        assert!(found.score.is_none_or(|score| (0.0..=1.0).contains(&score)), "{found:?}");
        assert!((0.0..=1.0).contains(&found.quality), "{found:?}");
        assert!(found.inputs.values().all(f64::is_finite), "{found:?}");
        assert!(found.features.iter().all(|(_, value)| value.is_finite()), "{found:?}");
        assert!(found.contributions.iter().all(|(_, added)| added.is_finite()), "{found:?}");
        if found.score.is_some() {
            self.is_seen(found);
        }
    }

    /// Whoever is judged was seen: something came within the blind time, and two of heart,
    /// skin and motion lately.
    fn is_seen(&self, found: &Assessment) {
        let end = found.at.as_micros().div_euclid(MICROS_PER_SECOND);
        let within = |seconds: i64| {
            self.seen.iter().filter(move |seen| seen.range(end - seconds..end).next().is_some())
        };
        let blind_after_s = i64::from(Config::default().blind_after_s);
        assert!(within(blind_after_s).count() >= 1, "judged blindly: {found:?}");
        assert!(within(FRESH_S).count() >= 2, "judged by one signal: {found:?}");
    }
}
