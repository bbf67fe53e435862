//! The Ethereum Merkle-Patricia trie, held in memory and updated in place.
//!
//! [`Trie`] maps 32-byte hashed keys to byte strings, [`StateTrie`] is the trie of accounts above one such
//! trie per account with storage, and [`verify_proof`] checks what either proves. The root is a function of
//! the content alone: neither the order of updates nor the number of threads shows in it.
//!
//! - `arena`: nodes in vectors, named by 32-bit ids; a branch knows the depth at which it branches, so an
//!   extension node is never stored: it is the gap between a branch and its parent. Its path is read off
//!   any leaf below.
//! - `value`: the bytes of the leaves, in granules of eight.
//! - `apply`, `build`: changing a trie, making one from sorted entries.
//! - `hash`: node encodings and the references (hash, or the encoding itself if short) parents hold.
//! - `proof`, `verify`: `eth_getProof` and its check.
//! - `state`, `storage`, `encoded`: the two levels of the state trie, and what their leaves hold.
//!
//! Rules: Ethereum yellow paper, appendix D.

mod apply;
mod arena;
mod build;
mod encoded;
mod hash;
mod nibble;
mod proof;
mod state;
mod storage;
mod value;
mod verify;

#[cfg(test)]
mod tests;

use alloy_primitives::{B256, b256};

pub use state::{SlotProof, StateTrie};
pub use verify::{NodeError, ProofError, verify_proof};

use arena::{Arena, NodeId, NodeKind};

/// Root of a trie without entries: keccak-256 of the RLP empty string.
pub const EMPTY_ROOT: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// A Merkle-Patricia trie over 32-byte keys, which are hashes and so evenly spread.
///
/// An empty value is no entry: writing it removes the key, as in every Ethereum trie.
#[derive(Clone, Debug, Default)]
pub struct Trie {
    arena: Arena,
    root: NodeId,
    /// Entries written or removed since references were last computed: whether threads pay.
    stale_entries: usize,
}

impl Trie {
    /// A trie without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.arena.leaf_count()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.root == NodeId::NONE
    }

    /// Bytes of memory held, spare capacity included.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.arena.memory_bytes()
    }

    /// The value under `key`.
    pub fn get(&self, key: &B256) -> Option<&[u8]> {
        let mut node = self.root;
        loop {
            match node.kind() {
                NodeKind::Branch(index) => {
                    let branch = self.arena.branch(index);
                    node = branch.children[nibble::at(key, branch.depth())];
                }
                NodeKind::Leaf(index) => {
                    let leaf = self.arena.leaf(index);
                    return (leaf.key == *key).then(|| self.arena.value(leaf));
                }
                NodeKind::None => return None,
            }
        }
    }

    /// Writes `value` under `key`, whether or not the key was there.
    pub fn insert(&mut self, key: &B256, value: &[u8]) {
        self.apply_sorted(&[(*key, Some(value))]);
    }

    /// Removes `key`, if it is there.
    pub fn remove(&mut self, key: &B256) {
        self.apply_sorted::<&[u8]>(&[(*key, None)]);
    }
}
