//! `debug_`: executing again what was executed, and looking closely; blocks as they are encoded.
//!
//! What is raw here is what a shard commits to: headers and blocks are SSZ, as the specification's containers, not RLP
//! (their id is not a hash of an RLP either); transactions and transaction receipts are EIP-2718, as everywhere.

use crate::{
    error::RpcResult,
    method::methods,
    view::{
        GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceCallOptions, TraceOptions,
        TraceResult,
    },
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use std::future::Future;

/// What a shard node answers in the `debug_` namespace.
///
/// Traces are made by executing again on the state before, which must still be kept.
pub trait DebugApi: Send + Sync + 'static {
    /// Traces a transaction of a block at its place there.
    fn trace_transaction(
        &self,
        hash: B256,
        options: TraceOptions,
    ) -> impl Future<Output = RpcResult<GethTrace>> + Send;

    /// Traces a call on the state after a block, or inside it.
    fn trace_call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        options: TraceCallOptions,
    ) -> impl Future<Output = RpcResult<GethTrace>> + Send;

    /// Traces every transaction of a block, in order.
    fn trace_block(
        &self,
        block: BlockId,
        options: TraceOptions,
    ) -> impl Future<Output = RpcResult<Vec<TraceResult>>> + Send;

    /// A header, SSZ encoded; its id is the `hash_tree_root`.
    fn raw_header(&self, block: BlockId) -> impl Future<Output = RpcResult<Bytes>> + Send;

    /// A header and its body, SSZ encoded: all that re-execution needs.
    fn raw_block(&self, block: BlockId) -> impl Future<Output = RpcResult<Bytes>> + Send;

    /// The transaction receipts of a block, EIP-2718 encoded, in order.
    fn raw_receipts(&self, block: BlockId) -> impl Future<Output = RpcResult<Vec<Bytes>>> + Send;

    /// A transaction of a block or of the pool, EIP-2718 encoded; nothing if there is none.
    fn raw_transaction(&self, hash: B256) -> impl Future<Output = RpcResult<Bytes>> + Send;
}

methods! {
    DebugApi;

    /// Traces a transaction of a block at its place there.
    debug_traceTransaction(hash: B256, options: Option<GethDebugTracingOptions>) -> "trace"
        = |api| api.trace_transaction(hash, options.unwrap_or_default().try_into()?).await;

    /// Traces a call on the state after a block, or inside it.
    debug_traceCall(
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>
    ) -> "trace"
        = |api| {
            let options = options.unwrap_or_default().try_into()?;
            api.trace_call(request, block.unwrap_or_default(), options).await
        };

    /// Traces every transaction of a block, in order.
    debug_traceBlockByNumber(block: BlockNumberOrTag, options: Option<GethDebugTracingOptions>) -> "list of traces"
        = |api| api.trace_block(block.into(), options.unwrap_or_default().try_into()?).await;

    /// Traces every transaction of a block, in order.
    debug_traceBlockByHash(hash: B256, options: Option<GethDebugTracingOptions>) -> "list of traces"
        = |api| api.trace_block(hash.into(), options.unwrap_or_default().try_into()?).await;

    /// A header, SSZ encoded; its id is the `hash_tree_root`.
    debug_getRawHeader(block: BlockId) -> "bytes" = |api| api.raw_header(block).await;

    /// A header and its body, SSZ encoded: all that re-execution needs.
    debug_getRawBlock(block: BlockId) -> "bytes" = |api| api.raw_block(block).await;

    /// The transaction receipts of a block, EIP-2718 encoded, in order.
    debug_getRawReceipts(block: BlockId) -> "list of bytes" = |api| api.raw_receipts(block).await;

    /// A transaction of a block or of the pool, EIP-2718 encoded; no bytes if there is none.
    debug_getRawTransaction(hash: B256) -> "bytes" = |api| api.raw_transaction(hash).await;
}
