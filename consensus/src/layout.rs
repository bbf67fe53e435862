//! Where things are in the beacon state's Merkle tree: the contract between the package that builds the
//! state and everyone who verifies a part of it.
//!
//! The state is an SSZ container over [`STATE_FIELDS`] slots; unused slots are zero. The first fields
//! are public and never move; the others are the beacon state's own. Branches list siblings from the
//! leaf up; that of a list element has the list's length between the list's tree and the container's.
//!
//! Rules: docs/spec/beacon-state.md#layout

use crypto::merkle::{branch, merkle_root, mix_in_length, verify_branch};
use primitives::{B256, BeaconLane, Committee, EpochTable, SEATS_MAX, Seat, ShardId, ShardRecord};
use tree_hash::TreeHash as _;

/// Depth of the state's container.
pub const STATE_DEPTH: usize = 4;
/// Slots of the state's container.
pub const STATE_FIELDS: usize = 1 << STATE_DEPTH;

/// The genesis hash.
pub const FIELD_GENESIS_HASH: u64 = 0;
/// The randomness.
pub const FIELD_MIX: u64 = 1;
/// The beacon chain's [`EpochTable`].
pub const FIELD_BEACON_TABLE: u64 = 2;
/// The shard registry: a list of [`ShardRecord`]s.
pub const FIELD_SHARDS: u64 = 3;
/// The beacon chain's lanes: a list of [`BeaconLane`]s, as many as shards.
pub const FIELD_LANES: u64 = 4;
/// The first field that is the beacon state's own.
pub const FIELD_PRIVATE: u64 = 5;

/// Depth of the trees of the shard registry and of the lanes, without their lengths.
pub const SHARDS_DEPTH: usize = 16;
/// Most shards there can be.
pub const SHARDS_MAX: usize = 1 << SHARDS_DEPTH;
/// Depth of a committee's tree, without its length.
pub const SEATS_DEPTH: usize = 11;

const _: () = assert!(SEATS_MAX == 1 << SEATS_DEPTH);

/// Root of the state from the roots of its fields.
pub fn state_root(fields: &[B256; STATE_FIELDS]) -> B256 {
    merkle_root(fields, STATE_DEPTH)
}

/// Branch from a field to the state root. None if there is no such field.
pub fn field_branch(fields: &[B256; STATE_FIELDS], field: u64) -> Option<Vec<B256>> {
    branch(fields, field, STATE_DEPTH)
}

/// Root of a list of at most 2^`depth` elements from the roots of its elements.
pub fn list_root(elements: &[B256], depth: usize) -> B256 {
    mix_in_length(&merkle_root(elements, depth), elements.len())
}

/// Branch from element `index` to the list's root. None if the list has no such element.
pub fn list_branch(elements: &[B256], index: u64, depth: usize) -> Option<Vec<B256>> {
    if index >= elements.len() as u64 {
        return None;
    }
    let mut branch = branch(elements, index, depth)?;
    branch.push(length_leaf(elements.len()));
    Some(branch)
}

/// Branch from the record at `index` to the state root, given the registry's records.
pub fn record_branch(records: &[B256], index: u64, fields: &[B256; STATE_FIELDS]) -> Option<Vec<B256>> {
    let mut branch = list_branch(records, index, SHARDS_DEPTH)?;
    branch.extend(field_branch(fields, FIELD_SHARDS)?);
    Some(branch)
}

/// Branch from the lane at `index` to the state root, given the lanes.
pub fn lane_branch(lanes: &[B256], index: u64, fields: &[B256; STATE_FIELDS]) -> Option<Vec<B256>> {
    let mut branch = list_branch(lanes, index, SHARDS_DEPTH)?;
    branch.extend(field_branch(fields, FIELD_LANES)?);
    Some(branch)
}

/// Branch from a seat to the committee's root. None if there is no such seat.
pub fn committee_branch(committee: &Committee, seat_index: u32) -> Option<Vec<B256>> {
    let seats: Vec<_> = committee.seats().iter().map(|seat| seat.tree_hash_root()).collect();
    list_branch(&seats, u64::from(seat_index), SEATS_DEPTH)
}

/// Whether the state's randomness is `mix`.
#[must_use]
pub fn verify_mix(state_root: B256, mix: B256, branch: &[B256]) -> bool {
    verify_branch(&mix, FIELD_MIX, STATE_DEPTH, branch, &state_root)
}

/// Whether the state's own epoch table is `table`.
#[must_use]
pub fn verify_beacon_table(state_root: B256, table: &EpochTable, branch: &[B256]) -> bool {
    verify_branch(&table.tree_hash_root(), FIELD_BEACON_TABLE, STATE_DEPTH, branch, &state_root)
}

/// Whether `record` is the state's entry of `record.shard`.
#[must_use]
pub fn verify_record(state_root: B256, record: &ShardRecord, branch: &[B256]) -> bool {
    verify_of_shard(state_root, FIELD_SHARDS, record.shard, record.tree_hash_root(), branch)
}

/// Whether `lane` is the state's lane of `lane.shard`.
#[must_use]
pub fn verify_lane(state_root: B256, lane: &BeaconLane, branch: &[B256]) -> bool {
    verify_of_shard(state_root, FIELD_LANES, lane.shard, lane.tree_hash_root(), branch)
}

/// Whether an element with this root is that of `shard` in a field that has one for each shard.
fn verify_of_shard(state_root: B256, field: u64, shard: ShardId, element: B256, branch: &[B256]) -> bool {
    let shard = u64::from(shard.get());
    // The length is the right sibling of the list's tree, hence the zero bit between the two indices.
    let index = field << (SHARDS_DEPTH + 1) | shard;
    let depth = SHARDS_DEPTH + 1 + STATE_DEPTH;
    shard < SHARDS_MAX as u64 && verify_branch(&element, index, depth, branch, &state_root)
}

/// Whether a verified record's branch says that the registry has `shards` entries.
#[must_use]
pub fn verify_shard_count(record_branch: &[B256], shards: usize) -> bool {
    record_branch.get(SHARDS_DEPTH) == Some(&length_leaf(shards))
}

/// Whether `seat` is at `index` of the committee with this root.
#[must_use]
pub fn verify_seat(committee_root: B256, seat: &Seat, index: u32, branch: &[B256]) -> bool {
    (index as usize) < SEATS_MAX
        && verify_branch(&seat.tree_hash_root(), u64::from(index), SEATS_DEPTH + 1, branch, &committee_root)
}

/// A list's length as SSZ mixes it in: 32 bytes, little-endian.
fn length_leaf(length: usize) -> B256 {
    let mut leaf = B256::ZERO;
    leaf[..8].copy_from_slice(&(length as u64).to_le_bytes());
    leaf
}

#[cfg(test)]
mod tests;
