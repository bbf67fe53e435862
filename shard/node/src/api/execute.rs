//! `eth_call` and `eth_estimateGas`: what a caller describes, as the executor takes it.

use super::error;
use super::overrides::{OverriddenState, override_block};
use alloy_eips::eip7702::constants::PER_EMPTY_ACCOUNT_COST;
use alloy_primitives::{Bytes, TxKind};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use rpc::RpcError;
use rpc::error::RpcResult;
use shard_state::{
    chain::ChainView,
    executor::{
        CallError, CallOutcome, CallRequest, Environment, PrecompileChanges, call, estimate_gas, halt_text,
    },
    transaction::recover_authorizations,
};
use std::collections::BTreeMap;

/// Executes without effect; answers what the call returns.
pub(super) fn execute(
    view: &ChainView,
    request: TransactionRequest,
    state: Option<StateOverride>,
    header: Option<BlockOverrides>,
    gas_max: u64,
) -> RpcResult<Bytes> {
    let request = call_request(request, view.environment().chain_id, gas_max)?;
    let (environment, block_hashes) = override_block(view.environment(), header.unwrap_or_default())?;
    let state = OverriddenState::new(view.state(), state.unwrap_or_default())?;
    let request = CallRequest { block_hashes, ..state.request(request) };
    answer(call(&state, &environment, &request, gas_max).map_err(error::call)?)
}

/// What a call returned, or why there is nothing.
pub(super) fn answer(outcome: CallOutcome) -> RpcResult<Bytes> {
    match outcome {
        CallOutcome::Success { output, .. } => Ok(output),
        CallOutcome::Revert { output, .. } => Err(RpcError::Reverted { data: output }),
        CallOutcome::Halt { reason, .. } => Err(RpcError::Execution(halt_text(&reason).to_owned())),
    }
}

/// The least gas limit with which the request succeeds.
pub(super) fn estimate(
    view: &ChainView,
    request: TransactionRequest,
    state: Option<StateOverride>,
    gas_max: u64,
) -> RpcResult<u64> {
    let environment: &Environment = view.environment();
    let request = call_request(request, environment.chain_id, gas_max)?;
    let state = OverriddenState::new(view.state(), state.unwrap_or_default())?;
    estimate_gas(&state, environment, &state.request(request), gas_max).map_err(error::call)
}

/// What is asked for, if it makes sense. Texts are geth's.
pub(super) fn call_request(
    request: TransactionRequest,
    chain_id: u64,
    gas_max: u64,
) -> RpcResult<CallRequest> {
    if request.gas_price.is_some()
        && (request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some())
    {
        let text = "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified";
        return Err(RpcError::Server(text.into()));
    }
    if let Some(found) = request.chain_id.filter(|found| *found != chain_id) {
        let text = format!("chainId does not match node's (have={found}, want={chain_id})");
        return Err(RpcError::Server(text));
    }
    if request.blob_versioned_hashes.is_some() || request.max_fee_per_blob_gas.is_some() {
        return Err(RpcError::Server("transaction type not supported: a shard takes no blobs".into()));
    }
    let authorizations = request.authorization_list.unwrap_or_default();
    // Each costs gas before anything runs: what no call could pay for need not be recovered.
    let needed = (authorizations.len() as u64).saturating_mul(PER_EMPTY_ACCOUNT_COST);
    if needed > gas_max {
        return Err(error::call(CallError::IntrinsicGas { needed, found: gas_max }));
    }
    let both =
        r#"both "data" and "input" are set and not equal. Please use "input" to pass transaction call data"#;
    let input = request.input.try_into_unique_input().map_err(|_| RpcError::Server(both.into()))?;
    let gas_price = request.gas_price.or(request.max_fee_per_gas).unwrap_or_default();
    Ok(CallRequest {
        from: request.from.unwrap_or_default(),
        to: match request.to {
            Some(TxKind::Call(to)) => Some(to),
            Some(TxKind::Create) | None => None,
        },
        gas: request.gas,
        gas_price,
        // A cap alone makes it a transaction of EIP-1559, whose price is not the cap.
        priority_fee: request.max_priority_fee_per_gas.or(request.max_fee_per_gas.map(|_| 0)),
        value: request.value.unwrap_or_default(),
        input: input.unwrap_or_default(),
        access_list: request.access_list.unwrap_or_default(),
        authorizations: recover_authorizations(&authorizations),
        precompiles: PrecompileChanges::default(),
        block_hashes: BTreeMap::new(),
    })
}
