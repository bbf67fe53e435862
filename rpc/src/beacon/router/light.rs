//! `/atoll/v1/light`: what a follower needs, all of it SSZ.

use super::extract::{Query, octets};
use crate::beacon::{ApiError, BeaconApi, ErrorView};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use primitives::Height;
use serde::Deserialize;
use std::time::Duration;
use utoipa::IntoParams;

/// Longest a request for an update may wait; whoever asks for longer waits so long.
pub const LIGHT_WAIT_MAX: Duration = Duration::from_secs(30);

/// Where a follower starts that trusts the genesis file: SSZ of `LightBootstrap`.
#[utoipa::path(get, path = "/atoll/v1/light/bootstrap", tag = "light",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 503, body = ErrorView)))]
pub(super) async fn bootstrap<A: BeaconApi>(State(api): State<A>) -> Result<Response, ApiError> {
    Ok(octets(&api.light_bootstrap().await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UpdateQuery {
    /// The height that the follower has.
    after: u64,
    /// How long it waits for a newer one.
    #[serde(default)]
    #[param(required = false)]
    wait_ms: u64,
}

/// The newest update above a height, as soon as there is one: SSZ of `LightUpdate`, or 204.
#[utoipa::path(get, path = "/atoll/v1/light/update", tag = "light", params(UpdateQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 204, description = "none within the time"), (status = 400, body = ErrorView)))]
pub(super) async fn update<A: BeaconApi>(
    State(api): State<A>,
    Query(query): Query<UpdateQuery>,
) -> Result<Response, ApiError> {
    let wait = Duration::from_millis(query.wait_ms).min(LIGHT_WAIT_MAX);
    match api.light_update(Height::new(query.after), wait).await? {
        Some(update) => Ok(octets(&update)),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
