//! Why a block does not follow from its parent.

use alloy_primitives::{B256, Bloom};
use consensus::{authority::CommitteeError, light::AnchorError};
use primitives::{Epoch, Height, ShardId, View};

use super::InboxError;
use crate::{
    executor::{ExecuteError, InclusionError},
    portal::OutboxError,
    state::StateError,
    transaction::TransactionError,
};

/// Why a block does not follow from its parent. The proposer is at fault, unless [`Self::is_local`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BlockError {
    /// Of another shard.
    #[error("shard is {expected}, found {found}")]
    Shard { expected: ShardId, found: ShardId },
    /// Not one above its parent.
    #[error("height is {expected}, found {found}")]
    Height { expected: Height, found: Height },
    /// Of another parent.
    #[error("parent is {expected}, found {found}")]
    Parent { expected: B256, found: B256 },
    /// Epochs never go back.
    #[error("the parent's epoch is {parent}, found {found}")]
    EpochFell { parent: Epoch, found: Epoch },
    /// The epoch ended below; the anchor does not know the next one.
    #[error("epoch {epoch} ends at height {last}, found {found}")]
    EpochOver { epoch: Epoch, last: Height, found: Height },
    /// Not above the parent's view.
    #[error("view must be above {parent_view}, found {found}")]
    View { parent_view: View, found: View },
    /// Another view than the parent has.
    #[error("parent view is {expected}, found {found}")]
    ParentView { expected: View, found: View },
    /// Not later than its parent.
    #[error("timestamp must be above {parent} ms, found {found} ms")]
    Timestamp { parent: u64, found: u64 },
    /// The anchor's height never falls.
    #[error("the parent's anchor is at height {parent}, found {found}")]
    AnchorFell { parent: Height, found: Height },
    /// Two anchors at one height.
    #[error("the anchor at height {height} is {expected}, found {found}")]
    AnchorChanged { height: Height, expected: B256, found: B256 },
    /// What the block takes from its anchor is not proven.
    #[error("anchor: {0}")]
    Anchor(#[from] AnchorError),
    /// Not the specification's gas limit.
    #[error("gas limit is {expected}, found {found}")]
    GasLimit { expected: u64, found: u64 },
    /// Not what EIP-1559 gives.
    #[error("base fee is {expected}, found {found}")]
    BaseFee { expected: u64, found: u64 },
    /// Another history.
    #[error("history root is {expected}, found {found}")]
    HistoryRoot { expected: B256, found: B256 },
    /// Another outbox.
    #[error("outbox root is {expected}, found {found}")]
    OutboxRoot { expected: B256, found: B256 },
    /// Other inbox cursors.
    #[error("inbox cursors root is {expected}, found {found}")]
    InboxCursorsRoot { expected: B256, found: B256 },
    /// Another body.
    #[error("data root is {expected}, found {found}")]
    DataRoot { expected: B256, found: B256 },
    /// Too long a body.
    #[error("a body has at most {limit} bytes, found {found}")]
    BodyTooLarge { limit: u32, found: usize },
    /// Too many transactions.
    #[error("a block has at most {limit} transactions, found {found}")]
    TooManyTransactions { limit: u32, found: usize },
    /// What it takes in from other chains.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The committee of a source is not known here: nothing is known about the block.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// The Portal's events do not add up: this software is at fault.
    #[error(transparent)]
    Events(#[from] OutboxError),
    /// Other transactions.
    #[error("transactions root is {expected}, found {found}")]
    TransactionsRoot { expected: B256, found: B256 },
    /// A transaction that can never be included.
    #[error("transaction {index}: {error}")]
    Transaction { index: usize, error: TransactionError },
    /// A transaction that may not be included there.
    #[error("transaction {index} ({hash}): {error}")]
    Inclusion { index: usize, hash: B256, error: Box<InclusionError> },
    /// Other gas.
    #[error("gas used is {expected}, found {found}")]
    GasUsed { expected: u64, found: u64 },
    /// Other logs.
    #[error("logs bloom is {expected}, found {found}")]
    LogsBloom { expected: Box<Bloom>, found: Box<Bloom> },
    /// Other transaction receipts.
    #[error("transaction receipts root is {expected}, found {found}")]
    TransactionReceiptsRoot { expected: B256, found: B256 },
    /// Another state.
    #[error("state root is {expected}, found {found}")]
    StateRoot { expected: B256, found: B256 },
    /// The state could not be read: nothing is known about the block.
    #[error(transparent)]
    State(#[from] StateError),
    /// Execution failed in itself: nothing is known about the block.
    #[error(transparent)]
    Execute(ExecuteError),
}

impl BlockError {
    /// Whether this node failed, so that nothing follows about the block: it must not be voted against.
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::State(_) | Self::Execute(_) | Self::Committee(_) | Self::Events(_))
    }

    /// An error of executing transaction `index`.
    pub(super) fn at(index: usize, hash: B256, error: ExecuteError) -> Self {
        match error {
            ExecuteError::Inclusion(error) => Self::Inclusion { index, hash, error: Box::new(error) },
            other => other.into(),
        }
    }
}

impl From<ExecuteError> for BlockError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::State(error) => Self::State(error),
            other => Self::Execute(other),
        }
    }
}
