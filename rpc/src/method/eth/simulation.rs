//! Executing what is not sent, beyond single calls: access lists, and blocks that might come.

use crate::{
    error::RpcResult,
    method::methods,
    view::{AccessListResult, Block, SimulatedBlock},
};
use alloy_eips::BlockId;
use alloy_rpc_types_eth::{TransactionRequest, simulate::SimulatePayload, state::StateOverride};
use std::future::Future;

/// Executions that build on each other.
pub trait SimulateApi: Send + Sync + 'static {
    /// The addresses and slots that the transaction touches, and what it uses with them at hand. That it fails is part
    /// of the answer.
    fn create_access_list(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
    ) -> impl Future<Output = RpcResult<AccessListResult>> + Send;

    /// Blocks of calls, one on the other, as if they were to follow `block`.
    fn simulate(
        &self,
        payload: SimulatePayload,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<Vec<SimulatedBlock<Block>>>> + Send;
}

methods! {
    SimulateApi;

    /// The addresses and slots that a transaction touches, and the gas it uses with them at hand. That it fails is part
    /// of the answer.
    eth_createAccessList(request: TransactionRequest, block: Option<BlockId>, state: Option<StateOverride>)
        -> "access list and gas"
        = |api| api.create_access_list(request, block.unwrap_or_default(), state).await;

    /// Executes blocks of calls, one on the other, as if they were to follow a block; gives the blocks with what each
    /// call came to.
    eth_simulateV1(payload: SimulatePayload, block: Option<BlockId>) -> "list of simulated blocks"
        = |api| api.simulate(payload, block.unwrap_or_default()).await;
}
