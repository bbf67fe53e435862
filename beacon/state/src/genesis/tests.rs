use super::*;
use crate::testing::{BEACON_EPOCH_HEIGHTS, Network, SHARD_EPOCH_HEIGHTS, genesis_of, spec};

#[test]
fn epochs_zero_and_one_of_every_chain_are_drawn() {
    let (file, _) = genesis_of(spec(2), &[1, 1, 1, 1]);
    let (chain, events) = genesis(&file).unwrap();
    let drawn: Vec<_> = (events.iter())
        .map(|event| match event {
            Event::Drawn { chain, epoch, first_height, committee } => {
                assert_eq!(committee.len(), 4);
                (*chain, epoch.get(), first_height.get())
            }
            other => panic!("genesis only draws, found {other:?}"),
        })
        .collect();
    let (zero, one) = (Chain::Shard(ShardId::new(0)), Chain::Shard(ShardId::new(1)));
    let (beacon, shard) = (BEACON_EPOCH_HEIGHTS, SHARD_EPOCH_HEIGHTS);
    let expected = [
        (Chain::Beacon, 0, 0),
        (Chain::Beacon, 1, beacon),
        (zero, 0, 0),
        (zero, 1, shard),
        (one, 0, 0),
        (one, 1, shard),
    ];
    assert_eq!(drawn, expected);
    assert_eq!(chain.state().check(), Ok(()));
}

#[test]
fn the_genesis_header_commits_to_the_genesis_state() {
    let (file, _) = genesis_of(spec(2), &[1, 2]);
    file.verify().unwrap();
    let (chain, _) = genesis(&file).unwrap();
    assert_eq!(chain.header().state_root, chain.state().root());
    assert_eq!(chain.header().timestamp_ms, file.timestamp_ms);
    assert_eq!(chain.state().genesis_hash(), file.hash());
    assert_eq!(chain.state().stake(), Stake { staked_units: 3, ..Stake::default() });
    assert_eq!(chain.history().leaf_count(), 1);
    for (record, id) in chain.state().shards().zip(&file.shard_ids) {
        assert_eq!(record.accepted.id, *id);
    }
}

#[test]
fn a_validator_has_one_node_on_the_beacon_chain_and_another_on_the_shards() {
    let network = Network::new(1, &[1, 1]);
    let nodes = |chain| network.state().units(chain).iter().map(|unit| unit.node).collect::<Vec<_>>();
    assert_eq!(nodes(Chain::Beacon), [B256::with_last_byte(0), B256::with_last_byte(1)]);
    assert_eq!(nodes(Chain::Shard(ShardId::new(0))), [B256::repeat_byte(0), B256::repeat_byte(1)]);
}

#[test]
fn a_validator_with_too_many_units_is_refused() {
    let (mut file, _) = genesis_of(spec(1), &[1, 1]);
    let seat = file.validators[1].seats[0];
    let found = UNITS_MAX + 1;
    file.validators[1].seats = vec![seat; found];
    let error = GenesisStateError::TooManyUnits { validator: 1, found, max: UNITS_MAX };
    assert_eq!(genesis(&file), Err(error));
}

#[test]
fn a_shard_without_a_genesis_id_is_refused() {
    let (mut file, _) = genesis_of(spec(2), &[1]);
    file.shard_ids.pop();
    assert_eq!(genesis(&file), Err(GenesisStateError::NoShardId { shard: ShardId::new(1) }));
}

#[test]
fn a_genesis_without_stake_is_refused() {
    let (mut file, _) = genesis_of(spec(1), &[1]);
    file.validators.clear();
    let (chain, epoch, target) = (Chain::Beacon, Epoch::ZERO, file.spec.seats_target);
    let error = DrawError::NoCommittee { chain, epoch, target, units: 0 };
    assert_eq!(genesis(&file), Err(error.into()));
}
