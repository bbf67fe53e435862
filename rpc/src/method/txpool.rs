//! `txpool_`: what waits for a block. *Pending* is what a block could take, *queued* what is behind a gap or not paid
//! for.

use super::methods;
use crate::{
    error::RpcResult,
    view::{PoolContent, PoolContentOf, PoolStatus},
};
use alloy_primitives::Address;
use std::future::Future;

/// What a node answers in the `txpool_` namespace.
pub trait TxpoolApi: Send + Sync + 'static {
    /// How many transactions wait.
    fn pool_status(&self) -> impl Future<Output = RpcResult<PoolStatus>> + Send;

    /// All that wait, by sender.
    fn pool_content(&self) -> impl Future<Output = RpcResult<PoolContent>> + Send;

    /// Those of one sender.
    fn pool_content_of(&self, sender: Address) -> impl Future<Output = RpcResult<PoolContentOf>> + Send;
}

methods! {
    TxpoolApi;

    /// How many transactions wait for a block.
    txpool_status() -> "pool status" = |api| api.pool_status().await;

    /// All transactions that wait for a block, by sender and nonce.
    txpool_content() -> "pool content" = |api| api.pool_content().await;

    /// The transactions of one sender that wait for a block, by nonce.
    txpool_contentFrom(sender: Address) -> "pool content of a sender"
        = |api| api.pool_content_of(sender).await;

    /// All transactions that wait for a block, by sender and nonce, a line of text for each.
    txpool_inspect() -> "pool inspection" = |api| Ok(api.pool_content().await?.inspection());
}
