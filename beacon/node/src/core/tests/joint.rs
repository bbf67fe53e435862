//! Crosslinks of shards that consumed from each other, and the ancestries that they need.

use super::*;
use crate::core::ancestries::Ancestries;
use primitives::{ANCESTRIES_MAX, InboxCursor, InboxCursors, SourceAncestry};

fn world() -> World {
    World::with_shards(2, &[1, 1, 1, 1])
}

fn taken(effects: &[Effect]) -> Taken {
    let outcome = effects.iter().find_map(|effect| match effect {
        Effect::Submitted { token: TOKEN, outcome } => Some(outcome.clone()),
        _ => None,
    });
    outcome.expect("an answer").expect("taken")
}

/// Shard and height of each crosslink in a block.
fn places(block: &BeaconBlock) -> Vec<(u32, u64)> {
    let place = |crosslink: &Crosslink| (crosslink.header.shard.get(), crosslink.header.height.get());
    block.body.crosslinks.iter().map(place).collect()
}

/// Two shards at height 3, each of which consumed from the other's header at height 1.
fn entangled() -> [Shard; 2] {
    let mut shards = [Shard::of(0), Shard::of(1)];
    shards.iter_mut().for_each(Shard::grow);
    let [zero, one] = shards.clone();
    shards[0].consume(&one, 1);
    shards[1].consume(&zero, 1);
    shards.iter_mut().for_each(Shard::grow);
    shards
}

/// Shard one with three headers, and shard zero, which consumed from the first of them.
fn consumer_and_source() -> [Shard; 2] {
    let (mut zero, mut one) = (Shard::of(0), Shard::of(1));
    (0..3).for_each(|_| one.grow());
    zero.consume(&one, 1);
    [zero, one]
}

/// An ancestry in every respect but that it leads elsewhere.
fn lie(mut ancestry: MmrProof, salt: u8) -> MmrProof {
    ancestry.path[0] = B256::repeat_byte(salt);
    ancestry
}

/// Shards that consumed from each other are accepted together as soon as both ancestries are at hand.
#[test]
fn entangled_shards_wait_for_both_ancestries() {
    let world = world();
    let mut alice = Node::start(&world);
    let shards = entangled();
    let links = shards.each_ref().map(|shard| alice.crosslink(shard, 3));
    for link in &links {
        assert_eq!(taken(&alice.offer(link.clone())), Taken::New);
    }
    assert_eq!(places(&alice.propose()), []);
    let mut offer = |shard: usize| {
        let effects = alice.offer_with(links[shard].clone(), vec![shards[shard].ancestry(3, 1)]);
        // What is new of an offer that is held goes to the peers as well.
        assert_eq!((taken(&effects), gossip(&effects).len()), (Taken::New, 1));
        places(&alice.propose())
    };
    assert_eq!(offer(1), []);
    assert_eq!(offer(0), [(0, 3), (1, 3)]);

    let block = alice.propose();
    let attached = [1, 0].map(|source: usize| vec![SourceAncestry::Ancestor(shards[source].ancestry(3, 1))]);
    let found: Vec<_> = block.body.crosslinks.iter().map(|crosslink| crosslink.sources.clone()).collect();
    assert_eq!(found, attached);
    alice.certify(&block);
    assert_eq!(alice.core.sizes().crosslinks, 0);
}

/// What a peer heard serves it as it serves the node that was offered it.
#[test]
fn ancestries_reach_the_peers() {
    let world = world();
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    for shard in &entangled() {
        let effects = alice.offer_with(alice.crosslink(shard, 3), vec![shard.ancestry(3, 1)]);
        for payload in gossip(&effects) {
            assert!(bob.step(Input::Gossip { from: B256::ZERO, payload }).is_empty());
        }
    }
    assert_eq!(places(&bob.propose()), [(0, 3), (1, 3)]);
}

/// Unmet requirements keep a crosslink waiting, over as many blocks as it takes.
#[test]
fn crosslink_waits_until_its_source_is_accepted() {
    let world = world();
    let mut alice = Node::start(&world);
    let [zero, one] = consumer_and_source();
    alice.offer(alice.crosslink(&zero, 1));
    for _ in 0..3 {
        let block = alice.propose();
        assert_eq!(places(&block), []);
        alice.certify(&block);
    }
    assert_eq!(alice.core.sizes().crosslinks, 1);
    alice.offer_with(alice.crosslink(&one, 3), vec![one.ancestry(3, 1)]);
    assert_eq!(places(&alice.propose()), [(0, 1), (1, 3)]);
}

/// What came with a header that is accepted since serves those who consumed from below it, until the next is.
#[test]
fn accepted_headers_ancestries_serve_later_crosslinks() {
    let world = world();
    let mut alice = Node::start(&world);
    let [zero, mut one] = consumer_and_source();
    alice.offer_with(alice.crosslink(&one, 3), vec![one.ancestry(3, 1)]);
    alice.certify_next();
    let consumer = alice.crosslink(&zero, 1);
    alice.offer(consumer);
    assert_eq!(places(&alice.propose()), [(0, 1)]);

    // The next header comes without, and is accepted alone.
    one.grow();
    let next = alice.crosslink(&one, 4);
    alice.offer(next.clone());
    let block = alice.propose();
    assert_eq!(places(&block), [(1, 4)]);
    alice.certify(&block);
    assert_eq!(places(&alice.propose()), []);
    // It is accepted already, but what comes with it is of use.
    assert_eq!(taken(&alice.offer(next.clone())), Taken::Known);
    assert_eq!(taken(&alice.offer_with(next, vec![one.ancestry(4, 1)])), Taken::New);
    assert_eq!(places(&alice.propose()), [(0, 1)]);
}

/// A crosslink proves by itself that the header accepted before it is an ancestor.
#[test]
fn crosslinks_own_history_is_an_ancestry() {
    let world = world();
    let mut alice = Node::start(&world);
    let [zero, one] = consumer_and_source();
    alice.offer(alice.crosslink(&one, 1));
    alice.certify_next();
    alice.offer(alice.crosslink(&one, 3));
    alice.offer(alice.crosslink(&zero, 1));
    assert_eq!(places(&alice.propose()), [(0, 1), (1, 3)]);
}

/// An ancestry that proves nothing is as good as none, and does not stand in the way of one that does.
#[test]
fn lying_ancestry_is_as_good_as_none() {
    let world = world();
    let mut alice = Node::start(&world);
    let [zero, one] = consumer_and_source();
    let source = alice.crosslink(&one, 3);
    let truth = one.ancestry(3, 1);
    alice.offer(alice.crosslink(&zero, 1));
    alice.offer_with(source.clone(), vec![lie(truth.clone(), 9)]);
    assert_eq!(places(&alice.propose()), [(1, 3)]);
    assert_eq!(taken(&alice.offer_with(source, vec![truth])), Taken::New);
    assert_eq!(places(&alice.propose()), [(0, 1), (1, 3)]);
}

/// What is no proof in the header's own history is not kept.
#[test]
fn ancestry_of_another_header_is_not_kept() {
    let world = world();
    let mut alice = Node::start(&world);
    let [_, one] = consumer_and_source();
    let source = alice.crosslink(&one, 3);
    alice.offer(source.clone());
    let other_count = one.ancestry(2, 1);
    let not_below = MmrProof { leaf_index: 3, ..one.ancestry(3, 1) };
    let mut too_long = one.ancestry(3, 1);
    too_long.path.push(B256::ZERO);
    let useless = vec![other_count, not_below, too_long];
    assert_eq!(taken(&alice.offer_with(source.clone(), useless)), Taken::Known);
    assert_eq!(taken(&alice.offer_with(source, vec![one.ancestry(3, 1)])), Taken::New);
}

/// An offer has so many ancestries and no sources; offers of one header are united as far as there is room.
#[test]
fn ancestries_are_bounded() {
    let world = world();
    let mut alice = Node::start(&world);
    let [zero, one] = consumer_and_source();
    let source = alice.crosslink(&one, 3);
    let lies = |count: usize| (0..count).map(|salt| lie(one.ancestry(3, 1), salt as u8)).collect::<Vec<_>>();
    let (max, found) = (ANCESTRIES_MAX, ANCESTRIES_MAX + 1);
    let error = CandidateError::Ancestries { max, found };
    assert_eq!(refused(alice.offer_with(source.clone(), lies(found))), error);
    let mut consumer = alice.crosslink(&zero, 1);
    consumer.sources = vec![SourceAncestry::Direct(0)];
    assert_eq!(refused(alice.offer(consumer)), CandidateError::Sources { found: 1 });
    assert_eq!(alice.core.sizes().crosslinks, 0);

    assert_eq!(Ancestries::HEADER_MAX, ANCESTRIES_MAX + 1);
    assert_eq!(taken(&alice.offer_with(source.clone(), lies(ANCESTRIES_MAX - 1))), Taken::New);
    assert_eq!(taken(&alice.offer_with(source.clone(), lies(ANCESTRIES_MAX))), Taken::New);
    assert_eq!(taken(&alice.offer_with(source, vec![one.ancestry(3, 1)])), Taken::Known);
}

/// The largest offer that can be of use fits into a message.
#[test]
fn largest_offer_can_be_passed_on() {
    let world = world();
    let alice = Node::start(&world);
    let [_, one] = consumer_and_source();
    let cursor = |source| InboxCursor {
        source: Chain::Shard(ShardId::new(source)),
        height: Height::new(1),
        id: B256::ZERO,
        epoch: Epoch::ZERO,
        sequence: 1,
    };
    let longest = MmrProof { leaf_count: u64::MAX, leaf_index: 0, path: vec![B256::ZERO; 64] };
    let mut crosslink = alice.crosslink(&one, 3);
    crosslink.cursors = InboxCursors::new((0..1024).map(cursor).collect()).expect("as many as there can be");
    crosslink.history = longest.clone();
    let offer = CrosslinkOffer { crosslink, ancestries: vec![longest; ANCESTRIES_MAX], bundles: Vec::new() };
    assert!(gossip::crosslink_message(&offer).len() <= GOSSIP_BYTES_MAX);
}
