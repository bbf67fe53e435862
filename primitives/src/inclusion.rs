//! That a transaction is in a finalized block, and what came of it.

use crate::ShardHeader;
use alloy_primitives::{B256, Bytes};
use crypto::mmr::MmrProof;
use ssz_derive::{Decode, Encode};

/// A transaction of a shard block with proofs, for whoever knows an accepted header at or above the block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Inclusion {
    /// The block's header.
    pub header: ShardHeader,
    /// That it is an ancestor of the accepted header: at most one, and none if it is that header itself.
    pub history: Vec<MmrProof>,
    /// The transaction's place in the block.
    pub index: u32,
    /// Its hash; of a receipt from another chain, the receipt's id.
    pub hash: B256,
    /// From the hash to `header.transactions_root`.
    pub transaction_branch: Vec<B256>,
    /// Its transaction receipt, EIP-2718 encoded.
    pub outcome: Bytes,
    /// From the Keccak-256 of the outcome to `header.transaction_receipts_root`.
    pub outcome_branch: Vec<B256>,
}
