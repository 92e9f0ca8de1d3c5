use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::app::App;
use crate::body::{self, Body};
use crate::failure::Failure;
use crate::session::{self, Credentials};
use crate::{accounts, moment, password};

#[derive(Debug, Serialize)]
pub(crate) struct Setup {
    needed: bool,
}

/// Whether the first administrator is still to be made.
pub(crate) async fn show(State(app): State<App>) -> Result<Json<Setup>, Failure> {
    Ok(Json(Setup { needed: !app.store.has_users().await? }))
}

/// Makes the first administrator and signs them in; only while there is no account.
pub(crate) async fn create(
    State(app): State<App>,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Failure> {
    if app.store.has_users().await? {
        return Err(set_up_already());
    }
    let name = body::line(&credentials.name, "name", accounts::LONGEST_NAME)?;
    accounts::check_password(&credentials.password)?;
    let hash = password::hash(credentials.password).await?;
    // Of two who come here at once the store lets one through.
    let first = app.store.create_first_user(&name, &hash).await?.ok_or_else(set_up_already)?;
    app.audit(first.id.as_str(), "setup", first.id.as_str()).await?;
    app.refresh(moment::now()).await?;
    tracing::info!("the first administrator was set up");
    session::start(&app, &first).await
}

fn set_up_already() -> Failure {
    Failure::new(StatusCode::CONFLICT, "The first administrator has been set up already.")
}
