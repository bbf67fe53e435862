//! The `debug_` namespace: traces, made by executing again, and encoded blocks.
//!
//! A trace ends when its caller is answered, for whatever reason: it does not outlive the deadline.

use super::error::{self, storage};
use super::execute::call_request;
use super::overrides::{OverriddenState, override_block};
use super::position::{Position, pending_block};
use super::record::BlockRecord;
use super::replay::Replay;
use super::workers::CalledOff;
use super::{ApiConfig, ShardApi};
use crate::snapshot::Snapshot;
use alloy_eips::{BlockId, Encodable2718 as _};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use primitives::Height;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::{DebugApi, TransactionApi};
use rpc::view::{GethTrace, TraceCallOptions, TraceOptions, TraceResult};
use shard_state::executor::{CallRequest, Stop, Tracer, trace_call};
use ssz::Encode as _;
use std::sync::Arc;
use std::time::Duration;

impl DebugApi for ShardApi {
    async fn trace_transaction(&self, hash: B256, options: TraceOptions) -> RpcResult<GethTrace> {
        let snapshot = self.chain.snapshot();
        let location = snapshot.reader.location(&hash).map_err(storage)?;
        let location = location.ok_or_else(|| RpcError::Server("transaction not found".into()))?;
        let (recent, index) = (Arc::clone(&self.recent), location.index as usize);
        self.traced(options, move |tracer, stop| {
            let replay = Replay::new(&snapshot, &recent, Position::At(location.height))?;
            let transactions = replay.transactions()?;
            let Some((before, [transaction, ..])) = transactions.split_at_checked(index) else {
                return Err(RpcError::Internal(format!("the block has no transaction {index}")));
            };
            let mut executor = replay.run(before, &stop)?.with_tracer(tracer);
            executor.trace(transaction, replay.context(index, transaction)).map_err(error::trace)
        })
        .await
    }

    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        options: TraceCallOptions,
    ) -> RpcResult<GethTrace> {
        let snapshot = self.chain.snapshot();
        let position = Position::by_id(&snapshot, block)?;
        let (recent, gas_max) = (Arc::clone(&self.recent), self.config.call_gas_max);
        let TraceCallOptions { trace, state, header, transaction_index } = options;
        self.traced(trace, move |tracer, stop| {
            let view = position.view(&snapshot)?;
            let below = match transaction_index {
                None => view.state().clone(),
                Some(index) => {
                    let index = usize::try_from(index).unwrap_or(usize::MAX);
                    Replay::new(&snapshot, &recent, position)?.state_before(index, &stop)?
                }
            };
            let state = OverriddenState::new(&below, state.unwrap_or_default())?;
            let (environment, block_hashes) = override_block(view.environment(), header.unwrap_or_default())?;
            let request = state.request(call_request(request, environment.chain_id, gas_max)?);
            let request = CallRequest { block_hashes, ..request };
            trace_call(&state, &environment, &request, gas_max, tracer).map_err(error::trace)
        })
        .await
    }

    async fn trace_block(&self, block: BlockId, options: TraceOptions) -> RpcResult<Vec<TraceResult>> {
        let snapshot = self.chain.snapshot();
        let position = Position::by_id(&snapshot, block)?;
        let recent = Arc::clone(&self.recent);
        self.traced(options, move |tracer, stop| {
            let replay = Replay::new(&snapshot, &recent, position)?;
            let mut executor = replay.run(&[], &stop)?.with_tracer(tracer);
            let transactions = replay.transactions()?;
            let traces = transactions.iter().enumerate().map(|(index, transaction)| {
                let trace = executor.trace(transaction, replay.context(index, transaction));
                let result = trace.map_err(error::trace)?;
                Ok(TraceResult::Success { result, tx_hash: Some(transaction.hash()) })
            });
            traces.collect()
        })
        .await
    }

    async fn raw_header(&self, block: BlockId) -> RpcResult<Bytes> {
        let snapshot = self.chain.snapshot();
        match Position::by_id(&snapshot, block)? {
            Position::Pending => Ok(pending_block(&snapshot).header.as_ssz_bytes().into()),
            Position::At(height) => {
                let header = snapshot.reader.header(height).map_err(storage)?;
                Ok(header.ok_or(RpcError::HeaderNotFound)?.as_ssz_bytes().into())
            }
        }
    }

    async fn raw_block(&self, block: BlockId) -> RpcResult<Bytes> {
        let snapshot = self.chain.snapshot();
        let height = certified(&snapshot, block)?;
        self.reads
            .run(move || {
                let block = snapshot.reader.block(height).map_err(storage)?;
                Ok(block.ok_or(RpcError::HeaderNotFound)?.as_ssz_bytes().into())
            })
            .await
    }

    async fn raw_receipts(&self, block: BlockId) -> RpcResult<Vec<Bytes>> {
        let snapshot = self.chain.snapshot();
        let encoded = |block: &BlockRecord| -> Vec<Bytes> {
            block.receipts().iter().map(|receipt| receipt.envelope.encoded_2718().into()).collect()
        };
        match Position::by_id(&snapshot, block)? {
            Position::Pending => Ok(encoded(&BlockRecord::Executed(pending_block(&snapshot)))),
            Position::At(height) => {
                let receipts = self.look(&snapshot, height, move |block| Ok(encoded(block))).await?;
                receipts.ok_or(RpcError::HeaderNotFound)
            }
        }
    }

    async fn raw_transaction(&self, hash: B256) -> RpcResult<Bytes> {
        Ok(TransactionApi::raw_transaction(self, hash).await?.unwrap_or_default())
    }
}

impl ShardApi {
    /// Does `work` with the tracer that the options describe, until the deadline.
    async fn traced<T: Send + 'static>(
        &self,
        options: TraceOptions,
        work: impl FnOnce(Tracer, Stop) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let called_off = CalledOff::default();
        let ApiConfig { call_timeout_ms, trace_bytes_max, .. } = self.config;
        let patience = Duration::from_millis(call_timeout_ms);
        let patience = options.timeout.map_or(patience, |timeout| timeout.min(patience));
        let stop = called_off.stop();
        let tracer = Tracer::new(options.tracing, trace_bytes_max, stop.clone());
        let tracer = tracer.map_err(|error| RpcError::Server(error.to_string()))?;
        self.calls.run_within(patience, move || work(tracer, stop)).await
    }
}

/// Height of a block of which all is on disk.
fn certified(snapshot: &Snapshot, block: BlockId) -> RpcResult<Height> {
    match Position::by_id(snapshot, block)? {
        Position::At(height) => Ok(height),
        Position::Pending => Err(RpcError::Server("pending block is not available".into())),
    }
}
