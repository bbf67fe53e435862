//! Executing without effect.

use crate::{error::RpcResult, method::methods};
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, U64};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use std::future::Future;

/// Executing without effect.
pub trait ExecutionApi: Send + Sync + 'static {
    /// Executes without effect; answers what the call returns.
    fn call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
        header: Option<BlockOverrides>,
    ) -> impl Future<Output = RpcResult<Bytes>> + Send;

    /// The least gas limit with which the transaction succeeds.
    fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
    ) -> impl Future<Output = RpcResult<u64>> + Send;
}

methods! {
    ExecutionApi;

    /// Executes on the state after a block, without effect; gives what the call returns.
    eth_call(
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
        header: Option<BlockOverrides>
    ) -> "bytes" = |api| api.call(request, block.unwrap_or_default(), state, header).await;

    /// The least gas limit with which a transaction succeeds and does what it does with more.
    eth_estimateGas(request: TransactionRequest, block: Option<BlockId>, state: Option<StateOverride>) -> "quantity"
        = |api| Ok(U64::from(api.estimate_gas(request, block.unwrap_or_default(), state).await?));
}
