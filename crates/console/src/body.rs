use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Most bytes of a request's body.
pub(crate) const LARGEST: usize = 64 * 1024;

/// A request's JSON body; what does not fit is refused with a plain sentence.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(value) = Json::from_request(request, state).await.map_err(body_failure)?;
        Ok(Self(value))
    }
}

/// A request's query; what does not fit is refused with a plain sentence.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let asked = Query::from_request_parts(parts, state).await;
        let Query(value) = asked.map_err(|error: QueryRejection| {
            Failure::bad(format!("The address cannot be read: {}.", inner(&error)))
        })?;
        Ok(Self(value))
    }
}

/// Trims a line of text, and refuses one that is empty, too long or holds control characters.
pub(crate) fn line(value: &str, what: &str, most_chars: usize) -> Result<String, Failure> {
    if value.trim().contains(['\n', '\t']) {
        return Err(Failure::bad(format!("The {what} must be one line.")).of(what));
    }
    lines(value, what, most_chars)
}

/// The same for a text of several lines.
pub(crate) fn lines(value: &str, what: &str, most_chars: usize) -> Result<String, Failure> {
    let value = value.trim();
    let fault = if value.is_empty() {
        format!("The {what} is missing.")
    } else if value.chars().count() > most_chars {
        format!("The {what} can have at most {most_chars} characters.")
    } else if value.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t')) {
        format!("The {what} holds a control character.")
    } else {
        return Ok(value.to_owned());
    };
    Err(Failure::bad(fault).of(what))
}

/// A word of the house (a person, a device) in an address or a body.
pub(crate) fn id<T: FromStr<Err: Display>>(word: &str, what: &str) -> Result<T, Failure> {
    word.parse().map_err(|error| Failure::bad(format!("This cannot be: {error}.")).of(what))
}

fn body_failure(rejection: JsonRejection) -> Failure {
    match rejection {
        JsonRejection::JsonDataError(error) => {
            Failure::bad(format!("The request does not fit: {}.", inner(&error)))
        }
        JsonRejection::JsonSyntaxError(error) => {
            Failure::bad(format!("The request is not JSON: {}.", inner(&error)))
        }
        JsonRejection::MissingJsonContentType(_) => Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The request must say that it is JSON (Content-Type: application/json).",
        ),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The request is larger than {LARGEST} bytes."),
        ),
        _ => Failure::bad("The request's body cannot be read."),
    }
}

/// The innermost cause: the others only repeat that something failed.
fn inner(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
