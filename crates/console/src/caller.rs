use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use store::{Role, UserId};

use crate::failure::Failure;

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
