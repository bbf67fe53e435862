//! `atoll_`: what Ethereum has no words for: receipts between shards.

use super::methods;
use crate::{
    error::RpcResult,
    view::{BundleView, InclusionView, LaneView, ReceiptJourney},
};
use alloy_primitives::{B256, U64};
use std::future::Future;

/// What a node answers in the `atoll_` namespace.
pub trait AtollApi: Send + Sync + 'static {
    /// A receipt that this shard sent or consumed, with `proofs` of that if they are asked for; `None` if it did neither.
    fn receipt(
        &self,
        id: B256,
        proofs: bool,
    ) -> impl Future<Output = RpcResult<Option<ReceiptJourney>>> + Send;

    /// What this shard knows of its lanes to and from `shard`.
    fn lane(&self, shard: u64) -> impl Future<Output = RpcResult<LaneView>> + Send;

    /// Proof of a receipt that this shard sent; `None` if it did not, or is not certified yet.
    fn bundle(&self, id: B256) -> impl Future<Output = RpcResult<Option<BundleView>>> + Send;

    /// Proof of a transaction under the accepted header at height `accepted`, the newest by default; `None` if its block
    /// is not at or below that.
    fn inclusion(
        &self,
        hash: B256,
        accepted: Option<u64>,
    ) -> impl Future<Output = RpcResult<Option<InclusionView>>> + Send;
}

methods! {
    AtollApi;

    /// A receipt between shards, and the blocks of this shard that it passed, proven under the newest accepted header once
    /// they are finalized (without proofs if `proofs` is false): ask its source and its destination.
    atoll_getReceipt(id: B256, proofs: Option<bool>) -> "receipt journey" =
        |api| api.receipt(id, proofs.unwrap_or(true)).await;

    /// What this shard sent to another one, how much of that is known to have arrived, and what came from there.
    atoll_getLane(shard: U64) -> "lane" = |api| api.lane(shard.to()).await;

    /// Proof that a finalized block has a transaction, and of what came of it, under an accepted header (the newest by
    /// default): SSZ, for a light client. A receipt from another chain is the transaction of its id. Both halves of a
    /// journey, from source and destination, prove it whole.
    atoll_getInclusion(hash: B256, accepted: Option<U64>) -> "inclusion" =
        |api| api.inclusion(hash, accepted.map(|height| height.to())).await;

    /// Proof that this shard sent a receipt: a bundle (SSZ) for whoever knows its committees.
    atoll_getBundle(id: B256) -> "bundle" = |api| api.bundle(id).await;
}
