use axum::extract::{RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::{RequestPartsExt as _, extract::FromRequestParts};
use store::{Role, UserId};

use crate::app::App;
use crate::failure::Failure;

use crate::routes::{Audit, Route};
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

/// Whoever is signed in; handlers find it in the request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: UserId,
    pub(crate) role: Role,
    /// The digest of the session's token.
    pub(crate) session: [u8; 32],
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Failure::signed_out)
    }
}

/// Stands before every route: no forged request, no role that is not allowed, and no
/// look at a person's data that is not in the audit first.
pub(crate) async fn guard(
    State((app, route)): State<(App, &'static Route)>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    if !parts.method.is_safe() {
        refuse_forged(&parts.headers)?;
    }
    if !matches!(route.access, Access::Anyone) {
        let caller =
            session::caller(&app, &parts.headers).await?.ok_or_else(Failure::signed_out)?;
        allow(route, &caller)?;
        note(&app, route, &caller, &mut parts).await?;
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

fn allow(route: &Route, caller: &Caller) -> Result<(), Failure> {
    match route.access {
        Access::Roles(roles) if !roles.contains(&caller.role) => Err(Failure::new(
            StatusCode::FORBIDDEN,
            format!("An account with the role {} may not do this.", caller.role),
        )),
        _ => Ok(()),
    }
}

/// Writes a look into the audit. One that cannot be written does not happen.
async fn note(app: &App, route: &Route, caller: &Caller, parts: &mut Parts) -> Result<(), Failure> {
    let Audit::Look(action) = route.audit else { return Ok(()) };
    let params = parts.extract::<RawPathParams>().await.ok();
    let subject = params
        .as_ref()
        .and_then(|params| params.iter().next())
        .map_or("everybody", |(_, value)| value);
    app.audit(caller.id.as_str(), action, subject).await
}
