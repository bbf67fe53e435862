//! Takes requests apart and puts answers together; every failure is an [`ApiError`].

use super::BODY_BYTES_MAX;
use crate::beacon::ApiError;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use std::{fmt::Display, str::FromStr};

/// Media type of SSZ.
pub(super) const OCTETS: &str = "application/octet-stream";

/// Most values that a list in a query may have.
const VALUES_MAX: usize = 1_024;

/// The query as a structure; unknown keys are passed over.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| ApiError::BadRequest(error.body_text()))
    }
}

/// The query's key-value pairs, among which keys may repeat.
pub(super) struct Pairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::from_request_parts(parts, state).await.map(|Query(pairs)| Self(pairs))
    }
}

impl Pairs {
    /// The values of `key`, whether it repeats or its value has commas.
    pub(super) fn list<T>(&self, key: &'static str) -> Result<Vec<T>, ApiError>
    where
        T: FromStr<Err: Display>,
    {
        let values: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| name == key)
            .flat_map(|(_, values)| values.split(','))
            .filter(|value| !value.is_empty())
            .take(VALUES_MAX + 1)
            .collect();
        if values.len() > VALUES_MAX {
            return Err(ApiError::BadRequest(format!("`{key}` has more than {VALUES_MAX} values")));
        }
        values.into_iter().map(|value| parse(key, value)).collect()
    }
}

/// Reads a part of a path or query.
pub(super) fn parse<T>(name: &'static str, text: &str) -> Result<T, ApiError>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| ApiError::BadRequest(format!("{name}: {error}")))
}

/// A body in SSZ.
pub(super) struct Ssz<T>(pub(super) T);

impl<T: ssz::Decode, S: Send + Sync> FromRequest<S> for Ssz<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let media = request.headers().get(header::CONTENT_TYPE);
        if media.is_none_or(|media| media != OCTETS) {
            let found = media.map_or("none".into(), |media| {
                String::from_utf8_lossy(media.as_bytes()).chars().take(80).collect()
            });
            return Err(ApiError::MediaType { expected: OCTETS, found });
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        T::from_ssz_bytes(&bytes).map(Self).map_err(|error| {
            ApiError::BadRequest(format!("the body is not the SSZ expected here: {error:?}"))
        })
    }
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::TooLarge { limit: BODY_BYTES_MAX };
    }
    ApiError::BadRequest(rejection.body_text())
}

/// An answer in SSZ.
pub(super) fn octets(value: &impl ssz::Encode) -> Response {
    ([(header::CONTENT_TYPE, OCTETS)], value.as_ssz_bytes()).into_response()
}

/// Whether the client would rather have SSZ than JSON.
pub(super) fn wants_octets(headers: &HeaderMap) -> bool {
    let (mut octets, mut json) = (0.0, 0.0);
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|part| part.strip_prefix("q="))
            .and_then(|text| text.parse::<f32>().ok())
            .unwrap_or(1.0);
        match media {
            OCTETS => octets = quality,
            "application/json" => json = quality,
            _ => {}
        }
    }
    octets > 0.0 && octets >= json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, value.parse().expect("a header value"));
        wants_octets(&headers)
    }

    #[test]
    fn the_client_chooses_by_quality() {
        assert!(accepts("application/octet-stream"));
        assert!(accepts("application/json;q=0.5, application/octet-stream"));
        assert!(!accepts("application/json, application/octet-stream;q=0.9"));
        assert!(!accepts("*/*"));
        assert!(!wants_octets(&HeaderMap::new()));
    }

    #[test]
    fn a_list_may_repeat_its_key_or_use_commas_and_is_bounded() {
        let pairs =
            Pairs(vec![("id".into(), "1,2".into()), ("x".into(), "9".into()), ("id".into(), "3".into())]);
        assert_eq!(pairs.list::<u64>("id"), Ok(vec![1, 2, 3]));
        assert!(matches!(pairs.list::<bool>("id"), Err(ApiError::BadRequest(_))));
        let many = Pairs(vec![("id".into(), "1,".repeat(VALUES_MAX + 1))]);
        assert!(matches!(many.list::<u64>("id"), Err(ApiError::BadRequest(_))));
    }
}
