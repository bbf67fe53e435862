//! What the beacon chain keeps of a shard beside its registry entry.

use primitives::{EpochEntry, Height, InboxCursors};
use ssz_derive::{Decode, Encode};
use ssz_types::VariableList;
use ssz_types::typenum::U64;
use tree_hash_derive::TreeHash;

/// A shard's cursors and the traces of its early ends; at the same index as its registry entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ShardProgress {
    /// How far the accepted header has consumed other chains' receipts.
    pub cursors: InboxCursors,
    /// Beacon height of the latest early end; zero if there was none.
    pub early_end_at: Height,
    /// Epochs that were drawn but void before any of their headers was accepted, oldest first: their
    /// committees can still be guilty.
    voided: VariableList<EpochEntry, U64>,
}

impl ShardProgress {
    /// Epochs that never had an accepted header and never will.
    pub fn voided(&self) -> &[EpochEntry] {
        &self.voided
    }

    /// Remembers void epochs, and forgets the oldest beyond the list's limit.
    pub(crate) fn void(&mut self, entries: &[EpochEntry]) {
        let all = self.voided.len() + entries.len();
        let skip = all.saturating_sub(VariableList::<EpochEntry, U64>::max_len());
        let kept = self.voided.iter().chain(entries).skip(skip).copied().collect();
        self.voided = VariableList::new(kept).expect("as many as fit are kept");
    }
}
