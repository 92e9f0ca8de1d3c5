use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::App;

const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// How the console is; says nothing of anybody.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    status: &'static str,
    store: bool,
    broker: bool,
    version: &'static str,
}

/// 200 where the console can do its work, else 503.
pub(crate) async fn show(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let store = matches!(timeout(ANSWERS_WITHIN, app.store.last_event()).await, Ok(Ok(_)));
    let broker = *app.broker_reached.borrow();
    let (code, status) = if store && broker {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "degraded")
    };
    (code, Json(Health { status, store, broker, version: env!("CARGO_PKG_VERSION") }))
}
