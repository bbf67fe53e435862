//! Every route of the beacon node, over any [`BeaconApi`].
//!
//! What holds: whatever comes in, the answer has the Beacon API's shape, errors included; bodies, queries and
//! waiting times are bounded; the OpenAPI document is made from the same handlers that answer.

mod atoll;
mod chain;
mod events;
mod extract;
mod light;
mod node;
mod pool;

pub use light::LIGHT_WAIT_MAX;

use super::{ApiError, BeaconApi};
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{Method, Uri},
    routing::{get, post},
};
use utoipa::OpenApi as _;

/// Largest body of a request, bytes: well above what the largest offer or piece of evidence needs.
pub(super) const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest part of a request's path that an answer repeats, characters.
const PATH_CHARS_MAX: usize = 200;

/// The routes of a beacon node that answers with `api`.
pub fn beacon_router<A: BeaconApi>(api: A) -> Router {
    let routes = Router::new()
        .route("/eth/v1/node/version", get(node::version::<A>))
        .route("/eth/v1/node/health", get(node::health::<A>))
        .route("/eth/v1/node/syncing", get(node::syncing::<A>))
        .route("/eth/v1/node/identity", get(node::identity::<A>))
        .route("/eth/v1/node/peer_count", get(node::peer_count::<A>))
        .route("/eth/v1/beacon/genesis", get(chain::genesis::<A>))
        .route("/eth/v1/beacon/states/{state_id}/root", get(chain::state_root::<A>))
        .route("/eth/v1/beacon/states/{state_id}/validators", get(chain::validators::<A>))
        .route("/eth/v1/beacon/states/{state_id}/committees", get(chain::committees::<A>))
        .route("/eth/v1/beacon/states/{state_id}/finality_checkpoints", get(chain::finality_checkpoints::<A>))
        .route("/eth/v1/beacon/headers", get(chain::headers::<A>))
        .route("/eth/v1/beacon/headers/{block_id}", get(chain::header::<A>))
        .route("/eth/v2/beacon/blocks/{block_id}", get(chain::block::<A>))
        .route("/eth/v1/events", get(events::events::<A>))
        .route("/atoll/v1/shards", get(atoll::shards::<A>))
        .route("/atoll/v1/lanes", get(atoll::lanes::<A>))
        .route("/atoll/v1/crosslinks", get(atoll::crosslinks::<A>))
        .route("/atoll/v1/committees/{chain}/{epoch}", get(atoll::committee::<A>))
        .route("/atoll/v1/light/bootstrap", get(light::bootstrap::<A>))
        .route("/atoll/v1/light/update", get(light::update::<A>))
        .route("/atoll/v1/pool/crosslinks", post(pool::crosslink::<A>))
        .route("/atoll/v1/pool/evidence", post(pool::evidence::<A>))
        .route("/atoll/v1/pool/conflicts", post(pool::conflict::<A>))
        .with_state(api);
    // The document's text is the same for every request: written once.
    let document = openapi();
    routes
        .route("/openapi.json", get(async move || Json(document.clone())))
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::NotFound(format!("route {}", uri.path().chars().take(PATH_CHARS_MAX).collect::<String>()))
}

async fn wrong_method(method: Method) -> ApiError {
    ApiError::MethodNotAllowed(method.as_str().chars().take(PATH_CHARS_MAX).collect())
}

/// The OpenAPI document of [`beacon_router`].
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Atoll beacon node",
        description = "The standard Beacon API where the meaning is the same, and what only Atoll has."
    ),
    paths(
        node::version,
        node::health,
        node::syncing,
        node::identity,
        node::peer_count,
        chain::genesis,
        chain::state_root,
        chain::validators,
        chain::committees,
        chain::finality_checkpoints,
        chain::headers,
        chain::header,
        chain::block,
        events::events,
        atoll::shards,
        atoll::lanes,
        atoll::crosslinks,
        atoll::committee,
        light::bootstrap,
        light::update,
        pool::crosslink,
        pool::evidence,
        pool::conflict,
    )
)]
struct Document;

#[cfg(test)]
mod tests;
