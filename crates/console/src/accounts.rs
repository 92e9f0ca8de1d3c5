use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use store::Role;

use crate::app::App;
use crate::body::{self, Body};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::session::Account;
use crate::{moment, password};

pub(crate) const LONGEST_NAME: usize = 80;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    name: String,
    password: String,
    role: Role,
}

pub(crate) async fn list(State(app): State<App>) -> Result<Json<Vec<Account>>, Failure> {
    Ok(Json(app.store.users().await?.iter().map(Account::from).collect()))
}

pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewAccount>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    let name = body::line(&new.name, "name", LONGEST_NAME)?;
    check_password(&new.password)?;
    let hash = password::hash(new.password).await?;
    app.audit(caller.id.as_str(), "account.create", new.role.as_str()).await?;
    let user = app.store.create_user(&name, &hash, new.role).await?;
    app.audit(caller.id.as_str(), "account.created", user.id.as_str()).await?;
    app.refresh(moment::now()).await?;
    Ok((StatusCode::CREATED, Json(Account::from(&user))))
}

pub(crate) fn check_password(password: &str) -> Result<(), Failure> {
    password::fault(password).map_or(Ok(()), |fault| Err(Failure::bad(fault).of("password")))
}
