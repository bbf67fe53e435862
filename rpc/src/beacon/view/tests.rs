use super::*;
use crate::beacon::{
    CommitteeAnswer, Decimal, EndCause, Event, SignedBlock, StakeChange, ValidatorFilter, samples,
};
use alloy_primitives::{Address, B256};
use primitives::{
    AcceptedHeader, Chain, Epoch, Height, ShardId, ShardKind, ShardRecord, ShardSpec, ValidatorIndex,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;

/// The JSON of a view, after seeing that it reads back as it was.
fn json_of<T: Serialize + DeserializeOwned + PartialEq + Debug>(view: &T) -> Value {
    let value = serde_json::to_value(view).expect("a view is JSON");
    assert_eq!(&serde_json::from_value::<T>(value.clone()).expect("its own JSON"), view);
    value
}

fn repeated(byte: &str, times: usize) -> String {
    format!("0x{}", byte.repeat(times))
}

fn message_json() -> Value {
    json!({
        "slot": "70",
        "proposer_index": "3",
        "parent_root": repeated("01", 32),
        "state_root": repeated("02", 32),
        "body_root": repeated("03", 32),
        "epoch": "2",
        "view": "9",
        "parent_view": "8",
        "timestamp_ms": "1700000000123",
        "history_root": repeated("04", 32),
    })
}

#[test]
fn a_header_has_the_beacon_apis_fields_and_its_signature() {
    let header = samples::header();
    assert_eq!(
        json_of(&HeaderView::new(&header, Some(samples::signature(5)))),
        json!({
            "root": header.id(),
            "canonical": true,
            "header": { "message": message_json(), "signature": repeated("05", 96) },
        })
    );
}

#[test]
fn a_header_under_a_descendants_certificate_has_a_signature_of_zeros() {
    let view = json_of(&HeaderView::new(&samples::header(), None));
    assert_eq!(view["header"]["signature"], repeated("00", 96));
}

#[test]
fn a_block_shows_all_that_it_brings() {
    let signed = SignedBlock { block: samples::block(), signature: Some(samples::signature(5)) };
    let mut message = message_json();
    message["body"] = json!({
        "randao_reveal": repeated("06", 96),
        "crosslinks": [{
            "shard": "1",
            "epoch": "6",
            "height": "140",
            "id": repeated("0b", 32),
            "state_root": repeated("09", 32),
            "outbox_root": repeated("0a", 32),
            "timestamp_ms": "1700000000000",
            "signers": "3",
            "seats": "4",
            "accepted_at": "70",
        }],
        "evidence": [{
            "chain": "1",
            "epoch": "6",
            "view": "12",
            "seat": "1",
            "key": repeated("02", 48),
            "validator": "2",
            "first": { "kind": "finalize", "id": repeated("01", 32), "signature": repeated("01", 96) },
            "second": { "kind": "nullify", "id": repeated("00", 32), "signature": repeated("02", 96) },
        }],
        "conflicts": [{
            "shard": "1",
            "epoch": "6",
            "first": { "height": "140", "id": repeated("0b", 32), "view": "9", "signers": "3", "seats": "4" },
            "second": { "height": "140", "id": repeated("0d", 32), "view": "9", "signers": "3", "seats": "4" },
        }],
        "consumptions": [{
            "shard": "1",
            "epoch": "6",
            "certified": { "height": "140", "id": repeated("0b", 32), "view": "9", "signers": "3", "seats": "4" },
            "source": "2",
        }],
        "bundles": [{
            "shard": "1",
            "height": "140",
            "first_sequence": "5",
            "count": "1",
            "receipts": [samples::receipt().id()],
        }],
    });
    assert_eq!(
        json_of(&VersionedBlock::new(&signed, true)),
        json!({
            "version": "atoll",
            "execution_optimistic": false,
            "finalized": true,
            "data": { "message": message, "signature": repeated("05", 96) },
        })
    );
}

#[test]
fn a_committee_shows_its_seats_and_how_weak_it_is() {
    let committee = samples::committee();
    let root = committee.root();
    let takeover = samples::takeover();
    let answer = CommitteeAnswer { committee, first_height: Height::new(64), takeover };
    let seat = |index: &str, byte: &str, validator: &str| {
        json!({
            "index": index,
            "key": repeated(byte, 48),
            "validator": validator,
            "node": repeated(byte, 32),
            "fee_recipient": repeated(byte, 20),
        })
    };
    assert_eq!(
        json_of(&CommitteeView::new(Chain::Beacon, Epoch::new(2), answer)),
        json!({
            "chain": "beacon",
            "epoch": "2",
            "first_height": "64",
            "root": root,
            "seats": [seat("0", "01", "1"), seat("1", "02", "2")],
            "takeover": {
                "units": "4",
                "adversary_units": "1",
                "stalling_seats": "2",
                "quorum": "3",
                "liveness_loss": "0",
                "safety_loss": "0",
            },
        })
    );
}

#[test]
fn a_shard_shows_its_chain_id_and_latest_crosslink() {
    let record = ShardRecord {
        shard: ShardId::new(2),
        kind: ShardKind::Nft,
        accepted: AcceptedHeader {
            height: Height::new(140),
            id: B256::repeat_byte(1),
            epoch: Epoch::new(6),
            accepted_at: Height::new(70),
            ..Default::default()
        },
        early_ends: 1,
        ..Default::default()
    };
    let spec = ShardSpec { name: "nft".into(), kind: ShardKind::Nft };
    assert_eq!(
        json_of(&ShardView::new(&record, &spec, 7_000)),
        json!({
            "shard": "2",
            "name": "nft",
            "kind": "nft",
            "status": "active",
            "chain_id": "7002",
            "accepted": { "height": "140", "id": repeated("01", 32), "epoch": "6", "accepted_at": "70" },
            "drawn_epoch": "0",
            "early_ends": "1",
        })
    );
}

/// A validator of these seats, of which one unit leaves.
fn entry(seat_keys: Vec<primitives::PublicKeyBytes>) -> ValidatorEntry {
    ValidatorEntry {
        seat_keys,
        exiting_units: 1,
        burned_units: 0,
        withdrawal_shard: ShardId::new(2),
        withdrawal_address: Address::repeat_byte(7),
        registered: 4,
        left: None,
    }
}

#[test]
fn a_validator_has_the_beacon_apis_fields_its_units_and_seats() {
    let keys = vec![samples::key(1), samples::key(2)];
    let view = ValidatorView {
        index: Decimal(3),
        balance: Decimal(64_000_000_000),
        status: ValidatorStatus::ActiveOngoing,
        validator: ValidatorDetail::new(entry(keys), 32_000_000_000),
    };
    assert_eq!(
        json_of(&view),
        json!({
            "index": "3",
            "balance": "64000000000",
            "status": "active_ongoing",
            "validator": {
                "pubkey": repeated("01", 48),
                "withdrawal_credentials": format!("0x010000000000000000000000{}", "07".repeat(20)),
                "effective_balance": "64000000000",
                "slashed": false,
                "activation_eligibility_epoch": "4",
                "activation_epoch": "4",
                "exit_epoch": "18446744073709551615",
                "withdrawable_epoch": "18446744073709551615",
                "units": "2",
                "seat_keys": [repeated("01", 48), repeated("02", 48)],
                "exiting_units": "1",
                "burned_units": "0",
                "withdrawal_shard": "2",
            },
        })
    );
}

#[test]
fn a_validator_that_left_says_when() {
    let left = ValidatorEntry { left: Some((5, 7)), burned_units: 1, ..entry(Vec::new()) };
    let view = json_of(&ValidatorDetail::new(left, 1));
    assert_eq!((&view["exit_epoch"], &view["withdrawable_epoch"]), (&json!("5"), &json!("7")));
    assert_eq!((&view["slashed"], &view["pubkey"]), (&json!(true), &json!(repeated("00", 48))));
}

#[test]
fn the_node_views_have_the_beacon_apis_fields() {
    assert_eq!(
        json_of(&Syncing::new(60, 70)),
        json!({
            "head_slot": "60",
            "sync_distance": "10",
            "is_syncing": true,
            "is_optimistic": false,
            "el_offline": false,
        })
    );
    assert_eq!(
        json_of(&Identity::new("0x01".into(), vec!["127.0.0.1:9000".into()])),
        json!({
            "peer_id": "0x01",
            "enr": "",
            "p2p_addresses": ["127.0.0.1:9000"],
            "discovery_addresses": [],
            "metadata": { "seq_number": "0", "attnets": "0x0000000000000000", "syncnets": "0x00" },
        })
    );
    assert_eq!(
        json_of(&GenesisView::new(B256::repeat_byte(1), 1_700_000_000_999)),
        json!({
            "genesis_time": "1700000000",
            "genesis_validators_root": repeated("01", 32),
            "genesis_fork_version": "0x00000000",
            "genesis_time_ms": "1700000000999",
        })
    );
}

#[test]
fn every_kind_of_event_reads_back_as_itself() {
    let (zero, one) = (Decimal(0), Decimal(1));
    let block = B256::repeat_byte(1);
    let events = [
        Event::Head { slot: one, block, state: block, epoch_transition: true, execution_optimistic: false },
        Event::Block { slot: one, block, execution_optimistic: false },
        Event::FinalizedCheckpoint { block, state: block, epoch: one, execution_optimistic: false },
        Event::Crosslink { shard: one, height: one, id: block, shard_epoch: zero, accepted_at: one },
        Event::EarlyEnd {
            shard: one,
            ended_epoch: zero,
            next_epoch: one,
            first_height: one,
            cause: EndCause::Conflict,
        },
        Event::Slashing {
            validator_index: one,
            units: one,
            chain: Chain::Shard(ShardId::new(1)),
            offence_epoch: one,
        },
        Event::Stake { validator_index: one, units: one, change: StakeChange::ToppedUp },
    ];
    for event in &events {
        json_of(event);
    }
    assert_eq!(json_of(&events[4])["cause"], "conflict");
    assert_eq!(json_of(&events[6])["change"], "topped_up");
    assert_eq!(
        json_of(&events[0]),
        json!({
            "slot": "1",
            "block": repeated("01", 32),
            "state": repeated("01", 32),
            "epoch_transition": true,
            "execution_optimistic": false,
        })
    );
}

#[test]
fn a_filter_passes_who_is_named_and_in_the_right_state() {
    let (index, active, slashed) =
        (ValidatorIndex::new(3), ValidatorStatus::ActiveOngoing, ValidatorStatus::ActiveSlashed);
    let keys = [samples::key(1), samples::key(2)];
    assert!(ValidatorFilter::default().passes(index, active, &keys));
    let by_key = ValidatorFilter { keys: vec![samples::key(2)], ..Default::default() };
    assert!(by_key.passes(index, active, &keys));
    assert!(!by_key.passes(index, active, &keys[..1]));
    let by_both = ValidatorFilter { indices: vec![index], statuses: vec![slashed], ..Default::default() };
    assert!(by_both.passes(index, slashed, &[]));
    assert!(!by_both.passes(index, active, &[]));
}

#[test]
fn a_status_is_read_by_its_name() {
    assert_eq!("active_ongoing".parse(), Ok(ValidatorStatus::ActiveOngoing));
    assert_eq!("withdrawal_done".parse(), Ok(ValidatorStatus::WithdrawalDone));
    assert!("active".parse::<ValidatorStatus>().is_err());
}
