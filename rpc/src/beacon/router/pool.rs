//! `/atoll/v1/pool`: what others hand in for coming blocks.

use super::extract::Ssz;
use crate::beacon::{ApiError, BeaconApi, ErrorView};
use axum::extract::State;
use primitives::{Conflict, CrosslinkOffer, Evidence};

/// Offers a crosslink: SSZ of `CrosslinkOffer`.
#[utoipa::path(post, path = "/atoll/v1/pool/crosslinks", tag = "pool",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200), (status = 400, body = ErrorView), (status = 413, body = ErrorView),
        (status = 415, body = ErrorView)))]
pub(super) async fn crosslink<A: BeaconApi>(
    State(api): State<A>,
    Ssz(offer): Ssz<CrosslinkOffer>,
) -> Result<(), ApiError> {
    api.submit_crosslink(offer).await
}

/// Hands in a proof of equivocation: SSZ of `Evidence`.
#[utoipa::path(post, path = "/atoll/v1/pool/evidence", tag = "pool",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200), (status = 400, body = ErrorView), (status = 413, body = ErrorView),
        (status = 415, body = ErrorView)))]
pub(super) async fn evidence<A: BeaconApi>(
    State(api): State<A>,
    Ssz(evidence): Ssz<Evidence>,
) -> Result<(), ApiError> {
    api.submit_evidence(evidence).await
}

/// Hands in a proof that a committee certified two branches: SSZ of `Conflict`.
#[utoipa::path(post, path = "/atoll/v1/pool/conflicts", tag = "pool",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200), (status = 400, body = ErrorView), (status = 413, body = ErrorView),
        (status = 415, body = ErrorView)))]
pub(super) async fn conflict<A: BeaconApi>(
    State(api): State<A>,
    Ssz(conflict): Ssz<Conflict>,
) -> Result<(), ApiError> {
    api.submit_conflict(conflict).await
}
