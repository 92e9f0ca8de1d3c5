use biosignal::{DeviceId, MICROS_PER_SECOND, PersonId, Timestamp};
use store::{Of, Scan, StoreError};

use crate::app::App;
use crate::board::TREND_US;
use crate::heard;

/// As far back as the completeness of the last minute looks, and some more.
const READINGS_US: i64 = 75 * MICROS_PER_SECOND;

/// Puts on the board what the store knows, so that a console that restarts shows the
/// present at once, with its trends.
pub(crate) async fn rebuild(app: &App, now: Timestamp) -> Result<(), StoreError> {
    app.refresh(now).await?;
    for worn in &app.directory.entries().assignments {
        put_readings(app, &worn.device, now).await?;
        put_verdicts(app, &worn.person, now).await?;
    }
    Ok(())
}

async fn put_readings(app: &App, device: &DeviceId, now: Timestamp) -> Result<(), StoreError> {
    let (from, until) = (now.plus_micros(-READINGS_US), now.plus_micros(MICROS_PER_SECOND));
    let scan = Scan { of: Of::Device(device.clone()), channels: Vec::new(), from, until };
    let readings = app.store.scan(scan).await?;
    let mut board = app.board();
    for reading in &readings {
        board.take_reading(reading, reading.received_at.min(now));
    }
    Ok(())
}

async fn put_verdicts(app: &App, person: &PersonId, now: Timestamp) -> Result<(), StoreError> {
    let (from, until) = (now.plus_micros(-TREND_US), now.plus_micros(MICROS_PER_SECOND));
    let stored = app.store.assessments(&Of::Person(person.clone()), from, until).await?;
    let mut board = app.board();
    for verdict in stored.iter().filter_map(|stored| heard::stored_verdict(&stored.payload)) {
        board.take_verdict(person, verdict, now);
    }
    Ok(())
}
