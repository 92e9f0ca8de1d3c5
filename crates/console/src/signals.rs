use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use biosignal::{Channel, MICROS_PER_SECOND, PersonId, Reading, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Of, Scan};

use crate::app::App;
use crate::board::{Level, activity};
use crate::body::{self, Asked};
use crate::failure::Failure;
use crate::heard;
use crate::moment::{self, Millis};

const LONGEST_MINUTES: u32 = 240;
/// So many points at most are drawn per line; at least 2 s lie between them.
const MOST_POINTS: u32 = 1_800;
const SHORTEST_STEP_S: u32 = 2;
/// Readings are taken from the store in pieces of this length.
const PIECE_US: i64 = 600 * MICROS_PER_SECOND;

#[derive(Debug, Deserialize)]
pub(crate) struct Stretch {
    #[serde(default = "half_an_hour")]
    minutes: u32,
}

fn half_an_hour() -> u32 {
    30
}

/// What was measured of late, thinned out to be drawn.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signals {
    heart_rate: Vec<(Millis, f64)>,
    eda: Vec<(Millis, f64)>,
    skin_temperature: Vec<(Millis, f64)>,
    activity: Vec<(Millis, f64)>,
    score: Vec<(Millis, Option<f64>)>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(Stretch { minutes }): Asked<Stretch>,
) -> Result<Json<Signals>, Failure> {
    let person: PersonId = body::id(&id, "person")?;
    if !(1..=LONGEST_MINUTES).contains(&minutes) {
        let error = format!("The minutes must be between 1 and {LONGEST_MINUTES}.");
        return Err(Failure::bad(error).of("minutes"));
    }
    if app.store.person(&person).await?.is_none() {
        return Err(Failure::not_found("There is no such person."));
    }
    let until = moment::now();
    let from = until.plus_micros(-i64::from(minutes) * 60 * MICROS_PER_SECOND);
    let mut lines = Lines::new((minutes * 60 / MOST_POINTS).max(SHORTEST_STEP_S));
    read(&app, &person, from, until, &mut lines).await?;
    let scores = app.store.assessments(&Of::Person(person), from, until).await?;
    let score = scores.iter().filter_map(|stored| heard::stored_verdict(&stored.payload));
    let score = score
        .map(|found| (found.at.into(), found.score.filter(|_| found.level != Level::NoReading)))
        .collect();
    Ok(Json(Signals { score, ..lines.signals() }))
}

async fn read(
    app: &App,
    person: &PersonId,
    from: Timestamp,
    until: Timestamp,
    lines: &mut Lines,
) -> Result<(), Failure> {
    let mut piece = from;
    while piece < until {
        let end = piece.plus_micros(PIECE_US).min(until);
        let scan = Scan {
            of: Of::Person(person.clone()),
            channels: Lines::CHANNELS.to_vec(),
            from: piece,
            until: end,
        };
        app.store.scan(scan).await?.iter().for_each(|reading| lines.take(reading));
        piece = end;
    }
    Ok(())
}

/// Means over steps of time, one line for each channel.
struct Lines {
    step_us: i64,
    sums: BTreeMap<(Channel, i64), (f64, u32)>,
}

impl Lines {
    const CHANNELS: [Channel; 4] =
        [Channel::HeartRate, Channel::Eda, Channel::SkinTemperature, Channel::Acceleration];

    fn new(step_s: u32) -> Self {
        Self { step_us: i64::from(step_s) * MICROS_PER_SECOND, sums: BTreeMap::new() }
    }

    fn take(&mut self, reading: &Reading) {
        if reading.channel == Channel::Acceleration {
            if let Some(activity) = activity(&reading.samples) {
                self.add(reading.channel, reading.measured_at, activity);
            }
            return;
        }
        for (index, value) in reading.values().enumerate() {
            self.add(reading.channel, reading.time_of(index), value);
        }
    }

    fn add(&mut self, channel: Channel, at: Timestamp, value: f64) {
        let step = at.as_micros().div_euclid(self.step_us);
        let (sum, count) = self.sums.entry((channel, step)).or_default();
        *sum += value;
        *count += 1;
    }

    fn signals(&self) -> Signals {
        Signals {
            heart_rate: self.line(Channel::HeartRate),
            eda: self.line(Channel::Eda),
            skin_temperature: self.line(Channel::SkinTemperature),
            activity: self.line(Channel::Acceleration),
            score: Vec::new(),
        }
    }

    /// Each point stands in the middle of its step.
    fn line(&self, channel: Channel) -> Vec<(Millis, f64)> {
        self.sums
            .range((channel, i64::MIN)..=(channel, i64::MAX))
            .map(|((_, step), (sum, count))| {
                let at = Timestamp::from_micros(step * self.step_us + self.step_us / 2);
                (at.into(), sum / f64::from(*count))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use biosignal::DeviceId;

    #[test]
    fn a_line_has_a_mean_for_each_step_that_was_measured() {
        let mut lines = Lines::new(2);
        let mut reading = Reading {
            device: DeviceId::from_address([0; 6]),
            channel: Channel::HeartRate,
            epoch: 1,
            sequence: 1,
            measured_at: Timestamp::from_seconds(100),
            received_at: Timestamp::from_seconds(103),
            period_us: 1_000_000,
            samples: vec![7000, 7200, 8000],
        };
        lines.take(&reading);
        reading.measured_at = Timestamp::from_seconds(200);
        lines.take(&reading);
        let signals = lines.signals();
        assert_eq!(
            signals.heart_rate,
            [
                (Millis(101_000), 71.0),
                (Millis(103_000), 80.0),
                (Millis(201_000), 71.0),
                (Millis(203_000), 80.0)
            ]
        );
        assert_eq!(signals.eda, []);
    }
}
