//! A shard's progress, as a beacon block records it.

use crate::{Certificate, Chain, Epoch, Height, ShardHeader};
use alloy_primitives::B256;
use crypto::mmr::MmrProof;
use ssz_derive::{Decode, Encode};
use ssz_types::{VariableList, typenum::U1024};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

/// How far a chain has consumed another chain's receipts; cumulative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TreeHash)]
pub struct InboxCursor {
    /// The chain the receipts come from.
    pub source: Chain,
    /// Height of the newest source header consumed from.
    pub height: Height,
    /// Id of that header.
    pub id: B256,
    /// That header's epoch: if the epoch ends below it, the header is void, whoever has it. Zero where the source is
    /// the beacon chain.
    pub epoch: Epoch,
    /// Sequence number the next receipt must have.
    pub sequence: u64,
}

/// Cursors of one destination, ascending by source; a source never consumed from has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[ssz(struct_behaviour = "transparent")]
pub struct InboxCursors {
    cursors: VariableList<InboxCursor, U1024>,
}

crate::transparent::transparent_tree_hash!(InboxCursors, cursors);

impl InboxCursors {
    /// Cursors in order of source; `None` if two share a source or there are too many.
    pub fn new(mut cursors: Vec<InboxCursor>) -> Option<Self> {
        cursors.sort_unstable();
        let cursors = Self { cursors: VariableList::new(cursors).ok()? };
        cursors.is_well_formed().then_some(cursors)
    }

    /// Whether decoded cursors are in order, one per source.
    pub fn is_well_formed(&self) -> bool {
        self.cursors.windows(2).all(|pair| pair[0].source < pair[1].source)
    }

    /// The cursors.
    pub fn as_slice(&self) -> &[InboxCursor] {
        &self.cursors
    }

    /// The cursor of `source`.
    pub fn cursor(&self, source: Chain) -> Option<&InboxCursor> {
        self.cursors.iter().find(|cursor| cursor.source == source)
    }

    /// What a shard header commits to.
    pub fn root(&self) -> B256 {
        self.tree_hash_root()
    }
}

/// A certified shard header, with what the beacon chain needs to accept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Crosslink {
    /// The header.
    pub header: ShardHeader,
    /// Of exactly that header.
    pub certificate: Certificate,
    /// That the last accepted header is its ancestor.
    pub history: MmrProof,
    /// The cursors that `header.inbox_cursors_root` commits to.
    pub cursors: InboxCursors,
    /// For each cursor, in order: that the header it names is the source's newest accepted one
    /// (in the state or in this beacon block), or an ancestor of it. Not part of what the shard
    /// certified: the beacon proposer attaches it.
    pub sources: Vec<SourceAncestry>,
}

/// How a cursor's header relates to the newest accepted header of its source.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[ssz(enum_behaviour = "union")]
pub enum SourceAncestry {
    /// It is that header, or the cursor has not moved since the last crosslink.
    Direct(u8),
    /// It is an ancestor.
    Ancestor(MmrProof),
}
