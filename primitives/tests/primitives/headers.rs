//! Ids and roots commit to every field.

use crate::sample::Sampler;
use primitives::*;
use ssz::Encode as _;
use ssz_types::{FixedVector, typenum::U256 as N256};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

fn sample<T: crate::sample::Sample>() -> T {
    Sampler::new(7, Some(2)).sample()
}

/// A shard header as the derive macro hashes it, with the bloom as `Vector[byte, 256]`.
#[derive(TreeHash)]
struct Reference {
    shard: ShardId,
    epoch: Epoch,
    view: View,
    parent_view: View,
    height: Height,
    parent: B256,
    timestamp_ms: u64,
    proposer: ValidatorIndex,
    anchor: AnchorRef,
    state_root: B256,
    transactions_root: B256,
    transaction_receipts_root: B256,
    logs_bloom: FixedVector<u8, N256>,
    outbox_root: B256,
    inbox_cursors_root: B256,
    history_root: B256,
    data_root: B256,
    gas_used: u64,
    gas_limit: u64,
    base_fee: u64,
}

#[test]
fn a_shard_headers_id_is_the_root_of_an_ssz_container() {
    let header: ShardHeader = sample();
    let reference = Reference {
        shard: header.shard,
        epoch: header.epoch,
        view: header.view,
        parent_view: header.parent_view,
        height: header.height,
        parent: header.parent,
        timestamp_ms: header.timestamp_ms,
        proposer: header.proposer,
        anchor: header.anchor,
        state_root: header.state_root,
        transactions_root: header.transactions_root,
        transaction_receipts_root: header.transaction_receipts_root,
        logs_bloom: FixedVector::new(header.logs_bloom.to_vec()).unwrap(),
        outbox_root: header.outbox_root,
        inbox_cursors_root: header.inbox_cursors_root,
        history_root: header.history_root,
        data_root: header.data_root,
        gas_used: header.gas_used,
        gas_limit: header.gas_limit,
        base_fee: header.base_fee,
    };
    assert_eq!(header.id(), reference.tree_hash_root());
}

/// Flips a bit of every byte of `value`'s encoding and returns the roots of all that decodes.
fn roots_of_changes<T: ssz::Encode + ssz::Decode>(value: &T, root: fn(&T) -> B256) -> Vec<B256> {
    let bytes = value.as_ssz_bytes();
    let flipped = |place: usize| {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        T::from_ssz_bytes(&bytes).ok().map(|value| root(&value))
    };
    (0..bytes.len()).filter_map(flipped).collect()
}

#[test]
fn every_byte_of_a_header_changes_its_id() {
    let shard: ShardHeader = sample();
    let changed = roots_of_changes(&shard, ShardHeader::id);
    assert_eq!(changed.len(), shard.ssz_bytes_len());
    assert!(!changed.contains(&shard.id()));
    let beacon: BeaconHeader = sample();
    let changed = roots_of_changes(&beacon, BeaconHeader::id);
    assert_eq!(changed.len(), beacon.ssz_bytes_len());
    assert!(!changed.contains(&beacon.id()));
}

#[test]
fn every_byte_of_a_body_record_or_committee_changes_its_root() {
    let body: BeaconBody = sample();
    assert!(!roots_of_changes(&body, BeaconBody::root).contains(&body.root()));
    let record: ShardRecord = sample();
    let root = ShardRecord::tree_hash_root;
    assert!(!roots_of_changes(&record, root).contains(&root(&record)));
    let committee: Committee = sample();
    assert!(!roots_of_changes(&committee, Committee::root).contains(&committee.root()));
}
