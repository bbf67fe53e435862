//! Blocks of the beacon chain.

use crate::{
    BeaconBundle, Conflict, Consumption, Crosslink, Epoch, Evidence, Height, SignatureBytes, ValidatorIndex,
    View,
};
use alloy_primitives::B256;
use ssz::Encode as _;
use ssz_derive::{Decode, Encode};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

/// Header of a beacon block; its id is its `hash_tree_root`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconHeader {
    /// Term of the committee that agrees on it.
    pub epoch: Epoch,
    /// View it was first proposed in.
    pub view: View,
    /// View of its parent within the epoch; zero for the epoch's first block.
    pub parent_view: View,
    /// Position in the chain.
    pub height: Height,
    /// Id of the header below.
    pub parent: B256,
    /// Milliseconds since the Unix epoch; strictly rising.
    pub timestamp_ms: u64,
    /// Who proposed it.
    pub proposer: ValidatorIndex,
    /// `hash_tree_root` of the beacon state after this block.
    pub state_root: B256,
    /// BLAKE3 of the body's encoding.
    pub body_root: B256,
    /// Root of the mountain range over the ids of heights zero up to the parent.
    pub history_root: B256,
}

impl BeaconHeader {
    /// The block's id.
    pub fn id(&self) -> B256 {
        self.tree_hash_root()
    }
}

/// What a beacon block brings.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BeaconBody {
    /// The proposing seat's signature over (epoch ‖ height): its share of the randomness.
    pub randao_reveal: SignatureBytes,
    /// At most one per shard.
    pub crosslinks: Vec<Crosslink>,
    /// Proofs of equivocation.
    pub evidence: Vec<Evidence>,
    /// Proofs that a committee certified two branches; at most one per shard, by rising shard id.
    pub conflicts: Vec<Conflict>,
    /// Shards that consumed from void branches; each after what its source's being void depends on.
    pub consumptions: Vec<Consumption>,
    /// Receipts of shards under their accepted headers, by rising shard id and then in the lane's order; applied last.
    pub bundles: Vec<BeaconBundle>,
}

impl BeaconBody {
    /// What the header commits to.
    pub fn root(&self) -> B256 {
        crypto::hash::blake3(&self.as_ssz_bytes())
    }
}

/// A beacon header and its body.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BeaconBlock {
    /// The header.
    pub header: BeaconHeader,
    /// Matches `header.body_root`.
    pub body: BeaconBody,
}
