//! Executing without effect.

use crate::api::position::Position;
use crate::api::{ShardApi, error, execute};
use alloy_eips::BlockId;
use alloy_primitives::Bytes;
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use rpc::error::RpcResult;
use rpc::method::ExecutionApi;

impl ExecutionApi for ShardApi {
    async fn call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
        header: Option<BlockOverrides>,
    ) -> RpcResult<Bytes> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        let gas_max = self.config.call_gas_max;
        if state.is_some() || header.is_some() || request.authorization_list.is_some() {
            return self.calls.run(move || execute::execute(&view, request, state, header, gas_max)).await;
        }
        // Most calls are shorter than the way to another thread.
        let request = execute::call_request(request, view.environment().chain_id, gas_max)?;
        if let Some(outcome) = view.call_briefly(&request, gas_max).map_err(error::call)? {
            return execute::answer(outcome);
        }
        self.calls.run(move || execute::answer(view.call(&request, gas_max).map_err(error::call)?)).await
    }

    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
    ) -> RpcResult<u64> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        let gas_max = self.config.call_gas_max;
        self.calls.run(move || execute::estimate(&view, request, state, gas_max)).await
    }
}
