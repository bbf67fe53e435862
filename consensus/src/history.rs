//! Ancestry: a header's history root commits to the ids of all headers below it.
//!
//! Leaf *h* of the mountain range is the id of height *h*; a header at height *n* commits to the *n*
//! leaves below it. So a header proves each of its ancestors in a few hashes.
//!
//! Rules: docs/spec/consensus.md#history

use crypto::mmr::MmrProof;
use primitives::{B256, Height};

/// Why a header is not shown to be an ancestor; the sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// An ancestor is below its descendants.
    #[error("an ancestor of height {descendant} is below it, found {ancestor}")]
    NotBelow {
        /// Height of the descendant.
        descendant: Height,
        /// Height of the supposed ancestor.
        ancestor: Height,
    },
    /// A proof against another header's history.
    #[error("the history of height {expected} has {expected} leaves, the proof speaks of {found}")]
    LeafCount {
        /// The descendant's height.
        expected: Height,
        /// The proof's leaf count.
        found: u64,
    },
    /// A proof of another leaf.
    #[error("expected a proof of height {expected}, found one of {found}")]
    LeafIndex {
        /// The ancestor's height.
        expected: Height,
        /// The proof's leaf index.
        found: u64,
    },
    /// The path leads elsewhere.
    #[error("the path does not lead from the header at height {ancestor} to the history root")]
    Path {
        /// The ancestor's height.
        ancestor: Height,
    },
}

/// Verifies that the header at `ancestor_height` below a descendant is the one of `ancestor_id`.
pub fn verify_ancestor(
    descendant_history_root: B256,
    descendant_height: Height,
    ancestor_height: Height,
    ancestor_id: B256,
    proof: &MmrProof,
) -> Result<(), HistoryError> {
    if ancestor_height >= descendant_height {
        return Err(HistoryError::NotBelow { descendant: descendant_height, ancestor: ancestor_height });
    }
    if proof.leaf_count != descendant_height.get() {
        return Err(HistoryError::LeafCount { expected: descendant_height, found: proof.leaf_count });
    }
    if proof.leaf_index != ancestor_height.get() {
        return Err(HistoryError::LeafIndex { expected: ancestor_height, found: proof.leaf_index });
    }
    if proof.verify(&descendant_history_root, &ancestor_id) {
        Ok(())
    } else {
        Err(HistoryError::Path { ancestor: ancestor_height })
    }
}

#[cfg(test)]
mod tests;
