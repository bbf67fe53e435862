//! What a REST request answers when it cannot do what was asked.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request failed; the Beacon API's `{"code": …, "message": …}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The request cannot be read, or what it brings is wrong: the sender's fault.
    #[error("{0}")]
    BadRequest(String),
    /// There is no such thing.
    #[error("{0} not found")]
    NotFound(String),
    /// The path exists, the method does not.
    #[error("method {0} is not allowed here")]
    MethodNotAllowed(String),
    /// The body is larger than this route takes.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// Most that is taken.
        limit: usize,
    },
    /// The body is of another media type than this route takes.
    #[error("expected content type {expected}, found {found}")]
    MediaType {
        /// What is taken.
        expected: &'static str,
        /// What came.
        found: String,
    },
    /// The node cannot say yet, for instance because it catches up.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the node's own; its log says more.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The body of every answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorView {
    /// The HTTP status again.
    pub code: u16,
    /// What was expected and found.
    pub message: String,
}

impl ApiError {
    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        (status, Json(ErrorView { code: status.as_u16(), message: self.to_string() })).into_response()
    }
}
