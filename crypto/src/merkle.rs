//! Binary Merkle trees over 32 byte leaves, as SSZ defines them.
//!
//! A tree of depth *d* has 2^*d* leaves; those that are not given are zero, and a subtree of zeros
//! is never computed but looked up, so that a depth of 64 costs no more than the leaves that exist.
//!
//! Rules: <https://github.com/ethereum/consensus-specs/blob/master/ssz/simple-serialize.md#merkleization>

use std::sync::LazyLock;

use alloy_primitives::B256;

use crate::hash::sha256_pair;

/// The deepest tree that a `u64` index can address.
pub const DEPTH_MAX: usize = 64;

static ZERO_HASHES: LazyLock<[B256; DEPTH_MAX + 1]> = LazyLock::new(|| {
    let mut hashes = [B256::ZERO; DEPTH_MAX + 1];
    for depth in 1..=DEPTH_MAX {
        hashes[depth] = sha256_pair(&hashes[depth - 1], &hashes[depth - 1]);
    }
    hashes
});

/// Root of a tree of `depth` whose leaves are all zero.
pub fn zero_hash(depth: usize) -> B256 {
    match ZERO_HASHES.get(depth) {
        Some(hash) => *hash,
        None => (DEPTH_MAX..depth).fold(ZERO_HASHES[DEPTH_MAX], |hash, _| sha256_pair(&hash, &hash)),
    }
}

/// Root of the tree of `depth` whose first leaves are `leaves` and whose others are zero.
///
/// `depth` is a container's limit, which its owner checks. Should the leaves not fit, the tree grows
/// until they do: no leaf is ever left out of the root, and no branch of `depth` verifies against it.
pub fn merkle_root(leaves: &[B256], depth: usize) -> B256 {
    if leaves.is_empty() {
        return zero_hash(depth);
    }
    let mut level = leaves.to_vec();
    let mut height = 0;
    while height < depth || level.len() > 1 {
        fold_level(&mut level, height);
        height += 1;
    }
    level[0]
}

/// Siblings from leaf `index` up to, and without, the root. None if the tree of `depth` has no such
/// leaf or cannot hold `leaves`. A leaf beyond those given is zero, and has a branch like any other.
pub fn branch(leaves: &[B256], index: u64, depth: usize) -> Option<Vec<B256>> {
    if depth > DEPTH_MAX || !fits(index, depth) || !fits((leaves.len() as u64).saturating_sub(1), depth) {
        return None;
    }
    let mut level = leaves.to_vec();
    let mut siblings = Vec::with_capacity(depth);
    let mut position = index;
    for height in 0..depth {
        let sibling = usize::try_from(position ^ 1).ok().and_then(|sibling| level.get(sibling));
        siblings.push(sibling.copied().unwrap_or_else(|| zero_hash(height)));
        fold_level(&mut level, height);
        position >>= 1;
    }
    Some(siblings)
}

/// Root that `leaf` at `index` and its siblings, lowest first, lead to.
///
/// Only as many bits of `index` are read as there are siblings; [`verify_branch`] binds all of them.
pub fn root_from_branch(leaf: &B256, index: u64, branch: &[B256]) -> B256 {
    let mut node = *leaf;
    let mut position = index;
    for sibling in branch {
        node = if position & 1 == 1 { sha256_pair(sibling, &node) } else { sha256_pair(&node, sibling) };
        position >>= 1;
    }
    node
}

/// Whether `leaf` is at `index` of the tree of `depth` with this `root`.
pub fn verify_branch(leaf: &B256, index: u64, depth: usize, branch: &[B256], root: &B256) -> bool {
    depth <= DEPTH_MAX
        && branch.len() == depth
        && fits(index, depth)
        && root_from_branch(leaf, index, branch) == *root
}

/// Root of a list: its tree's root bound to its length, so that lists that differ only in trailing zeros differ.
pub fn mix_in_length(root: &B256, length: usize) -> B256 {
    sha256_pair(root, &length_leaf(length as u64))
}

/// A length as a leaf: 32 bytes, little-endian.
pub(crate) fn length_leaf(length: u64) -> B256 {
    let mut leaf = B256::ZERO;
    leaf[..8].copy_from_slice(&length.to_le_bytes());
    leaf
}

/// Whether a tree of `depth` has a leaf `index`.
fn fits(index: u64, depth: usize) -> bool {
    depth >= DEPTH_MAX || index >> depth == 0
}

/// Replaces the nodes at `height` by their parents, in place.
fn fold_level(level: &mut Vec<B256>, height: usize) {
    if level.len() % 2 == 1 {
        level.push(zero_hash(height));
    }
    for parent in 0..level.len() / 2 {
        level[parent] = sha256_pair(&level[2 * parent], &level[2 * parent + 1]);
    }
    level.truncate(level.len() / 2);
}

#[cfg(test)]
mod tests;
