//! What a beacon node hands to those who follow the beacon chain without executing it.

use crate::{BeaconDelivery, CertifiedBeaconHeader, EpochTable, InboxCursors, ShardRecord};
use alloy_primitives::B256;
use ssz_derive::{Decode, Encode};

/// A shard's registry entry with its branch to a beacon state root, and the cursors that it commits to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RecordProof {
    /// The entry.
    pub record: ShardRecord,
    /// From the entry to the state root.
    pub branch: Vec<B256>,
    /// How far the accepted header has consumed other chains' receipts.
    pub cursors: InboxCursors,
}

/// One certified beacon header with the parts of its state that followers need.
///
/// Verified by `consensus::light::LightClient`. Committees are fetched apart, by the roots in the
/// tables.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LightUpdate {
    /// The header and its certificate.
    pub certified: CertifiedBeaconHeader,
    /// The randomness after it.
    pub mix: B256,
    /// From the mix to the state root.
    pub mix_branch: Vec<B256>,
    /// The beacon chain's own committees.
    pub beacon_table: EpochTable,
    /// From the table to the state root.
    pub beacon_table_branch: Vec<B256>,
    /// Every shard's entry.
    pub records: Vec<RecordProof>,
    /// What there is for every shard.
    pub deliveries: Vec<BeaconDelivery>,
}
