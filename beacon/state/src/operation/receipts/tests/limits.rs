//! What a block may bring, in which order, and what goes back.

use super::*;
use crate::BlockError;
use crate::testing::Brought;

/// Exits of nobody: the cheapest that is answered.
fn empty_exits(network: &Network, count: u64) -> Vec<Receipt> {
    (0..count).map(|_| exit_receipt(network, ValidatorIndex::new(99), 1)).collect()
}

/// A network whose shards have an accepted header that sent so many receipts, of which none is consumed.
fn with_sent(counts: [u64; 2]) -> Network {
    let mut network = network();
    for (shard, count) in (0..).zip(counts) {
        let receipts = empty_exits(&network, count);
        network.send(shard, receipts);
        network.accept(shard);
    }
    network
}

fn received(network: &Network) -> [u64; 2] {
    [0, 1].map(|shard| network.state().lane(ShardId::new(shard)).unwrap().received())
}

fn refusal_of(network: &Network, bundles: Vec<BeaconBundle>) -> ReceiptsError {
    match network.refused_bundles(bundles) {
        Some(BlockError::Receipts(error)) => error,
        other => panic!("expected refused bundles, found {other:?}"),
    }
}

/// The only answer on the lane to shard 0, and the receipt that carries it.
fn answer(network: &Network) -> (Answer, Receipt) {
    let [receipt] = network.state().lane(ShardId::ZERO).unwrap().pending() else { panic!("one answer") };
    match Payload::decode(receipt.kind, &receipt.payload) {
        Ok(Payload::Answer(answer)) => (answer, receipt.clone()),
        other => panic!("expected an answer, found {other:?}"),
    }
}

#[test]
fn what_is_refused_goes_back_with_its_value_and_the_reason() {
    let mut network = network();
    let seats = seats(&mut network, 0..1);
    let value = network.wei(1) + U256::ONE;
    let receipt = Receipt { value, ..deposit_receipt(&network, deposit(seats, 0)) };
    let events = network.send_and_deliver(0, vec![receipt]);
    let sent = &network.bundles(0, 1)[0].receipts[0];
    let (shard, sequence, id) = (ShardId::ZERO, 0, sent.id());
    let rejection = Rejection::Refused(Refusal::Value);
    assert_eq!(events[1..], [Event::Refused { shard, sequence, id, rejection }]);
    let (answer, back) = answer(&network);
    let expected = Answer {
        id,
        to: OWNER,
        verdict: Verdict::Refused,
        refund: U256::ZERO,
        gas_price: 0,
        data: Bytes::from(vec![0]),
    };
    assert_eq!(answer, expected);
    assert_eq!((back.value, back.gas, back.deadline, back.sender), (value, 0, 0, Address::ZERO));
    assert_eq!(back.lane.destination, Chain::from(ShardId::ZERO));
}

#[test]
fn what_nobody_can_read_goes_back() {
    let transfer = Payload::Transfer(Transfer { to: OWNER });
    let mut network = network();
    let receipt = network.receipt(OWNER, U256::from(5), &transfer);
    assert_eq!(refusal(&mut network, receipt.clone()), Rejection::Refused(Refusal::Kind));
    for (kind, payload) in [
        (ReceiptKind::new(99), Bytes::new()),
        (Deposit::KIND, Bytes::from(vec![1, 2, 3])),
        (Exit::KIND, Bytes::new()),
    ] {
        let mut network = self::network();
        let receipt = Receipt { kind, payload, ..receipt.clone() };
        assert_eq!(refusal(&mut network, receipt), Rejection::Unreadable);
        let (answer, back) = answer(&network);
        assert_eq!(
            (answer.verdict, answer.data, back.value),
            (Verdict::Unreadable, Bytes::new(), U256::from(5))
        );
    }
}

/// A shard whose committee is corrupt may send what nobody answers: there is nobody to give it back to.
#[test]
fn answers_and_withdrawals_are_consumed_without_an_answer() {
    let withdrawal = Payload::Withdrawal(xshard::Withdrawal { validator: NEW, to: OWNER });
    let mut network = network();
    let receipt = network.receipt(OWNER, U256::ONE, &withdrawal);
    assert_eq!(refusal(&mut network, receipt), Rejection::Refused(Refusal::Kind));
    let lane = network.state().lane(ShardId::ZERO).unwrap();
    assert_eq!((lane.received(), lane.next_sequence()), (1, 0));
}

#[test]
fn what_arrives_after_its_deadline_goes_back() {
    // The next block is a millisecond later.
    for (ahead, is_late) in [(0, false), (1, true)] {
        let mut network = with_new(2);
        let seconds = network.chain.header().timestamp_ms / 1_000 - ahead;
        let receipt = Receipt { deadline: seconds, ..exit_receipt(&network, NEW, 1) };
        let events = network.send_and_deliver(0, vec![receipt]);
        let expected = if is_late { vec![Rejection::Expired] } else { vec![] };
        assert_eq!(rejections(&events), expected);
        if is_late {
            assert_eq!(answer(&network).0.verdict, Verdict::Expired);
        }
    }
}

#[test]
fn a_bundle_that_was_consumed_is_refused() {
    let mut network = with_sent([2, 0]);
    let bundles = network.bundles(0, 1);
    assert_eq!(network.refused_bundles(bundles.clone()), None);
    let twice = [bundles.clone(), bundles.clone()].concat();
    let shard = ShardId::ZERO;
    let lane = primitives::Lane { source: shard.into(), destination: Chain::Beacon };
    let error = BundleError::NotContiguous { lane, expected: 2, found: 0 };
    let expected = ReceiptsError::Bundle { shard, error };
    assert_eq!(refusal_of(&network, twice), expected);
    network.deliver(&[0]);
    assert_eq!(received(&network), [2, 0]);
    assert_eq!(refusal_of(&network, bundles), expected);
    // A proposer leaves it out.
    network.deliver(&[0]);
    assert_eq!(received(&network), [2, 0]);
}

#[test]
fn only_receipts_under_the_accepted_header_count() {
    let mut network = network();
    let receipts = empty_exits(&network, 1);
    network.send(0, receipts);
    let bundles = network.bundles(0, 1);
    let (shard, found) = (ShardId::ZERO, bundles[0].header.id());
    let expected = network.record(0).accepted.id;
    let error = BundleError::OtherBranch { height: Height::ZERO, expected, found };
    assert_eq!(refusal_of(&network, bundles), ReceiptsError::Bundle { shard, error });
    network.deliver(&[]);
    // With its crosslink in the same block it does.
    network.deliver(&[0]);
    assert_eq!(received(&network), [1, 0]);
    // A header above proves what one below it sent.
    let receipts = empty_exits(&network, 2);
    network.send(0, receipts);
    network.grow(0, 2);
    network.deliver(&[0]);
    assert_eq!(received(&network), [3, 0]);
}

#[test]
fn bundles_come_by_rising_shard() {
    let network = with_sent([1, 1]);
    let (zero, one) = (network.bundles(0, 1), network.bundles(1, 1));
    assert_eq!(network.refused_bundles([zero.clone(), one.clone()].concat()), None);
    let (previous, found) = (ShardId::new(1), ShardId::ZERO);
    let order = ReceiptsError::Order { previous, found };
    assert_eq!(refusal_of(&network, [one.clone(), zero].concat()), order);
    let mut nowhere = one;
    nowhere[0].header.shard = ShardId::new(9);
    let no_such_shard = ReceiptsError::NoSuchShard { shard: ShardId::new(9) };
    assert_eq!(refusal_of(&network, nowhere), no_such_shard);
}

#[test]
fn a_block_consumes_so_many_receipts() {
    let mut network = with_sent([3, 2]);
    network.spec.beacon_receipts_max = 4;
    let all = [network.bundles(0, 1), network.bundles(1, 1)].concat();
    assert_eq!(refusal_of(&network, all), ReceiptsError::TooManyReceipts { max: 4 });
    // Block 3 serves shard 1 first, though shard 0 stands before it.
    network.deliver(&[0, 1]);
    assert_eq!(received(&network), [2, 2]);
    network.deliver(&[0, 1]);
    assert_eq!(received(&network), [3, 2]);
}

#[test]
fn a_block_registers_so_many_seats() {
    let mut network = network();
    let receipts: Vec<_> = [0..2, 2..3, 3..4, 4..6]
        .into_iter()
        .zip(0..)
        .map(|(numbers, node)| {
            let seats = seats(&mut network, numbers);
            deposit_receipt(&network, deposit(seats, node))
        })
        .collect();
    network.send(0, receipts);
    network.accept(0);
    let shard = ShardId::ZERO;
    let expected = ReceiptsError::TooManyRegistrations { max: 3, shard, sequence: 2, found: 1 };
    assert_eq!(refusal_of(&network, network.bundles(0, 1)), expected);
    for (consumed, deposited) in [(2, 3), (4, 6)] {
        network.deliver(&[0]);
        assert_eq!((received(&network)[0], network.state().stake().deposited_units), (consumed, deposited));
    }
}

/// Looking at seats costs the same whether they are registered or not.
#[test]
fn seats_that_are_refused_count() {
    let mut network = network();
    let stolen = SeatRegistration { possession: network.seat(9).possession, ..network.seat(8) };
    let receipts: Vec<_> =
        (0..4).map(|node| deposit_receipt(&network, deposit(vec![stolen], node))).collect();
    network.send_and_deliver(0, receipts);
    assert_eq!(received(&network), [3, 0]);
}

#[test]
fn nothing_is_consumed_while_its_answer_has_no_room() {
    let mut network = with_sent([3, 2]);
    network.spec.lane_capacity = 1;
    let all = [network.bundles(0, 1), network.bundles(1, 1)].concat();
    let error = ReceiptsError::NoRoom { shard: ShardId::ZERO, max: 2, pending: 2 };
    assert_eq!(refusal_of(&network, all), error);
    network.deliver(&[0, 1]);
    assert_eq!(received(&network), [2, 2]);
    network.deliver(&[0, 1]);
    assert_eq!(received(&network), [2, 2]);
    // The shard consumes one answer, so one more has room.
    let cursor = primitives::InboxCursor {
        source: Chain::Beacon,
        height: Height::new(1),
        id: B256::repeat_byte(3),
        epoch: Default::default(),
        sequence: 1,
    };
    network.grow_with(0, primitives::InboxCursors::new(vec![cursor]).unwrap());
    network.deliver(&[0]);
    assert_eq!(received(&network), [3, 2]);
}

/// Offered are wrong bundles beside right ones, a run in pieces, and more than a body has room for.
#[test]
fn a_proposer_takes_what_is_right_and_fits() {
    let mut network = with_sent([5, 0]);
    let whole = network.bundles(0, 1).remove(0);
    let mut forged = whole.clone();
    forged.receipts[0].sender = Address::repeat_byte(0xff);
    let pieces = [beacon::narrow(&whole, 2, 3).unwrap(), beacon::narrow(&whole, 0, 3).unwrap()];
    let bundles = [vec![forged.clone()], pieces.to_vec()].concat();
    let (block, built) = network.build_of(Brought { bundles, ..Brought::default() }).unwrap();
    assert_eq!(network.apply(&block).unwrap(), built);
    let counts: Vec<_> = block.body.bundles.iter().map(|bundle| bundle.receipts.len()).collect();
    assert_eq!(counts, [3, 2]);
    let (block, _) = network.build_of(Brought { bundles: vec![forged], ..Brought::default() }).unwrap();
    assert_eq!(block.body.bundles, []);

    let empty = network.build(vec![], vec![]).unwrap().0.body;
    let bytes = |body: &primitives::BeaconBody| ssz::Encode::ssz_bytes_len(body) as u32;
    let mut found = Vec::new();
    for room in (0..9_000).step_by(100) {
        network.spec.body_bytes_max = bytes(&empty) + room;
        let brought = Brought { bundles: vec![whole.clone()], ..Brought::default() };
        let (block, built) = network.build_of(brought).unwrap();
        assert!(bytes(&block.body) <= network.spec.body_bytes_max);
        assert_eq!(network.apply(&block).unwrap(), built);
        found.push(block.body.bundles.iter().map(|bundle| bundle.receipts.len()).sum::<usize>());
    }
    assert!(found.is_sorted());
    assert_eq!((found.first(), found.last()), (Some(&0), Some(&5)));
}
