//! One lane's receipts from one source block, with proof.

use crate::{CertifiedShardHeader, Chain, Lane, Receipt, ShardHeader};
use alloy_primitives::B256;
use crypto::mmr::MmrProof;
use ssz_derive::{Decode, Encode};
use tree_hash_derive::TreeHash;

/// What a block's outbox commits to for one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct OutboxLeaf {
    /// Where these receipts go.
    pub destination: Chain,
    /// Lane sequence of the first of them.
    pub first_sequence: u64,
    /// How many.
    pub count: u64,
    /// Merkle root over them.
    pub root: B256,
}

/// That a leaf belongs to an outbox root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OutboxProof {
    /// The leaf.
    pub leaf: OutboxLeaf,
    /// Its place among the block's leaves.
    pub index: u32,
    /// From the leaf up.
    pub branch: Vec<B256>,
}

/// A header without a certificate of its own, proven by a certified descendant's history.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AncestorHeader {
    /// The header.
    pub header: ShardHeader,
    /// Its place in the certified header's history.
    pub proof: MmrProof,
}

/// A contiguous range of one lane's receipts from one source block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Bundle {
    /// From where to where.
    pub lane: Lane,
    /// The source header, or a descendant of it.
    pub certified: CertifiedShardHeader,
    /// The source header where `certified` is a descendant: at most one.
    pub ancestor: Vec<AncestorHeader>,
    /// That the last source header consumed from is an ancestor of the source header: at most one, and none if it is
    /// that header itself or nothing was consumed yet.
    pub continuity: Vec<MmrProof>,
    /// The lane's leaf in the source header's outbox.
    pub outbox: OutboxProof,
    /// The receipts, in order.
    pub receipts: Vec<Receipt>,
    /// That they are in the leaf: siblings of the range, bottom up, left before right.
    pub range_proof: Vec<B256>,
}
