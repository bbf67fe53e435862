//! Transactions: those of blocks, those that wait, new ones.

use crate::{
    error::RpcResult,
    method::methods,
    view::{Transaction, TransactionReceipt},
};
use alloy_primitives::{B256, Bytes};
use std::future::Future;

/// Transactions: those of blocks, those that wait, new ones.
pub trait TransactionApi: Send + Sync + 'static {
    /// Takes an EIP-2718 encoded transaction into the pool; answers its hash.
    fn send_raw_transaction(&self, transaction: Bytes) -> impl Future<Output = RpcResult<B256>> + Send;

    /// A transaction of a block, or of the pool.
    fn transaction(&self, hash: B256) -> impl Future<Output = RpcResult<Option<Transaction>>> + Send;

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

    /// What came of a transaction; `null` until it is in a certified block.
    eth_getTransactionReceipt(hash: B256) -> "transaction receipt or null"
        = |api| api.transaction_receipt(hash).await;
}
