use super::*;
use primitives::{
    Address, B256, Chain, NodeKey, PublicKeyBytes, SeatRegistration, ShardId, SignatureBytes, U256,
    ValidatorIndex,
};

fn payloads() -> [Payload; 10] {
    let to = Address::repeat_byte(2);
    let data = Bytes::from_static(b"data");
    let call = Call { to, is_signed: true, gas_price: 7, callback_gas: 9, data: data.clone() };
    let answer = Answer {
        id: B256::repeat_byte(3),
        to,
        verdict: Verdict::Expired,
        refund: U256::from(5),
        gas_price: 6,
        data,
    };
    let seat = SeatRegistration {
        key: PublicKeyBytes::new([4; PublicKeyBytes::LENGTH]),
        possession: SignatureBytes::new([5; SignatureBytes::LENGTH]),
    };
    let (beacon_node, shard_node) = (NodeKey::repeat_byte(6), NodeKey::repeat_byte(7));
    let withdrawal = WithdrawalAccount { shard: ShardId::new(8), address: to };
    let (validator, units) = (ValidatorIndex::new(9), 10);
    let (bundle, leg) = (B256::repeat_byte(4), 5);
    let prepare = Prepare {
        bundle,
        leg,
        token: Address::repeat_byte(6),
        from: Address::repeat_byte(7),
        to,
        amount: U256::from(8),
        answer_gas: 9,
    };
    [
        Payload::Transfer(Transfer { to }),
        Payload::Call(call),
        Payload::Answer(answer),
        Payload::Deposit(Deposit { seats: vec![seat], beacon_node, shard_node, withdrawal }),
        Payload::TopUp(TopUp { validator, seats: vec![seat] }),
        Payload::Exit(Exit { validator, units }),
        Payload::Withdrawal(Withdrawal { validator, to }),
        Payload::Prepare(prepare),
        Payload::Commit(Commit { bundle, leg }),
        Payload::Abort(Abort { bundle, leg }),
    ]
}

/// Every node of a network reads these bytes: a change is a new network.
#[test]
fn payloads_have_this_encoding() {
    let expected = [
        (0, "0202020202020202020202020202020202020202".to_owned()),
        (1, format!("{}0107000000000000000900000000000000{}{}", "02".repeat(20), "29000000", "64617461")),
        (
            2,
            format!(
                "{}{}0305{}0600000000000000{}{}",
                "03".repeat(32),
                "02".repeat(20),
                "00".repeat(31),
                "61000000",
                "64617461"
            ),
        ),
        (
            3,
            format!(
                "5c000000{}{}08000000{}{}{}",
                "06".repeat(32),
                "07".repeat(32),
                "02".repeat(20),
                "04".repeat(48),
                "05".repeat(96)
            ),
        ),
        (4, format!("09000000000000000c000000{}{}", "04".repeat(48), "05".repeat(96))),
        (5, "09000000000000000a00000000000000".to_owned()),
        (6, format!("0900000000000000{}", "02".repeat(20))),
        (
            7,
            format!(
                "{}05{}{}{}08{}0900000000000000",
                "04".repeat(32),
                "06".repeat(20),
                "07".repeat(20),
                "02".repeat(20),
                "00".repeat(31)
            ),
        ),
        (8, format!("{}05", "04".repeat(32))),
        (9, format!("{}05", "04".repeat(32))),
    ];
    for (payload, (tag, hex)) in payloads().into_iter().zip(expected) {
        assert_eq!(
            (payload.kind().get(), primitives::Bytes::to_string(&payload.encode())),
            (tag, format!("0x{hex}"))
        );
        assert_eq!(Payload::decode(payload.kind(), &payload.encode()), Ok(payload));
    }
}

#[test]
fn bytes_that_are_no_payload_are_refused_by_kind() {
    for payload in payloads() {
        let kind = payload.kind();
        let error = Payload::decode(kind, &payload.encode()[1..]).expect_err("cut");
        assert!(matches!(error, PayloadError::Malformed { kind: found, .. } if found == kind), "{error}");
    }
    let found = ReceiptKind::new(u16::MAX);
    assert_eq!(Payload::decode(found, &[]), Err(PayloadError::UnknownKind { found }));
}

#[test]
fn what_comes_back_is_decided_or_is_paid_out_is_never_answered() {
    let answerable = payloads().map(|payload| is_answerable(payload.kind()));
    let asks = [true, true, false, true, true, true, false, true, false, false];
    assert_eq!(answerable, asks);
}

#[test]
fn only_who_signed_is_the_same_on_every_chain() {
    let [source, other] = [1, 2].map(|shard| Chain::from(ShardId::new(shard)));
    let sender = Address::repeat_byte(9);
    let Payload::Call(signed) = payloads()[1].clone() else { panic!("the second is a call") };
    assert_eq!(signed.caller(source, sender), sender);
    let by_contract = Call { is_signed: false, ..signed };
    let caller = by_contract.caller(source, sender);
    assert_eq!(caller, stand_in(source, sender));
    assert_ne!(caller, sender);
    assert_ne!(caller, by_contract.caller(other, sender));
}
