use axum::RequestPartsExt as _;
use axum::extract::{RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use store::Role;

use crate::app::App;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::session;

/// Who may use a route.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Whoever reaches the console.
    Anyone,
    /// Whoever is signed in, in any role.
    SignedIn,
    /// Whoever is signed in with one of these roles.
    Roles(&'static [Role]),
}

/// What the audit keeps of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audit {
    /// Nothing: no person's data are behind it.
    Nothing,
    /// That somebody looked; written by the guard before the handler runs.
    Look(&'static str),
    /// What was done; written by the handler, which knows to whom.
    Act,
}

/// Stands before every route: no forged request, no role that is not allowed, and no
/// look at a person's data that is not in the audit first.
pub(crate) async fn guard(
    State((app, access, audit)): State<(App, Access, Audit)>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    if !parts.method.is_safe() {
        refuse_forged(&parts.headers)?;
    }
    if !matches!(access, Access::Anyone) {
        let caller =
            session::caller(&app, &parts.headers).await?.ok_or_else(Failure::signed_out)?;
        allow(access, &caller)?;
        note(&app, audit, &caller, &mut parts).await?;
        parts.extensions.insert(caller);
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// A page elsewhere can neither set this header nor hide where it comes from.
fn refuse_forged(headers: &HeaderMap) -> Result<(), Failure> {
    let said = headers.get("x-tidewatch").is_some_and(|value| value == "1");
    let elsewhere =
        headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    if said && !elsewhere {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        "The request does not come from the Tidewatch app (header X-Tidewatch: 1).",
    ))
}

fn allow(access: Access, caller: &Caller) -> Result<(), Failure> {
    match access {
        Access::Roles(roles) if !roles.contains(&caller.role) => Err(Failure::new(
            StatusCode::FORBIDDEN,
            format!("An account with the role {} may not do this.", caller.role),
        )),
        _ => Ok(()),
    }
}

/// Writes a look into the audit. One that cannot be written does not happen.
async fn note(app: &App, audit: Audit, caller: &Caller, parts: &mut Parts) -> Result<(), Failure> {
    let Audit::Look(action) = audit else { return Ok(()) };
    let params = parts.extract::<RawPathParams>().await.ok();
    let subject = params
        .as_ref()
        .and_then(|params| params.iter().next())
        .map_or("everybody", |(_, value)| value);
    app.audit(caller.id.as_str(), action, subject).await
}
