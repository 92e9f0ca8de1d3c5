use axum::Json;
use axum::extract::{Path, State};
use biosignal::{DeviceId, MICROS_PER_SECOND, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Wearing;

use crate::app::App;
use crate::body::{self, Body};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::moment::{self, Millis};

/// Who is to wear a band.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    device: String,
    person: String,
    /// Since when they have worn it, where that was before now.
    from: Option<i64>,
}

/// Farthest back that a band may be said to have been worn, hours.
const LONGEST_BACK_H: i64 = 24;

/// Who wears a band from a moment on.
#[derive(Debug, Serialize)]
pub(crate) struct WearingView {
    device: String,
    person: Option<String>,
    from: Millis,
}

impl From<Wearing> for WearingView {
    fn from(worn: Wearing) -> Self {
        Self {
            device: worn.device.into(),
            person: worn.person.map(String::from),
            from: worn.from.into(),
        }
    }
}

/// Gives a band to a person; the answer lists every band whose wearer changed by it.
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Vec<WearingView>>, Failure> {
    let device: DeviceId = body::id(&wanted.device, "device")?;
    let person: PersonId = body::id(&wanted.person, "person")?;
    app.audit(caller.id.as_str(), "assignment.begin", &format!("{person} {device}")).await?;
    let from = since(wanted.from, moment::now())?;
    assign(&app, &device, Some(&person), from, &caller).await
}

fn since(from_ms: Option<i64>, now: Timestamp) -> Result<Timestamp, Failure> {
    let Some(from_ms) = from_ms else { return Ok(now) };
    let from = Timestamp::from_micros(from_ms.saturating_mul(1000));
    let back_us = now.micros_since(from);
    if (0..=LONGEST_BACK_H * 3600 * MICROS_PER_SECOND).contains(&back_us) {
        Ok(from)
    } else {
        let hours = LONGEST_BACK_H;
        let error = format!("A band can be given from now, or from within the last {hours} hours.");
        Err(Failure::bad(error).of("from"))
    }
}

/// Takes a band from whoever wears it.
pub(crate) async fn end(
    State(app): State<App>,
    caller: Caller,
    Path(device): Path<String>,
) -> Result<Json<Vec<WearingView>>, Failure> {
    let device: DeviceId = body::id(&device, "device")?;
    app.audit(caller.id.as_str(), "assignment.end", device.as_str()).await?;
    assign(&app, &device, None, moment::now(), &caller).await
}

async fn assign(
    app: &App,
    device: &DeviceId,
    person: Option<&PersonId>,
    from: Timestamp,
    caller: &Caller,
) -> Result<Json<Vec<WearingView>>, Failure> {
    let changed = app.store.assign(device, person, from, caller.id.as_str()).await?;
    app.refresh(moment::now()).await?;
    Ok(Json(changed.into_iter().map(WearingView::from).collect()))
}
