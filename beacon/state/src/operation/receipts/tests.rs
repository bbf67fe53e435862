mod limits;
mod stake;

use super::*;
use crate::testing::{BEACON_EPOCH_HEIGHTS, Network};
use primitives::{
    Address, B256, Bytes, Chain, Height, PublicKeyBytes, ReceiptKind, SeatRegistration, U256, ValidatorIndex,
};
use std::num::NonZeroU64;
use xshard::{Answer, Deposit, Exit, Payload, Refusal, TopUp, Transfer, Verdict, WithdrawalAccount};

/// Owns the stake of the validators that are registered here.
const OWNER: Address = Address::repeat_byte(0xee);
/// The first validator that is not one of genesis.
const NEW: ValidatorIndex = ValidatorIndex::new(4);
const DELAY: u64 = 9;

/// Four validators of one unit, two shards.
fn network() -> Network {
    let mut network = Network::new(2, &[1, 1, 1, 1]);
    network.spec.registrations_max = 3;
    network.spec.exit_delay_heights = NonZeroU64::new(DELAY).expect("not zero");
    network
}

/// A deposit of these seats, whose nodes have keys of this number, to be paid back to the owner on shard 0.
fn deposit(seats: Vec<SeatRegistration>, node: u8) -> Deposit {
    Deposit {
        seats,
        beacon_node: B256::repeat_byte(0x80 + node),
        shard_node: B256::repeat_byte(0xc0 + node),
        withdrawal: WithdrawalAccount { shard: ShardId::ZERO, address: OWNER },
    }
}

fn seats(network: &mut Network, numbers: std::ops::Range<u32>) -> Vec<SeatRegistration> {
    numbers.map(|number| network.seat(number)).collect()
}

fn deposit_receipt(network: &Network, deposit: Deposit) -> Receipt {
    let value = network.wei(deposit.seats.len() as u64);
    network.receipt(OWNER, value, &Payload::Deposit(deposit))
}

fn top_up_receipt(network: &Network, validator: ValidatorIndex, seats: Vec<SeatRegistration>) -> Receipt {
    let value = network.wei(seats.len() as u64);
    network.receipt(OWNER, value, &Payload::TopUp(TopUp { validator, seats }))
}

fn exit_receipt(network: &Network, validator: ValidatorIndex, units: u64) -> Receipt {
    network.receipt(OWNER, U256::ZERO, &Payload::Exit(Exit { validator, units }))
}

/// A network with one more validator, of so many units, whose seats are numbered from zero.
fn with_new(units: u32) -> Network {
    let mut network = network();
    let seats = seats(&mut network, 0..units);
    let receipt = deposit_receipt(&network, deposit(seats, 0));
    let units = u64::from(units);
    assert_eq!(
        network.send_and_deliver(0, vec![receipt])[1..],
        [Event::Registered { validator: NEW, units }]
    );
    network
}

/// Why receipts were not done.
fn rejections(events: &[Event]) -> Vec<Rejection> {
    let rejection = |event: &Event| match event {
        Event::Refused { rejection, .. } => Some(*rejection),
        _ => None,
    };
    events.iter().filter_map(rejection).collect()
}

/// Brings a receipt of shard 0, which is refused and changes nobody's stake.
fn refusal(network: &mut Network, receipt: Receipt) -> Rejection {
    let (stake, validators) = (network.state().stake(), network.state().validators.clone());
    let events = network.send_and_deliver(0, vec![receipt]);
    assert_eq!((network.state().stake(), &network.state().validators), (stake, &validators));
    assert_eq!(network.state().check(), Ok(()));
    match rejections(&events)[..] {
        [rejection] => rejection,
        _ => panic!("expected a refusal, found {events:?}"),
    }
}

fn refused(network: &mut Network, receipt: Receipt, expected: Refusal) {
    assert_eq!(refusal(network, receipt), Rejection::Refused(expected));
}
