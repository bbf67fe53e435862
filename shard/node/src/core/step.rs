//! What happens to a shard chain, and what it wants done.

use super::anchor::AnchorRefusal;
use crate::beacon_view::BeaconView;
use crate::pool::{Inserted, PoolError, PooledTransaction};
use crate::snapshot::PendingBlock;
use crate::store::Commit;
use engine::Context;
use primitives::{
    B256, Bundle, Certificate, Committee, Epoch, Evidence, Height, Lane, ShardBlock, ShardHeader, SignedVote,
};
use shard_state::{
    block::Executed,
    chain::{ChainError, ChainView},
};
use std::sync::Arc;
use xshard::BundleError;

/// Ties an effect to the request it answers; whoever asks chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Something that happened to the chain.
#[derive(Clone, Debug)]
pub enum Input {
    /// The engine wants a block above `parent`.
    Propose {
        /// Names the request.
        token: Token,
        /// The view to propose in.
        context: Context,
        /// The block to build on.
        parent: Arc<ShardBlock>,
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
    },
    /// The engine wants `block` judged.
    Verify {
        /// Names the request.
        token: Token,
        /// The view it was proposed in.
        context: Context,
        /// The block below.
        parent: Arc<ShardBlock>,
        /// The block to judge.
        block: Arc<ShardBlock>,
    },
    /// `block` is certified, and so is everything below it.
    Certified {
        /// Names the request.
        token: Token,
        /// The block.
        block: Arc<ShardBlock>,
        /// Its own certificate, where there is one.
        certificate: Option<Certificate>,
    },
    /// The own certificate of a block that was certified by one above it has turned up.
    Certificate {
        /// The block.
        header: ShardHeader,
        /// Its certificate.
        certificate: Certificate,
    },
    /// The beacon chain has moved on.
    Beacon(Arc<BeaconView>),
    /// Verified transactions of this shard, from users or peers.
    Transactions {
        /// Names the request.
        token: Token,
        /// The transactions.
        transactions: Vec<PooledTransaction>,
    },
    /// What other shards have sent to this one, whole and in order of each lane.
    Bundles {
        /// The bundles.
        bundles: Vec<Bundle>,
        /// Whether this node knows that their headers are certified.
        certified: bool,
    },
    /// Our own engine saw a seat contradict itself.
    Equivocation {
        /// One statement.
        first: SignedVote,
        /// The other.
        second: SignedVote,
    },
    /// Time passes.
    Tick {
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
    },
}

/// Something to be done; in the order in which they stand.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The block that was asked for, or why there is none.
    Proposal {
        /// The request.
        token: Token,
        /// The block.
        outcome: Result<Arc<ShardBlock>, Refusal>,
    },
    /// Whether a block is valid, for all time.
    Verdict {
        /// The request.
        token: Token,
        /// Why not, if it is not.
        outcome: Result<(), Refusal>,
    },
    /// Nobody needs an answer any more.
    Abandon(Token),
    /// What became of transactions, in the order in which they were given.
    Pooled {
        /// The request.
        token: Token,
        /// For each transaction.
        outcomes: Vec<Result<Inserted, PoolError>>,
    },
    /// Make this durable before anything that follows.
    Commit(Box<Commit>),
    /// The certified block was dealt with.
    Acknowledge(Token),
    /// A certified block at or below the head came again: acknowledge it if it is the one on disk.
    Compare {
        /// The request.
        token: Token,
        /// The block's height.
        height: Height,
        /// The block's id.
        id: B256,
    },
    /// Tell the engine who rules an epoch.
    Committee(Epoch, Arc<Committee>),
    /// Take part in an epoch, with our seats in its committee.
    Enter {
        /// The epoch.
        epoch: Epoch,
        /// Height of the block below its first one.
        below: Height,
        /// Who rules.
        committee: Arc<Committee>,
    },
    /// Stop taking part in an epoch.
    Leave(Epoch),
    /// Offer a header to the beacon chain, with the proof that it follows from the accepted one.
    Crosslink {
        /// The header.
        header: ShardHeader,
        /// Its own certificate.
        certificate: Certificate,
        /// Height of the header that the beacon chain has accepted last.
        accepted: Height,
    },
    /// The last block of an epoch needs its own certificate: look whether the engine has it now.
    FindCertificate(Height),
    /// Receipts of another shard were verified, and wait for a block; their ids.
    Arrived(Vec<B256>),
    /// Somebody offered receipts that were not sent so.
    BundleRefused {
        /// Their lane.
        lane: Lane,
        /// What is wrong.
        error: BundleError,
    },
    /// Accuse a seat.
    Evidence(Box<Evidence>),
    /// The beacon chain has accepted the chain up to a header.
    Finalized {
        /// Its height.
        height: Height,
        /// Its id.
        id: B256,
    },
    /// The beacon chain has ended an epoch early: start consensus anew above the floor.
    EarlyEnd(EarlyEnd),
    /// Let readers see the new head, or what is pending on it.
    Publish(Box<Head>),
    /// Nothing more can be done: the chain must stop.
    Halt(Fault),
}

/// An early end of an epoch, as the beacon chain decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyEnd {
    /// How often that has happened to this shard.
    pub early_ends: u64,
    /// Height of the last header that counts.
    pub floor: Height,
    /// Its id, if the view still names it.
    pub floor_id: Option<B256>,
    /// Which heights belong to which epoch from now on.
    pub table: primitives::EpochTable,
}

/// What readers may see of the chain.
#[derive(Clone, Debug)]
pub struct Head {
    /// The newest certified block and the state after it.
    pub view: ChainView,
    /// What is pending on it.
    pub pending: Option<PendingBlock>,
    /// Height up to which the beacon chain has accepted the chain; not above the head.
    pub finalized: Height,
    /// The block, if it was certified just now.
    pub certified: Option<Arc<Executed>>,
}

/// Why no block was proposed, or a proposed one is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It does not follow from its parent.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The beacon chain is not what it says.
    #[error(transparent)]
    Anchor(#[from] AnchorRefusal),
    /// It is not proposed from the seat whose turn it is.
    #[error("it is the turn of seat {expected}, the block names seat {found}")]
    Leader {
        /// Whose turn it is.
        expected: u32,
        /// In the block.
        found: u32,
    },
}

/// Why the core cannot go on. What is on disk is whole.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Certified blocks are missing in between.
    #[error(
        "the engine delivers height {found}, the database needs {expected} first and no peer has it: delete the shard's \
         data directory and let the node sync anew"
    )]
    Gap {
        /// One above the head.
        expected: Height,
        /// The block's.
        found: Height,
    },
    /// Another chain was certified than the one on disk.
    #[error(
        "at height {height} the database has block {expected}, certified is {found}: the data directory is of another \
         network or damaged, or this shard's committee has certified two blocks; delete it and let the node sync anew"
    )]
    OtherBranch {
        /// Where.
        height: Height,
        /// On disk.
        expected: B256,
        /// Certified.
        found: B256,
    },
    /// A quorum certified what does not follow by our rules.
    #[error(
        "the certified block {id} at height {height} does not follow: {error}; the network runs other software than this \
         node, or the database is damaged"
    )]
    Invalid {
        /// Where.
        height: Height,
        /// The block.
        id: B256,
        /// What is wrong.
        error: Box<ChainError>,
    },
    /// The state cannot be read.
    #[error("the state of the shard cannot be read: {0}")]
    State(Box<ChainError>),
}
