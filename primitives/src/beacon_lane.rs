//! Receipts between the beacon chain and a shard, with proof.

use crate::{OutboxProof, Receipt, ShardHeader, ShardId};
use alloy_primitives::B256;
use crypto::mmr::MmrProof;
use ssz_derive::{Decode, Encode};
use tree_hash_derive::TreeHash;

/// Most receipts in one [`BeaconDelivery`].
pub const DELIVERY_RECEIPTS_MAX: usize = 256;
/// Most bundles in one [`crate::CrosslinkOffer`].
pub const OFFER_BUNDLES_MAX: usize = 64;

/// The beacon chain's end of the two lanes between it and a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconLane {
    /// The shard.
    pub shard: ShardId,
    /// How many of the shard's receipts the beacon chain has consumed.
    pub received: u64,
    /// Sequence of the first receipt to the shard that it is not known to have consumed.
    pub first_sequence: u64,
    /// How many such receipts there are.
    pub count: u64,
    /// Merkle root over them.
    pub root: B256,
}

impl BeaconLane {
    /// Sequence that the next receipt to the shard will have.
    pub const fn next_sequence(&self) -> u64 {
        self.first_sequence.saturating_add(self.count)
    }
}

/// A lane as a beacon state has it, and the receipts to the shard: the first ones, at most [`DELIVERY_RECEIPTS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BeaconDelivery {
    /// The lane.
    pub lane: BeaconLane,
    /// From the lane to the state root.
    pub branch: Vec<B256>,
    /// From `lane.first_sequence` on, in order.
    pub receipts: Vec<Receipt>,
    /// That they are in the lane: siblings of the range, bottom up, left before right.
    pub range_proof: Vec<B256>,
}

/// What one shard block sent to the beacon chain, or a contiguous range of it, proven under a header that the beacon
/// chain has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BeaconBundle {
    /// The block's header.
    pub header: ShardHeader,
    /// That it is an ancestor of the accepted header: at most one, and none if it is that header itself.
    pub ancestry: Vec<MmrProof>,
    /// The lane's leaf in the header's outbox.
    pub outbox: OutboxProof,
    /// The receipts, in order.
    pub receipts: Vec<Receipt>,
    /// That they are in the leaf: siblings of the range, bottom up, left before right.
    pub range_proof: Vec<B256>,
}
