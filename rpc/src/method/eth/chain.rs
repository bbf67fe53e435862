//! Which chain this is, and how far the node has come on it.

use crate::{
    error::RpcResult,
    method::methods,
    view::{EthConfig, Syncing},
};
use alloy_primitives::U64;
use std::future::Future;

/// Which chain this is, and how far the node has come on it.
pub trait ChainApi: Send + Sync + 'static {
    /// What transactions must be signed for.
    fn chain_id(&self) -> u64;

    /// Height of the latest certified block.
    fn block_number(&self) -> impl Future<Output = RpcResult<u64>> + Send;

    /// By which rules the chain runs.
    fn config(&self) -> impl Future<Output = RpcResult<EthConfig>> + Send;

    /// Whether the node still catches up.
    fn syncing(&self) -> impl Future<Output = RpcResult<Syncing>> + Send;
}

methods! {
    ChainApi;

    /// The chain id that transactions of this shard are signed for.
    eth_chainId() -> "quantity" = |api| Ok(U64::from(api.chain_id()));

    /// Height of the latest certified block.
    eth_blockNumber() -> "quantity" = |api| Ok(U64::from(api.block_number().await?));

    /// By which rules the chain runs: fork, precompiles, system contracts (EIP-7910).
    eth_config() -> "chain configuration" = |api| api.config().await;

    /// `false`, or how far the node has come while it catches up.
    eth_syncing() -> "false or progress" = |api| api.syncing().await;
}
