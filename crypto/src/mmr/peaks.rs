//! The part of a mountain range that a chain keeps in its state.

use alloy_primitives::B256;

use super::position;
use super::tree::MmrNodes;
use crate::hash::sha256_pair;
use crate::merkle::length_leaf;

/// No range is longer: positions, which are about twice the count, stay far from overflow.
pub const LEAF_COUNT_MAX: u64 = 1 << 60;

/// A mountain range reduced to what appending needs. There is one peak for each bit set in the leaf count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mmr {
    leaf_count: u64,
    peaks: Vec<B256>,
}

/// Why a leaf count and peaks are no mountain range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MmrError {
    #[error("a range of {leaf_count} leaves has {expected} peaks, found {found}")]
    PeakCount { leaf_count: u64, expected: u32, found: usize },
    #[error("a range has at most {max} leaves, found {found}")]
    TooManyLeaves { max: u64, found: u64 },
}

impl Mmr {
    /// The empty range.
    pub const fn new() -> Self {
        Self { leaf_count: 0, peaks: Vec::new() }
    }

    /// The range that a state holds, `peaks` from the left.
    pub fn from_parts(leaf_count: u64, peaks: Vec<B256>) -> Result<Self, MmrError> {
        if leaf_count > LEAF_COUNT_MAX {
            return Err(MmrError::TooManyLeaves { max: LEAF_COUNT_MAX, found: leaf_count });
        }
        let expected = leaf_count.count_ones();
        if peaks.len() != expected as usize {
            return Err(MmrError::PeakCount { leaf_count, expected, found: peaks.len() });
        }
        Ok(Self { leaf_count, peaks })
    }

    /// The range of the first `leaf_count` leaves of those whose nodes are given. None if a peak is missing.
    pub fn from_nodes(nodes: &impl MmrNodes, leaf_count: u64) -> Option<Self> {
        if leaf_count > LEAF_COUNT_MAX {
            return None;
        }
        let peaks = position::mountains(leaf_count)
            .map(|mountain| nodes.node(mountain.peak()))
            .collect::<Option<_>>()?;
        Some(Self { leaf_count, peaks })
    }

    /// Number of leaves.
    pub fn leaf_count(&self) -> u64 {
        self.leaf_count
    }

    /// Roots of the mountains, from the left.
    pub fn peaks(&self) -> &[B256] {
        &self.peaks
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: B256) {
        self.push_with(leaf, |_, _| {});
    }

    /// Appends a leaf and passes each node that comes to be with it, and its position, to `store`. The
    /// first is the leaf; positions follow each other without gaps from one call to the next.
    pub fn push_with(&mut self, leaf: B256, mut store: impl FnMut(u64, B256)) {
        let mut position = position::node_count(self.leaf_count);
        let mut node = leaf;
        store(position, node);
        for _ in 0..self.leaf_count.trailing_ones() {
            let left = self
                .peaks
                .pop()
                .expect("a set bit of the leaf count has its peak: from_parts checks it, push keeps it");
            node = sha256_pair(&left, &node);
            position += 1;
            store(position, node);
        }
        self.peaks.push(node);
        // The count starts at LEAF_COUNT_MAX or below and each step costs a call, so it never overflows.
        self.leaf_count += 1;
    }

    /// Commitment to all leaves, their order and their number.
    pub fn root(&self) -> B256 {
        root(bag(self.peaks.iter().copied()).unwrap_or(B256::ZERO), self.leaf_count)
    }
}

/// Folds peaks, given from the left, into one node. None for no peaks.
pub(super) fn bag(peaks: impl DoubleEndedIterator<Item = B256>) -> Option<B256> {
    peaks.rev().reduce(|right, left| sha256_pair(&left, &right))
}

/// Root of a range from its bagged peaks and its leaf count.
pub(super) fn root(bagged: B256, leaf_count: u64) -> B256 {
    sha256_pair(&bagged, &length_leaf(leaf_count))
}
