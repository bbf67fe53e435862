//! One simulated block after another.
//!
//! A simulated block is a shard's but for its state root, which is zero: the trie stands at the chain's own blocks.

use super::plan::Planned;
use crate::api::error;
use crate::api::execute::call_request;
use crate::api::overrides::{OverriddenState, override_block};
use crate::snapshot::Snapshot;
use alloy_consensus::{
    Eip658Value, Receipt, ReceiptEnvelope, Transaction as _, TxEnvelope, transaction::Recovered,
};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{B256, Bloom, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use primitives::{AnchorRef, ChainSpec, ShardHeader};
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::view::{
    Block, BlockFacts, SimCallResult, SimulateError, SimulatedBlock, block_with_hashes,
    block_with_transactions, logs,
};
use shard_state::chain::ChainView;
use shard_state::executor::{CallOutcome, Environment, Simulation, SimulationRules, halt_text};
use shard_state::fee::next_base_fee;
use shard_state::receipt::{TransactionReceipt, logs_bloom, transaction_receipts_root, transactions_root};
use shard_state::state::{Layer, Layered};
use shard_state::transaction::TRANSACTION_GAS_MAX;
use ssz::Encode as _;
use std::sync::Arc;

/// Gas of the cheapest transaction: with less left, none can follow.
const TRANSACTION_GAS_MIN: u64 = 21_000;

/// The last block, simulated or certified, and what is left for the next.
#[derive(Debug)]
pub(super) struct Simulator {
    spec: Arc<ChainSpec>,
    header: ShardHeader,
    id: B256,
    environment: Environment,
    state: Layered,
    rules: SimulationRules,
    full: bool,
    gas_max: u64,
    gas_left: u64,
}

/// A call that was executed.
#[derive(Debug)]
struct Done {
    transaction: Recovered<TxEnvelope>,
    outcome: CallOutcome,
}

impl Simulator {
    /// Nothing simulated yet. `full` is with transactions instead of their hashes; all calls together use at most
    /// `gas_max` gas.
    pub(super) fn new(
        snapshot: &Snapshot,
        view: &ChainView,
        rules: SimulationRules,
        full: bool,
        gas_max: u64,
    ) -> Self {
        Self {
            spec: Arc::clone(&snapshot.spec),
            header: view.header().clone(),
            id: view.id(),
            environment: *view.environment(),
            state: view.state().clone(),
            rules,
            full,
            gas_max,
            gas_left: gas_max,
        }
    }

    /// Simulates the next block.
    pub(super) fn block(&mut self, planned: Planned) -> RpcResult<SimulatedBlock<Block>> {
        let environment = self.next_environment(&planned)?;
        let mut header = self.next_header(&planned, &environment);
        let overrides = planned.block.state_overrides.unwrap_or_default();
        let state = Arc::new(OverriddenState::new(&self.state, overrides)?);
        let (parent, anchor) = (header.parent, header.anchor.id);
        let opened = Simulation::open(&*state, environment, parent, anchor, self.rules, state.precompiles());
        let mut simulation = opened.map_err(error::execute)?;
        let mut done = Vec::with_capacity(planned.block.calls.len());
        for request in planned.block.calls {
            done.push(self.call(&mut simulation, request, environment.chain_id)?);
        }
        header.gas_used = simulation.gas_used();
        let changes = simulation.close();
        self.state = Layered::new(state).with(Arc::new(Layer::new([&changes])));

        let receipts = receipts(&done);
        let hashes: Vec<B256> = done.iter().map(|one| *one.transaction.tx_hash()).collect();
        header.transactions_root = transactions_root(&hashes);
        header.transaction_receipts_root = transaction_receipts_root(&receipts);
        header.logs_bloom = logs_bloom(&receipts);
        self.id = header.id();
        self.header = header;
        self.environment = environment;
        Ok(self.view(done, hashes))
    }

    fn next_environment(&self, planned: &Planned) -> RpcResult<Environment> {
        let base_fee = if self.rules.validation { next_base_fee(&self.header, &self.spec) } else { 0 };
        let environment = Environment { base_fee, ..self.environment };
        let overrides = planned.block.block_overrides.clone().unwrap_or_default();
        let (overridden, block_hashes) = override_block(&environment, overrides)?;
        if !block_hashes.is_empty() {
            return Err(RpcError::Server("blockHash is not supported in a simulation".into()));
        }
        let timestamp = planned.timestamp_ms / 1_000;
        Ok(Environment { height: planned.height.get(), timestamp, ..overridden })
    }

    fn next_header(&self, planned: &Planned, environment: &Environment) -> ShardHeader {
        let overrides = planned.block.block_overrides.as_ref();
        let anchor = overrides.and_then(|overrides| overrides.beacon_root).unwrap_or(self.header.anchor.id);
        ShardHeader {
            height: planned.height,
            parent: self.id,
            parent_view: self.header.view,
            timestamp_ms: planned.timestamp_ms,
            anchor: AnchorRef { id: anchor, ..self.header.anchor },
            state_root: B256::ZERO,
            logs_bloom: Bloom::ZERO,
            gas_used: 0,
            gas_limit: environment.gas_limit,
            base_fee: environment.base_fee,
            ..self.header.clone()
        }
    }

    fn call(
        &mut self,
        simulation: &mut Simulation<'_>,
        mut request: TransactionRequest,
        chain_id: u64,
    ) -> RpcResult<Done> {
        if self.gas_left < TRANSACTION_GAS_MIN {
            let text = format!("all calls together may use {} gas: simulate fewer of them", self.gas_max);
            return Err(RpcError::LimitExceeded(text));
        }
        let sender = request.from.unwrap_or_default();
        let nonce = match request.nonce {
            Some(nonce) => nonce,
            None => simulation.nonce(&sender).map_err(error::state)?,
        };
        let gas = request.gas.unwrap_or_else(|| simulation.gas_left().min(TRANSACTION_GAS_MAX));
        let gas = gas.min(self.gas_left);
        if request.gas_price.is_none() {
            request.max_fee_per_gas.get_or_insert(0);
            request.max_priority_fee_per_gas.get_or_insert(0);
        }
        let call = call_request(request.clone(), chain_id, gas)?;
        let outcome = simulation.execute(&call, nonce, gas).map_err(error::simulate)?;
        self.gas_left = self.gas_left.saturating_sub(outcome.gas_used());
        let transaction = TransactionRequest {
            transaction_type: None,
            chain_id: Some(chain_id),
            nonce: Some(nonce),
            gas: Some(gas),
            to: Some(call.to.map_or(TxKind::Create, TxKind::Call)),
            value: Some(call.value),
            input: call.input.into(),
            ..request
        };
        let unsigned = transaction.build_typed_simulate_transaction();
        let unsigned = unsigned.map_err(|error| RpcError::InvalidParams(error.to_string()))?;
        Ok(Done { transaction: Recovered::new_unchecked(unsigned.into(), sender), outcome })
    }

    fn view(&self, done: Vec<Done>, hashes: Vec<B256>) -> SimulatedBlock<Block> {
        let transactions: usize = done.iter().map(|one| one.transaction.encode_2718_len()).sum();
        let facts = BlockFacts {
            header: &self.header,
            id: self.id,
            fee_recipient: self.environment.fee_recipient,
            mix: self.environment.mix,
            size: (self.header.ssz_bytes_len() + transactions) as u64,
        };
        let (mut calls, mut logs_before) = (Vec::with_capacity(done.len()), 0);
        for (index, one) in (0..).zip(&done) {
            let emitted = one.outcome.logs().iter().cloned();
            let emitted = logs(facts.place(index), *one.transaction.tx_hash(), logs_before, emitted);
            logs_before += emitted.len() as u64;
            calls.push(SimCallResult { logs: emitted, ..call_result(&one.outcome) });
        }
        let inner = if self.full {
            block_with_transactions(&facts, done.into_iter().map(|one| one.transaction))
        } else {
            block_with_hashes(&facts, hashes)
        };
        SimulatedBlock { inner, calls }
    }
}

/// What came of a call, but for its logs.
fn call_result(outcome: &CallOutcome) -> SimCallResult {
    let result = SimCallResult { gas_used: outcome.gas_used(), ..SimCallResult::default() };
    match outcome {
        CallOutcome::Success { output, gas_spent, .. } => SimCallResult {
            return_data: output.clone(),
            max_used_gas: Some(*gas_spent),
            status: true,
            ..result
        },
        CallOutcome::Revert { output, gas_used } => {
            let error = RpcError::Reverted { data: output.clone() };
            let (code, message, data) = (error.code(), error.to_string(), Some(output.clone()));
            SimCallResult {
                return_data: output.clone(),
                max_used_gas: Some(*gas_used),
                error: Some(SimulateError { code, message, data }),
                ..result
            }
        }
        CallOutcome::Halt { reason, gas_used } => {
            let (code, message) = (SimulateError::VM_EXECUTION_ERROR_CODE, halt_text(reason).to_owned());
            SimCallResult {
                max_used_gas: Some(*gas_used),
                error: Some(SimulateError { code, message, data: None }),
                ..result
            }
        }
    }
}

/// The transaction receipts of a block of these.
fn receipts(done: &[Done]) -> Vec<TransactionReceipt> {
    let mut cumulative_gas_used = 0u64;
    let receipt = |Done { transaction, outcome }: &Done| {
        let gas_used = outcome.gas_used();
        cumulative_gas_used = cumulative_gas_used.saturating_add(gas_used);
        let status = Eip658Value::Eip658(matches!(outcome, CallOutcome::Success { .. }));
        let receipt = Receipt { status, cumulative_gas_used, logs: outcome.logs().to_vec() };
        let envelope = ReceiptEnvelope::from_typed(transaction.tx_type(), receipt.with_bloom());
        let contract_address =
            transaction.is_create().then(|| transaction.signer().create(transaction.nonce()));
        TransactionReceipt { envelope, gas_used, contract_address }
    };
    done.iter().map(receipt).collect()
}
