//! Proof that one committee certified two branches, and that a shard consumed from one that is void.

use crate::{B256, CertifiedShardHeader, InboxCursors, ShardId};
use crypto::mmr::MmrProof;
use ssz_derive::{Decode, Encode};

/// Two certified headers of one shard and epoch, of which neither descends from the other.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Conflict {
    /// One header; no higher than the other.
    pub first: CertifiedShardHeader,
    /// The other.
    pub second: CertifiedShardHeader,
    /// That they exclude each other.
    pub divergence: Divergence,
}

/// How one header is shown not to descend from another, which is no higher.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[ssz(enum_behaviour = "union")]
pub enum Divergence {
    /// They are at one height and differ; written as zero.
    SameHeight(u8),
    /// The higher one descends from another header at the lower one's height.
    Below(OtherAncestor),
}

/// The header that stands where another would have to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OtherAncestor {
    /// Its id.
    pub id: B256,
    /// That it is in the higher header's history, at the lower header's height.
    pub proof: MmrProof,
}

/// A certified header that consumed from a header of another shard that can never be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Consumption {
    /// The consumer's.
    pub certified: CertifiedShardHeader,
    /// The cursors that `certified.header.inbox_cursors_root` commits to; one names the source header.
    pub cursors: InboxCursors,
    /// Why the source header is void.
    pub source: VoidSource,
}

/// Why a source header can never be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[ssz(enum_behaviour = "union")]
pub enum VoidSource {
    /// It is above this shard's accepted header, and its epoch no longer rules there.
    Ended(ShardId),
    /// The accepted header does not descend from it.
    Bypassed(Bypassed),
}

/// A source whose accepted header does not descend from the one that was consumed from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Bypassed {
    /// The source.
    pub shard: ShardId,
    /// Of the accepted header from the one that the cursor names.
    pub divergence: Divergence,
}

impl VoidSource {
    /// The source.
    pub const fn shard(&self) -> ShardId {
        match self {
            Self::Ended(shard) => *shard,
            Self::Bypassed(bypassed) => bypassed.shard,
        }
    }
}
