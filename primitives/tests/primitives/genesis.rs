//! Genesis files.

use crypto::bls::SecretKey;
use primitives::{
    Address, Allocation, B256, ChainSpec, Genesis, GenesisError, GenesisValidator, SeatRegistration, ShardId,
    SpecError, U256,
};

fn registration(secret: u8) -> SeatRegistration {
    SeatRegistration::new(&SecretKey::from_bytes(&[secret; 32]).unwrap())
}

fn validator(number: u8, units: u8) -> GenesisValidator {
    GenesisValidator {
        seats: (0..units).map(|unit| registration(10 * number + unit)).collect(),
        beacon_node: B256::repeat_byte(number),
        shard_node: B256::repeat_byte(number + 100),
        withdrawal_address: Address::repeat_byte(number),
    }
}

fn genesis() -> Genesis {
    Genesis {
        spec: ChainSpec::preset("local").unwrap(),
        timestamp_ms: 1_700_000_000_000,
        validators: vec![validator(1, 2), validator(2, 1)],
        allocations: vec![Allocation { address: Address::repeat_byte(9), balance: U256::from(7) }],
        shard_ids: (0..3).map(B256::repeat_byte).collect(),
    }
}

/// What becomes of a genesis after a change.
fn verify(change: impl Fn(&mut Genesis)) -> Result<(), GenesisError> {
    let mut genesis = genesis();
    change(&mut genesis);
    let read = Genesis::from_json(&genesis.to_json()).map(|_| ());
    assert_eq!(read, genesis.verify());
    read
}

#[test]
fn a_genesis_file_reads_back_as_it_was() {
    let genesis = genesis();
    let read = Genesis::from_json(&genesis.to_json()).unwrap();
    assert_eq!(read, genesis);
    assert_eq!(read.hash(), genesis.hash());
    assert_eq!(read.shard_genesis_id(ShardId::new(2)), Some(B256::repeat_byte(2)));
    assert_eq!(read.shard_genesis_id(ShardId::new(3)), None);
}

/// Changing this hash is changing what every network is called.
#[test]
fn the_hash_of_a_genesis_is_frozen() {
    let expected = "0x825e8a0c68a19ceb796dc211ba17da351ebce48244fc6f77ef02c0b9b84f7abe";
    assert_eq!(genesis().hash().to_string(), expected);
}

#[test]
fn every_part_of_a_genesis_changes_its_hash() {
    let changes: [fn(&mut Genesis); 6] = [
        |genesis| genesis.spec.drift_ms += 1,
        |genesis| genesis.timestamp_ms += 1,
        |genesis| genesis.validators[1].shard_node = B256::ZERO,
        |genesis| genesis.allocations[0].balance += U256::from(1),
        |genesis| genesis.shard_ids[0] = B256::repeat_byte(1),
        |genesis| genesis.validators.swap(0, 1),
    ];
    for change in changes {
        let mut changed = genesis();
        change(&mut changed);
        assert_ne!(changed.hash(), genesis().hash());
    }
}

#[test]
fn a_text_that_is_no_genesis_is_refused() {
    let syntax = |text: &str| matches!(Genesis::from_json(text), Err(GenesisError::Syntax(_)));
    assert!(syntax("{}"));
    assert!(syntax(&genesis().to_json().replace("\"allocations\"", "\"allocation\"")));
}

#[test]
fn a_broken_specification_is_refused() {
    let expected = SpecError::OutOfRange { field: "seats_target", expected: "from 1 to 2048", found: 0 };
    assert_eq!(verify(|genesis| genesis.spec.seats_target = 0), Err(GenesisError::Spec(expected)));
}

#[test]
fn as_many_ids_as_shards_are_needed() {
    let expected = GenesisError::ShardIds { expected: 3, found: 2 };
    assert_eq!(verify(|genesis| genesis.shard_ids.truncate(2)), Err(expected));
}

#[test]
fn a_network_without_stake_is_refused() {
    assert_eq!(verify(|genesis| genesis.validators.clear()), Err(GenesisError::NoValidators));
    let no_seats =
        |genesis: &mut Genesis| genesis.validators.iter_mut().for_each(|validator| validator.seats.clear());
    assert_eq!(verify(no_seats), Err(GenesisError::NoValidators));
    assert_eq!(verify(|genesis| genesis.validators[0].seats.clear()), Ok(()));
}

#[test]
fn a_seat_key_registered_twice_is_refused() {
    let twice = registration(10);
    let expected = GenesisError::DuplicateSeat(twice.key);
    assert_eq!(verify(|genesis| genesis.validators[1].seats[0] = twice), Err(expected));
}

#[test]
fn a_wrong_proof_of_possession_is_refused() {
    let key = registration(20).key;
    let expected = Err(GenesisError::Possession { validator: 1, key });
    let stolen = registration(10).possession;
    assert_eq!(verify(|genesis| genesis.validators[1].seats[0].possession = stolen), expected);
    let no_point = [0; 96].into();
    assert_eq!(verify(|genesis| genesis.validators[1].seats[0].possession = no_point), expected);
    let key = [0; 48].into();
    let expected = Err(GenesisError::Possession { validator: 1, key });
    assert_eq!(verify(|genesis| genesis.validators[1].seats[0].key = key), expected);
}
