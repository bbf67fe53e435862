//! Executing without effect.

use crate::api::position::Position;
use crate::api::{ShardApi, execute};
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
        self.calls.run(move || execute::execute(&view, request, state, header, gas_max)).await
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
