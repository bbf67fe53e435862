//! What deposits, top-ups and exits do, and each reason for which they are refused.

use super::*;
use crate::Stake;

#[test]
fn a_deposit_registers_a_validator_with_one_unit_for_each_seat() {
    let mut network = network();
    let seats = seats(&mut network, 0..2);
    let asked = deposit(seats.clone(), 0);
    let events = {
        let receipt = deposit_receipt(&network, asked.clone());
        network.send_and_deliver(1, vec![receipt])
    };
    assert_eq!(events[1..], [Event::Registered { validator: NEW, units: 2 }]);
    let record = network.state().validator(NEW).unwrap();
    let keys: Vec<_> = seats.iter().map(|seat| seat.key).collect();
    assert_eq!((record.units(), record.withdrawal()), (&*keys, asked.withdrawal));
    assert_eq!(record.node(Chain::Beacon), asked.beacon_node);
    assert_eq!(record.node(ShardId::ZERO.into()), asked.shard_node);
    assert_eq!((record.registered_at(), record.left_at()), (Height::new(1), Height::ZERO));
    let stake = Stake { staked_units: 6, deposited_units: 2, ..Stake::default() };
    assert_eq!(network.state().stake(), stake);
    let lane = network.state().lane(ShardId::new(1)).unwrap();
    // What succeeds is not answered.
    assert_eq!((lane.received(), lane.next_sequence()), (1, 0));
    assert_eq!(network.state().check(), Ok(()));
}

#[test]
fn deposits_that_are_worth_something_else_than_their_seats_are_refused() {
    let mut network = network();
    for (seat, value) in [(0, U256::ZERO), (1, network.wei(1) - U256::ONE), (2, network.wei(2))] {
        let seats = seats(&mut network, seat..seat + 1);
        let receipt = Receipt { value, ..deposit_receipt(&network, deposit(seats, 0)) };
        refused(&mut network, receipt, Refusal::Value);
    }
    // So many units are worth more than a value can say.
    network.spec.unit_wei = U256::MAX;
    let seats = seats(&mut network, 0..2);
    let receipt = network.receipt(OWNER, U256::MAX, &Payload::Deposit(deposit(seats, 0)));
    refused(&mut network, receipt, Refusal::Value);
}

#[test]
fn deposits_without_seats_or_with_more_than_a_block_registers_are_refused() {
    let mut network = network();
    for seats in [vec![], seats(&mut network, 0..4)] {
        let receipt = deposit_receipt(&network, deposit(seats, 0));
        refused(&mut network, receipt, Refusal::Seats);
    }
    let receipt = top_up_receipt(&network, NEW, vec![]);
    refused(&mut network, receipt, Refusal::Seats);
}

#[test]
fn keys_that_are_registered_or_come_twice_are_refused() {
    let mut network = with_new(2);
    let known = network.state().validator(ValidatorIndex::ZERO).unwrap().units()[0];
    let possession = network.keys[&known].prove_possession().to_bytes();
    let new = network.seat(8);
    for seats in [
        vec![network.seat(1)],
        vec![new, network.seat(0)],
        vec![new, new],
        vec![SeatRegistration { key: known, possession }],
    ] {
        let receipt = deposit_receipt(&network, deposit(seats.clone(), 1));
        refused(&mut network, receipt, Refusal::SeatKey);
        let receipt = top_up_receipt(&network, NEW, seats);
        refused(&mut network, receipt, Refusal::SeatKey);
    }
    // Nor is one that leaves, as long as it waits.
    let receipt = exit_receipt(&network, NEW, 1);
    network.send_and_deliver(0, vec![receipt]);
    let leaving = network.seat(1);
    let receipt = deposit_receipt(&network, deposit(vec![leaving], 1));
    refused(&mut network, receipt, Refusal::SeatKey);
}

#[test]
fn two_deposits_of_one_key_in_a_block_register_it_once() {
    let mut network = network();
    let seat = network.seat(0);
    let receipts = (0..2).map(|node| deposit_receipt(&network, deposit(vec![seat], node))).collect();
    let events = network.send_and_deliver(0, receipts);
    assert_eq!(rejections(&events), [Rejection::Refused(Refusal::SeatKey)]);
    assert_eq!(network.state().stake().deposited_units, 1);
}

#[test]
fn two_deposits_of_one_node_in_a_block_register_it_once() {
    let mut network = network();
    let seats = seats(&mut network, 0..2);
    let receipts = seats.iter().map(|seat| deposit_receipt(&network, deposit(vec![*seat], 0))).collect();
    let events = network.send_and_deliver(0, receipts);
    assert_eq!(rejections(&events), [Rejection::Refused(Refusal::NodeKey)]);
}

#[test]
fn keys_whose_secret_nobody_has_shown_to_hold_are_refused() {
    let mut network = with_new(1);
    let (seat, other) = (network.seat(5), network.seat(6));
    let stolen = SeatRegistration { possession: other.possession, ..seat };
    let no_key = SeatRegistration { key: PublicKeyBytes::new([7; 48]), ..seat };
    for wrong in [stolen, no_key] {
        let receipt = deposit_receipt(&network, deposit(vec![other, wrong], 1));
        refused(&mut network, receipt, Refusal::Possession);
        let receipt = top_up_receipt(&network, NEW, vec![wrong]);
        refused(&mut network, receipt, Refusal::Possession);
    }
}

#[test]
fn node_keys_that_are_none_or_anothers_are_refused() {
    let mut network = with_new(1);
    let seat = network.seat(5);
    let right = deposit(vec![seat], 1);
    let taken = network.state().validator(NEW).unwrap().clone();
    let wrong = [
        Deposit { beacon_node: B256::ZERO, ..right.clone() },
        Deposit { shard_node: B256::ZERO, ..right.clone() },
        Deposit { shard_node: right.beacon_node, ..right.clone() },
        Deposit { beacon_node: taken.node(Chain::Beacon), ..right.clone() },
        // A node of one kind is none of the other.
        Deposit { beacon_node: taken.node(ShardId::ZERO.into()), ..right.clone() },
        Deposit { shard_node: taken.node(Chain::Beacon), ..right.clone() },
    ];
    for deposit in wrong {
        let receipt = deposit_receipt(&network, deposit);
        refused(&mut network, receipt, Refusal::NodeKey);
    }
    let receipt = deposit_receipt(&network, right);
    assert_eq!(rejections(&network.send_and_deliver(0, vec![receipt])), []);
}

#[test]
fn a_shard_that_is_not_there_cannot_be_withdrawn_to() {
    let mut network = network();
    let seat = network.seat(0);
    let withdrawal = WithdrawalAccount { shard: ShardId::new(2), address: OWNER };
    let receipt = deposit_receipt(&network, Deposit { withdrawal, ..deposit(vec![seat], 0) });
    refused(&mut network, receipt, Refusal::WithdrawalShard);
}

#[test]
fn a_validator_has_no_more_units_than_have_room() {
    let state = network().state().clone();
    let seat = network().seat(0);
    let receipt = Receipt { value: network().wei(1), ..exit_receipt(&network(), NEW, 0) };
    let units = vec![PublicKeyBytes::new([1; 48]); crate::UNITS_MAX];
    let (owner, spec) = (WithdrawalAccount { shard: ShardId::ZERO, address: OWNER }, network().spec);
    let full = crate::ValidatorRecord::new(units, B256::ZERO, B256::ZERO, owner, Height::ZERO);
    let mut state = state;
    assert!(state.validators.push(full.unwrap()));
    let check = |state: &BeaconState| {
        let top_up = TopUp { validator: NEW, seats: vec![seat] };
        top_up::check(&spec, state, &Keys::of(state), (ShardId::ZERO, &receipt), &top_up)
    };
    assert_eq!(check(&state), Err(Refusal::Full));
    // One that leaves takes its place until it is paid.
    state.validators.write(4).unwrap().exit(1, Height::ZERO);
    assert_eq!(check(&state), Err(Refusal::Full));
    state.validators.write(4).unwrap().pay(1);
    assert_eq!(check(&state), Ok(()));
}

#[test]
fn a_top_up_adds_units_to_the_owners_validator() {
    let mut network = with_new(1);
    let more = seats(&mut network, 1..3);
    let receipt = top_up_receipt(&network, NEW, more);
    let events = network.send_and_deliver(0, vec![receipt]);
    assert_eq!(events[1..], [Event::ToppedUp { validator: NEW, units: 2 }]);
    let keys: Vec<_> = (0..3).map(|number| network.seat(number).key).collect();
    assert_eq!(network.state().validator(NEW).unwrap().units(), keys);
    let stake = Stake { staked_units: 7, deposited_units: 3, ..Stake::default() };
    assert_eq!(network.state().stake(), stake);
}

#[test]
fn nobody_but_the_owner_adds_to_a_validator_or_ends_it() {
    let mut network = with_new(1);
    let seat = network.seat(5);
    let top_up = top_up_receipt(&network, NEW, vec![seat]);
    let exit = exit_receipt(&network, NEW, 0);
    for receipt in [top_up, exit] {
        let other = Receipt { sender: Address::repeat_byte(0xaa), ..receipt.clone() };
        refused(&mut network, other, Refusal::Sender);
        // The same address on another shard is another account.
        let events = network.send_and_deliver(1, vec![receipt]);
        assert_eq!(rejections(&events), [Rejection::Refused(Refusal::Sender)]);
    }
}

#[test]
fn validators_that_are_not_there_are_refused() {
    let mut network = network();
    let seat = network.seat(0);
    for validator in [NEW, ValidatorIndex::new(u64::MAX)] {
        let receipt = top_up_receipt(&network, validator, vec![seat]);
        refused(&mut network, receipt, Refusal::Validator);
        let receipt = exit_receipt(&network, validator, 1);
        refused(&mut network, receipt, Refusal::Validator);
    }
}

#[test]
fn the_latest_units_leave_the_draws_at_once() {
    let mut network = with_new(3);
    let receipt = exit_receipt(&network, NEW, 2);
    let events = network.send_and_deliver(0, vec![receipt]);
    let withdrawable_at = Height::new(2 + DELAY);
    assert_eq!(events[1..], [Event::Exited { validator: NEW, units: 2, withdrawable_at }]);
    let keys: Vec<_> = (0..3).map(|number| network.seat(number).key).collect();
    let record = network.state().validator(NEW).unwrap();
    assert_eq!((record.units(), record.exiting_units(), record.left_at()), (&keys[..1], 2, Height::new(2)));
    let waiting: Vec<_> = network.state().exits().map(|unit| (unit.key, unit.withdrawable_at)).collect();
    assert_eq!(waiting, [(keys[2], withdrawable_at), (keys[1], withdrawable_at)]);
    assert!(network.state().units(Chain::Beacon).iter().all(|unit| !keys[1..].contains(&unit.key)));
    let stake = Stake { staked_units: 5, exiting_units: 2, deposited_units: 3, ..Stake::default() };
    assert_eq!(network.state().stake(), stake);
    assert_eq!(network.state().check(), Ok(()));
}

#[test]
fn a_validator_that_left_keeps_its_index_and_comes_back_by_a_top_up() {
    let mut network = with_new(2);
    let receipt = exit_receipt(&network, NEW, 0);
    network.send_and_deliver(0, vec![receipt]);
    assert_eq!(network.state().validator(NEW).unwrap().units(), []);
    let receipt = exit_receipt(&network, NEW, 0);
    refused(&mut network, receipt, Refusal::Units);
    let seat = network.seat(7);
    let receipt = top_up_receipt(&network, NEW, vec![seat]);
    let events = network.send_and_deliver(0, vec![receipt]);
    assert_eq!(events.last(), Some(&Event::ToppedUp { validator: NEW, units: 1 }));
    assert_eq!(network.state().validator(NEW).unwrap().units(), [seat.key]);
    assert_eq!(network.state().validators().len(), 5);
}

#[test]
fn no_more_leaves_than_there_is_and_no_value_comes_with_it() {
    let mut network = with_new(2);
    let receipt = exit_receipt(&network, NEW, 3);
    refused(&mut network, receipt, Refusal::Units);
    let receipt = Receipt { value: U256::ONE, ..exit_receipt(&network, NEW, 1) };
    refused(&mut network, receipt, Refusal::Value);
}

#[test]
fn the_last_units_of_all_stay() {
    let mut network = with_new(2);
    // The other validators lose what they have.
    for seat in 0..4 {
        let evidence = network.equivocation(Chain::Beacon, 0, seat, 1);
        network.step(vec![], vec![evidence]).unwrap();
    }
    assert_eq!(network.state().stake().staked_units, 2);
    for units in [0, 2] {
        let receipt = exit_receipt(&network, NEW, units);
        refused(&mut network, receipt, Refusal::LastUnits);
    }
    let receipt = exit_receipt(&network, NEW, 1);
    assert_eq!(rejections(&network.send_and_deliver(0, vec![receipt])), []);
}

/// The block that registers a unit may draw a committee, but not with that unit.
#[test]
fn a_deposit_is_drawn_in_a_later_epoch_and_in_none_before() {
    let mut network = network();
    network.idle(BEACON_EPOCH_HEIGHTS - 1);
    let key = network.seat(0).key;
    let sits = |events: &[Event]| {
        events.iter().find_map(|event| match event {
            Event::Drawn { chain: Chain::Beacon, epoch, committee, .. } => {
                Some((epoch.get(), committee.seats().iter().any(|seat| seat.key == key)))
            }
            _ => None,
        })
    };
    let seats = seats(&mut network, 0..1);
    let receipt = deposit_receipt(&network, deposit(seats, 0));
    // The first block of epoch 1 draws epoch 2.
    assert_eq!(sits(&network.send_and_deliver(0, vec![receipt])), Some((2, false)));
    assert_eq!(sits(&network.idle(BEACON_EPOCH_HEIGHTS)), Some((3, true)));
}

#[test]
fn once_it_is_paid_a_key_may_come_back() {
    let mut network = with_new(2);
    let receipt = exit_receipt(&network, NEW, 1);
    network.send_and_deliver(0, vec![receipt]);
    network.idle(DELAY);
    assert_eq!(network.state().stake().withdrawn_units, 1);
    let seat = network.seat(1);
    let receipt = deposit_receipt(&network, deposit(vec![seat], 1));
    assert_eq!(rejections(&network.send_and_deliver(1, vec![receipt])), []);
    assert_eq!(network.state().validator(ValidatorIndex::new(5)).unwrap().units(), [seat.key]);
}
