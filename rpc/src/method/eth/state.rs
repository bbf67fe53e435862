//! Accounts as they are after a block.

use crate::{error::RpcResult, method::methods};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::EIP1186AccountProofResponse;
use alloy_serde::JsonStorageKey;
use std::future::Future;

/// Accounts as they are after a block.
pub trait StateApi: Send + Sync + 'static {
    /// Wei that an account has.
    fn balance(&self, address: Address, block: BlockId) -> impl Future<Output = RpcResult<U256>> + Send;

    /// Next nonce of an account; at `pending`, after the pool's transactions.
    fn transaction_count(
        &self,
        address: Address,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<u64>> + Send;

    /// Code of an account.
    fn code(&self, address: Address, block: BlockId) -> impl Future<Output = RpcResult<Bytes>> + Send;

    /// One word of an account's storage.
    fn storage_at(
        &self,
        address: Address,
        slot: B256,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<B256>> + Send;

    /// EIP-1186: an account and words of its storage, proven against the state root. The answer repeats each key
    /// as it was given.
    fn proof(
        &self,
        address: Address,
        keys: Vec<JsonStorageKey>,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<EIP1186AccountProofResponse>> + Send;
}

methods! {
    StateApi;

    /// Wei that an account has.
    eth_getBalance(address: Address, block: Option<BlockId>) -> "quantity"
        = |api| api.balance(address, block.unwrap_or_default()).await;

    /// Next nonce of an account; at `pending`, after its transactions in the pool.
    eth_getTransactionCount(address: Address, block: Option<BlockId>) -> "quantity"
        = |api| Ok(U64::from(api.transaction_count(address, block.unwrap_or_default()).await?));

    /// Code of an account.
    eth_getCode(address: Address, block: Option<BlockId>) -> "bytes"
        = |api| api.code(address, block.unwrap_or_default()).await;

    /// One word of an account's storage.
    eth_getStorageAt(address: Address, slot: JsonStorageKey, block: Option<BlockId>) -> "word"
        = |api| api.storage_at(address, slot.as_b256(), block.unwrap_or_default()).await;

    /// An account and words of its storage, proven against the state root (EIP-1186).
    eth_getProof(address: Address, slots: Vec<JsonStorageKey>, block: Option<BlockId>) -> "account proof"
        = |api| api.proof(address, slots, block.unwrap_or_default()).await;
}
