//! The nodes of a mountain range, for whoever serves proofs from it.

use alloy_primitives::B256;

use super::peaks::Mmr;
use super::proof::{MmrProof, ProveError, prove};

/// A store of nodes by position. Nodes are only ever added, so a store of many leaves also serves
/// the roots and proofs of every smaller range.
pub trait MmrNodes {
    /// The node at `position`, if the store has it.
    fn node(&self, position: u64) -> Option<B256>;
}

/// Every node of a mountain range, in memory: about 64 bytes a leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MmrTree {
    mmr: Mmr,
    nodes: Vec<B256>,
}

impl MmrTree {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { mmr: Mmr::new(), nodes: Vec::new() }
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: B256) {
        self.mmr.push_with(leaf, |_, node| self.nodes.push(node));
    }

    /// Number of leaves.
    pub fn leaf_count(&self) -> u64 {
        self.mmr.leaf_count()
    }

    /// The range of all leaves, as a chain's state holds it.
    pub fn mmr(&self) -> &Mmr {
        &self.mmr
    }

    /// Root of all leaves.
    pub fn root(&self) -> B256 {
        self.mmr.root()
    }

    /// Root of the first `leaf_count` leaves. None if there are fewer.
    pub fn root_at(&self, leaf_count: u64) -> Option<B256> {
        Mmr::from_nodes(self, leaf_count).filter(|_| leaf_count <= self.leaf_count()).map(|mmr| mmr.root())
    }

    /// Proof of leaf `leaf_index` against the root of the first `leaf_count` leaves.
    pub fn proof(&self, leaf_index: u64, leaf_count: u64) -> Result<MmrProof, ProveError> {
        prove(self, leaf_index, leaf_count)
    }
}

impl MmrNodes for MmrTree {
    fn node(&self, position: u64) -> Option<B256> {
        self.nodes.get(usize::try_from(position).ok()?).copied()
    }
}

impl Extend<B256> for MmrTree {
    fn extend<I: IntoIterator<Item = B256>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

impl FromIterator<B256> for MmrTree {
    fn from_iter<I: IntoIterator<Item = B256>>(leaves: I) -> Self {
        let mut tree = Self::new();
        tree.extend(leaves);
        tree
    }
}
