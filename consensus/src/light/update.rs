//! What one update tells, once verified.

use super::LightError;
use crate::layout::{verify_beacon_table, verify_lane, verify_mix, verify_record, verify_shard_count};
use primitives::{
    B256, BeaconDelivery, BeaconHeader, EpochTable, InboxCursors, LightUpdate, RecordProof, ShardId,
    ShardRecord,
};

/// The parts of the beacon chain that followers need, at one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeaconView {
    /// The header.
    pub header: BeaconHeader,
    /// The randomness after it.
    pub mix: B256,
    /// The beacon chain's own committees.
    pub beacon_table: EpochTable,
    /// Every shard's entry, in order of shard.
    pub records: Vec<ShardRecord>,
}

impl BeaconView {
    /// The entry of `shard`.
    pub fn record(&self, shard: ShardId) -> Option<&ShardRecord> {
        self.records.get(shard.get() as usize)
    }
}

/// Verifies that every part of the update is in the state of its header, and that none is left out.
pub(super) fn verify_parts(update: LightUpdate) -> Result<BeaconView, LightError> {
    let LightUpdate { certified, mix, mix_branch, beacon_table, beacon_table_branch, records, deliveries } =
        update;
    let state_root = certified.header.state_root;
    if !verify_mix(state_root, mix, &mix_branch) {
        return Err(LightError::Mix);
    }
    if !verify_beacon_table(state_root, &beacon_table, &beacon_table_branch) {
        return Err(LightError::BeaconTable);
    }
    verify_records(state_root, &records)?;
    verify_lanes(state_root, records.len(), &deliveries)?;
    let records = records.into_iter().map(|proof| proof.record).collect();
    Ok(BeaconView { header: certified.header, mix, beacon_table, records })
}

fn verify_records(state_root: B256, records: &[RecordProof]) -> Result<(), LightError> {
    for (expected, RecordProof { record, branch, cursors }) in records.iter().enumerate() {
        if record.shard.get() as usize != expected {
            return Err(LightError::RecordOrder { expected, found: record.shard });
        }
        if !verify_record(state_root, record, branch) {
            return Err(LightError::Record { shard: record.shard });
        }
        verify_cursors(record, cursors)?;
    }
    // Each branch binds the registry's length; without any record nothing would.
    match records.first() {
        Some(first) if verify_shard_count(&first.branch, records.len()) => Ok(()),
        _ => Err(LightError::RecordCount { found: records.len() }),
    }
}

/// Verifies that there is the lane of each shard. What it brings is for whoever consumes it to verify.
fn verify_lanes(state_root: B256, shards: usize, deliveries: &[BeaconDelivery]) -> Result<(), LightError> {
    if deliveries.len() != shards {
        return Err(LightError::LaneCount { expected: shards, found: deliveries.len() });
    }
    for (expected, BeaconDelivery { lane, branch, .. }) in deliveries.iter().enumerate() {
        if lane.shard.get() as usize != expected {
            return Err(LightError::LaneOrder { expected, found: lane.shard });
        }
        if !verify_lane(state_root, lane, branch) {
            return Err(LightError::Lane { shard: lane.shard });
        }
    }
    Ok(())
}

/// Verifies that the cursors are those that the record's accepted header commits to.
fn verify_cursors(record: &ShardRecord, cursors: &InboxCursors) -> Result<(), LightError> {
    let shard = record.shard;
    if !cursors.is_well_formed() {
        return Err(LightError::CursorsOrder { shard });
    }
    let (expected, found) = (record.accepted.inbox_cursors_root, cursors.root());
    if expected == found { Ok(()) } else { Err(LightError::Cursors { shard, expected, found }) }
}
