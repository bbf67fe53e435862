//! Merkle mountain range: an append-only list that a chain commits to with one root per block.
//!
//! The leaves are grouped, from the left, into perfect trees (*mountains*) of strictly falling height,
//! one for each bit set in the leaf count; a mountain's root is a *peak*. Peaks are *bagged* from the
//! right (`bag(p0, p1, p2) = H(p0 ‖ H(p1 ‖ p2))`, none bag to zero) and the root is
//! `H(bag ‖ leaf count as 32 bytes, little-endian)`, H being SHA-256. So a root binds the leaf count,
//! and with it the shape; leaves need no domain of their own, since a proof's length follows from
//! the count and the index alone.
//!
//! Nodes are numbered in the order in which they come to be (post-order), so that a number, once
//! given, never changes: the store of a node that serves proofs is append-only too.
//!
//! - [`Mmr`]: leaf count and peaks, all that a chain needs in its state to append
//! - [`MmrTree`]: every node, in memory; any other store implements [`MmrNodes`]
//! - [`MmrProof`]: that a leaf is in the range with a given root

mod peaks;
mod position;
mod proof;
#[cfg(test)]
mod tests;
mod tree;

pub use peaks::{LEAF_COUNT_MAX, Mmr, MmrError};
pub use proof::{MmrProof, ProveError, prove};
pub use tree::{MmrNodes, MmrTree};
