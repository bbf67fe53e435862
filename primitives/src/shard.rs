//! Blocks of a shard chain.

use crate::{
    AnchorProof, AnchorRef, BeaconDelivery, Bundle, Epoch, Height, RecordProof, ShardId, ValidatorIndex, View,
};
use alloy_primitives::{B256, Bloom, Bytes};
use ssz::Encode as _;
use ssz_derive::{Decode, Encode};
use tree_hash::{Hash256, MerkleHasher, TreeHash, TreeHashType};

/// Header of a shard block; its id is its `hash_tree_root`.
///
/// It commits to the state *after* the block's own transactions, so its certificate certifies the
/// state and the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ShardHeader {
    /// The chain.
    pub shard: ShardId,
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
    /// The finalized beacon header this block reads the beacon chain at; its height never falls.
    pub anchor: AnchorRef,
    /// Root of the Ethereum Merkle-Patricia trie over the accounts.
    pub state_root: B256,
    /// SSZ list root over the transactions' Ethereum hashes, in order.
    pub transactions_root: B256,
    /// SSZ list root over the keccak-256 of the EIP-2718 encoded transaction receipts, in order.
    pub transaction_receipts_root: B256,
    /// Union of the transaction receipts' blooms.
    pub logs_bloom: Bloom,
    /// Root of the receipts this block sends to other chains.
    pub outbox_root: B256,
    /// `hash_tree_root` of the cumulative inbox cursors after this block.
    pub inbox_cursors_root: B256,
    /// Root of the mountain range over the ids of heights zero up to the parent.
    pub history_root: B256,
    /// BLAKE3 of the body's encoding.
    pub data_root: B256,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// Most gas the block may use.
    pub gas_limit: u64,
    /// EIP-1559 base fee, wei per gas.
    pub base_fee: u64,
}

impl ShardHeader {
    /// The block's id; also its `hash` in JSON-RPC.
    pub fn id(&self) -> B256 {
        self.tree_hash_root()
    }
}

// By hand because `Bloom` is not a `TreeHash` type: it is hashed as `Vector[byte, 256]`.
impl TreeHash for ShardHeader {
    fn tree_hash_type() -> TreeHashType {
        TreeHashType::Container
    }
    fn tree_hash_packed_encoding(&self) -> tree_hash::PackedEncoding {
        unreachable!("a container is never packed")
    }
    fn tree_hash_packing_factor() -> usize {
        unreachable!("a container is never packed")
    }
    fn tree_hash_root(&self) -> Hash256 {
        let leaves = [
            self.shard.tree_hash_root(),
            self.epoch.tree_hash_root(),
            self.view.tree_hash_root(),
            self.parent_view.tree_hash_root(),
            self.height.tree_hash_root(),
            self.parent,
            self.timestamp_ms.tree_hash_root(),
            self.proposer.tree_hash_root(),
            self.anchor.tree_hash_root(),
            self.state_root,
            self.transactions_root,
            self.transaction_receipts_root,
            tree_hash::merkle_root(self.logs_bloom.as_slice(), 0),
            self.outbox_root,
            self.inbox_cursors_root,
            self.history_root,
            self.data_root,
            self.gas_used.tree_hash_root(),
            self.gas_limit.tree_hash_root(),
            self.base_fee.tree_hash_root(),
        ];
        let mut hasher = MerkleHasher::with_leaves(leaves.len());
        for leaf in &leaves {
            hasher.write(leaf.as_slice()).expect("as many leaves as the hasher was made for");
        }
        hasher.finish().expect("as many leaves as the hasher was made for")
    }
}

/// What a shard block executes: the parent's state and this are all that re-execution needs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShardBody {
    /// What the block uses from the beacon chain, proven against the anchor.
    pub anchor: AnchorProof,
    /// Other shards as the anchor's state has them, by rising id: those that the block consumes from, and those that
    /// have consumed more of what this shard sent.
    pub others: Vec<RecordProof>,
    /// What the beacon chain has for this shard at the anchor: at most one, and none if it brings nothing new. Applied
    /// first.
    pub delivery: Vec<BeaconDelivery>,
    /// Receipts from other shards; applied before the transactions.
    pub bundles: Vec<Bundle>,
    /// EIP-2718 encoded.
    pub transactions: Vec<Bytes>,
}

impl ShardBody {
    /// What the header commits to.
    pub fn root(&self) -> B256 {
        crypto::hash::blake3(&self.as_ssz_bytes())
    }
}

/// A shard header and its body.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShardBlock {
    /// The header.
    pub header: ShardHeader,
    /// Matches `header.data_root`.
    pub body: ShardBody,
}
