//! Early end of an epoch: how a shard that brings no crosslinks, or whose branches conflict, gets a fresh committee.
//!
//! The epoch that was to rule the height above the accepted header is ended there; the next epoch number
//! that was never drawn starts one height above it, with a committee drawn from the current randomness,
//! and the one after it is drawn too. So an epoch number names one committee for all time: whatever was
//! signed in a void epoch stays void, and nobody is asked to vote twice in one (epoch, view). Epochs that
//! were drawn but void before any of their headers was accepted leave the table; their committees
//! remain punishable.
//!
//! Rules: docs/spec/beacon-state.md#early-end

use crate::epoch::{DrawError, Lottery};
use crate::event::{EndCause, Event};
use crate::progress::ShardProgress;
use crate::state::BeaconState;
use primitives::{ChainSpec, Epoch, EpochEntry, Height, ShardId, ShardRecord, ShardStatus};

#[cfg(test)]
mod tests;

/// Whether an active shard's committee has brought no crosslink for too long at beacon height `height`.
pub fn is_stalled(spec: &ChainSpec, record: &ShardRecord, progress: &ShardProgress, height: Height) -> bool {
    let since = record.accepted.accepted_at.max(progress.early_end_at);
    record.status == ShardStatus::Active && height.above(since) >= spec.stall_heights.get()
}

/// Ends the current epoch of every shard that is stalled after the block at the state's height.
pub(crate) fn apply_stalls(
    spec: &ChainSpec,
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    events: &mut Vec<Event>,
) -> Result<(), DrawError> {
    let stalled: Vec<_> = (state.shards.iter().zip(state.progress.iter()))
        .filter(|(record, progress)| is_stalled(spec, record, progress, state.height))
        .map(|(record, _)| record.shard)
        .collect();
    stalled.into_iter().try_for_each(|shard| apply_early_end(lottery, state, shard, EndCause::Stall, events))
}

/// Ends the current epoch of `shard` at its accepted header.
pub(crate) fn apply_early_end(
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    shard: ShardId,
    cause: EndCause,
    events: &mut Vec<Event>,
) -> Result<(), DrawError> {
    let Some(mut record) = state.shard(shard).cloned() else { return Ok(()) };
    let last = record.accepted;
    let ended = record.table.ruling(last.height.next()).map_or(last.epoch, |entry| entry.epoch);
    let successor = record.table.latest().map_or(Epoch::ZERO, |latest| latest.epoch.next());
    let void = remove_unstarted(&mut record, last.height);
    events.push(Event::EarlyEnd { shard, epoch: ended, successor, last, cause });
    lottery.draw(state, shard.into(), &mut record.table, successor, last.height.next(), events)?;
    lottery.draw_next(state, shard.into(), &mut record.table, events)?;
    record.early_ends = record.early_ends.saturating_add(1);

    let (place, height) = (shard.get() as usize, state.height);
    if let Some(progress) = state.progress.write(place) {
        progress.void(&void);
        progress.early_end_at = height;
    }
    if let Some(entry) = state.shards.write(place) {
        *entry = record;
    }
    Ok(())
}

/// Takes out the epochs that start above `height`.
fn remove_unstarted(record: &mut ShardRecord, height: Height) -> Vec<EpochEntry> {
    let entries = record.table.entries();
    let void: Vec<_> = entries.iter().filter(|entry| entry.first_height > height).copied().collect();
    if let Some(first) = void.first() {
        record.table.truncate_from(first.epoch);
    }
    void
}
