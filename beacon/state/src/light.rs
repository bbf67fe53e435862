//! What followers of the beacon chain are told: parts of the state with their branches to its root.
//!
//! Verified by `consensus::light`.
//!
//! Rules: docs/spec/beacon-state.md#layout

use crate::chain::BeaconChainState;
use crate::lane::ShardLane;
use crate::state::BeaconState;
use consensus::layout::{
    FIELD_BEACON_TABLE, FIELD_LANES, FIELD_MIX, FIELD_SHARDS, SHARDS_DEPTH, STATE_FIELDS, field_branch,
    record_branch,
};
use crypto::hash::sha256_pair;
use crypto::merkle::zero_hash;
use primitives::{
    B256, BeaconDelivery, Certificate, CertifiedBeaconHeader, InboxCursors, LightUpdate, RecordProof, ShardId,
};

#[cfg(test)]
mod tests;

/// All that followers need of the header's block; `certificate` is the header's.
pub fn light_update(chain: &BeaconChainState, certificate: Certificate) -> LightUpdate {
    let state = chain.state();
    let fields = state.field_roots();
    LightUpdate {
        certified: CertifiedBeaconHeader { header: chain.header().clone(), certificate },
        mix: state.mix(),
        mix_branch: branch_of_field(&fields, FIELD_MIX),
        beacon_table: state.beacon_table().clone(),
        beacon_table_branch: branch_of_field(&fields, FIELD_BEACON_TABLE),
        records: record_proofs(state),
        deliveries: deliveries(state),
    }
}

/// The registry's entry of `shard`; none if there is no such shard.
pub fn record_proof(state: &BeaconState, shard: ShardId) -> Option<RecordProof> {
    let record = state.shard(shard)?.clone();
    let roots = state.shards.element_roots();
    let branch = record_branch(&roots, u64::from(shard.get()), &state.field_roots())?;
    Some(RecordProof { record, branch, cursors: cursors(state, shard) })
}

/// Every entry of the registry, by id.
pub fn record_proofs(state: &BeaconState) -> Vec<RecordProof> {
    let branches = branches(state.shards.element_roots(), FIELD_SHARDS, &state.field_roots());
    let proof = |(record, branch): (&primitives::ShardRecord, Vec<B256>)| RecordProof {
        record: record.clone(),
        branch,
        cursors: cursors(state, record.shard),
    };
    state.shards().zip(branches).map(proof).collect()
}

/// What there is for every shard, by id.
pub fn deliveries(state: &BeaconState) -> Vec<BeaconDelivery> {
    let branches = branches(state.lanes.element_roots(), FIELD_LANES, &state.field_roots());
    let delivery = |(lane, branch): (&ShardLane, Vec<B256>)| {
        xshard::beacon::deliver(lane.summary(), branch, lane.pending(), lane.ids())
    };
    state.lanes().zip(branches).map(delivery).collect()
}

/// The branch of each element of a field that has one for each shard.
fn branches(elements: Vec<B256>, field: u64, fields: &[B256; STATE_FIELDS]) -> Vec<Vec<B256>> {
    let (count, above) = (elements.len(), branch_of_field(fields, field));
    let levels = levels(elements, SHARDS_DEPTH);
    let mut length = B256::ZERO;
    length[..8].copy_from_slice(&(count as u64).to_le_bytes());
    let branch = |index: usize| {
        let mut branch: Vec<_> = (levels.iter().enumerate())
            .map(|(height, level)| {
                let sibling = level.get((index >> height) ^ 1).copied();
                sibling.unwrap_or_else(|| zero_hash(height))
            })
            .collect();
        branch.push(length);
        branch.extend_from_slice(&above);
        branch
    };
    (0..count).map(branch).collect()
}

/// What the accepted header of `shard` commits to.
fn cursors(state: &BeaconState, shard: ShardId) -> InboxCursors {
    state.progress(shard).map(|progress| progress.cursors.clone()).unwrap_or_default()
}

/// The tree's levels below the root, leaves first; the zeros to the right are left out.
fn levels(leaves: Vec<B256>, depth: usize) -> Vec<Vec<B256>> {
    let mut levels = Vec::with_capacity(depth);
    let mut level = leaves;
    for height in 0..depth {
        let above = level.chunks(2).map(|pair| match pair {
            [left, right] => sha256_pair(left, right),
            rest => sha256_pair(&rest[0], &zero_hash(height)),
        });
        let above = above.collect();
        levels.push(std::mem::replace(&mut level, above));
    }
    levels
}

fn branch_of_field(fields: &[B256; STATE_FIELDS], field: u64) -> Vec<B256> {
    field_branch(fields, field).expect("the state has its public fields: layout names their slots")
}
