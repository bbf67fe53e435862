//! Nodes in vectors, named by 32-bit ids, freed ones reused.
//!
//! Two kinds are stored: leaves, which hold their whole key, and branches, which hold the depth at which
//! they branch. A branch has at least two children. What a node looks like to its parent also depends on the
//! depth its parent leaves off at, so moving a node to another depth makes its reference stale.
//!
//! References of leaves lie apart from the leaves: hashing a branch reads those of all its children, and
//! never the leaves themselves.

use alloy_primitives::B256;

use super::{
    hash::NodeRef,
    nibble,
    value::{ValueArena, ValueId},
};

/// The name of a node, or of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u32);

impl NodeId {
    const BRANCH_BIT: u32 = 1 << 31;
    /// No node: the root of an empty trie, a branch's missing child.
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn leaf(index: usize) -> Self {
        Self::new(index, 0)
    }

    pub(super) fn branch(index: usize) -> Self {
        Self::new(index, Self::BRANCH_BIT)
    }

    fn new(index: usize, kind: u32) -> Self {
        assert!(index < Self::BRANCH_BIT as usize - 1, "2^31 nodes would take 150 GiB");
        Self(index as u32 | kind)
    }

    #[inline]
    pub(super) fn kind(self) -> NodeKind {
        match (self, self.0 & !Self::BRANCH_BIT) {
            (Self::NONE, _) => NodeKind::None,
            (_, index) if index == self.0 => NodeKind::Leaf(index as usize),
            (_, index) => NodeKind::Branch(index as usize),
        }
    }

    /// The index of the branch named, if it is one.
    #[inline]
    pub(super) fn as_branch(self) -> Option<usize> {
        match self.kind() {
            NodeKind::Branch(index) => Some(index),
            NodeKind::None | NodeKind::Leaf(_) => None,
        }
    }
}

/// What a node is, and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) enum NodeKind {
    None,
    Leaf(usize),
    Branch(usize),
}

impl Default for NodeId {
    fn default() -> Self {
        Self::NONE
    }
}

/// An entry: its key, and where its value lies.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) key: B256,
    value: ValueId,
}

/// A node with two children or more.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// By nibble of the key at `depth`.
    pub(super) children: [NodeId; 16],
    reference: NodeRef,
    depth: u8,
}

impl Branch {
    /// The depth of the nibble by which children are told apart.
    #[inline]
    pub(super) fn depth(&self) -> usize {
        usize::from(self.depth)
    }

    fn first_child(&self) -> NodeId {
        let first = self.children.iter().find(|child| **child != NodeId::NONE);
        *first.expect("a branch has at least two children")
    }
}

/// Every node and value of one trie.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    leaves: Vec<Leaf>,
    /// By index of the leaf.
    leaf_references: Vec<NodeRef>,
    branches: Vec<Branch>,
    values: ValueArena,
    free_leaves: Vec<u32>,
    free_branches: Vec<u32>,
}

impl Arena {
    /// Makes room for `leaves` more entries with values of about `value_len` bytes.
    pub(super) fn reserve(&mut self, leaves: usize, value_len: usize) {
        self.leaves.reserve_exact(leaves);
        self.leaf_references.reserve_exact(leaves);
        self.branches.reserve_exact(leaves / 3);
        self.values.reserve(leaves.saturating_mul(value_len));
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.leaves.capacity() * size_of::<Leaf>()
            + self.leaf_references.capacity() * size_of::<NodeRef>()
            + self.branches.capacity() * size_of::<Branch>()
            + self.values.memory_bytes()
            + (self.free_leaves.capacity() + self.free_branches.capacity()) * size_of::<u32>()
    }

    pub(super) fn leaf_count(&self) -> usize {
        self.leaves.len() - self.free_leaves.len()
    }

    pub(super) fn leaf(&self, index: usize) -> &Leaf {
        &self.leaves[index]
    }

    pub(super) fn branch(&self, index: usize) -> &Branch {
        &self.branches[index]
    }

    pub(super) fn value(&self, leaf: &Leaf) -> &[u8] {
        self.values.get(leaf.value)
    }

    /// What the parent of `node`, which is not none, holds of it.
    #[inline]
    pub(super) fn reference(&self, node: NodeId) -> &NodeRef {
        match node.as_branch() {
            Some(index) => &self.branches[index].reference,
            None => &self.leaf_references[node.0 as usize],
        }
    }

    #[inline]
    pub(super) fn set_reference(&mut self, node: NodeId, reference: NodeRef) {
        *self.reference_mut(node) = reference;
    }

    /// Makes the reference of `node` be computed anew.
    #[inline]
    pub(super) fn set_stale(&mut self, node: NodeId) {
        self.reference_mut(node).set_stale();
    }

    #[inline]
    fn reference_mut(&mut self, node: NodeId) -> &mut NodeRef {
        match node.as_branch() {
            Some(index) => &mut self.branches[index].reference,
            None => &mut self.leaf_references[node.0 as usize],
        }
    }

    /// The key of some leaf under `node`, which is not none: all of them agree up to where it branches.
    pub(super) fn any_key(&self, mut node: NodeId) -> &B256 {
        while let Some(index) = node.as_branch() {
            node = self.branches[index].first_child();
        }
        &self.leaves[node.0 as usize].key
    }

    pub(super) fn new_leaf(&mut self, key: B256, value: &[u8]) -> NodeId {
        let leaf = Leaf { key, value: self.values.insert(value) };
        match self.free_leaves.pop() {
            Some(index) => {
                self.leaves[index as usize] = leaf;
                self.leaf_references[index as usize].set_stale();
                NodeId(index)
            }
            None => {
                self.leaves.push(leaf);
                self.leaf_references.push(NodeRef::STALE);
                NodeId::leaf(self.leaves.len() - 1)
            }
        }
    }

    pub(super) fn set_value(&mut self, leaf: usize, value: &[u8]) {
        let id = &mut self.leaves[leaf].value;
        *id = self.values.replace(*id, value);
        self.leaf_references[leaf].set_stale();
    }

    pub(super) fn remove_leaf(&mut self, index: usize) {
        self.values.remove(self.leaves[index].value);
        self.free_leaves.push(index as u32);
    }

    /// A branch at `depth` of two nodes whose keys agree before `depth` and differ there.
    ///
    /// Both now hang deeper than they did, so both become stale.
    pub(super) fn new_branch(&mut self, depth: usize, children: [NodeId; 2]) -> NodeId {
        let mut branch =
            Branch { children: [NodeId::NONE; 16], reference: NodeRef::STALE, depth: depth as u8 };
        for child in children {
            let slot = nibble::at(self.any_key(child), depth);
            branch.children[slot] = child;
            self.set_stale(child);
        }
        match self.free_branches.pop() {
            Some(index) => {
                self.branches[index as usize] = branch;
                NodeId(index | NodeId::BRANCH_BIT)
            }
            None => {
                self.branches.push(branch);
                NodeId::branch(self.branches.len() - 1)
            }
        }
    }

    /// Hangs `child` under a branch in place of what was there.
    #[inline]
    pub(super) fn set_child(&mut self, branch: usize, slot: usize, child: NodeId) {
        self.branches[branch].children[slot] = child;
    }

    /// Makes good a branch whose children were changed: with none left it is gone, with one left that child
    /// stands in its place. Returns what now stands there.
    pub(super) fn settle_branch(&mut self, index: usize) -> NodeId {
        let mut present = self.branches[index].children.iter().filter(|child| **child != NodeId::NONE);
        match (present.next().copied(), present.next()) {
            (Some(_), Some(_)) => {
                self.branches[index].reference.set_stale();
                NodeId::branch(index)
            }
            (only, _) => {
                self.free_branches.push(index as u32);
                let only = only.unwrap_or(NodeId::NONE);
                if only != NodeId::NONE {
                    self.set_stale(only);
                }
                only
            }
        }
    }
}
