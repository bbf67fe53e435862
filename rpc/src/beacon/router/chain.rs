//! `/eth/v1/beacon`, `/eth/v2/beacon`: the chain, its states and blocks.

use super::extract::{Pairs, Query, octets, parse, wants_octets};
use crate::beacon::{
    ApiError, BeaconApi, BeaconId, Data, Dated, ErrorView, FinalityCheckpoints, GenesisView, HeaderView,
    Root, StateCommittee, ValidatorFilter, ValidatorView, VersionedBlock, view::BLOCK_VERSION,
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse as _, Response},
};
use primitives::{B256, Epoch, Height, PublicKeyBytes, ValidatorIndex};
use serde::Deserialize;
use utoipa::IntoParams;

/// Says of which shape a block is, before its bytes are read.
const VERSION_HEADER: HeaderName = HeaderName::from_static("eth-consensus-version");

/// Where the chain began.
#[utoipa::path(get, path = "/eth/v1/beacon/genesis", tag = "beacon",
    responses((status = 200, body = Data<GenesisView>)))]
pub(super) async fn genesis<A: BeaconApi>(State(api): State<A>) -> Json<Data<GenesisView>> {
    Json(Data { data: api.genesis() })
}

/// Root of a state.
#[utoipa::path(get, path = "/eth/v1/beacon/states/{state_id}/root", tag = "beacon",
    params(("state_id" = String, Path, description = "head, genesis, finalized, justified, height or state root")),
    responses((status = 200, body = Dated<Root>), (status = 400, body = ErrorView), (status = 404, body = ErrorView)))]
pub(super) async fn state_root<A: BeaconApi>(
    State(api): State<A>,
    Path(id): Path<String>,
) -> Result<Json<Dated<Root>>, ApiError> {
    let root = api.state_root(parse("state_id", &id)?).await?;
    Ok(Json(root.map(|root| Root { root }).into()))
}

/// The validators of a state.
#[utoipa::path(get, path = "/eth/v1/beacon/states/{state_id}/validators", tag = "beacon",
    params(
        ("state_id" = String, Path, description = "head, genesis, finalized, justified, height or state root"),
        ("id" = Option<Vec<String>>, Query, description = "indices or seat keys, repeated or with commas"),
        ("status" = Option<Vec<String>>, Query, description = "statuses, repeated or with commas"),
    ),
    responses((status = 200, body = Dated<Vec<ValidatorView>>), (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)))]
pub(super) async fn validators<A: BeaconApi>(
    State(api): State<A>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Json<Dated<Vec<ValidatorView>>>, ApiError> {
    let mut filter = ValidatorFilter { statuses: pairs.list("status")?, ..Default::default() };
    for name in pairs.list::<String>("id")? {
        if name.starts_with("0x") {
            filter.keys.push(parse::<PublicKeyBytes>("id", &name)?);
        } else {
            filter.indices.push(ValidatorIndex::new(parse("id", &name)?));
        }
    }
    let validators = api.validators(parse("state_id", &id)?, filter).await?;
    Ok(Json(validators.into()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EpochQuery {
    /// The term; without it, the one each chain is in.
    epoch: Option<u64>,
}

/// Every chain's committee, as a state names them.
#[utoipa::path(get, path = "/eth/v1/beacon/states/{state_id}/committees", tag = "beacon",
    params(
        ("state_id" = String, Path, description = "head, genesis, finalized, justified, height or state root"),
        EpochQuery,
    ),
    responses((status = 200, body = Dated<Vec<StateCommittee>>), (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)))]
pub(super) async fn committees<A: BeaconApi>(
    State(api): State<A>,
    Path(id): Path<String>,
    Query(query): Query<EpochQuery>,
) -> Result<Json<Dated<Vec<StateCommittee>>>, ApiError> {
    let committees = api.committees(parse("state_id", &id)?, query.epoch.map(Epoch::new)).await?;
    Ok(Json(committees.into()))
}

/// What is final, as seen in a state.
#[utoipa::path(get, path = "/eth/v1/beacon/states/{state_id}/finality_checkpoints", tag = "beacon",
    params(("state_id" = String, Path, description = "head, genesis, finalized, justified, height or state root")),
    responses((status = 200, body = Dated<FinalityCheckpoints>), (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)))]
pub(super) async fn finality_checkpoints<A: BeaconApi>(
    State(api): State<A>,
    Path(id): Path<String>,
) -> Result<Json<Dated<FinalityCheckpoints>>, ApiError> {
    Ok(Json(api.finality_checkpoints(parse("state_id", &id)?).await?.into()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HeadersQuery {
    /// Only the header of this height.
    slot: Option<u64>,
    /// Only headers above this one.
    #[param(value_type = Option<String>)]
    parent_root: Option<B256>,
}

/// Headers that match; the newest one if nothing is asked for.
#[utoipa::path(get, path = "/eth/v1/beacon/headers", tag = "beacon", params(HeadersQuery),
    responses((status = 200, body = Dated<Vec<HeaderView>>), (status = 400, body = ErrorView)))]
pub(super) async fn headers<A: BeaconApi>(
    State(api): State<A>,
    Query(query): Query<HeadersQuery>,
) -> Result<Json<Dated<Vec<HeaderView>>>, ApiError> {
    Ok(Json(api.headers(query.slot.map(Height::new), query.parent_root).await?.into()))
}

/// One header.
#[utoipa::path(get, path = "/eth/v1/beacon/headers/{block_id}", tag = "beacon",
    params(("block_id" = String, Path, description = "head, genesis, finalized, height or id")),
    responses((status = 200, body = Dated<HeaderView>), (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)))]
pub(super) async fn header<A: BeaconApi>(
    State(api): State<A>,
    Path(id): Path<String>,
) -> Result<Json<Dated<HeaderView>>, ApiError> {
    Ok(Json(api.header(parse("block_id", &id)?).await?.into()))
}

/// One block, as JSON, or as SSZ where `Accept` names `application/octet-stream`.
#[utoipa::path(get, path = "/eth/v2/beacon/blocks/{block_id}", tag = "beacon",
    params(("block_id" = String, Path, description = "head, genesis, finalized, height or id")),
    responses((status = 200, content((VersionedBlock = "application/json"), (Vec<u8> = "application/octet-stream"))),
        (status = 400, body = ErrorView), (status = 404, body = ErrorView)))]
pub(super) async fn block<A: BeaconApi>(
    State(api): State<A>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id: BeaconId = parse("block_id", &id)?;
    let found = api.block(id).await?;
    let mut response = if wants_octets(&headers) {
        octets(&found.value.block)
    } else {
        Json(VersionedBlock::new(&found.value, found.finalized)).into_response()
    };
    response.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(BLOCK_VERSION));
    Ok(response)
}
