//! What a chain's engine asks of, and tells, the one task that owns the chain's state.
//!
//! Requests come over one bounded channel. The engine waits for nothing but replies, so a slow owner
//! slows its own chain and nothing else.

use crate::Block;
use bytes::Bytes;
use commonware_utils::{Acknowledgement as _, acknowledgement::Exact};
use primitives::{B256, Certificate, Chain, Epoch, NodeKey, PublicKeyBytes, SignedVote, View};
use tokio::sync::oneshot;

/// A request or a report of one chain's engine.
#[derive(Debug)]
pub enum Request {
    /// Build a block on `parent` for `context`.
    ///
    /// Not sent before the block interval after the parent has passed. The block's header must
    /// repeat the context (epoch, view, parent view, parent) and its timestamp rise above the
    /// parent's. `None`, or dropping the reply, leaves the view without a block.
    Propose {
        /// The view to propose in.
        context: Context,
        /// The block to build on.
        parent: Block,
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
        /// The block.
        reply: oneshot::Sender<Option<Block>>,
    },
    /// Judge `block`.
    ///
    /// The engine has checked that its height is one above the parent's, that its header repeats
    /// the context, that its timestamp is above the parent's and not ahead of the clock by more
    /// than the permitted drift. Asked once for a block and view, however many seats the node has.
    Verify {
        /// The view it was proposed in.
        context: Context,
        /// The block below.
        parent: Block,
        /// The block to judge.
        block: Block,
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
        /// True for valid, false for invalid whatever else becomes known. May be kept as long as
        /// something is missing; dropping it abstains.
        reply: oneshot::Sender<bool>,
    },
    /// `block` is certified, and so is everything below it.
    ///
    /// In order of height without gaps; after a restart again from the first one that was not
    /// acknowledged.
    Certified {
        /// The block.
        block: Block,
        /// A certificate of this very block, where there is one: the others are certified by one above.
        certificate: Option<Certificate>,
        /// To be used when what follows from the block is on disk.
        acknowledge: Acknowledge,
    },
    /// A seat contradicted itself; both signatures are verified.
    Evidence {
        /// One statement.
        first: SignedVote,
        /// The other.
        second: SignedVote,
    },
    /// A peer sent a message of the application's own.
    Gossip {
        /// Who sent it.
        from: NodeKey,
        /// What was sent.
        payload: Bytes,
    },
    /// Time passes: sent every half block interval, and left out while the channel is full.
    Tick {
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
    },
    /// The engine of this chain stopped for a reason within this node, mostly its disk. Nothing follows.
    Failed(EngineError),
}

/// Why the engine of a chain cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Certified blocks can no longer be stored, fetched or delivered.
    #[error("the archive of chain {chain} stopped: {reason}")]
    Archive { chain: Chain, reason: String },
    /// A seat can no longer vote.
    #[error("seat {seat} of epoch {epoch} of chain {chain} stopped voting: {reason}")]
    Seat { chain: Chain, epoch: Epoch, seat: u32, reason: String },
    /// This node cannot take part in an epoch as it was told to.
    #[error("cannot enter epoch {epoch} of chain {chain}: {reason}")]
    Enter { chain: Chain, epoch: Epoch, reason: String },
    /// The chain could not be opened.
    #[error("chain {chain} cannot be opened: {reason}")]
    Open { chain: Chain, reason: String },
}

/// The view something is proposed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    /// The chain.
    pub chain: Chain,
    /// The committee's term.
    pub epoch: Epoch,
    /// The view.
    pub view: View,
    /// The view the parent was proposed in; zero if the parent is of the epoch before.
    pub parent_view: View,
    /// Id of the block to build on.
    pub parent: B256,
    /// Index of the proposing seat.
    pub leader: u32,
    /// Key of the proposing seat.
    pub leader_key: PublicKeyBytes,
}

/// The right, and duty, to say that a certified block was dealt with.
///
/// Dropping it unused stops the chain's engine: its owner has failed.
#[derive(Debug)]
#[must_use = "dropping it unused stops the chain"]
pub struct Acknowledge(pub(crate) Exact);

impl Acknowledge {
    /// States that whatever follows from the block survives a crash.
    pub fn acknowledge(self) {
        self.0.acknowledge();
    }
}
