//! Transactions: those of blocks, those that wait, new ones.

use crate::{
    error::RpcResult,
    method::methods,
    view::{Transaction, TransactionReceipt},
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, U64};
use std::future::Future;

/// Transactions: those of blocks, those that wait, new ones.
pub trait TransactionApi: Send + Sync + 'static {
    /// Takes an EIP-2718 encoded transaction into the pool; answers its hash.
    fn send_raw_transaction(&self, transaction: Bytes) -> impl Future<Output = RpcResult<B256>> + Send;

    /// A transaction of a block, or of the pool.
    fn transaction(&self, hash: B256) -> impl Future<Output = RpcResult<Option<Transaction>>> + Send;

    /// The transaction at an index of a block.
    fn transaction_at(
        &self,
        block: BlockId,
        index: u64,
    ) -> impl Future<Output = RpcResult<Option<Transaction>>> + Send;

    /// The EIP-2718 encoding of a transaction of a block, or of the pool.
    fn raw_transaction(&self, hash: B256) -> impl Future<Output = RpcResult<Option<Bytes>>> + Send;

    /// The EIP-2718 encoding of the transaction at an index of a block.
    fn raw_transaction_at(
        &self,
        block: BlockId,
        index: u64,
    ) -> impl Future<Output = RpcResult<Option<Bytes>>> + Send;

    /// What came of a transaction, once it is in a certified block.
    fn transaction_receipt(
        &self,
        hash: B256,
    ) -> impl Future<Output = RpcResult<Option<TransactionReceipt>>> + Send;
}

methods! {
    TransactionApi;

    /// Takes a signed, EIP-2718 encoded transaction into the pool; gives its hash.
    eth_sendRawTransaction(transaction: Bytes) -> "hash" = |api| api.send_raw_transaction(transaction).await;

    /// A transaction of a block or of the pool; `null` if it is not known.
    eth_getTransactionByHash(hash: B256) -> "transaction or null" = |api| api.transaction(hash).await;

    /// The transaction at an index of a block; `null` if there is none.
    eth_getTransactionByBlockNumberAndIndex(block: BlockNumberOrTag, index: U64) -> "transaction or null"
        = |api| api.transaction_at(block.into(), index.to()).await;

    /// The transaction at an index of a block; `null` if there is none.
    eth_getTransactionByBlockHashAndIndex(hash: B256, index: U64) -> "transaction or null"
        = |api| api.transaction_at(hash.into(), index.to()).await;

    /// The EIP-2718 encoding of a transaction of a block or of the pool; empty if it is not known.
    eth_getRawTransactionByHash(hash: B256) -> "bytes"
        = |api| Ok(api.raw_transaction(hash).await?.unwrap_or_default());

    /// The EIP-2718 encoding of the transaction at an index of a block; empty if there is none.
    eth_getRawTransactionByBlockNumberAndIndex(block: BlockNumberOrTag, index: U64) -> "bytes"
        = |api| Ok(api.raw_transaction_at(block.into(), index.to()).await?.unwrap_or_default());

    /// The EIP-2718 encoding of the transaction at an index of a block; empty if there is none.
    eth_getRawTransactionByBlockHashAndIndex(hash: B256, index: U64) -> "bytes"
        = |api| Ok(api.raw_transaction_at(hash.into(), index.to()).await?.unwrap_or_default());

    /// What came of a transaction; `null` until it is in a certified block.
    eth_getTransactionReceipt(hash: B256) -> "transaction receipt or null"
        = |api| api.transaction_receipt(hash).await;
}
