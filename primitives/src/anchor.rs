//! How a shard block sees the beacon chain.

use crate::{BeaconHeader, Height, Seat, ShardRecord};
use alloy_primitives::B256;
use ssz_derive::{Decode, Encode};
use tree_hash_derive::TreeHash;

/// The beacon header a shard block reads the beacon chain at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, TreeHash)]
pub struct AnchorRef {
    /// Its height.
    pub height: Height,
    /// Its id.
    pub id: B256,
}

/// Everything a shard block takes from its anchor, each with its Merkle branch.
///
/// Verified by `consensus::light::verify_anchor`; whether the anchor is finalized is what the
/// shard's committee vouches for by certifying the block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AnchorProof {
    /// The header whose id the shard header names.
    pub header: BeaconHeader,
    /// The beacon chain's randomness after that header: PREVRANDAO.
    pub mix: B256,
    /// From the mix to `header.state_root`.
    pub mix_branch: Vec<B256>,
    /// The shard's own entry in the registry.
    pub record: ShardRecord,
    /// From the record to `header.state_root`.
    pub record_branch: Vec<B256>,
    /// Index of the proposing seat in the committee of the block's epoch.
    pub seat_index: u32,
    /// The proposing seat.
    pub seat: Seat,
    /// From the seat to the committee root in the record's epoch table.
    pub seat_branch: Vec<B256>,
}
