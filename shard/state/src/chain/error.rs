//! What can go wrong with a chain: one error per verb.

use alloy_primitives::B256;
use primitives::Height;

use crate::{block::BlockError, state::StateError};

/// Why a chain cannot be opened on a block: what is on disk does not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The trie is another state's.
    #[error("the header's state root is {expected}, the state's is {found}")]
    StateRoot { expected: B256, found: B256 },
    /// The history is another header's.
    #[error("a header at height {expected} has {expected} ids below it, the history has {found}")]
    HistoryLength { expected: u64, found: u64 },
    /// The history is another header's.
    #[error("the header's history root is {expected}, the history's is {found}")]
    HistoryRoot { expected: B256, found: B256 },
    /// The block does not follow.
    #[error("the next block's parent is {expected}, found {found}")]
    Parent { expected: B256, found: B256 },
}

/// Why a block was not built, or not accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// The parent is neither the last certified block nor was it executed here: it has to be first.
    #[error("the parent {id} is not known")]
    UnknownParent { id: B256 },
    /// At this height, or above it, there is a certified block.
    #[error("height {certified} is certified, found a block at height {found}")]
    BelowCertified { certified: Height, found: Height },
    /// The block does not follow from its parent.
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl ChainError {
    /// Whether the block is wrong for certain, so that it may be voted against.
    pub const fn is_invalid(&self) -> bool {
        match self {
            Self::UnknownParent { .. } | Self::BelowCertified { .. } => false,
            Self::Block(error) => !error.is_local(),
        }
    }
}

/// Why a block was not taken as certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertifyError {
    /// It was not executed here: it has to be verified first.
    #[error("block {id} was not executed")]
    Unknown { id: B256 },
    /// One below it was not certified yet.
    #[error("the next certified block's parent is {expected}, found {found}")]
    NotNext { expected: B256, found: B256 },
}

/// Why a chain did not go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewindError {
    /// Too many change sets, or too few.
    #[error("going back takes {expected} change sets, found {found}")]
    UndoCount { expected: u64, found: usize },
    /// The change sets do not lead to the target.
    #[error("the change sets do not lead there: {0}")]
    Target(OpenError),
}

/// Why there is no proof. Geth's text where the state is gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The state is not at hand any more, or not yet.
    #[error("historical state not available: height {found}, available are {oldest} to {newest}")]
    NotAvailable { oldest: Height, newest: Height, found: Height },
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
}
