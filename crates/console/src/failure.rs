use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::{Refusal, StoreError};

/// A request that is refused: a status, and a plain sentence that says why.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    told: Told,
    retry_after: Option<Duration>,
}

#[derive(Debug, Serialize)]
struct Told {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, told: Told { error: error.into(), what: None }, retry_after: None }
    }

    /// The field that is at fault.
    pub(crate) fn of(mut self, what: impl Into<String>) -> Self {
        self.told.what = Some(what.into());
        self
    }

    pub(crate) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Please sign in.")
    }

    pub(crate) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let error = format!("Too many failed sign-ins. Try again in {seconds} seconds.");
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, error);
        Self { retry_after: Some(Duration::from_secs(seconds)), ..refused }
    }
}

/// What went wrong inside is logged, not told.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "a request failed");
        metrics::counter!("tidewatch_console_failed_requests_total").increment(1);
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here. Please try again.")
    }
}

/// What does not fit what is kept.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown { kind, .. } => Self::not_found(format!("There is no such {kind}.")),
            Refusal::Taken { kind, .. } => Self::new(
                StatusCode::CONFLICT,
                format!("There is a {kind} with this name already."),
            )
            .of("name"),
            Refusal::Unfit { what, why } => {
                Self::new(StatusCode::CONFLICT, format!("This cannot be: {why}.")).of(what)
            }
        }
    }
}

/// Whoever asked can do nothing about it but ask again.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => refusal.into(),
            other => anyhow::Error::new(other).into(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.told)).into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}
