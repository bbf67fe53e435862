mod staking;

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolError, SolEvent as _};
use primitives::{ShardId, Verified};
use xshard::stand_in;

use super::{
    PORTAL,
    abi::IPortal::{self, callCall, callWithAnswerCall, claimCall, transferCall},
    burned, worth,
};
use crate::{
    block::{BlockError, Executed, InboxError},
    executor::{CallOutcome, CallRequest},
    receipt::TransactionReceipt,
    testing::{ETHER, Sender, TestNet, key},
    transaction::Transaction,
};

const GAS: u64 = 100_000;

/// A call of the Portal of shard 0 by key 0.
fn sends(nonce: u64, value: U256, call: impl SolCall) -> Arc<Verified<Transaction>> {
    Sender::new(ShardId::ZERO).transaction(&key(0), nonce, Some(PORTAL), value, call.abi_encode())
}

fn calls(to: Address, data: impl Into<Bytes>) -> callCall {
    callCall { shard: 1, to, data: data.into(), gas: GAS, deadline: 0 }
}

/// Creates a contract on a shard, by key 1.
fn deploy(net: &mut TestNet, shard: u32, runtime: &[u8]) -> Address {
    // PUSH2 length DUP1 PUSH1 0a PUSH0 CODECOPY PUSH0 RETURN, then the code.
    let mut initcode = vec![0x61];
    initcode.extend((runtime.len() as u16).to_be_bytes());
    initcode.extend(hex!("80600a5f395ff3"));
    initcode.extend(runtime);
    let nonce = net.nonce(shard, &key(1).address());
    let creation = Sender::new(ShardId::new(shard)).transaction(&key(1), nonce, None, U256::ZERO, initcode);
    let executed = net.advance(shard, &[creation], &[]);
    executed.receipts[0].contract_address.filter(|_| executed.receipts[0].success()).expect("is created")
}

/// Sends from shard 0, takes it in on shard 1, and settles; what shard 1 did with it.
fn deliver(net: &mut TestNet, transaction: Arc<Verified<Transaction>>) -> Arc<Executed> {
    let sent = net.advance(0, &[transaction], &[]);
    assert!(sent.receipts[0].success(), "{:?}", sent.receipts[0]);
    let from = net.lanes(1)[0].incoming.map_or(0, |cursor| cursor.sequence);
    let bundles = net.outgoing(0, 1, from);
    let executed = net.advance(1, &[], &bundles);
    net.settle();
    net.assert_conserved();
    executed
}

/// What key 0 spent on gas of one transaction on shard 0, wei.
fn gas_paid(executed: &Executed, receipt: &TransactionReceipt) -> U256 {
    U256::from(receipt.gas_used) * U256::from(executed.header.base_fee + 1_000_000)
}

/// Why a receipt bounced, if it did.
fn bounced(receipt: &TransactionReceipt) -> Option<u8> {
    let events = receipt.logs().iter();
    events
        .filter_map(|log| IPortal::Bounced::decode_log_data(&log.data).ok())
        .map(|event| event.verdict)
        .next()
}

#[test]
fn value_that_is_sent_leaves_here_and_is_credited_there() {
    let mut net = TestNet::new();
    let to = Address::repeat_byte(0xaa);
    let sender = key(0).address();
    let before = net.balance(0, &sender);
    let sent = net.advance(0, &[sends(0, ETHER, transferCall { shard: 1, to })], &[]);
    assert_eq!(before - net.balance(0, &sender), ETHER + gas_paid(&sent, &sent.receipts[0]));
    assert_eq!(net.balance(0, &PORTAL), U256::ZERO);

    let bundles = net.outgoing(0, 1, 0);
    let executed = net.advance(1, &[], &bundles);
    assert_eq!(net.balance(1, &to), ETHER);
    let (id, _) = sent.outbox.receipts().next().expect("one was sent");
    assert_eq!(executed.arrivals[0].id, id);
    let [log] = executed.receipts[0].logs() else { panic!("one event") };
    let event = IPortal::Credited::decode_log_data(&log.data).expect("is that event");
    assert_eq!((event.id, event.shard, event.to, event.value), (id, 0, to, ETHER));
    net.assert_conserved();
}

#[test]
fn a_receipt_is_consumed_once_and_in_order() {
    let mut net = TestNet::new();
    let to = Address::repeat_byte(0xaa);
    let transfers: Vec<_> =
        (0..5).map(|nonce| sends(nonce, U256::from(1 + nonce), transferCall { shard: 1, to })).collect();
    net.advance(0, &transfers[..2], &[]);
    net.advance(0, &transfers[2..], &[]);
    let bundles = net.outgoing(0, 1, 0);
    assert_eq!(bundles.len(), 2);
    let executed = net.advance(1, &[], &bundles);
    let sequences: Vec<_> = executed.arrivals.iter().map(|arrival| arrival.receipt.sequence).collect();
    assert_eq!(sequences, [0, 1, 2, 3, 4]);
    assert_eq!(net.balance(1, &to), U256::from(15));

    // The same again brings nothing, and a block that brings it is refused.
    let mut again = net.propose(1, &[], &bundles);
    assert_eq!(again.body.bundles, []);
    again.body.bundles = executed_bundles(&bundles);
    again.body.others = net.beacon.records(again.header.anchor.height.get()).drain(..1).collect();
    let error = net.refusal(again);
    assert!(matches!(error, BlockError::Inbox(InboxError::Bundle { .. })), "{error}");
    assert_eq!(net.balance(1, &to), U256::from(15));
}

/// Whole bundles as a body would have them.
fn executed_bundles(whole: &[primitives::Bundle]) -> Vec<primitives::Bundle> {
    whole.iter().map(|whole| xshard::bundle::narrow(whole, None, 64).expect("whole")).take(1).collect()
}

#[test]
fn a_call_runs_as_its_sender_and_what_it_does_not_use_comes_back() {
    let mut net = TestNet::new();
    // SSTORE(0, CALLER), SSTORE(1, CALLVALUE), SSTORE(2, CALLDATALOAD(0))
    let contract = deploy(&mut net, 1, &hex!("335f55346001555f35600255"));
    let sender = key(0).address();
    let before = net.balance(0, &sender);
    let nonce = net.nonce(1, &sender);
    let sent = sends(0, ETHER, calls(contract, U256::from(7).to_be_bytes_vec()));
    let executed = deliver(&mut net, sent);
    assert!(executed.receipts[0].success());
    assert_eq!(net.slot(1, &contract, 0), U256::from_be_bytes(sender.into_word().0));
    assert_eq!(net.slot(1, &contract, 1), ETHER);
    assert_eq!(net.slot(1, &contract, 2), U256::from(7));
    assert_eq!(net.balance(1, &contract), ETHER);
    assert_eq!(net.nonce(1, &sender), nonce);
    // Three fresh slots cost some 66,000 of the 100,000 gas.
    let paid = before - net.balance(0, &sender) - ETHER;
    let used = executed.receipts[0].gas_used;
    assert!((66_000..120_000).contains(&used), "{used}");
    let price = U256::from(net.genesis_base_fee());
    assert!(paid < U256::from(GAS + 80_000 - 25_000) * price * U256::from(11) / U256::from(10), "{paid}");
}

#[test]
fn what_a_contract_refuses_comes_back_with_its_reason() {
    let mut net = TestNet::new();
    let cases: [(&[u8], u8); 3] = [
        // REVERT(0, 0); INVALID; an endless loop
        (&hex!("5f5ffd"), 1),
        (&hex!("fe"), 2),
        (&hex!("5b5f56"), 2),
    ];
    for (place, (code, verdict)) in cases.into_iter().enumerate() {
        let contract = deploy(&mut net, 1, code);
        let sender = key(0).address();
        let before = net.balance(0, &sender);
        let executed = deliver(&mut net, sends(place as u64, ETHER, calls(contract, Bytes::new())));
        assert!(!executed.receipts[0].success());
        assert_eq!(bounced(&executed.receipts[0]), Some(verdict));
        assert_eq!(net.balance(1, &contract), U256::ZERO);
        let lost = before - net.balance(0, &sender);
        assert!(lost < ETHER / U256::from(1_000), "{lost}");
    }
}

#[test]
fn a_call_without_code_or_past_its_deadline_comes_back() {
    let mut net = TestNet::new();
    let nobody = Address::repeat_byte(0xaa);
    let time = net.head(0).timestamp_ms / 1_000;
    let no_code = calls(nobody, Bytes::from_static(&[1]));
    let late = callCall { deadline: time + 1, ..calls(nobody, Bytes::new()) };
    for _ in 0..6 {
        net.advance(1, &[], &[]);
    }
    let sent = net.advance(0, &[sends(0, ETHER, no_code), sends(1, ETHER, late)], &[]);
    assert!(sent.receipts.iter().all(TransactionReceipt::success));
    let bundles = net.outgoing(0, 1, 0);
    let executed = net.advance(1, &[], &bundles);
    let verdicts: Vec<_> = executed.receipts.iter().flat_map(bounced).collect();
    assert_eq!(verdicts, [4, 3]);
    net.settle();
    assert_eq!(net.balance(1, &nobody), U256::ZERO);
    net.assert_conserved();
}

#[test]
fn value_with_an_empty_call_reaches_who_has_no_code() {
    let mut net = TestNet::new();
    let nobody = Address::repeat_byte(0xaa);
    deliver(&mut net, sends(0, ETHER, calls(nobody, Bytes::new())));
    assert_eq!(net.balance(1, &nobody), ETHER);
}

#[test]
fn value_for_a_contract_that_destructs_itself_goes_where_it_says() {
    let mut net = TestNet::new();
    // PUSH20 heir SELFDESTRUCT
    let heir = Address::repeat_byte(0xbb);
    let mut code = vec![0x73];
    code.extend(heir);
    code.push(0xff);
    let contract = deploy(&mut net, 1, &code);
    for nonce in 0..2 {
        let executed = deliver(&mut net, sends(nonce, ETHER, calls(contract, vec![1])));
        assert!(executed.receipts[0].success(), "it has its code still (EIP-6780), and the lane goes on");
        assert_eq!(net.balance(1, &heir), ETHER * U256::from(1 + nonce));
    }
    assert_eq!(net.balance(1, &contract), U256::ZERO);
}

/// Runtime code that forwards its call data, and its value, to the Portal; anything from the Portal it notes: the first
/// word in slot 0 (id), the second in slot 1 (ok), the value in slot 2.
///
/// ```text
/// CALLER PUSH20 portal EQ PUSH1 note JUMPI
/// CALLDATACOPY(0, 0, size) CALL(gas, portal, value, 0, size, 0, 0) PUSH1 end JUMPI REVERT(0, 0)
/// note: SSTORE(0, CALLDATALOAD(4)) SSTORE(1, CALLDATALOAD(36)) SSTORE(2, CALLVALUE)
/// end:
/// ```
fn forwarder() -> Vec<u8> {
    let mut code = vec![0x33, 0x73];
    code.extend(PORTAL);
    code.extend(hex!("14 60 40 57 36 5f 5f 37 5f 5f 36 5f 34 73"));
    code.extend(PORTAL);
    code.extend(hex!("5a f1 60 52 57 5f 5f fd"));
    assert_eq!(code.len(), 0x40);
    code.extend(hex!("5b 6004 35 5f 55 6024 35 6001 55 34 6002 55"));
    assert_eq!(code.len(), 0x50);
    code.extend(hex!("5f 50 5b"));
    code
}

fn through(net: &TestNet, forwarder: Address, value: U256, call: impl SolCall) -> Arc<Verified<Transaction>> {
    let nonce = net.nonce(0, &key(0).address());
    Sender::new(ShardId::ZERO).transaction(&key(0), nonce, Some(forwarder), value, call.abi_encode())
}

#[test]
fn a_contract_is_a_stand_in_elsewhere_and_is_told_how_it_went() {
    let mut net = TestNet::new();
    let sender = deploy(&mut net, 0, &forwarder());
    // SSTORE(0, CALLER)
    let callee = deploy(&mut net, 1, &hex!("335f55"));
    let call = callWithAnswerCall {
        shard: 1,
        to: callee,
        data: Bytes::new(),
        gas: GAS,
        deadline: 0,
        callbackGas: GAS,
    };
    let transaction = through(&net, sender, ETHER, call);
    let executed = deliver(&mut net, transaction);
    let expected = stand_in(ShardId::ZERO.into(), sender);
    assert_eq!(net.slot(1, &callee, 0), U256::from_be_bytes(expected.into_word().0));
    assert_eq!(net.slot(0, &sender, 0), U256::from_be_bytes(executed.arrivals[0].id.0));
    assert_eq!(net.slot(0, &sender, 1), U256::ONE);
    assert!(net.slot(0, &sender, 2) > U256::ZERO, "gas that was left came back");
    assert_eq!(net.balance(1, &callee), ETHER);
}

#[test]
fn what_a_contract_refuses_to_take_back_is_held_for_it() {
    let mut net = TestNet::new();
    let refuses = deploy(&mut net, 1, &hex!("5f5ffd"));
    let sender = deploy(&mut net, 0, &forwarder());
    // Too little gas to note anything: the callback fails.
    let call = callWithAnswerCall {
        shard: 1,
        to: refuses,
        data: Bytes::new(),
        gas: GAS,
        deadline: 0,
        callbackGas: 1_000,
    };
    let transaction = through(&net, sender, ETHER, call);
    deliver(&mut net, transaction);
    let held = net.claimable(0, sender);
    assert!(held >= ETHER, "{held}");
    let to = Address::repeat_byte(0xbb);
    let transaction = through(&net, sender, U256::ZERO, claimCall { to });
    let executed = net.advance(0, &[transaction], &[]);
    assert!(executed.receipts[0].success());
    assert_eq!(net.balance(0, &to), held);
    assert_eq!(net.claimable(0, sender), U256::ZERO);
    net.assert_conserved();
}

#[test]
fn a_call_that_reverts_has_sent_nothing() {
    let mut net = TestNet::new();
    // CALLDATACOPY(0, 0, size) CALL(gas, portal, value, 0, size, 0, 0) REVERT(0, 0)
    let mut code = hex!("365f5f375f5f365f3473").to_vec();
    code.extend(PORTAL);
    code.extend(hex!("5af15f5ffd"));
    let contract = deploy(&mut net, 0, &code);
    let transaction = through(&net, contract, ETHER, transferCall { shard: 1, to: Address::ZERO });
    let executed = net.advance(0, &[transaction], &[]);
    assert!(!executed.receipts[0].success());
    assert!(executed.outbox.is_empty());
    assert_eq!(net.lanes(0)[0].outgoing.sent, 0);
}

#[test]
fn a_full_lane_refuses_and_says_until_when_and_opens_again() {
    let mut net = TestNet::with(|spec| spec.lane_capacity = 2);
    let to = Address::repeat_byte(0xaa);
    let transfer = |nonce| sends(nonce, U256::ONE, transferCall { shard: 1, to });
    let executed = net.advance(0, &[transfer(0), transfer(1), transfer(2)], &[]);
    let success: Vec<_> = executed.receipts.iter().map(TransactionReceipt::success).collect();
    assert_eq!(success, [true, true, false]);
    let full = IPortal::LaneFull { shard: 1, until: 1 }.abi_encode();
    assert_eq!(net.revert_reason(0, PORTAL, transferCall { shard: 1, to }.abi_encode()), Bytes::from(full));
    // Another lane is not concerned.
    let other = sends(3, U256::ONE, transferCall { shard: 2, to });
    assert!(net.advance(0, &[other], &[]).receipts[0].success());
    let bundles = net.outgoing(0, 1, 0);
    net.advance(1, &[], &bundles);
    net.crosslink();
    assert!(net.advance(0, &[transfer(4)], &[]).receipts[0].success());
    net.settle();
    net.assert_conserved();
}

#[test]
fn what_cannot_be_sent_is_refused_by_its_reason() {
    let net = TestNet::new();
    let to = Address::repeat_byte(0xaa);
    let data_max = crate::testing::spec().receipt_data_max as usize;
    let call = callCall { shard: 1, to, data: Bytes::new(), gas: GAS, deadline: 0 };
    let cases: [(Vec<u8>, Vec<u8>); 7] = [
        (transferCall { shard: 0, to }.abi_encode(), IPortal::SelfLane { shard: 0 }.abi_encode()),
        (transferCall { shard: 9, to }.abi_encode(), IPortal::UnknownShard { shard: 9 }.abi_encode()),
        (
            transferCall { shard: u32::MAX, to }.abi_encode(),
            IPortal::UnknownShard { shard: u32::MAX }.abi_encode(),
        ),
        (callCall { gas: 0, ..call.clone() }.abi_encode(), IPortal::ZeroGas {}.abi_encode()),
        (
            callCall { data: vec![1; data_max + 1].into(), ..call.clone() }.abi_encode(),
            IPortal::DataTooLarge { limit: U256::from(data_max), found: U256::from(data_max + 1) }
                .abi_encode(),
        ),
        (
            callCall { deadline: 1, ..call.clone() }.abi_encode(),
            IPortal::DeadlinePassed { deadline: 1, time: net.head(0).timestamp_ms / 1_000 }.abi_encode(),
        ),
        (claimCall { to }.abi_encode(), IPortal::NothingToClaim { owner: key(0).address() }.abi_encode()),
    ];
    for (input, expected) in cases {
        assert_eq!(net.revert_reason(0, PORTAL, input), Bytes::from(expected));
    }
    assert_eq!(net.revert_reason(0, PORTAL, vec![1, 2, 3, 4]), Bytes::new());
    let too_much = callCall { gas: u64::MAX, ..call }.abi_encode();
    let reason = net.revert_reason(0, PORTAL, too_much);
    assert!(IPortal::TooMuchGas::abi_decode(&reason).is_ok_and(|error| error.found == u64::MAX));
}

#[test]
fn a_receipt_is_worth_its_value_and_the_gas_that_goes_with_it() {
    let mut net = TestNet::new();
    let contract = deploy(&mut net, 1, &hex!("00"));
    let executed = net.advance(0, &[sends(0, ETHER, calls(contract, Bytes::new()))], &[]);
    let (_, receipt) = executed.outbox.receipts().next().expect("one was sent");
    let price = U256::from(executed.header.base_fee);
    assert_eq!(worth(receipt), ETHER + U256::from(GAS) * price);
    let gas = U256::from(executed.receipts[0].gas_used);
    assert_eq!(burned(&executed), (gas - U256::from(GAS)) * price);
}

#[test]
fn gas_for_a_send_can_be_estimated() {
    let mut net = TestNet::new();
    let to = Address::repeat_byte(0xaa);
    let request = CallRequest {
        from: key(0).address(),
        to: Some(PORTAL),
        value: ETHER,
        input: transferCall { shard: 1, to }.abi_encode().into(),
        ..CallRequest::default()
    };
    let estimate = net.view(0).estimate_gas(&request, 10_000_000).expect("can be sent");
    let executed = net.advance(0, &[sends(0, ETHER, transferCall { shard: 1, to })], &[]);
    let used = executed.receipts[0].gas_used;
    assert!((used..used + used / 50).contains(&estimate), "{estimate} for {used}");
    let CallOutcome::Success { output, .. } = net.view(0).call(&request, 10_000_000).expect("is called")
    else {
        panic!("it succeeds")
    };
    assert_eq!(output.len(), 32);
}
