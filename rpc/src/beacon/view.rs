//! What beacon REST answers look like.
//!
//! Field names and encodings are the Beacon API's: integers are decimal strings, bytes are 0x-prefixed. A field
//! that only Atoll has is added beside them, so a tool of the Beacon API reads past it.

mod block;
mod chain;
mod dispute;
mod lane;
mod node;
mod validator;

pub(crate) use block::BLOCK_VERSION;
pub use block::{
    BlockBodyView, BlockMessage, BlockView, CrosslinkView, EvidenceView, HeaderMessage, HeaderView,
    SignedHeader, VersionedBlock, VoteView,
};
pub use chain::{
    AcceptedView, Checkpoint, CommitteeView, FinalityCheckpoints, GenesisView, Root, SeatView, ShardView,
    StateCommittee, Takeover,
};
pub use dispute::{CertifiedView, ConflictView, ConsumptionView};
pub use lane::{BundleView, LaneView};
pub use node::{Identity, IdentityMetadata, NodeVersion, PeerCount, Syncing};
pub use validator::{ValidatorDetail, ValidatorEntry, ValidatorStatus, ValidatorView};

use super::Found;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An answer that does not depend on a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Data<T> {
    /// The answer.
    pub data: T,
}

/// An answer read in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dated<T> {
    /// Always false: what a node shows it has executed.
    pub execution_optimistic: bool,
    /// Whether the block is final.
    pub finalized: bool,
    /// The answer.
    pub data: T,
}

impl<T> From<Found<T>> for Dated<T> {
    fn from(found: Found<T>) -> Self {
        Self { execution_optimistic: false, finalized: found.finalized, data: found.value }
    }
}

#[cfg(test)]
mod tests;
