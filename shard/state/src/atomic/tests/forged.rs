//! Receipts that no honest shard sends: they change nothing.

use alloy_primitives::{Address, B256, U256};
use primitives::{Lane, Receipt, ShardId};
use xshard::{Abort, Answer, Arrival, Commit, Payload, Prepare, Verdict};

use super::{
    net::{COIN, COMMITTED, OPEN, SALT, Scene, leg, user},
    swaps::swap,
};
use crate::{
    atomic::{ATOMIC, gas},
    executor::{BlockExecutor, Environment},
    portal::PORTAL,
    state::ChangeSet,
};

/// What a receipt from `source` does on a shard, were it taken in next: whether it succeeds, and what it changes.
fn receive(scene: &Scene, shard: u32, source: u32, sender: Address, payload: &Payload) -> (bool, ChangeSet) {
    let lane = Lane { source: ShardId::new(source).into(), destination: ShardId::new(shard).into() };
    let receipt = Receipt {
        lane,
        sequence: 99,
        kind: payload.kind(),
        sender,
        value: U256::ZERO,
        gas: gas::prepare(true),
        deadline: 0,
        payload: payload.encode(),
    };
    let view = scene.net.view(shard);
    let spec = crate::testing::spec();
    let environment = Environment::new(&spec, scene.net.head(shard), B256::ZERO, Address::ZERO);
    let mut executor = BlockExecutor::resume(view.state(), environment);
    let arrival = Arrival { id: receipt.id(), receipt };
    let success = executor.receive(&arrival).expect("is taken in").success();
    (success, executor.close().0)
}

/// Whether nothing but the lanes' counters changed.
fn is_idle(changes: &ChangeSet) -> bool {
    changes.accounts().iter().all(|account| account.address == PORTAL && account.before == account.after)
}

/// A bundle whose second leg is in escrow on shard 1, and undecided.
fn prepared() -> (Scene, B256) {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let id = scene.open(&legs, deadline);
    let bundles = scene.net.outgoing(0, 1, 0);
    scene.net.advance(1, &[], &bundles);
    assert_eq!(scene.escrow(1, id, 1), OPEN);
    (scene, id)
}

#[test]
fn a_decision_of_another_shard_or_sender_changes_nothing() {
    let (mut scene, id) = prepared();
    let (bundle, leg) = (id, 1);
    for payload in [Payload::Commit(Commit { bundle, leg }), Payload::Abort(Abort { bundle, leg })] {
        for (source, sender) in [(2, ATOMIC), (0, user(0)), (0, PORTAL)] {
            let (success, changes) = receive(&scene, 1, source, sender, &payload);
            assert!(!success && is_idle(&changes), "{source} {sender}: {changes:?}");
        }
        let (success, changes) = receive(&scene, 1, 0, ATOMIC, &payload);
        assert!(success && !is_idle(&changes), "the coordinator's does");
    }
    scene.settle();
    assert_eq!(scene.status(id), COMMITTED);
    let (success, changes) = receive(&scene, 1, 0, ATOMIC, &Payload::Abort(Abort { bundle, leg }));
    assert!(!success && is_idle(&changes), "what is decided stays decided");
}

#[test]
fn a_decision_on_what_was_never_opened_changes_nothing() {
    let (scene, id) = prepared();
    for (bundle, leg) in [(SALT, 1), (id, 0), (id, 2), (id, u8::MAX)] {
        let (success, changes) = receive(&scene, 1, 0, ATOMIC, &Payload::Commit(Commit { bundle, leg }));
        assert!(!success && is_idle(&changes), "{bundle} {leg}: {changes:?}");
    }
}

#[test]
fn a_decision_that_cannot_be_read_is_not_answered() {
    let (scene, _) = prepared();
    for kind in [Commit::KIND, Abort::KIND] {
        let lane = Lane { source: ShardId::ZERO.into(), destination: ShardId::new(1).into() };
        let (sender, value) = (ATOMIC, U256::ZERO);
        let receipt =
            Receipt { lane, sequence: 9, kind, sender, value, gas: 0, deadline: 0, payload: vec![1].into() };
        let view = scene.net.view(1);
        let environment =
            Environment::new(&crate::testing::spec(), scene.net.head(1), B256::ZERO, Address::ZERO);
        let mut executor = BlockExecutor::resume(view.state(), environment);
        let arrival = Arrival { id: receipt.id(), receipt };
        let outcome = executor.receive(&arrival).expect("is taken in").clone();
        assert!(!outcome.success());
        let sent = crate::portal::outbox(ShardId::new(1), &[outcome]).expect("in order");
        assert!(sent.is_empty());
    }
}

#[test]
fn a_prepare_takes_nothing_beyond_what_was_consented_to() {
    let mut scene = Scene::new();
    let (legs, deadline) = (swap(&scene), scene.time(0) + 60);
    scene.consent(1, 1, &legs, deadline);
    let (bundle, token, amount) =
        (crate::atomic::bundle_id(0, &legs, deadline, SALT), scene.tokens[1], legs[1].amount);
    let honest = Prepare { bundle, leg: 1, token, from: user(1), to: user(0), amount, answer_gas: 0 };
    let cases = [
        (0, ATOMIC, Prepare { to: user(5), ..honest }),
        (0, ATOMIC, Prepare { from: user(0), ..honest }),
        (0, ATOMIC, Prepare { amount: amount - U256::from(1), ..honest }),
        (0, ATOMIC, Prepare { token: COIN, ..honest }),
        (0, ATOMIC, Prepare { leg: 0, ..honest }),
        (0, ATOMIC, Prepare { leg: 9, ..honest }),
        (0, ATOMIC, Prepare { bundle: SALT, ..honest }),
        // From another coordinator, and without the bundle's deadline.
        (2, ATOMIC, honest),
        (0, ATOMIC, honest),
        (0, user(0), honest),
    ];
    for (source, sender, prepare) in cases {
        let (success, changes) = receive(&scene, 1, source, sender, &Payload::Prepare(prepare));
        assert!(!success && is_idle(&changes), "{source} {sender} {prepare:?}: {changes:?}");
    }
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let (mut scene, id) = prepared();
    let answer = |answered: B256, verdict| {
        let (to, refund, data) = (ATOMIC, U256::ZERO, Default::default());
        Payload::Answer(Answer { id: answered, to, verdict, refund, gas_price: 0, data })
    };
    for verdict in [Verdict::Done, Verdict::Reverted] {
        let (success, changes) = receive(&scene, 0, 1, PORTAL, &answer(SALT, verdict));
        assert!(!success && is_idle(&changes), "{changes:?}");
    }
    scene.settle();
    let prepare = scene.net.blocks(0).flat_map(|executed| executed.outbox.receipts()).next();
    let (prepare, _) = prepare.expect("one was sent");
    let (success, changes) = receive(&scene, 0, 1, PORTAL, &answer(prepare, Verdict::Done));
    assert!(!success && is_idle(&changes), "answered once: {changes:?}");
    assert_eq!(scene.status(id), COMMITTED);
}

/// Whatever the verdict, an answer from a shard that cannot read prepares ends the bundle.
#[test]
fn a_shard_that_cannot_read_a_prepare_refuses_it() {
    let mut scene = Scene::new();
    let legs = [leg(0, scene.tokens[0], 0, 1, 100), leg(1, COIN, 1, 0, 1)];
    let deadline = scene.time(0) + 60;
    scene.open(&legs, deadline);
    let prepare = scene.net.blocks(0).flat_map(|executed| executed.outbox.receipts()).next();
    let (id, _) = prepare.expect("one was sent");
    let (to, refund, data) = (ATOMIC, U256::ZERO, Default::default());
    let answer = Answer { id, to, verdict: Verdict::Unreadable, refund, gas_price: 0, data };
    let (success, changes) = receive(&scene, 0, 1, PORTAL, &Payload::Answer(answer));
    assert!(success);
    let token = changes.accounts().iter().find(|account| account.address == scene.tokens[0]);
    assert_eq!(token.expect("the token is given back").storage.len(), 2);
}
