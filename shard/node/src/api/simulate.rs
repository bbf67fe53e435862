//! Executions that build on each other: access lists, and blocks that might come.

mod block;
mod plan;

use super::ShardApi;
use super::error;
use super::execute::call_request;
use super::overrides::OverriddenState;
use super::position::Position;
use super::workers::CalledOff;
use alloy_eips::BlockId;
use alloy_primitives::U256;
use alloy_rpc_types_eth::{TransactionRequest, simulate::SimulatePayload, state::StateOverride};
use block::Simulator;
use plan::plan;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::SimulateApi;
use rpc::view::{AccessListResult, Block, SimulatedBlock};
use shard_state::executor::{CallOutcome, SimulationRules, create_access_list, halt_text};

impl SimulateApi for ShardApi {
    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
    ) -> RpcResult<AccessListResult> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        let gas_max = self.config.call_gas_max;
        self.calls
            .run(move || {
                let environment = view.environment();
                let request = call_request(request, environment.chain_id, gas_max)?;
                let state = OverriddenState::new(view.state(), state.unwrap_or_default())?;
                let found = create_access_list(&state, environment, &state.request(request), gas_max);
                let found = found.map_err(error::call)?;
                Ok(AccessListResult {
                    gas_used: U256::from(found.outcome.gas_used()),
                    error: match found.outcome {
                        CallOutcome::Success { .. } => None,
                        CallOutcome::Revert { .. } => Some("execution reverted".to_owned()),
                        CallOutcome::Halt { reason, .. } => Some(halt_text(&reason).to_owned()),
                    },
                    access_list: found.access_list,
                })
            })
            .await
    }

    async fn simulate(
        &self,
        payload: SimulatePayload,
        block: BlockId,
    ) -> RpcResult<Vec<SimulatedBlock<Block>>> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        let SimulatePayload { block_state_calls, trace_transfers, validation, return_full_transactions } =
            payload;
        let blocks = plan(view.header(), block_state_calls, snapshot.spec.shard_interval_ms.get())?;
        let rules = SimulationRules { validation, transfers: trace_transfers };
        let gas_max = self.config.call_gas_max;
        let called_off = CalledOff::default();
        let stop = called_off.stop();
        self.calls
            .run(move || {
                let mut simulator =
                    Simulator::new(&snapshot, &view, rules, return_full_transactions, gas_max);
                let blocks = blocks.into_iter().map(|block| {
                    if stop.is_stopped() {
                        return Err(RpcError::Server("execution timeout".into()));
                    }
                    simulator.block(block)
                });
                blocks.collect()
            })
            .await
    }
}
