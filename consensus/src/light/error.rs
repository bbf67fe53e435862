//! Why the light client refuses something.

use crate::authority::{AuthorityError, CertificateError};
use crate::history::HistoryError;
use primitives::{B256, Chain, Epoch, Height, ShardId};

/// Why the light client refuses something; it is left unchanged.
///
/// [`Self::NeedsCommittee`], [`Self::UnknownShard`], [`Self::UnknownEpoch`] and [`Self::Stale`] say
/// nothing against the sender; everything else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LightError {
    /// Fetch the committee first: see [`super::LightClient::missing`].
    #[error("the committee of chain {chain} in epoch {epoch} is not held yet")]
    NeedsCommittee {
        /// Of this chain.
        chain: Chain,
        /// Of this epoch.
        epoch: Epoch,
    },
    /// Something newer is held.
    #[error("height {held} is held, found height {found}")]
    Stale {
        /// Height of the held beacon header.
        held: Height,
        /// Height of the update.
        found: Height,
    },
    /// Two headers at one height.
    #[error("at height {height} header {held} is held, found {found}")]
    Conflict {
        /// Their height.
        height: Height,
        /// Id of the held beacon header.
        held: B256,
        /// Id of the update's.
        found: B256,
    },
    /// No shard of that id in the newest view.
    #[error("there is no record of shard {shard}")]
    UnknownShard {
        /// The shard.
        shard: ShardId,
    },
    /// Too old, or too new.
    #[error("the epoch table of chain {chain} has no epoch {epoch}")]
    UnknownEpoch {
        /// The chain.
        chain: Chain,
        /// The epoch.
        epoch: Epoch,
    },
    /// The height belongs to another committee.
    #[error("height {height} of chain {chain} is ruled by epoch {expected:?}, the header is of {found}")]
    Epoch {
        /// The chain.
        chain: Chain,
        /// The header's.
        height: Height,
        /// The epoch that rules it, if any.
        expected: Option<Epoch>,
        /// The header's.
        found: Epoch,
    },
    /// Not the committee that the table names.
    #[error("the committee of chain {chain} in epoch {epoch} is {expected}, found {found}")]
    Committee {
        /// The chain.
        chain: Chain,
        /// The epoch.
        epoch: Epoch,
        /// Its root in the table.
        expected: B256,
        /// Root of what was given.
        found: B256,
    },
    /// Only committees of the beacon table are of use to start.
    #[error("the beacon table names no committee {found}")]
    UnknownCommittee {
        /// Root of a given committee.
        found: B256,
    },
    /// Without it nothing can be verified.
    #[error("no given committee is that of beacon epoch {epoch}")]
    NoFirstCommittee {
        /// The epoch that rules the block after genesis.
        epoch: Epoch,
    },
    /// The table says nothing of the block after the first header.
    #[error("the beacon table has no epoch for height {height}")]
    EmptyTable {
        /// The height.
        height: Height,
    },
    /// The committee is not fit to sign.
    #[error("committee: {0}")]
    Authority(#[from] AuthorityError),
    /// A certificate of something else.
    #[error("the header is {expected}, the certificate is of {found}")]
    CertifiedId {
        /// The header's id.
        expected: B256,
        /// The certificate's.
        found: B256,
    },
    /// The certificate does not certify.
    #[error("certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// Not in the header's state.
    #[error("the mix is not in the state of the header")]
    Mix,
    /// Not in the header's state.
    #[error("the beacon table is not in the state of the header")]
    BeaconTable,
    /// Every shard's record is needed, in order of shard.
    #[error("expected the record of shard {expected}, found that of {found}")]
    RecordOrder {
        /// The shard whose turn it is.
        expected: usize,
        /// The record's.
        found: ShardId,
    },
    /// Not in the header's state.
    #[error("the record of shard {shard} is not in the state of the header")]
    Record {
        /// The record's shard.
        shard: ShardId,
    },
    /// Two cursors of one source, or not in order.
    #[error("the inbox cursors of shard {shard} are not in order, one per source")]
    CursorsOrder {
        /// The record's shard.
        shard: ShardId,
    },
    /// Not the cursors that the accepted header commits to.
    #[error("the accepted header of shard {shard} commits to inbox cursors {expected}, found {found}")]
    Cursors {
        /// The record's shard.
        shard: ShardId,
        /// In the record.
        expected: B256,
        /// Of the cursors given.
        found: B256,
    },
    /// Each shard has one lane.
    #[error("there are {expected} shards, but lanes of {found}")]
    LaneCount {
        /// Records in the update.
        expected: usize,
        /// Lanes in the update.
        found: usize,
    },
    /// Every shard's lane is needed, in order of shard.
    #[error("expected the lane of shard {expected}, found that of {found}")]
    LaneOrder {
        /// The shard whose turn it is.
        expected: usize,
        /// The lane's.
        found: ShardId,
    },
    /// Not in the header's state.
    #[error("the lane of shard {shard} is not in the state of the header")]
    Lane {
        /// The lane's shard.
        shard: ShardId,
    },
    /// Records are left out.
    #[error("the registry has another number of shards than the {found} records given")]
    RecordCount {
        /// Records in the update.
        found: usize,
    },
    /// A header of another shard.
    #[error("expected a header of shard {expected}, found one of {found}")]
    Shard {
        /// The shard asked for.
        expected: ShardId,
        /// The header's.
        found: ShardId,
    },
    /// At the accepted height, but not the accepted header.
    #[error("the accepted header of shard {shard} is {expected}, found {found} at its height")]
    NotAccepted {
        /// The shard.
        shard: ShardId,
        /// Id of the accepted header.
        expected: B256,
        /// Id of the header given.
        found: B256,
    },
    /// Not an ancestor of the accepted header.
    #[error("history: {0}")]
    History(#[from] HistoryError),
}
