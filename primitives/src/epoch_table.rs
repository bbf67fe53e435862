//! Which committee rules a chain from which height on.

use crate::{Epoch, Height};
use alloy_primitives::B256;
use ssz_derive::{Decode, Encode};
use ssz_types::{VariableList, typenum::U64};
use tree_hash_derive::TreeHash;

/// Epochs a table remembers; older ones are dropped from the front.
pub const EPOCH_ENTRIES_MAX: usize = 64;

/// Where one epoch starts, and who rules in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct EpochEntry {
    /// The term.
    pub epoch: Epoch,
    /// Its first height.
    pub first_height: Height,
    /// Root of its committee.
    pub committee_root: B256,
}

/// Entries in ascending order of epoch and of first height; the last one may not have started yet.
///
/// An epoch lasts until the next entry's first height, and the last entry for the chain's fixed
/// number of heights. After an early end an entry starts below where its predecessor was to end, and
/// epochs that were drawn but void are missing: a number, once drawn, is never given to another epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[ssz(struct_behaviour = "transparent")]
pub struct EpochTable {
    entries: VariableList<EpochEntry, U64>,
}

crate::transparent::transparent_tree_hash!(EpochTable, entries);

impl EpochTable {
    /// A table of these entries; `None` unless epochs and heights strictly rise and there are at most
    /// [`EPOCH_ENTRIES_MAX`].
    pub fn new(entries: Vec<EpochEntry>) -> Option<Self> {
        let entries = VariableList::new(entries).ok()?;
        let table = Self { entries };
        table.is_well_formed().then_some(table)
    }

    /// Whether a decoded table keeps the rules of [`Self::new`].
    pub fn is_well_formed(&self) -> bool {
        self.entries
            .windows(2)
            .all(|pair| pair[0].epoch < pair[1].epoch && pair[0].first_height < pair[1].first_height)
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The entry of `epoch`, if remembered.
    pub fn entry(&self, epoch: Epoch) -> Option<&EpochEntry> {
        self.entries.iter().find(|entry| entry.epoch == epoch)
    }

    /// The last entry.
    pub fn latest(&self) -> Option<&EpochEntry> {
        self.entries.last()
    }

    /// The entry that rules `height`: the last one that starts at or below it.
    pub fn ruling(&self, height: Height) -> Option<&EpochEntry> {
        self.entries.iter().rev().find(|entry| entry.first_height <= height)
    }

    /// Last height of `epoch`, given the fixed number of heights an epoch has.
    pub fn last_height(&self, epoch: Epoch, heights_per_epoch: u64) -> Option<Height> {
        let place = self.entries.iter().position(|entry| entry.epoch == epoch)?;
        let entry = self.entries.get(place)?;
        match self.entries.get(place + 1) {
            Some(next) => next.first_height.previous(),
            None => entry.first_height.plus(heights_per_epoch).previous(),
        }
    }

    /// Adds a later epoch and forgets the oldest when full. Returns false, changing nothing, if the
    /// entry's epoch or height is not above the last one's.
    #[must_use]
    pub fn push(&mut self, entry: EpochEntry) -> bool {
        if let Some(latest) = self.latest()
            && (latest.epoch >= entry.epoch || latest.first_height >= entry.first_height)
        {
            return false;
        }
        let skip = (self.entries.len() + 1).saturating_sub(EPOCH_ENTRIES_MAX);
        let entries = self.entries.iter().skip(skip).copied().chain([entry]).collect();
        self.entries = VariableList::new(entries).expect("at most EPOCH_ENTRIES_MAX are kept");
        true
    }

    /// Removes the entries of `epoch` and all after it (an early end redraws them).
    pub fn truncate_from(&mut self, epoch: Epoch) {
        let entries = self.entries.iter().take_while(|entry| entry.epoch < epoch).copied().collect();
        self.entries = VariableList::new(entries).expect("fewer than before");
    }
}
