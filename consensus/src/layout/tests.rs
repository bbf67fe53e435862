use super::*;
use crate::testing::{Members, State, idle_lanes, table};
use primitives::{InboxCursors, ShardId};
use ssz_types::VariableList;
use ssz_types::typenum::U65536;
use tree_hash_derive::TreeHash;

/// The state as an SSZ library sees it: the reference for this module's arithmetic.
#[derive(TreeHash)]
struct Reference {
    genesis_hash: B256,
    mix: B256,
    beacon_table: EpochTable,
    shards: VariableList<ShardRecord, U65536>,
    lanes: VariableList<BeaconLane, U65536>,
    private_5: B256,
    private_6: B256,
    private_7: B256,
    private_8: B256,
    private_9: B256,
    private_10: B256,
    private_11: B256,
    private_12: B256,
    private_13: B256,
    private_14: B256,
    private_15: B256,
}

fn record(shard: u32) -> ShardRecord {
    let table = table(&[(0, &Members::new(1, 1)), (u64::from(shard) + 10, &Members::new(2, 1))]);
    ShardRecord { shard: ShardId::new(shard), table, ..ShardRecord::default() }
}

fn state() -> State {
    State {
        mix: B256::repeat_byte(0xee),
        beacon_table: table(&[(0, &Members::new(3, 1)), (32, &Members::new(4, 1))]),
        records: (0..3).map(record).collect(),
        cursors: vec![InboxCursors::default(); 3],
        lanes: idle_lanes(3),
    }
}

#[test]
fn the_state_root_is_that_of_an_ssz_container() {
    let (state, field) = (state(), B256::repeat_byte);
    let reference = Reference {
        genesis_hash: field(0),
        mix: state.mix,
        beacon_table: state.beacon_table.clone(),
        shards: VariableList::new(state.records.clone()).unwrap(),
        lanes: VariableList::new(state.lanes.clone()).unwrap(),
        private_5: field(5),
        private_6: field(6),
        private_7: field(7),
        private_8: field(8),
        private_9: field(9),
        private_10: field(10),
        private_11: field(11),
        private_12: field(12),
        private_13: field(13),
        private_14: field(14),
        private_15: field(15),
    };
    assert_eq!(state.root(), reference.tree_hash_root());
}

#[test]
fn the_mix_verifies_and_another_does_not() {
    let state = state();
    let branch = state.mix_branch();
    assert!(verify_mix(state.root(), state.mix, &branch));
    assert!(!verify_mix(state.root(), B256::ZERO, &branch));
    assert!(!verify_mix(B256::ZERO, state.mix, &branch));
    assert!(!verify_mix(state.root(), state.mix, &branch[..3]));
}

#[test]
fn the_beacon_table_verifies_and_another_does_not() {
    let state = state();
    let branch = field_branch(&state.fields(), FIELD_BEACON_TABLE).unwrap();
    assert!(verify_beacon_table(state.root(), &state.beacon_table, &branch));
    assert!(!verify_beacon_table(state.root(), &state.records[0].table, &branch));
    assert!(!verify_beacon_table(state.root(), &state.beacon_table, &state.mix_branch()));
}

#[test]
fn a_record_verifies_at_its_own_index_alone() {
    let state = state();
    for shard in 0..3 {
        let proof = state.record_proof(shard);
        assert!(verify_record(state.root(), &proof.record, &proof.branch));
        let changed = ShardRecord { early_ends: 1, ..proof.record.clone() };
        assert!(!verify_record(state.root(), &changed, &proof.branch));
        let other = state.record_proof((shard + 1) % 3);
        assert!(!verify_record(state.root(), &proof.record, &other.branch));
    }
}

#[test]
fn a_record_beyond_the_registry_has_no_place() {
    let state = state();
    let roots: Vec<_> = state.records.iter().map(|record| record.tree_hash_root()).collect();
    assert_eq!(record_branch(&roots, 3, &state.fields()), None);
    let proof = state.record_proof(0);
    let outside = ShardRecord { shard: ShardId::new(SHARDS_MAX as u32), ..proof.record };
    assert!(!verify_record(state.root(), &outside, &proof.branch));
}

#[test]
fn a_records_branch_tells_the_number_of_shards() {
    let branch = state().record_proof(1).branch;
    assert!(verify_shard_count(&branch, 3));
    assert!(!verify_shard_count(&branch, 2));
    assert!(!verify_shard_count(&[], 0));
}

#[test]
fn a_seat_verifies_at_its_own_index_alone() {
    let committee = Members::new(1, 5).committee;
    let root = committee.root();
    for index in 0..5 {
        let (seat, branch) = (committee.seat(index).unwrap(), committee_branch(&committee, index).unwrap());
        assert!(verify_seat(root, seat, index, &branch));
        assert!(!verify_seat(root, seat, (index + 1) % 5, &branch));
        assert!(!verify_seat(root, seat, index + SEATS_MAX as u32, &branch));
        assert!(!verify_seat(root, &Seat { node: B256::repeat_byte(0xff), ..*seat }, index, &branch));
        assert!(!verify_seat(root, seat, index, &branch[1..]));
    }
    assert_eq!(committee_branch(&committee, 5), None);
}

#[test]
fn there_are_sixteen_fields() {
    let fields = state().fields();
    assert!(field_branch(&fields, 15).is_some());
    assert_eq!(field_branch(&fields, 16), None);
}
