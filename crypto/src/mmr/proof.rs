//! Proof that a leaf is in a mountain range.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use ssz_derive::{Decode, Encode};

use super::peaks::{LEAF_COUNT_MAX, bag, root};
use super::position::{Mountain, mountains, nodes_in};
use super::tree::MmrNodes;
use crate::hash::sha256_pair;
use crate::merkle::root_from_branch;

/// That leaf `leaf_index` is in the range of `leaf_count` leaves.
///
/// `path` holds the leaf's siblings in its mountain, lowest first; then, if there are mountains to the
/// right, those bagged into one node; then the peaks to the left, nearest first. Its length follows
/// from the other two fields and is at most 64, so there is one proof for each leaf and root.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MmrProof {
    /// Number of leaves of the range whose root is proven against.
    pub leaf_count: u64,
    /// Index of the leaf, from zero.
    pub leaf_index: u64,
    /// The nodes that lead from the leaf to the root.
    pub path: Vec<B256>,
}

/// Why a proof cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    #[error("leaf {leaf_index} is not in a range of {leaf_count} leaves")]
    NoSuchLeaf { leaf_index: u64, leaf_count: u64 },
    #[error("a range has at most {max} leaves, asked for {found}")]
    TooManyLeaves { max: u64, found: u64 },
    #[error("the store lacks node {position}")]
    MissingNode { position: u64 },
}

impl MmrProof {
    /// Whether `leaf` is at `leaf_index` of the range with this `root`.
    ///
    /// Binds all of the proof: with any other index, count or path it is false.
    pub fn verify(&self, root: &B256, leaf: &B256) -> bool {
        self.root_of(leaf).is_some_and(|found| found == *root)
    }

    /// Whether the path is of the length that the index and the count ask for: if not, nothing is proven.
    pub fn is_well_formed(&self) -> bool {
        self.shape().is_some()
    }

    /// The root that the path leads to from `leaf`. None if the path is not of the shape that the
    /// index and the count ask for.
    pub fn root_of(&self, leaf: &B256) -> Option<B256> {
        let (mountain, has_right) = self.shape()?;
        let (siblings, rest) = self.path.split_at(mountain.height as usize);
        let (right, left) = rest.split_at(usize::from(has_right));
        let peak = root_from_branch(leaf, self.leaf_index - mountain.first_leaf, siblings);
        let bagged = right.iter().fold(peak, |node, right| sha256_pair(&node, right));
        let bagged = left.iter().fold(bagged, |node, left| sha256_pair(left, &node));
        Some(root(bagged, self.leaf_count))
    }

    /// The leaf's mountain and whether there are others to its right. None if the path has another length.
    fn shape(&self) -> Option<(Mountain, bool)> {
        let (mountain, left_count) = locate(self.leaf_index, self.leaf_count)?;
        let has_right = mountain.first_leaf + (1 << mountain.height) < self.leaf_count;
        let length = mountain.height as usize + usize::from(has_right) + left_count;
        (self.path.len() == length).then_some((mountain, has_right))
    }
}

/// Makes the proof of leaf `leaf_index` against the root of the first `leaf_count` leaves.
pub fn prove(nodes: &impl MmrNodes, leaf_index: u64, leaf_count: u64) -> Result<MmrProof, ProveError> {
    if leaf_count > LEAF_COUNT_MAX {
        return Err(ProveError::TooManyLeaves { max: LEAF_COUNT_MAX, found: leaf_count });
    }
    let node = |position| nodes.node(position).ok_or(ProveError::MissingNode { position });
    let peak = |mountain: Mountain| node(mountain.peak());
    let (mountain, left_count) =
        locate(leaf_index, leaf_count).ok_or(ProveError::NoSuchLeaf { leaf_index, leaf_count })?;

    let mut path = sibling_positions(mountain, leaf_index).map(node).collect::<Result<Vec<_>, _>>()?;
    path.reverse();
    let right = mountains(leaf_count).skip(left_count + 1).map(peak).collect::<Result<Vec<_>, _>>()?;
    path.extend(bag(right.into_iter()));
    let left = mountains(leaf_count).take(left_count).map(peak).collect::<Result<Vec<_>, _>>()?;
    path.extend(left.into_iter().rev());
    Ok(MmrProof { leaf_count, leaf_index, path })
}

/// The mountain that holds leaf `index`, and how many are to its left. None if there is no such leaf.
fn locate(index: u64, leaf_count: u64) -> Option<(Mountain, usize)> {
    if leaf_count > LEAF_COUNT_MAX {
        return None;
    }
    mountains(leaf_count)
        .enumerate()
        .find(|(_, mountain)| mountain.contains(index))
        .map(|(left, mountain)| (mountain, left))
}

/// Positions of the siblings of a leaf in its mountain, from below the peak down.
fn sibling_positions(mountain: Mountain, leaf_index: u64) -> impl Iterator<Item = u64> {
    let mut top = mountain.peak();
    let offset = leaf_index - mountain.first_leaf;
    (0..mountain.height).rev().map(move |height| {
        // In post-order a node follows its right child, which follows the whole right subtree.
        let (left, right) = (top - 1 - nodes_in(height), top - 1);
        let goes_right = offset >> height & 1 == 1;
        top = if goes_right { right } else { left };
        if goes_right { left } else { right }
    })
}
