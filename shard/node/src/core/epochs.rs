//! Following the beacon chain: committees, hand-over from one to the next, early ends.
//!
//! Epoch E + 1 is entered when the last block of E is certified and its committee is known, since that is what it
//! builds on; E is left when the first block of E + 1 is certified, so that members that are late still find E's
//! voters.

use super::ShardCore;
use super::step::{EarlyEnd, Effect};
use crate::beacon_view::BeaconView;
use primitives::{EpochTable, Height, ShardRecord};
use std::sync::Arc;

impl ShardCore {
    /// Takes a newer view of the beacon chain.
    pub(super) fn see(&mut self, view: Arc<BeaconView>, effects: &mut Vec<Effect>) {
        if self.beacon.as_ref().is_some_and(|seen| seen.height() > view.height()) {
            return;
        }
        let before = self.record().map(|record| record.accepted.id);
        self.drop_void(&view);
        self.beacon = Some(view);
        self.progressed = true;
        let Some(record) = self.record() else { return };
        let accepted = record.accepted;
        if record.early_ends > self.generation {
            effects.push(Effect::EarlyEnd(early_end(record)));
            return;
        }
        self.hand_over(effects);
        if before != Some(accepted.id) {
            effects.push(Effect::Finalized { height: accepted.height, id: accepted.id });
            effects.push(Effect::Publish(Box::new(self.published())));
            self.offer_boundary(effects);
        }
    }

    /// Forgets what waits of shards that were taken back since the last view: part of it may be void, and what is not is
    /// there to be taken again.
    fn drop_void(&mut self, view: &BeaconView) {
        let Some(seen) = self.beacon.clone() else { return };
        for record in view.records.iter().map(|proof| &proof.record) {
            if seen.record(record.shard).is_some_and(|known| known.early_ends < record.early_ends) {
                self.inbox.drop_source(record.shard);
            }
        }
    }

    /// Tells the engine of committees that have become known, and enters the epoch above the head if that is
    /// possible now.
    pub(super) fn hand_over(&mut self, effects: &mut Vec<Effect>) {
        let Some(view) = self.beacon.clone() else { return };
        let Some(record) = view.record(self.shard).filter(|record| record.early_ends == self.generation)
        else {
            return;
        };
        let next = self.head().height.next();
        let Some(entry) = record.table.ruling(next) else { return };
        for later in record.table.entries().iter().filter(|later| later.epoch >= entry.epoch) {
            if let Some(committee) = view.committee(self.shard, later.epoch)
                && self.announced.insert(later.epoch)
            {
                effects.push(Effect::Committee(later.epoch, Arc::clone(committee)));
            }
        }
        let last = record.table.last_height(entry.epoch, self.spec.shard_epoch_heights.get());
        if last.is_none_or(|last| next > last) || self.entered >= Some(entry.epoch) {
            // Above the last height that has a committee: the beacon chain has to draw one first.
            return;
        }
        if let Some(committee) = view.committee(self.shard, entry.epoch) {
            self.entered = Some(entry.epoch);
            let below = entry.first_height.previous().unwrap_or(Height::ZERO);
            effects.push(Effect::Enter { epoch: entry.epoch, below, committee: Arc::clone(committee) });
        }
    }
}

/// The last early end that a record shows.
///
/// Epoch numbers that were drawn but void are never used again, so an early end shows as a gap in the table's
/// numbers; a table that has forgotten it was read too late, and only says what the floor may be at most.
fn early_end(record: &ShardRecord) -> EarlyEnd {
    let accepted = record.accepted;
    let floor = last_gap(&record.table).unwrap_or(accepted.height);
    EarlyEnd {
        early_ends: record.early_ends,
        floor,
        floor_id: (floor == accepted.height).then_some(accepted.id),
        table: record.table.clone(),
    }
}

/// Height below the first epoch whose number does not follow the one before.
fn last_gap(table: &EpochTable) -> Option<Height> {
    let gap = table.entries().windows(2).rev().find(|pair| pair[1].epoch != pair[0].epoch.next())?;
    gap[1].first_height.previous()
}
