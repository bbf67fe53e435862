//! Somebody stakes, takes part, and gets the stake back.

use crate::{
    config::WorldConfig,
    estate::{beacon_secret, shard_secret},
    seeds, wallet,
    world::{Simulation, World},
};
use alloy_sol_types::SolCall as _;
use beacon_state::Stake;
use primitives::{Bytes, Height, ShardId, U256, ValidatorIndex};
use shard_state::portal::abi::IPortal;
use std::{num::NonZeroU64, time::Duration};

/// Where the stake comes from and goes back to.
const SHARD: ShardId = ShardId::ZERO;
/// The one that has no stake at genesis; also its index once it has.
const NEWCOMER: usize = 5;

#[test]
fn who_deposits_takes_part_in_a_later_epoch_and_gets_its_stake_back() {
    seeds::each([95], staking);
}

pub(crate) fn staking(seed: u64) {
    let mut config = WorldConfig { newcomers: 1, ..WorldConfig::new(2) };
    config.spec.exit_delay_heights = NonZeroU64::new(12).expect("not zero");
    let unit = config.spec.unit_wei;
    Simulation::new(seed, config).phase(async |world| {
        world.advance(4, Duration::from_secs(20)).await;
        let before = balance(world);
        submit(world, unit, deposit(world)).await;
        let is_registered = |world: &World| validator_units(world) == Some(1);
        world.until(Duration::from_secs(20), "the newcomer is registered", is_registered).await;
        world.until(Duration::from_secs(60), "the newcomer proposes", has_proposed).await;

        // The others can do without it, and it without one of them.
        world.crash(0).await;
        world.pass(Duration::from_secs(3)).await;
        let input = IPortal::exitCall { validator: NEWCOMER as u64, units: 0 }.abi_encode();
        submit(world, U256::ZERO, input.into()).await;
        world.start(0).await;
        let has_left = |world: &World| stake(world).withdrawn_units == 1;
        world.until(Duration::from_secs(60), "its stake is paid out", has_left).await;
        let is_back = |world: &World| balance(world) + unit / U256::from(100) > before;
        world.until(Duration::from_secs(20), "its stake is back", is_back).await;
        assert_eq!((validator_units(world), stake(world).deposited_units), (Some(0), 1));
        world.advance(6, Duration::from_secs(60)).await;
    });
}

fn deposit(world: &World) -> Bytes {
    let seat = |seat: primitives::SeatRegistration| IPortal::Seat {
        key: seat.key.as_ref().to_vec().into(),
        possession: seat.possession.as_ref().to_vec().into(),
    };
    let call = IPortal::depositCall {
        seats: world.estate.registrations(NEWCOMER).into_iter().map(seat).collect(),
        beaconNode: engine::node_key_of(&beacon_secret(NEWCOMER)),
        shardNode: engine::node_key_of(&shard_secret(NEWCOMER)),
        withdrawalShard: SHARD.get(),
        withdrawalAccount: wallet::address(wallet::STAKER),
    };
    call.abi_encode().into()
}

/// Submits a call of the Portal, to one validator after the other, until a certified block has it.
async fn submit(world: &World, value: U256, input: Bytes) {
    let nonce = account(world).0;
    let chain_id = world.estate.genesis.spec.evm_chain_id(SHARD);
    let transaction = wallet::stake(chain_id, nonce, value, input);
    for round in 0..60 {
        let chains = (0..world.estate.validators()).filter_map(|validator| world.chain(validator, SHARD));
        let chains: Vec<_> = chains.collect();
        // Known already, or just included: both are fine.
        let _ = chains[round % chains.len()].submit_transactions(vec![transaction.clone()]).await;
        world.pass(Duration::from_millis(500)).await;
        if account(world).0 > nonce {
            return;
        }
    }
    panic!("the transaction was not included");
}

/// Nonce and balance of the staking account, where most is known.
fn account(world: &World) -> (u64, U256) {
    let chains = (0..world.estate.validators()).filter_map(|validator| world.chain(validator, SHARD));
    let newest = chains.map(|chain| chain.snapshot()).max_by_key(|snapshot| snapshot.height());
    let view = newest.expect("somebody runs the shard").view.clone();
    let account = view.account(&wallet::address(wallet::STAKER)).expect("readable");
    (account.nonce, account.balance)
}

fn balance(world: &World) -> U256 {
    account(world).1
}

/// What the beacon node that knows most has of all stake.
fn stake(world: &World) -> Stake {
    newest(world, |state| state.stake())
}

/// Units of the newcomer, once it is registered.
fn validator_units(world: &World) -> Option<usize> {
    let newcomer = ValidatorIndex::new(NEWCOMER as u64);
    newest(world, |state| state.validator(newcomer).map(|validator| validator.units().len()))
}

fn newest<T>(world: &World, read: impl Fn(&beacon_state::BeaconState) -> T) -> T {
    let snapshots = world.validators.values().map(|validator| validator.beacon.snapshot());
    let newest = snapshots.max_by_key(|snapshot| snapshot.height()).expect("somebody runs");
    read(newest.state())
}

/// Whether a block that the newcomer proposed is certified, on any chain.
fn has_proposed(world: &World) -> bool {
    let newcomer = ValidatorIndex::new(NEWCOMER as u64);
    let of_shard = |shard: ShardId| {
        let Some(chain) = world.chain(NEWCOMER, shard) else { return false };
        let snapshot = chain.snapshot();
        let heights = (1..=snapshot.height().get()).rev().take(12).map(Height::new);
        let headers = heights.filter_map(|height| snapshot.reader.header(height).expect("readable"));
        headers.into_iter().any(|header| header.proposer == newcomer)
    };
    world.estate.shards().any(of_shard)
}
