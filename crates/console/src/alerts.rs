use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use store::Outcome;

use crate::alert_view::AlertView;
use crate::app::App;
use crate::body::{self, Body};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::moment;

const LONGEST_NOTE: usize = 2_000;

/// "I'm going". A tablet that was away may add when it was said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Going {
    at: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    /// Whether this one was first; else the alert tells who goes.
    won: bool,
    alert: AlertView,
}

/// What came of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolution {
    outcome: Outcome,
    note: Option<String>,
    at: Option<i64>,
}

/// The first by the server's order wins, whatever time is told.
pub(crate) async fn acknowledge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(going): Body<Going>,
) -> Result<Json<Answered>, Failure> {
    app.audit(caller.id.as_str(), &said("alert.acknowledge", going.at), &id).await?;
    let answered = app.store.acknowledge(&id, &caller.id, moment::now()).await?;
    app.announce().await?;
    Ok(Json(Answered { won: answered.won, alert: app.view(&answered.alert) }))
}

pub(crate) async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(resolution): Body<Resolution>,
) -> Result<Json<AlertView>, Failure> {
    let note = resolution.note.filter(|note| !note.trim().is_empty());
    let note = note.map(|note| body::lines(&note, "note", LONGEST_NOTE)).transpose()?;
    app.audit(caller.id.as_str(), &said("alert.resolve", resolution.at), &id).await?;
    let now = moment::now();
    let alert = app.store.resolve(&id, &caller.id, resolution.outcome, note, now).await?;
    app.announce().await?;
    Ok(Json(app.view(&alert)))
}

/// What was said while the tablet was away is noted with the time that it tells.
fn said(action: &str, at: Option<i64>) -> String {
    at.map_or_else(|| action.to_owned(), |at| format!("{action} said-at {at}"))
}
