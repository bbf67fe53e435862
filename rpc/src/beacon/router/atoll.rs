//! `/atoll/v1`: shards, their lanes, crosslinks and committees.

use super::extract::{Query, octets, parse, wants_octets};
use crate::beacon::{
    ApiError, BeaconApi, CommitteeView, CrosslinkView, Data, ErrorView, LaneView, ShardView,
};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use primitives::{Chain, Epoch};
use serde::Deserialize;
use utoipa::IntoParams;

/// Crosslinks in an answer that asks for no number.
const CROSSLINKS: usize = 64;
/// Most crosslinks in one answer.
const CROSSLINKS_MAX: usize = 1_024;

/// Every shard in the registry.
#[utoipa::path(get, path = "/atoll/v1/shards", tag = "atoll",
    responses((status = 200, body = Data<Vec<ShardView>>), (status = 503, body = ErrorView)))]
pub(super) async fn shards<A: BeaconApi>(
    State(api): State<A>,
) -> Result<Json<Data<Vec<ShardView>>>, ApiError> {
    Ok(Json(Data { data: api.shards().await? }))
}

/// The lanes between the beacon chain and every shard.
#[utoipa::path(get, path = "/atoll/v1/lanes", tag = "atoll",
    responses((status = 200, body = Data<Vec<LaneView>>), (status = 503, body = ErrorView)))]
pub(super) async fn lanes<A: BeaconApi>(State(api): State<A>) -> Result<Json<Data<Vec<LaneView>>>, ApiError> {
    Ok(Json(Data { data: api.lanes().await? }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CrosslinksQuery {
    /// How many, at most.
    limit: Option<usize>,
}

/// The newest accepted crosslinks, newest first.
#[utoipa::path(get, path = "/atoll/v1/crosslinks", tag = "atoll", params(CrosslinksQuery),
    responses((status = 200, body = Data<Vec<CrosslinkView>>), (status = 400, body = ErrorView)))]
pub(super) async fn crosslinks<A: BeaconApi>(
    State(api): State<A>,
    Query(query): Query<CrosslinksQuery>,
) -> Result<Json<Data<Vec<CrosslinkView>>>, ApiError> {
    let limit = query.limit.unwrap_or(CROSSLINKS).min(CROSSLINKS_MAX);
    Ok(Json(Data { data: api.crosslinks(limit).await? }))
}

/// The committee of a chain (`beacon`, or a shard's id) and epoch, and how weak it is.
///
/// As SSZ where `Accept` names `application/octet-stream`.
#[utoipa::path(get, path = "/atoll/v1/committees/{chain}/{epoch}", tag = "atoll",
    params(("chain" = String, Path, description = "beacon or a shard id"), ("epoch" = u64, Path)),
    responses((status = 200, content((Data<CommitteeView> = "application/json"), (Vec<u8> = "application/octet-stream"))),
        (status = 400, body = ErrorView), (status = 404, body = ErrorView)))]
pub(super) async fn committee<A: BeaconApi>(
    State(api): State<A>,
    Path((chain, epoch)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let chain: Chain = parse("chain", &chain)?;
    let epoch = Epoch::new(parse("epoch", &epoch)?);
    let answer = api.committee(chain, epoch).await?;
    if wants_octets(&headers) {
        return Ok(octets(&answer.committee));
    }
    Ok(Json(Data { data: CommitteeView::new(chain, epoch, answer) }).into_response())
}
