use super::*;
use primitives::{Address, Chain, ValidatorIndex};
use proptest::prelude::*;
use xshard::Withdrawal;

const SHARD: ShardId = ShardId::new(2);

fn lane(count: u64) -> ShardLane {
    let mut lane = ShardLane::new(SHARD);
    for number in 0..count {
        let to = Address::with_last_byte(number as u8);
        let payload = Payload::Withdrawal(Withdrawal { validator: ValidatorIndex::new(number), to });
        lane.send(U256::from(number), &payload);
    }
    lane
}

#[test]
fn receipts_are_numbered_one_after_the_other() {
    let lane = lane(3);
    let sequences: Vec<_> = lane.pending().iter().map(|receipt| receipt.sequence).collect();
    assert_eq!((sequences, lane.next_sequence()), (vec![0, 1, 2], 3));
    assert!(lane.is_well_formed());
}

#[test]
fn what_was_consumed_leaves_and_the_next_number_stays() {
    let mut lane = lane(5);
    lane.acknowledge(2);
    assert_eq!((lane.first_sequence(), lane.pending().len(), lane.next_sequence()), (2, 3, 5));
    // What was said before is said again, or less.
    lane.acknowledge(2);
    lane.acknowledge(0);
    assert_eq!(lane.first_sequence(), 2);
    lane.acknowledge(u64::MAX);
    assert_eq!((lane.first_sequence(), lane.pending().len(), lane.next_sequence()), (5, 0, 5));
}

#[test]
fn the_root_is_that_of_the_public_container() {
    let mut lane = lane(5);
    lane.receive();
    lane.acknowledge(2);
    let ids: Vec<_> = lane.pending().iter().map(Receipt::id).collect();
    assert_eq!(lane.summary(), beacon::lane(SHARD, 1, 2, &ids));
    assert_eq!(lane.tree_hash_root(), lane.summary().tree_hash_root());
}

#[test]
fn receipts_with_a_gap_or_of_another_lane_are_no_lane() {
    let mut gap = lane(3);
    gap.pending[1].sequence += 1;
    assert!(!gap.is_well_formed());
    let mut other = lane(3);
    other.pending[1].lane.destination = Chain::Beacon;
    assert!(!other.is_well_formed());
}

#[test]
fn numbers_beyond_the_last_are_no_lane() {
    let mut lane = lane(1);
    lane.first_sequence = u64::MAX;
    lane.pending[0].sequence = u64::MAX;
    assert!(!lane.is_well_formed());
}

proptest! {
    #[test]
    fn a_lane_survives_its_encoding(count in 0..9u64, consumed in 0..9u64, received in 0..9u64) {
        let mut lane = lane(count);
        lane.acknowledge(consumed);
        (0..received).for_each(|_| lane.receive());
        let bytes = lane.as_ssz_bytes();
        prop_assert_eq!(bytes.len(), lane.ssz_bytes_len());
        prop_assert_eq!(ShardLane::from_ssz_bytes(&bytes), Ok(lane));
    }
}
