//! `/eth/v1/node`: the node itself.

use crate::beacon::{ApiError, BeaconApi, Data, ErrorView, Identity, NodeVersion, PeerCount, Syncing};
use axum::{Json, extract::State, http::StatusCode};

/// Name and version of the software.
#[utoipa::path(get, path = "/eth/v1/node/version", tag = "node",
    responses((status = 200, body = Data<NodeVersion>)))]
pub(super) async fn version<A: BeaconApi>(State(api): State<A>) -> Json<Data<NodeVersion>> {
    Json(Data { data: NodeVersion { version: api.version() } })
}

/// Whether the node is where its chain is: 200, behind it: 206, or cannot say: 503.
#[utoipa::path(get, path = "/eth/v1/node/health", tag = "node",
    responses((status = 200), (status = 206), (status = 503)))]
pub(super) async fn health<A: BeaconApi>(State(api): State<A>) -> StatusCode {
    match api.syncing().await {
        Ok(Syncing { is_syncing: false, .. }) => StatusCode::OK,
        Ok(_) => StatusCode::PARTIAL_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// How far the node is behind.
#[utoipa::path(get, path = "/eth/v1/node/syncing", tag = "node",
    responses((status = 200, body = Data<Syncing>), (status = 503, body = ErrorView)))]
pub(super) async fn syncing<A: BeaconApi>(State(api): State<A>) -> Result<Json<Data<Syncing>>, ApiError> {
    Ok(Json(Data { data: api.syncing().await? }))
}

/// Who the node is on its network.
#[utoipa::path(get, path = "/eth/v1/node/identity", tag = "node",
    responses((status = 200, body = Data<Identity>)))]
pub(super) async fn identity<A: BeaconApi>(State(api): State<A>) -> Json<Data<Identity>> {
    Json(Data { data: api.identity() })
}

/// How many peers the node has.
#[utoipa::path(get, path = "/eth/v1/node/peer_count", tag = "node",
    responses((status = 200, body = Data<PeerCount>), (status = 503, body = ErrorView)))]
pub(super) async fn peer_count<A: BeaconApi>(
    State(api): State<A>,
) -> Result<Json<Data<PeerCount>>, ApiError> {
    Ok(Json(Data { data: api.peer_count().await? }))
}
