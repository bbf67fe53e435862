//! Committees that certify two branches, and shards that consumed from the one that is void.

use super::*;
use crate::core::seen::Seen;
use beacon_state::EndCause;
use beacon_state::operation::conflict::ConflictError;
use primitives::{CertifiedShardHeader, Conflict, Divergence};

const SHARD: ShardId = ShardId::ZERO;

/// Two branches of shard 0 that part above height 1.
fn branches() -> [Shard; 2] {
    let mut kept = Shard::new();
    kept.grow();
    let mut rival = kept.fork(9);
    for _ in 0..3 {
        kept.grow();
        rival.grow();
    }
    [kept, rival]
}

fn outcome(effects: &[Effect]) -> Result<Taken, CandidateError> {
    let outcome = effects.iter().find_map(|effect| match effect {
        Effect::Submitted { token: TOKEN, outcome } => Some(outcome.clone()),
        _ => None,
    });
    outcome.expect("an answer")
}

/// The shards whose epochs a commit ended, and why.
fn ended(effects: &[Effect]) -> Vec<(u32, EndCause)> {
    let end = |event: &Event| match event {
        Event::EarlyEnd { shard, cause, .. } => Some((shard.get(), *cause)),
        _ => None,
    };
    committed(effects).events.iter().filter_map(end).collect()
}

fn conflict(node: &Node<'_>, [kept, rival]: &[Shard; 2], height: u64) -> Conflict {
    let certified = |branch: &Shard| {
        let Crosslink { header, certificate, .. } = node.crosslink(branch, height);
        CertifiedShardHeader { header, certificate }
    };
    Conflict { first: certified(kept), second: certified(rival), divergence: Divergence::SameHeight(0) }
}

/// Whoever was offered both branches makes the conflict of them, tells the peers, and ends the epoch.
#[test]
fn two_branches_offered_end_the_epoch() {
    let world = World::new(&[1, 1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let [kept, rival] = branches();
    assert_eq!(outcome(&alice.offer(alice.crosslink(&kept, 2))), Ok(Taken::New));
    let effects = alice.offer(alice.crosslink(&rival, 2));
    assert_eq!(outcome(&effects), Ok(Taken::New));
    assert_eq!((alice.core.sizes().conflicts, gossip(&effects).len()), (1, 2));

    // A peer that was offered neither hears of the conflict.
    for payload in gossip(&effects) {
        bob.step(Input::Gossip { from: B256::ZERO, payload });
    }
    let block = bob.propose();
    assert_eq!((block.body.conflicts.len(), block.body.crosslinks.len()), (1, 0));
    assert_eq!(ended(&alice.certify(&block)), [(0, EndCause::Conflict)]);
    assert_eq!(alice.core.sizes(), PoolSizes::default());
    assert_eq!(alice.core.head().state().shard(SHARD).expect("there is one").early_ends, 1);
}

/// A branch that is refused since the other is accepted shows the conflict all the same.
#[test]
fn branch_beside_the_accepted_one_shows_the_conflict() {
    let world = World::new(&[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let [kept, rival] = branches();
    alice.offer(alice.crosslink(&kept, 2));
    alice.certify_next();
    let low = CrosslinkError::NotAbove { accepted: Height::new(2), found: Height::new(2) };
    let mut late = alice.crosslink(&rival, 2);
    late.history = rival.ancestry(2, 1);
    assert_eq!(outcome(&alice.offer(late)), Err(low.into()));
    assert_eq!(alice.core.sizes().conflicts, 1);
    assert_eq!(ended(&alice.certify_next()), [(0, EndCause::Conflict)]);
    let accepted = alice.core.head().state().shard(SHARD).expect("there is one").accepted;
    assert_eq!(accepted.id, kept.headers[2].id());
}

/// One header above the accepted height, the parent that the header names stands for its branch.
#[test]
fn branch_above_the_accepted_header_shows_the_conflict() {
    let world = World::new(&[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let [kept, rival] = branches();
    alice.offer(alice.crosslink(&kept, 2));
    alice.certify_next();
    let refused = outcome(&alice.offer(alice.crosslink(&rival, 3)));
    assert!(matches!(refused, Err(CandidateError::Crosslink(CrosslinkError::History(_)))), "{refused:?}");
    assert_eq!(ended(&alice.certify_next()), [(0, EndCause::Conflict)]);
}

/// An honest header that comes late is no conflict, nor is one whose certificate is wrong.
#[test]
fn late_and_forged_headers_are_no_conflict() {
    let world = World::new(&[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let [kept, rival] = branches();
    alice.offer(alice.crosslink(&kept, 3));
    alice.certify_next();
    let mut late = alice.crosslink(&kept, 2);
    late.history = kept.ancestry(2, 1);
    assert!(outcome(&alice.offer(late)).is_err());
    let mut forged = alice.crosslink(&rival, 3);
    forged.history = rival.ancestry(3, 1);
    forged.certificate.view = View::new(5);
    assert!(matches!(outcome(&alice.offer(forged)), Err(CandidateError::Certificate(_))));
    assert_eq!(alice.core.sizes().conflicts, 0);
}

#[test]
fn conflict_that_is_handed_in_is_taken_once_and_refused_when_over() {
    let world = World::new(&[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let conflict = conflict(&alice, &branches(), 2);
    let hand_in = |node: &mut Node<'_>, conflict: &Conflict| {
        let conflict = Unverified::new(conflict.clone());
        outcome(&node.step(Input::Conflict { token: TOKEN, conflict }))
    };
    let mut forged = conflict.clone();
    forged.first.certificate.view = View::new(5);
    assert!(matches!(hand_in(&mut alice, &forged), Err(CandidateError::Certificate(_))));
    assert_eq!(hand_in(&mut alice, &conflict), Ok(Taken::New));
    assert_eq!(hand_in(&mut alice, &conflict), Ok(Taken::Known));
    alice.certify_next();
    let outdated = ConflictError::Outdated { shard: SHARD, expected: Epoch::new(2), found: Epoch::ZERO };
    assert_eq!(hand_in(&mut alice, &conflict), Err(outdated.into()));
}

/// Whoever consumed from the void branch is taken back in the block that makes it void, and who consumed from that one.
#[test]
fn consumers_of_the_void_branch_are_taken_back_with_it() {
    let world = World::with_shards(3, &[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let [kept, rival] = branches();
    let (mut one, mut two) = (Shard::of(1), Shard::of(2));
    one.consume(&rival, 3);
    two.consume(&one, 1);
    for crosslink in [
        alice.crosslink(&two, 1),
        alice.crosslink(&one, 1),
        alice.crosslink(&rival, 3),
        alice.crosslink(&kept, 3),
    ] {
        assert_eq!(outcome(&alice.offer(crosslink)), Ok(Taken::New));
    }
    let effects = alice.certify_next();
    let causes = [(0, EndCause::Conflict), (1, EndCause::Consumption), (2, EndCause::Consumption)];
    assert_eq!(ended(&effects), causes);
    // Once they are taken back there is nothing left to bring.
    let block = alice.propose();
    assert_eq!((block.body.conflicts.len(), block.body.consumptions.len()), (0, 0));
}

/// A consumer whose header turns up after its source has ended follows in the next block.
#[test]
fn late_consumer_is_taken_back_later() {
    let world = World::with_shards(2, &[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let [kept, rival] = branches();
    let mut one = Shard::of(1);
    one.consume(&rival, 3);
    alice.offer(alice.crosslink(&rival, 3));
    alice.offer(alice.crosslink(&kept, 3));
    assert_eq!(ended(&alice.certify_next()), [(0, EndCause::Conflict)]);
    alice.offer(alice.crosslink(&one, 1));
    assert_eq!(ended(&alice.certify_next()), [(1, EndCause::Consumption)]);
}

/// Who consumed from another header at the accepted height needs no conflict to be taken back.
#[test]
fn consumer_of_a_bypassed_header_is_taken_back() {
    let world = World::with_shards(2, &[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let [kept, rival] = branches();
    let mut one = Shard::of(1);
    one.consume(&rival, 2);
    alice.offer(alice.crosslink(&kept, 2));
    alice.certify_next();
    alice.offer(alice.crosslink(&one, 1));
    assert_eq!(ended(&alice.certify_next()), [(1, EndCause::Consumption)]);
}

/// However many headers a committee certifies, few are kept.
#[test]
fn seen_headers_are_bounded() {
    let world = World::new(&[1, 1, 1, 1]);
    let alice = Node::start(&world);
    let (mut seen, shard) = (Seen::default(), grown(Seen::SHARD_MAX as u64 + 1));
    let heights = 1..=Seen::SHARD_MAX as u64 + 1;
    for height in heights.clone() {
        assert_eq!(seen.add(alice.core.head().state(), &alice.crosslink(&shard, height)), None);
    }
    let held = |height: &u64| seen.holds(SHARD, &shard.headers[*height as usize].id());
    assert_eq!(heights.filter(held).count(), Seen::SHARD_MAX);
    assert!(!held(&1));
}
