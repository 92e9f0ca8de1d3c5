use axum::Json;
use axum::extract::{Path, State};
use biosignal::{DeviceId, PersonId};
use serde::{Deserialize, Serialize};
use store::Wearing;

use crate::access::Caller;
use crate::app::App;
use crate::body::{self, Body};
use crate::directory;
use crate::failure::Failure;
use crate::moment::{self, Millis};

/// Who is to wear a band.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    device: String,
    person: String,
}

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
    assign(&app, &device, Some(&person), &caller).await
}

/// Takes a band from whoever wears it.
pub(crate) async fn end(
    State(app): State<App>,
    caller: Caller,
    Path(device): Path<String>,
) -> Result<Json<Vec<WearingView>>, Failure> {
    let device: DeviceId = body::id(&device, "device")?;
    app.audit(caller.id.as_str(), "assignment.end", device.as_str()).await?;
    assign(&app, &device, None, &caller).await
}

async fn assign(
    app: &App,
    device: &DeviceId,
    person: Option<&PersonId>,
    caller: &Caller,
) -> Result<Json<Vec<WearingView>>, Failure> {
    let now = moment::now();
    let changed = app.store.assign(device, person, now, caller.id.as_str()).await?;
    directory::refresh(app, now).await?;
    Ok(Json(changed.into_iter().map(WearingView::from).collect()))
}
