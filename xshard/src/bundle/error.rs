//! Why a bundle is not consumed.

use consensus::authority::CertificateError;
use consensus::history::HistoryError;
use primitives::{B256, Chain, Epoch, Height, Lane, ShardId};

/// Why a bundle cannot be consumed; whoever offers it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Said to come from elsewhere.
    #[error("the certified header is of chain {expected}, the lane comes from {found}")]
    Source { expected: Chain, found: Chain },
    /// For somebody else.
    #[error("the bundle is for chain {found}, this is chain {expected}")]
    Destination { expected: Chain, found: Chain },
    /// A chain sends itself nothing.
    #[error("chain {found} has no lane to itself")]
    SelfLane { found: Chain },
    /// The certificate is of another header.
    #[error("the certified header is {expected}, the certificate is of {found}")]
    CertifiedId { expected: B256, found: B256 },
    /// The certificate is of another term.
    #[error("the certified header is of epoch {expected}, its certificate of {found}")]
    CertifiedEpoch { expected: Epoch, found: Epoch },
    /// The height belongs to another committee: the header is void, or the anchor too old to know its epoch.
    #[error(
        "height {height} is ruled by epoch {expected:?} at the anchor, the certified header is of {found}"
    )]
    Epoch { height: Height, expected: Option<Epoch>, found: Epoch },
    /// No quorum signed.
    #[error("the certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// More than one header below the certified one.
    #[error("there is at most one source header beside the certified one, found {found}")]
    Ancestors { found: usize },
    /// The source header is of another chain.
    #[error("the certified header is of shard {expected}, the source header of {found}")]
    AncestorShard { expected: ShardId, found: ShardId },
    /// The source header is not below the certified one.
    #[error("the source header: {0}")]
    Ancestor(HistoryError),
    /// A proof too many, or too few.
    #[error("continuity takes {expected} proofs, found {found}")]
    Continuities { expected: usize, found: usize },
    /// Another branch than the one consumed from before.
    #[error("the header consumed from at height {height} is {expected}, the source header is {found}")]
    OtherBranch { height: Height, expected: B256, found: B256 },
    /// The source header does not follow from the last one consumed from.
    #[error("continuity: {0}")]
    Continuity(HistoryError),
    /// The leaf of another lane.
    #[error("the outbox leaf is for chain {found}, the lane goes to {expected}")]
    LeafDestination { expected: Chain, found: Chain },
    /// The leaf is not in the outbox.
    #[error("the leaf is not in the outbox of the source header at height {height}")]
    Outbox { height: Height },
    /// Nothing in it.
    #[error("a bundle brings at least one receipt, found none")]
    Empty,
    /// A receipt of another lane.
    #[error("expected receipts of lane {expected}, found one of {found}")]
    Lane { expected: Lane, found: Lane },
    /// Not the next one: consumed before, or one before it is missing.
    #[error("lane {lane}: next sequence is {expected}, found {found}")]
    NotContiguous { lane: Lane, expected: u64, found: u64 },
    /// Not the receipts that were sent.
    #[error(
        "lane {lane}: the {count} receipts from sequence {first} on are not those that the source header sent"
    )]
    Range { lane: Lane, first: u64, count: usize },
}
