//! Stake to the beacon chain, and what comes back.

use super::*;
use primitives::{B256, BeaconDelivery, Chain, DELIVERY_RECEIPTS_MAX, NodeKey, ShardBlock, ValidatorIndex};
use xshard::{Answer, DeliveryError, Deposit, Exit, Payload, Refusal, TopUp, Verdict, Withdrawal};

const SHARD: ShardId = ShardId::ZERO;
const OWNER: Address = Address::repeat_byte(0xaa);

fn seats(count: u8) -> Vec<IPortal::Seat> {
    let seat = |number| IPortal::Seat { key: vec![number; 48].into(), possession: vec![number; 96].into() };
    (1..=count).map(seat).collect()
}

fn deposits(count: u8) -> IPortal::depositCall {
    let (node, account) = (NodeKey::repeat_byte, OWNER);
    IPortal::depositCall {
        seats: seats(count),
        beaconNode: node(1),
        shardNode: node(2),
        withdrawalShard: 1,
        withdrawalAccount: account,
    }
}

fn stake(units: u64) -> U256 {
    ETHER * U256::from(32 * units)
}

/// What the receipts to the beacon chain say that a block sent.
fn sent(executed: &Executed) -> Vec<Payload> {
    let receipts = executed.outbox.receipts().map(|(_, receipt)| receipt);
    receipts
        .inspect(|receipt| assert_eq!(receipt.lane.destination, Chain::Beacon))
        .map(|receipt| Payload::decode(receipt.kind, &receipt.payload).expect("is one of a known kind"))
        .collect()
}

fn pays(to: Address) -> Payload {
    Payload::Withdrawal(Withdrawal { validator: ValidatorIndex::new(3), to })
}

/// The next empty block of shard 0, with whatever the beacon chain has for it.
fn takes(net: &mut TestNet) -> Arc<Executed> {
    let executed = net.advance(0, &[], &[]);
    net.assert_conserved();
    executed
}

#[test]
fn stake_leaves_for_the_beacon_chain_as_its_owner_says() {
    let mut net = TestNet::new();
    let (node, validator) = (NodeKey::repeat_byte, ValidatorIndex::new(7));
    let executed = net.advance(
        0,
        &[
            sends(0, stake(2), deposits(2)),
            sends(1, stake(1), IPortal::topUpCall { validator: 7, seats: seats(1) }),
            sends(2, U256::ZERO, IPortal::exitCall { validator: 7, units: 5 }),
        ],
        &[],
    );
    let [Payload::Deposit(deposit), Payload::TopUp(top_up), exit] = &sent(&executed)[..] else {
        panic!("one of each is sent: {executed:?}");
    };
    let Deposit { seats, beacon_node, shard_node, withdrawal } = deposit;
    assert_eq!((seats.len(), *beacon_node, *shard_node), (2, node(1), node(2)));
    assert_eq!((withdrawal.shard, withdrawal.address), (ShardId::new(1), OWNER));
    assert_eq!(seats[1].key.as_ref(), [2; 48]);
    let TopUp { validator: whose, seats } = top_up;
    assert_eq!((*whose, seats.len()), (validator, 1));
    assert_eq!(*exit, Payload::Exit(Exit { validator, units: 5 }));
    let values: Vec<U256> = executed.outbox.receipts().map(|(_, receipt)| receipt.value).collect();
    assert_eq!(values, [stake(2), stake(1), U256::ZERO]);
    net.assert_conserved();
}

#[test]
fn what_cannot_be_staked_says_why() {
    let net = TestNet::new();
    let reason = |value: U256, call: Vec<u8>| net.revert_reason_with(0, PORTAL, value, call);
    let expects = |error: Vec<u8>| Bytes::from(error);
    let (limit, zero) = (U256::from(64), U256::ZERO);
    let short = IPortal::WrongStake { expected: stake(2), found: stake(1) };
    assert_eq!(reason(stake(1), deposits(2).abi_encode()), expects(short.abi_encode()));
    let none = IPortal::WrongSeats { limit, found: zero };
    assert_eq!(reason(zero, deposits(0).abi_encode()), expects(none.abi_encode()));
    let many = IPortal::WrongSeats { limit, found: U256::from(65) };
    assert_eq!(reason(stake(65), deposits(65).abi_encode()), expects(many.abi_encode()));
    let mut call = deposits(2);
    call.seats[1].possession = vec![1; 95].into();
    let malformed = IPortal::MalformedSeat { index: U256::ONE };
    assert_eq!(reason(stake(2), call.abi_encode()), expects(malformed.abi_encode()));
    let nowhere = IPortal::depositCall { withdrawalShard: 3, ..deposits(1) };
    let unknown = IPortal::UnknownShard { shard: 3 };
    assert_eq!(reason(stake(1), nowhere.abi_encode()), expects(unknown.abi_encode()));
    let exit = IPortal::exitCall { validator: 7, units: 0 };
    assert_eq!(reason(ETHER, exit.abi_encode()), expects(IPortal::NotPayable {}.abi_encode()));
    // Nothing else goes to the beacon chain.
    let shard = Chain::Beacon.code();
    let transfer = transferCall { shard, to: OWNER };
    assert_eq!(reason(ETHER, transfer.abi_encode()), expects(IPortal::UnknownShard { shard }.abi_encode()));
}

#[test]
fn a_full_lane_to_the_beacon_chain_has_room_once_it_has_consumed() {
    let mut net = TestNet::with(|spec| spec.lane_capacity = 2);
    let exit = |nonce| sends(nonce, U256::ZERO, IPortal::exitCall { validator: 7, units: 1 });
    let executed = net.advance(0, &[exit(0), exit(1), exit(2)], &[]);
    let outcomes: Vec<bool> = executed.receipts.iter().map(TransactionReceipt::success).collect();
    assert_eq!(outcomes, [true, true, false]);
    let full = IPortal::LaneFull { shard: Chain::Beacon.code(), until: 1 };
    let call = IPortal::exitCall { validator: 7, units: 1 }.abi_encode();
    assert_eq!(net.revert_reason(0, PORTAL, call), Bytes::from(full.abi_encode()));
    net.beacon.receive(SHARD, 1);
    let executed = net.advance(0, &[], &[]);
    assert_eq!(executed.acknowledged, [(Chain::Beacon, 1)]);
    assert!(net.advance(0, &[exit(3)], &[]).receipts[0].success());
}

#[test]
fn payouts_arrive_once_and_in_order() {
    let mut net = TestNet::new();
    let ids: Vec<B256> = (0..3).map(|_| net.beacon.send(SHARD, &pays(OWNER), stake(1))).collect();
    let executed = takes(&mut net);
    let arrived: Vec<B256> = executed.arrivals.iter().map(|arrival| arrival.id).collect();
    assert_eq!(arrived, ids);
    assert_eq!(net.balance(0, &OWNER), stake(3));
    let [log] = executed.receipts[0].logs() else { panic!("one event") };
    let event = IPortal::Credited::decode_log_data(&log.data).expect("is that event");
    assert_eq!((event.id, event.shard, event.to), (ids[0], Chain::Beacon.code(), OWNER));
    let cursor = executed.cursors.cursor(Chain::Beacon).expect("was consumed from");
    assert_eq!((cursor.sequence, cursor.height), (3, executed.header.anchor.height));

    // They wait in the beacon state until an accepted header has consumed them.
    assert!(takes(&mut net).arrivals.is_empty());
    let last = net.beacon.send(SHARD, &pays(OWNER), stake(1));
    assert_eq!(takes(&mut net).arrivals.iter().map(|arrival| arrival.id).collect::<Vec<_>>(), [last]);
    net.beacon.forget(SHARD, 3);
    assert!(takes(&mut net).arrivals.is_empty());
    net.beacon.forget(SHARD, 1);
    net.beacon.send(SHARD, &pays(OWNER), stake(1));
    assert_eq!(takes(&mut net).arrivals.len(), 1);
    assert_eq!(net.balance(0, &OWNER), stake(5));
}

#[test]
fn more_than_a_block_takes_arrives_with_the_next() {
    let mut net = TestNet::new();
    for _ in 0..DELIVERY_RECEIPTS_MAX + 3 {
        net.beacon.send(SHARD, &pays(OWNER), stake(1));
    }
    assert_eq!(takes(&mut net).arrivals.len(), DELIVERY_RECEIPTS_MAX);
    assert!(takes(&mut net).arrivals.is_empty(), "until the first ones are known to be consumed");
    net.beacon.forget(SHARD, DELIVERY_RECEIPTS_MAX);
    assert_eq!(takes(&mut net).arrivals.len(), 3);
}

#[test]
fn what_the_beacon_chain_refuses_comes_back() {
    let mut net = TestNet::new();
    let before = net.balance(0, &key(0).address());
    let executed = net.advance(0, &[sends(0, stake(1), deposits(1))], &[]);
    let paid = gas_paid(&executed, &executed.receipts[0]);
    let (id, _) = executed.outbox.receipts().next().expect("one was sent");
    let data = vec![ssz::Encode::as_ssz_bytes(&Refusal::Possession)[0]];
    let answer = Answer {
        id,
        to: key(0).address(),
        verdict: Verdict::Refused,
        refund: U256::ZERO,
        gas_price: 0,
        data: data.into(),
    };
    net.beacon.send(SHARD, &Payload::Answer(answer), stake(1));
    net.beacon.receive(SHARD, 1);
    let executed = net.advance(0, &[], &[]);
    let log = &executed.receipts[0].logs()[0];
    let event = IPortal::Answered::decode_log_data(&log.data).expect("is that event");
    assert_eq!((event.id, event.verdict, event.value), (id, 6, stake(1)));
    assert_eq!(net.balance(0, &key(0).address()), before - paid);
    assert_eq!(net.lanes(0).last().map(|lane| lane.outgoing.in_flight()), Some(0));
}

/// Why a block with this delivery instead of its own is refused.
fn refusal(net: &TestNet, block: &ShardBlock, change: impl FnOnce(&mut Vec<BeaconDelivery>)) -> InboxError {
    let mut block = block.clone();
    change(&mut block.body.delivery);
    match net.refusal(block) {
        BlockError::Inbox(error) => error,
        other => panic!("a test expects that the delivery is refused: {other}"),
    }
}

#[test]
fn a_delivery_that_the_anchor_does_not_have_makes_a_block_invalid() {
    let mut net = TestNet::new();
    net.beacon.send(SHARD, &pays(OWNER), stake(1));
    net.beacon.send(SHARD, &pays(OWNER), stake(2));
    let block = net.propose(0, &[], &[]);
    let forged = refusal(&net, &block, |delivery| delivery[0].receipts[0].value = stake(9));
    assert_eq!(forged, InboxError::Delivery(DeliveryError::Range { first: 0, count: 2 }));
    let received = refusal(&net, &block, |delivery| delivery[0].lane.received = 1);
    assert_eq!(received, InboxError::Delivery(DeliveryError::Lane { shard: SHARD }));
    let twice = refusal(&net, &block, |delivery| delivery.push(delivery[0].clone()));
    assert_eq!(twice, InboxError::Deliveries { found: 2 });
    net.append(&block);

    // The same lane again brings nothing new, whether with its receipts or without.
    let next = net.propose(0, &[], &[]);
    assert_eq!(next.body.delivery, []);
    let whole = net.beacon.delivery(SHARD, next.header.anchor.height.get());
    let replayed = refusal(&net, &next, |delivery| delivery.push(whole.clone()));
    assert_eq!(replayed, InboxError::Delivery(DeliveryError::NotContiguous { expected: 2, found: 0 }));
    let bare = BeaconDelivery { receipts: Vec::new(), range_proof: Vec::new(), ..whole };
    let stale = refusal(&net, &next, |delivery| delivery.push(bare));
    assert_eq!(stale, InboxError::Stale { acknowledged: 0 });
}
