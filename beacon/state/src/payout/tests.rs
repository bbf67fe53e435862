use crate::testing::{Brought, Network};
use crate::{Event, Stake};
use primitives::{
    Address, B256, Chain, Epoch, Height, InboxCursor, InboxCursors, Receipt, ShardId, U256, ValidatorIndex,
};
use std::num::NonZeroU64;
use xshard::{Deposit, Exit, Payload, Withdrawal, WithdrawalAccount};

const DELAY: u64 = 3;

/// Validators 1 to 4, of three units each, to be paid on shards 0, 1, 0 and 1; their owners are numbered as they are.
fn network() -> Network {
    let mut network = Network::new(2, &[1, 1]);
    network.spec.exit_delay_heights = NonZeroU64::new(DELAY).expect("not zero");
    let deposits: Vec<_> = (2..6u32).map(|number| deposit(&mut network, number)).collect();
    network.send_and_deliver(0, deposits);
    assert_eq!(network.state().stake().deposited_units, 12);
    network
}

fn owner(validator: u64) -> WithdrawalAccount {
    let shard = ShardId::new((validator % 2) as u32);
    WithdrawalAccount { shard, address: Address::repeat_byte(validator as u8) }
}

fn deposit(network: &mut Network, validator: u32) -> Receipt {
    let seats = (0..3).map(|unit| network.seat(3 * validator + unit)).collect();
    let deposit = Deposit {
        seats,
        beacon_node: B256::repeat_byte(0x80 + validator as u8),
        shard_node: B256::repeat_byte(0xc0 + validator as u8),
        withdrawal: owner(validator.into()),
    };
    network.receipt(Address::ZERO, network.wei(3), &Payload::Deposit(deposit))
}

/// Lets units of validators leave, one after the other, in one block.
fn exit(network: &mut Network, exits: &[(u64, u64)]) {
    for (validator, units) in exits {
        let WithdrawalAccount { shard, address } = owner(*validator);
        let exit = Exit { validator: ValidatorIndex::new(*validator), units: *units };
        let receipt = network.receipt(address, U256::ZERO, &Payload::Exit(exit));
        network.send(shard.get(), vec![receipt]);
    }
    network.deliver(&[0, 1]);
}

/// Validator and units of each payout.
fn paid(events: &[Event]) -> Vec<(u64, u64)> {
    let paid = |event: &Event| match event {
        Event::Withdrawn { validator, units, .. } => Some((validator.get(), *units)),
        _ => None,
    };
    events.iter().filter_map(paid).collect()
}

/// Validator of each unit that waits.
fn waiting(network: &Network) -> Vec<u64> {
    network.state().exits().map(|unit| unit.validator.get()).collect()
}

/// Lets a shard consume all that was sent to it.
fn consume_all(network: &mut Network, shard: u32) {
    let sequence = network.state().lane(ShardId::new(shard)).unwrap().next_sequence();
    let height = network.chain.header().height;
    let (source, id) = (Chain::Beacon, network.chain.id());
    let cursor = InboxCursor { source, height, id, epoch: Epoch::ZERO, sequence };
    network.grow_with(shard, InboxCursors::new(vec![cursor]).unwrap());
    network.accept(shard);
    assert_eq!(network.state().lane(ShardId::new(shard)).unwrap().first_sequence(), sequence);
}

#[test]
fn stake_is_paid_after_its_delay_and_not_before() {
    let mut network = network();
    exit(&mut network, &[(2, 2)]);
    assert_eq!(paid(&network.idle(DELAY - 1)), []);
    let events = network.idle(1);
    let (validator, to) = (ValidatorIndex::new(2), owner(2).address);
    let (shard, value) = (ShardId::ZERO, network.wei(2));
    assert_eq!(events, [Event::Withdrawn { validator, units: 2, shard, to, value }]);
    let [receipt] = network.state().lane(ShardId::ZERO).unwrap().pending() else { panic!("one receipt") };
    assert_eq!((receipt.value, receipt.sender, receipt.gas), (network.wei(2), Address::ZERO, 0));
    let payload = Payload::decode(receipt.kind, &receipt.payload);
    assert_eq!(payload, Ok(Payload::Withdrawal(Withdrawal { validator, to })));
    let stake = Stake { staked_units: 12, withdrawn_units: 2, deposited_units: 12, ..Stake::default() };
    assert_eq!(network.state().stake(), stake);
    assert_eq!(network.state().validator(validator).unwrap().exiting_units(), 0);
    assert_eq!(network.state().check(), Ok(()));
}

#[test]
fn units_of_one_validator_that_are_next_to_each_other_are_paid_together() {
    let mut network = network();
    // Shard 0 stands before shard 1 in a block.
    exit(&mut network, &[(2, 1), (4, 2), (2, 1), (2, 1), (3, 1)]);
    assert_eq!(waiting(&network), [2, 4, 4, 2, 2, 3]);
    assert_eq!(paid(&network.idle(DELAY)), [(2, 1), (4, 2), (2, 2), (3, 1)]);
    assert_eq!(waiting(&network), [0u64; 0]);
}

#[test]
fn who_left_later_is_paid_later() {
    let mut network = network();
    exit(&mut network, &[(3, 3)]);
    exit(&mut network, &[(2, 1)]);
    assert_eq!(paid(&network.idle(DELAY - 1)), [(3, 3)]);
    assert_eq!(waiting(&network), [2]);
    assert_eq!(paid(&network.idle(1)), [(2, 1)]);
}

#[test]
fn a_full_lane_delays_only_its_own() {
    let mut network = network();
    network.spec.lane_capacity = 1;
    exit(&mut network, &[(2, 1), (4, 1), (2, 1), (3, 1)]);
    exit(&mut network, &[(5, 1)]);
    assert_eq!(paid(&network.idle(DELAY - 1)), [(2, 1), (3, 1)]);
    assert_eq!(waiting(&network), [4, 2, 5]);
    // Units that only those in between kept apart are next to each other now.
    consume_all(&mut network, 1);
    assert_eq!(waiting(&network), [4, 2]);
    assert_eq!(network.state().check(), Ok(()));
    consume_all(&mut network, 0);
    assert_eq!(waiting(&network), [2]);
    consume_all(&mut network, 0);
    assert_eq!(waiting(&network), [0u64; 0]);
    assert_eq!(network.state().stake().withdrawn_units, 5);
}

#[test]
fn a_block_pays_with_so_many_receipts() {
    let mut network = network();
    exit(&mut network, &[(2, 1), (4, 1), (2, 2), (3, 2)]);
    network.spec.beacon_receipts_max = 2;
    assert_eq!(paid(&network.idle(DELAY)), [(2, 1), (4, 1)]);
    assert_eq!(paid(&network.idle(1)), [(2, 2), (3, 2)]);
    assert_eq!(waiting(&network), [0u64; 0]);
}

#[test]
fn what_a_shard_has_consumed_is_kept_no_longer() {
    let mut network = network();
    exit(&mut network, &[(2, 1), (4, 1)]);
    network.idle(DELAY);
    let lane = network.state().lane(ShardId::ZERO).unwrap();
    assert_eq!((lane.first_sequence(), lane.pending().len()), (0, 2));
    consume_all(&mut network, 0);
    let lane = network.state().lane(ShardId::ZERO).unwrap();
    assert_eq!((lane.first_sequence(), lane.next_sequence()), (2, 2));
    // Other shards' lanes are their own.
    assert_eq!(network.state().lane(ShardId::new(1)).unwrap().next_sequence(), 0);
}

#[test]
fn stake_that_is_paid_waits_for_the_delay_of_its_own_exit() {
    let mut network = network();
    exit(&mut network, &[(2, 1)]);
    let due: Vec<Height> = network.state().exits().map(|unit| unit.withdrawable_at).collect();
    assert_eq!(due, [network.state().height().plus(DELAY)]);
    // Nothing that a block brings makes it shorter.
    let events = network.step_of(Brought::default()).unwrap();
    assert_eq!(paid(&events), []);
}
