//! What the core is told, and what it wants done about it.

use super::{CandidateError, GossipError};
use crate::Snapshot;
use beacon_state::{BlockError, Event};
use bytes::Bytes;
use engine::Context;
use primitives::{
    B256, BeaconBlock, Certificate, Committee, Conflict, CrosslinkOffer, Epoch, EpochTable, Evidence, Height,
    LightUpdate, NodeKey, SignatureBytes, SignedVote, Unverified,
};
use std::sync::Arc;

/// Ties an effect to the request it answers; whoever asks chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Something that happened to the node.
#[derive(Clone, Debug)]
pub enum Input {
    /// The engine wants a block above `parent`.
    Propose {
        /// Names the request.
        token: Token,
        /// The view to propose in.
        context: Context,
        /// The block to build on.
        parent: Arc<BeaconBlock>,
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
        /// The leader's signature over (epoch ‖ height).
        reveal: SignatureBytes,
    },
    /// The engine wants `block` judged.
    Verify {
        /// Names the request.
        token: Token,
        /// The view it was proposed in.
        context: Context,
        /// The block below.
        parent: Arc<BeaconBlock>,
        /// The block to judge.
        block: Arc<BeaconBlock>,
    },
    /// `block` is certified, and so is everything below it.
    Certified {
        /// Names the request.
        token: Token,
        /// The block.
        block: Arc<BeaconBlock>,
        /// Its own certificate, where there is one.
        certificate: Option<Certificate>,
    },
    /// Somebody offers a crosslink.
    Crosslink {
        /// Names the request.
        token: Token,
        /// What is offered.
        offer: Unverified<CrosslinkOffer>,
    },
    /// Somebody accuses a validator.
    Evidence {
        /// Names the request.
        token: Token,
        /// The proof.
        evidence: Unverified<Evidence>,
    },
    /// Somebody shows that a committee certified two branches.
    Conflict {
        /// Names the request.
        token: Token,
        /// The proof.
        conflict: Unverified<Conflict>,
    },
    /// Our own engine saw a seat contradict itself.
    Equivocation {
        /// One statement.
        first: SignedVote,
        /// The other.
        second: SignedVote,
    },
    /// A peer's message.
    Gossip {
        /// Who sent it.
        from: NodeKey,
        /// What was sent.
        payload: Bytes,
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
        outcome: Result<Arc<BeaconBlock>, BlockError>,
    },
    /// Whether a block is valid, for all time.
    Verdict {
        /// The request.
        token: Token,
        /// Why not, if it is not.
        outcome: Result<(), BlockError>,
    },
    /// Nobody needs an answer any more.
    Abandon(Token),
    /// What became of something that was offered.
    Submitted {
        /// The request.
        token: Token,
        /// Whether it is new, or why it is refused.
        outcome: Result<Taken, CandidateError>,
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
    /// Tell the engine which heights belong to which epoch.
    Table(EpochTable),
    /// Tell the engine who rules an epoch.
    Committee(Epoch, Arc<Committee>),
    /// Take part in an epoch, with our seats in its committee.
    Enter {
        /// The epoch.
        epoch: Epoch,
        /// The block below its first height.
        parent: Arc<BeaconBlock>,
        /// Who rules.
        committee: Arc<Committee>,
    },
    /// Stop taking part in an epoch.
    Leave(Epoch),
    /// Send to every peer.
    Gossip(Bytes),
    /// A peer's message was of no use.
    Dropped {
        /// Who sent it.
        from: NodeKey,
        /// Why.
        error: GossipError,
    },
    /// Let readers see the new head.
    Publish(Arc<Snapshot>),
    /// Nothing more can be done: the node must stop.
    Halt(Fault),
}

/// Whether something that was offered is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is.
    New,
    /// It is held already.
    Known,
}

/// What follows from one certified block.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The block.
    pub block: Arc<BeaconBlock>,
    /// Its own certificate, where there is one.
    pub certificate: Option<Certificate>,
    /// The state above it.
    pub chain: Arc<beacon_state::BeaconChainState>,
    /// What it did.
    pub events: Vec<Event>,
    /// What followers are told, where there is a certificate.
    pub light: Option<LightUpdate>,
    /// New nodes of the mountain range over the chain's ids, with their positions.
    pub nodes: Vec<(u64, B256)>,
}

/// Why the core cannot go on. What is on disk is whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Certified blocks are missing in between.
    #[error(
        "the engine delivers beacon height {found}, the database needs {expected} first and no peer has it: \
         delete the data directory and let the node sync anew"
    )]
    Gap {
        /// One above the head.
        expected: Height,
        /// The block's.
        found: Height,
    },
    /// Another chain was certified than the one on disk.
    #[error(
        "at beacon height {height} the database has block {expected}, certified is {found}: the data directory is of \
         another network or damaged; delete it and let the node sync anew"
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
        "the certified beacon block {id} at height {height} does not follow: {error}; the network runs other software \
         than this node, or the database is damaged"
    )]
    Invalid {
        /// Where.
        height: Height,
        /// The block.
        id: B256,
        /// What is wrong.
        error: Box<BlockError>,
    },
    /// The state on disk does not name who rules next, or the committee is missing.
    #[error(
        "nobody is known to rule beacon height {height}: the database is damaged; delete it and sync anew"
    )]
    NoRuler {
        /// One above the head.
        height: Height,
    },
}
