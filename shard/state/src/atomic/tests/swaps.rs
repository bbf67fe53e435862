//! Bundles that take effect, and what remains of them.

use alloy_primitives::U256;
use alloy_sol_types::{SolCall as _, SolError as _};

use super::net::{ABORTED, COIN, COMMITTED, GAS, NONE, OPEN, SALT, Scene, leg, user};
use crate::{
    atomic::{
        ATOMIC,
        abi::IAtomic::{self, Aborted, Committed, Escrowed, Leg, Opened, Refused, Released, openCall},
        bundle_id,
    },
    executor::{CallOutcome, CallRequest},
    portal::worth,
    testing::TestNet,
};

/// User 0 gives 100 of shard 0's token for 70 of shard 1's, which user 1 gives.
pub(super) fn swap(scene: &Scene) -> Vec<Leg> {
    vec![leg(0, scene.tokens[0], 0, 1, 100), leg(1, scene.tokens[1], 1, 0, 70)]
}

#[test]
fn a_swap_of_tokens_commits_on_both_shards() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    assert_eq!(scene.tokens_of(0, ATOMIC), 100);
    assert_eq!((scene.status(id), scene.escrow(0, id, 0)), (OPEN, OPEN));
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    assert_eq!([scene.tokens_of(0, user(0)), scene.tokens_of(0, user(1))], [900, 1_100]);
    assert_eq!([scene.tokens_of(1, user(0)), scene.tokens_of(1, user(1))], [1_070, 930]);
    assert_eq!([scene.tokens_of(0, ATOMIC), scene.tokens_of(1, ATOMIC)], [0, 0]);
    assert_eq!([scene.escrow(0, id, 0), scene.escrow(1, id, 1)], [NONE, NONE]);
    assert!(!scene.consented(1, id, 1), "the consent is used up");

    let [opened] = &scene.events::<Opened>(0)[..] else { panic!("opened once") };
    assert_eq!((opened.id, opened.opener, opened.deadline, opened.legs.len()), (id, user(0), deadline, 2));
    for (shard, from, to, amount) in [(0, 0, 1, 100), (1, 1, 0, 70)] {
        let token = scene.tokens[shard as usize];
        let [escrowed] = &scene.events::<Escrowed>(shard)[..] else { panic!("escrowed once") };
        assert_eq!((escrowed.id, escrowed.leg, escrowed.from), (id, shard as u8, user(from)));
        assert_eq!((escrowed.token, escrowed.amount), (token, U256::from(amount)));
        let [released] = &scene.events::<Released>(shard)[..] else { panic!("released once") };
        assert_eq!((released.id, released.leg, released.owner), (id, shard as u8, user(to)));
        assert_eq!((released.token, released.amount), (token, U256::from(amount)));
        assert_eq!(scene.events::<Committed>(shard).len(), 1);
        assert_eq!(scene.events::<Aborted>(shard).len() + scene.events::<Refused>(shard).len(), 0);
    }
    assert_eq!((scene.sent(0), scene.sent(1)), (vec![7, 8], vec![2]));
}

#[test]
fn native_coins_are_swapped_for_a_token() {
    let mut scene = Scene::new();
    let own = leg(0, scene.tokens[0], 0, 3, 7);
    let legs = [leg(0, COIN, 2, 3, 1_000_000), leg(1, COIN, 3, 2, 5), leg(1, scene.tokens[1], 3, 2, 1), own];
    let deadline = scene.time(0) + 60;
    scene.consent(0, 2, &legs, deadline);
    scene.consent(1, 3, &legs, deadline);
    let before =
        [(0, 2), (0, 3), (1, 2), (1, 3)].map(|(shard, owner)| scene.net.balance(shard, &user(owner)));
    // A third party opens it, and pays.
    let id = scene.open(&legs, deadline);
    assert_eq!(scene.net.balance(0, &ATOMIC), U256::from(1_000_000));
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    let after = [(0, 2), (0, 3), (1, 2), (1, 3)].map(|(shard, owner)| scene.net.balance(shard, &user(owner)));
    assert_eq!(before[0] - after[0], U256::from(1_000_000));
    assert_eq!(after[1] - before[1], U256::from(1_000_000));
    assert_eq!(after[2] - before[2], U256::from(5));
    assert_eq!(before[3] - after[3], U256::from(5));
    assert_eq!(scene.tokens_of(1, user(2)), 1_001);
    assert_eq!([scene.net.balance(0, &ATOMIC), scene.net.balance(1, &ATOMIC)], [U256::ZERO; 2]);
}

#[test]
fn three_shards_take_part_with_three_legs() {
    let mut scene = Scene::new();
    let legs: Vec<_> = (0..3)
        .map(|shard| {
            let number = u64::from(shard);
            leg(shard, scene.tokens[shard as usize], number, (number + 1) % 3, 10 + number)
        })
        .collect();
    let deadline = scene.time(0) + 60;
    scene.consent(1, 1, &legs, deadline);
    scene.consent(2, 2, &legs, deadline);
    let id = scene.open(&legs, deadline);
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    for shard in 0..3 {
        let number = u64::from(shard);
        assert_eq!(scene.tokens_of(shard, user(number)), 1_000 - 10 - number);
        assert_eq!(scene.tokens_of(shard, user((number + 1) % 3)), 1_000 + 10 + number);
        assert_eq!(scene.tokens_of(shard, ATOMIC), 0);
    }
}

#[test]
fn a_refusal_on_one_of_three_shards_gives_everything_back() {
    let mut scene = Scene::new();
    let legs = [leg(0, scene.tokens[0], 0, 1, 10), leg(1, COIN, 1, 2, 20), leg(2, scene.tokens[2], 2, 0, 30)];
    let deadline = scene.time(0) + 60;
    scene.consent(1, 1, &legs, deadline);
    let before = scene.net.balance(1, &user(1));
    let id = scene.open(&legs, deadline);
    // The refusal is there before the other answer.
    for (from, to) in [(0, 2), (2, 0)] {
        let bundles = scene.net.outgoing(from, to, 0);
        scene.net.crosslink();
        scene.net.advance(to, &[], &bundles);
    }
    assert_eq!((scene.status(id), scene.tokens_of(0, user(0))), (ABORTED, 1_000));
    scene.settle();
    assert_eq!(scene.net.balance(1, &user(1)), before);
    assert_eq!(scene.tokens_of(2, user(2)), 1_000);
    assert_eq!((scene.events::<Released>(1).len(), scene.events::<Aborted>(1).len()), (1, 1));
    assert_eq!((scene.events::<Refused>(2).len(), scene.events::<Refused>(0).len()), (1, 1));
}

#[test]
fn legs_of_one_shard_take_effect_at_once() {
    let mut scene = Scene::new();
    let legs = [leg(0, scene.tokens[0], 0, 1, 100), leg(0, COIN, 1, 0, 50)];
    let deadline = scene.time(0) + 60;
    scene.consent(0, 1, &legs, deadline);
    let before = scene.net.balance(0, &user(1));
    let id = scene.open(&legs, deadline);
    assert_eq!(scene.status(id), COMMITTED);
    assert_eq!(scene.tokens_of(0, user(1)), 1_100);
    assert_eq!(before - scene.net.balance(0, &user(1)), U256::from(50));
    scene.settle();
}

#[test]
fn a_bundle_is_opened_once() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    let again = IAtomic::AlreadyOpened { id }.abi_encode();
    assert_eq!(scene.reason_of_open(&legs, deadline), again);
    scene.settle();
    assert_eq!(scene.reason_of_open(&legs, deadline), again);
}

/// What a bundle leaves in storage is that it was.
#[test]
fn nothing_but_its_status_is_left_of_a_bundle() {
    let mut scene = Scene::new();
    let count = |scene: &Scene, shard| scene.net.slots(shard, ATOMIC);
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    scene.open(&legs, deadline);
    assert!(count(&scene, 0) > 4 && count(&scene, 1) > 1);
    scene.settle();
    assert_eq!([count(&scene, 0), count(&scene, 1)], [1, 0]);
}

#[test]
fn a_token_that_pays_out_nothing_pays_when_it_is_asked_again() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    let release = |leg| IAtomic::releaseCall { id, leg };
    assert_eq!(scene.reason(0, 5, release(0)), IAtomic::Undecided { id, leg: 0 }.abi_encode());
    let bundles = scene.net.outgoing(0, 1, 0);
    scene.net.advance(1, &[], &bundles);
    // Both tokens are frozen before the decision is known.
    scene.set_mode(0, 3);
    scene.set_mode(1, 3);
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    for shard in [0, 1] {
        let (token, number) = (scene.tokens[shard as usize], shard as u8);
        let Leg { to: owner, amount, .. } = legs[shard as usize];
        assert_eq!(scene.escrow(shard, id, number), COMMITTED);
        let refused = IAtomic::TokenRefused { token, owner, amount }.abi_encode();
        assert_eq!(scene.reason(shard, 5, release(number)), refused);
        scene.set_mode(shard, 0);
        // Anyone may ask; it goes to whom it is for.
        assert!(scene.send(shard, 5, ATOMIC, release(number)).success());
        assert_eq!(scene.tokens_of(shard, owner), 1_000 + amount.to::<u64>());
        let nothing = IAtomic::NoEscrow { id, leg: number }.abi_encode();
        assert_eq!(scene.reason(shard, 5, release(number)), nothing);
    }
    scene.settle();
}

#[test]
fn an_older_token_that_returns_nothing_is_taken() {
    let mut scene = Scene::new();
    scene.set_mode(0, 5);
    scene.set_mode(1, 5);
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    assert_eq!([scene.tokens_of(0, user(1)), scene.tokens_of(1, user(0))], [1_100, 1_070]);
}

/// Seven tokens here use up all that they get; the decision is taken nonetheless, and the eighth leg is paid.
#[test]
fn tokens_that_use_up_all_gas_do_not_stop_a_decision() {
    let mut scene = Scene::new();
    let mut legs = vec![leg(1, COIN, 1, 0, 9)];
    legs.extend((0..7).map(|_| leg(0, scene.tokens[0], 0, 1, 10)));
    let deadline = scene.time(0) + 60;
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    scene.set_mode(0, 4);
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    assert_eq!(scene.net.balance(1, &ATOMIC), U256::ZERO);
    assert_eq!(scene.tokens_of(0, user(1)), 1_000);
    scene.set_mode(0, 0);
    for leg in 1..8 {
        assert_eq!(scene.escrow(0, id, leg), COMMITTED);
        assert!(scene.send(0, 5, ATOMIC, IAtomic::releaseCall { id, leg }).success());
    }
    assert_eq!(scene.tokens_of(0, user(1)), 1_070);
    scene.settle();
}

#[test]
fn a_shard_that_stands_still_is_not_waited_for_after_the_deadline() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 5);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    let expire = IAtomic::expireCall { id };
    let early = IAtomic::DeadlineAhead { deadline, time: scene.time(0) }.abi_encode();
    assert_eq!(scene.reason(0, 5, expire.clone()), early);
    scene.pass(0, deadline);
    assert!(scene.send(0, 5, ATOMIC, expire.clone()).success());
    assert_eq!((scene.status(id), scene.tokens_of(0, user(0))), (ABORTED, 1_000));
    scene.net.assert_conserved();
    let again = IAtomic::NotOpen { id, status: ABORTED }.abi_encode();
    assert_eq!(scene.reason(0, 5, expire), again);

    // The shard goes on: by its clock it is in time, and what it escrowed goes back.
    assert!(scene.time(1) < deadline);
    let bundles = scene.net.outgoing(0, 1, 0);
    scene.net.advance(1, &[], &bundles);
    assert_eq!((scene.escrow(1, id, 1), scene.tokens_of(1, ATOMIC)), (OPEN, 70));
    scene.settle();
    assert_eq!((scene.escrow(1, id, 1), scene.tokens_of(1, user(1))), (NONE, 1_000));
    assert_eq!(scene.sent(0), [7, 9]);
    assert_eq!(scene.net.slots(0, ATOMIC), 1);
}

#[test]
fn a_decision_has_its_place_on_a_full_lane() {
    let mut scene = Scene::on(TestNet::with(|spec| spec.lane_capacity = 2));
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    let lane = scene.net.lanes(0)[0].outgoing;
    assert_eq!((lane.in_flight(), lane.reserved), (1, 1));
    let other = [leg(0, COIN, 0, 1, 1), leg(1, COIN, 1, 0, 1)];
    let full = IAtomic::LaneFull { shard: 1, until: 1 }.abi_encode();
    assert_eq!(scene.reason_of_open(&other, deadline), full);
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    scene.open(&other, deadline);
    scene.settle();
}

#[test]
fn a_bundle_needs_room_for_prepare_and_decision_of_each_leg() {
    let scene = Scene::on(TestNet::with(|spec| spec.lane_capacity = 3));
    let legs = [leg(1, COIN, 0, 1, 1), leg(1, COIN, 1, 0, 1)];
    let deadline = scene.time(0) + 60;
    let full = IAtomic::LaneFull { shard: 1, until: 1 }.abi_encode();
    assert_eq!(scene.reason_of_open(&legs, deadline), full);
    let shards = [leg(1, COIN, 0, 1, 1), leg(2, COIN, 1, 0, 1)];
    let call = openCall { legs: shards.to_vec(), deadline, salt: SALT };
    assert!(matches!(scene.net.call(0, ATOMIC, U256::ZERO, call.abi_encode()), CallOutcome::Success { .. }));
}

#[test]
fn the_opening_pays_for_everything_and_its_receipts_are_worth_nothing() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    let call = openCall { legs: legs.clone(), deadline, salt: SALT };
    let request = CallRequest {
        from: user(0),
        to: Some(ATOMIC),
        input: call.abi_encode().into(),
        ..CallRequest::default()
    };
    let estimate = scene.net.view(0).estimate_gas(&request, GAS).expect("can be opened");
    let executed = scene.transact(0, 0, Some(ATOMIC), request.input, U256::ZERO);
    let used = executed.receipts[0].gas_used;
    assert!(executed.receipts[0].success());
    assert!((used..used + used / 10).contains(&estimate), "{estimate} for {used}");
    assert!((600_000..1_500_000).contains(&used), "{used}");
    let (_, prepare) = executed.outbox.receipts().next().expect("one was sent");
    assert_eq!((prepare.deadline, prepare.sender, worth(prepare)), (deadline, ATOMIC, U256::ZERO));
    assert!(prepare.gas > 200_000);
    assert_ne!(bundle_id(0, &legs, deadline, SALT), bundle_id(1, &legs, deadline, SALT));
    scene.settle();
}
