//! Bundles that do not take effect, and calls that are refused.

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::{SolCall as _, SolError};

use super::{
    net::{ABORTED, COIN, NONE, SALT, Scene, user},
    swaps::swap,
    token,
};
use crate::{
    atomic::{
        ATOMIC,
        abi::{
            IArrivals,
            IAtomic::{self, Leg, Refused, consentCall, openCall},
        },
        bundle_id,
    },
    executor::CallOutcome,
    portal::PORTAL,
    testing::ETHER,
};

/// Opens the swap, of which shard 1 refuses its leg; with which verdict and reason.
fn refused(scene: &mut Scene, legs: &[Leg], deadline: u64) -> (u8, Bytes) {
    let tokens = [(0, 0), (0, 1), (1, 0), (1, 1)];
    let before = tokens.map(|(shard, owner)| scene.tokens_of(shard, user(owner)));
    let id = scene.open(legs, deadline);
    scene.settle();
    assert_eq!((scene.status(id), scene.escrow(0, id, 0), scene.escrow(1, id, 1)), (ABORTED, NONE, NONE));
    assert_eq!(tokens.map(|(shard, owner)| scene.tokens_of(shard, user(owner))), before);
    assert_eq!(scene.sent(0), [7], "who is not prepared is told nothing");
    let [there] = &scene.events::<Refused>(1)[..] else { panic!("refused once") };
    let [here] = &scene.events::<Refused>(0)[..] else { panic!("told once") };
    assert_eq!((here.id, here.leg, here.verdict, &here.reason), (id, 1, there.verdict, &there.reason));
    (here.verdict, here.reason.clone())
}

fn reverted(error: impl SolError) -> (u8, Bytes) {
    (1, error.abi_encode().into())
}

#[test]
fn without_consent_nothing_is_taken() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    let id = bundle_id(0, &legs, deadline, SALT);
    let expected = reverted(IAtomic::NoConsent { id, leg: 1, owner: user(1) });
    assert_eq!(refused(&mut scene, &legs, deadline), expected);
}

#[test]
fn consent_to_another_bundle_is_none_to_this_one() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    let mut other = legs.clone();
    other[0].amount += U256::from(1);
    scene.consent(1, 1, &other, deadline);
    scene.consent(1, 1, &legs, deadline + 1);
    let id = bundle_id(0, &legs, deadline, SALT);
    let expected = reverted(IAtomic::NoConsent { id, leg: 1, owner: user(1) });
    assert_eq!(refused(&mut scene, &legs, deadline), expected);
}

#[test]
fn consent_that_was_taken_back_is_none() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = bundle_id(0, &legs, deadline, SALT);
    assert!(scene.send(1, 1, ATOMIC, IAtomic::revokeCall { id }).success());
    assert!(!scene.consented(1, id, 1));
    assert_eq!(scene.net.slots(1, ATOMIC), 0);
    let expected = reverted(IAtomic::NoConsent { id, leg: 1, owner: user(1) });
    assert_eq!(refused(&mut scene, &legs, deadline), expected);
}

#[test]
fn who_has_too_little_of_a_coin_is_refused() {
    let mut scene = Scene::new();
    let mut legs = swap(&scene);
    let needed = ETHER * U256::from(2_000_000);
    legs[1] = Leg { token: COIN, amount: needed, ..legs[1].clone() };
    let deadline = scene.time(0) + 60;
    scene.consent(1, 1, &legs, deadline);
    let found = scene.net.balance(1, &user(1));
    let expected = reverted(IAtomic::BalanceTooLow { owner: user(1), needed, found });
    assert_eq!(refused(&mut scene, &legs, deadline), expected);
}

#[test]
fn a_token_that_does_not_move_the_amount_is_refused() {
    type Spoil = fn(&mut Scene, &mut Leg);
    let cases: [Spoil; 6] = [
        |_, leg| leg.amount = U256::from(1_001),
        |scene, _| scene.set_mode(1, 1),
        |scene, _| scene.set_mode(1, 6),
        |scene, _| {
            let call = token::approveCall { spender: ATOMIC, amount: U256::from(69) };
            assert!(scene.send(1, 1, scene.tokens[1], call).success());
        },
        // No contract; a contract that returns nothing at all.
        |_, leg| leg.token = Address::repeat_byte(0xaa),
        |scene, leg| leg.token = scene.deploy(1, hex!("60015ff3").into()),
    ];
    for spoil in cases {
        let mut scene = Scene::new();
        let mut legs = swap(&scene);
        spoil(&mut scene, &mut legs[1]);
        let deadline = scene.time(0) + 60;
        scene.consent(1, 1, &legs, deadline);
        let Leg { token, from: owner, amount, .. } = legs[1];
        let expected = reverted(IAtomic::TokenRefused { token, owner, amount });
        assert_eq!(refused(&mut scene, &legs, deadline), expected);
    }
}

#[test]
fn a_token_that_keeps_a_part_is_refused() {
    let mut scene = Scene::new();
    scene.set_mode(1, 2);
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let (expected, found) = (U256::from(70), U256::from(69));
    let expected = reverted(IAtomic::WrongAmount { token: scene.tokens[1], expected, found });
    assert_eq!(refused(&mut scene, &legs, deadline), expected);
}

#[test]
fn a_token_that_uses_up_all_gas_is_refused() {
    let mut scene = Scene::new();
    scene.set_mode(1, 7);
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let (verdict, _) = refused(&mut scene, &legs, deadline);
    assert!(matches!(verdict, 1 | 2), "{verdict}");
}

#[test]
fn a_prepare_that_comes_after_the_deadline_is_refused() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 5);
    scene.consent(1, 1, &legs, deadline);
    scene.pass(1, deadline);
    assert_eq!(refused(&mut scene, &legs, deadline), (3, Bytes::new()));
}

#[test]
fn what_cannot_be_escrowed_here_is_refused_at_once() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    let [here, there] = [legs[0].clone(), legs[1].clone()];
    let token = scene.tokens[0];
    let with = |leg: Leg| [leg, there.clone()];

    let (foreign, own) = (Leg { from: user(2), ..here.clone() }, Leg { from: user(0), ..there.clone() });
    let foreign = [foreign, own];
    let id = bundle_id(0, &foreign, deadline, SALT);
    let expected = IAtomic::NoConsent { id, leg: 0, owner: user(2) }.abi_encode();
    assert_eq!(scene.reason_of_open(&foreign, deadline), expected);
    scene.consent(0, 2, &foreign, deadline);
    scene.open(&foreign, deadline);

    let amount = U256::from(1_001);
    let expected = IAtomic::TokenRefused { token, owner: user(0), amount }.abi_encode();
    assert_eq!(scene.reason_of_open(&with(Leg { amount, ..here.clone() }), deadline), expected);
    scene.set_mode(0, 2);
    let (expected, found) = (U256::from(100), U256::from(99));
    let expected = IAtomic::WrongAmount { token, expected, found }.abi_encode();
    assert_eq!(scene.reason_of_open(&with(here.clone()), deadline), expected);
    let (needed, found) = (ETHER * U256::from(2_000_000), scene.net.balance(0, &user(0)));
    let expected = IAtomic::BalanceTooLow { owner: user(0), needed, found }.abi_encode();
    assert_eq!(scene.reason_of_open(&with(Leg { token: COIN, amount: needed, ..here }), deadline), expected);
}

#[test]
fn what_is_no_bundle_is_refused_by_its_reason() {
    let scene = Scene::new();
    let (legs, time) = (swap(&scene), scene.time(0));
    let deadline = time + 60;
    let count = |found: u64| {
        let [least, most, found] = [2, 8, found].map(U256::from);
        IAtomic::LegCount { least, most, found }.abi_encode()
    };
    let with = |leg: Leg| vec![legs[0].clone(), leg];
    let there = legs[1].clone();
    let cases = [
        (legs[..1].to_vec(), deadline, count(1)),
        (vec![legs[0].clone(); 9], deadline, count(9)),
        (with(Leg { shard: 3, ..there.clone() }), deadline, IAtomic::UnknownShard { shard: 3 }.abi_encode()),
        (
            with(Leg { amount: U256::ZERO, ..there.clone() }),
            deadline,
            IAtomic::ZeroAmount { leg: 1 }.abi_encode(),
        ),
        (
            with(Leg { token: PORTAL, ..there.clone() }),
            deadline,
            IAtomic::BadToken { token: PORTAL }.abi_encode(),
        ),
        (with(Leg { token: ATOMIC, ..there }), deadline, IAtomic::BadToken { token: ATOMIC }.abi_encode()),
        (legs.clone(), time - 1, IAtomic::DeadlinePassed { deadline: time - 1, time }.abi_encode()),
        (legs.clone(), 0, IAtomic::DeadlinePassed { deadline: 0, time }.abi_encode()),
    ];
    for (legs, deadline, expected) in cases {
        assert_eq!(scene.reason_of_open(&legs, deadline), expected);
        let consent = consentCall { coordinator: 0, legs, deadline, salt: SALT };
        assert_eq!(scene.reason(0, 0, consent), expected);
    }
    let consent = |coordinator| consentCall { coordinator, legs: legs.clone(), deadline, salt: SALT };
    assert_eq!(scene.reason(0, 2, consent(0)), IAtomic::NoLeg { caller: user(2) }.abi_encode());
    assert_eq!(scene.reason(0, 0, consent(9)), IAtomic::UnknownShard { shard: 9 }.abi_encode());
    let open = openCall { legs: legs.clone(), deadline, salt: SALT };
    assert_eq!(scene.reason(0, 2, open), IAtomic::NotParty { caller: user(2) }.abi_encode());
    let id = SALT;
    let expire = IAtomic::expireCall { id };
    assert_eq!(scene.reason(0, 0, expire), IAtomic::NotOpen { id, status: NONE }.abi_encode());
    let release = IAtomic::releaseCall { id, leg: 200 };
    assert_eq!(scene.reason(0, 0, release), IAtomic::NoEscrow { id, leg: 200 }.abi_encode());
}

/// What receipts ask of the Atomic, and what its own code asks, nobody else can.
#[test]
fn only_receipts_prepare_decide_and_answer() {
    let scene = Scene::new();
    let decided = IArrivals::decidedCall { coordinator: 0, id: SALT, leg: 0, committed: true };
    let answered = IArrivals::answeredCall { receipt: SALT, verdict: 0, reason: Bytes::new() };
    for input in [decided.abi_encode(), answered.abi_encode(), vec![1; 97], vec![0], Vec::new()] {
        assert_eq!(scene.net.revert_reason(0, ATOMIC, input), Bytes::new());
    }
}

#[test]
fn the_atomic_takes_no_value_and_lends_no_code() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    let call = openCall { legs, deadline, salt: SALT }.abi_encode();
    let executed = scene.transact(0, 0, Some(ATOMIC), call.into(), U256::ONE);
    assert!(!executed.receipts[0].success());
    // CALLDATACOPY(0, 0, size) DELEGATECALL(gas, atomic, 0, size, 0, 0) RETURNDATACOPY(0, 0, size) REVERT(0, size)
    let mut code = hex!("365f5f375f5f365f73").to_vec();
    code.extend(ATOMIC);
    code.extend(hex!("5af43d5f5f3e3d5ffd"));
    let borrower = scene.deploy(0, token::creation_of(&code));
    let id = SALT;
    let input = IAtomic::bundleCall { id }.abi_encode();
    let expected = IAtomic::NotDelegated {}.abi_encode();
    assert_eq!(scene.net.revert_reason(0, borrower, input.clone()), Bytes::from(expected));
    assert!(matches!(scene.net.call(0, ATOMIC, U256::ZERO, input), CallOutcome::Success { .. }));
}

/// A contract that only looks may look, and not write.
#[test]
fn a_static_call_writes_nothing() {
    let mut scene = Scene::new();
    // CALLDATACOPY(0, 0, size) STATICCALL(gas, atomic, 0, size, 0, 0) MSTORE(0, result) RETURN(0, 32)
    let mut code = hex!("365f5f375f5f365f73").to_vec();
    code.extend(ATOMIC);
    code.extend(hex!("5afa5f5260205ff3"));
    let reader = scene.deploy(0, token::creation_of(&code));
    let result = |input: Vec<u8>| match scene.net.call(0, reader, U256::ZERO, input) {
        CallOutcome::Success { output, .. } => U256::from_be_slice(&output),
        other => panic!("it succeeds: {other:?}"),
    };
    assert_eq!(result(IAtomic::bundleCall { id: SALT }.abi_encode()), U256::ONE);
    assert_eq!(result(IAtomic::revokeCall { id: SALT }.abi_encode()), U256::ZERO);
}
