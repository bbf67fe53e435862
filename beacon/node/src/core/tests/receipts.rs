//! Receipts of shards, as they come with offered crosslinks.

use super::*;
use crate::core::bundles::Bundles;
use crate::core::gossip;
use primitives::{Address, BeaconBundle, OFFER_BUNDLES_MAX};
use ssz::Encode as _;

/// A shard that sent three receipts in block 1 and two in block 3, which is its last.
fn sender() -> Shard {
    let mut shard = Shard::new();
    shard.send(3);
    shard.grow();
    shard.send(2);
    shard
}

fn offer(node: &mut Node<'_>, shard: &Shard, height: u64, bundles: Vec<BeaconBundle>) -> Vec<Effect> {
    let crosslink = node.crosslink(shard, height);
    node.offer_all(CrosslinkOffer { crosslink, ancestries: Vec::new(), bundles })
}

fn taken(effects: &[Effect]) -> Taken {
    let outcome = effects.iter().find_map(|effect| match effect {
        Effect::Submitted { outcome, .. } => Some(outcome.clone()),
        _ => None,
    });
    outcome.expect("an answer").expect("taken")
}

/// Sequences of the receipts that a block consumes.
fn consumed(block: &BeaconBlock) -> Vec<u64> {
    let receipts = block.body.bundles.iter().flat_map(|bundle| &bundle.receipts);
    receipts.map(|receipt| receipt.sequence).collect()
}

/// Receipts are consumed in the block that accepts the header under which they are proven, and then forgotten.
#[test]
fn receipts_enter_with_their_crosslink() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let shard = sender();
    let effects = offer(&mut alice, &shard, 3, shard.bundles(3));
    assert_eq!(taken(&effects), Taken::New);
    // Peers have them as well.
    for payload in gossip(&effects) {
        assert!(bob.step(Input::Gossip { from: B256::ZERO, payload }).is_empty());
    }
    assert_eq!(consumed(&bob.propose()), [0, 1, 2, 3, 4]);
    let block = alice.propose();
    assert_eq!(consumed(&block), [0, 1, 2, 3, 4]);
    let effects = alice.certify(&block);
    let refused = committed(&effects).events.iter().filter(|event| matches!(event, Event::Refused { .. }));
    assert_eq!(refused.count(), 5);
    assert_eq!(alice.core.head().state().lane(ShardId::ZERO).expect("a lane").received(), 5);
    assert_eq!(alice.core.crosslinks.bundles_held(), 0);
    assert_eq!(consumed(&alice.propose()), [0u64; 0]);
}

/// What was offered with a header that is accepted already is consumed later.
#[test]
fn receipts_come_after_their_crosslink_as_well() {
    let world = World::new(&[1, 1, 1]);
    let mut alice = Node::start(&world);
    let shard = sender();
    let crosslink = alice.crosslink(&shard, 3);
    offer(&mut alice, &shard, 3, Vec::new());
    alice.certify_next();
    let accepted = CrosslinkOffer { crosslink, ancestries: Vec::new(), bundles: shard.bundles(3) };
    assert_eq!(taken(&alice.offer_all(accepted)), Taken::New);
    assert_eq!(consumed(&alice.propose()), [0, 1, 2, 3, 4]);
}

/// A forged bundle is as good as none, and does not stand in the way of a right one.
#[test]
fn forged_bundle_is_harmless() {
    let world = World::new(&[1, 1, 1]);
    let mut alice = Node::start(&world);
    let shard = sender();
    let right = shard.bundles(3);
    let mut forged = right.clone();
    forged[0].receipts[1].sender = Address::repeat_byte(9);
    let mut elsewhere = right[1].clone();
    elsewhere.header.gas_used += 1;
    let empty = BeaconBundle { receipts: Vec::new(), ..right[0].clone() };
    let bundles = vec![forged[0].clone(), elsewhere, empty];
    assert_eq!(taken(&offer(&mut alice, &shard, 3, bundles.clone())), Taken::New);
    assert_eq!(alice.core.crosslinks.bundles_held(), 0);
    let block = alice.propose();
    assert_eq!((block.body.crosslinks.len(), consumed(&block)), (1, vec![]));
    assert_eq!(taken(&offer(&mut alice, &shard, 3, bundles)), Taken::Known);
    assert_eq!(taken(&offer(&mut alice, &shard, 3, right)), Taken::New);
    assert_eq!(consumed(&alice.propose()), [0, 1, 2, 3, 4]);
}

/// What several nodes bring of one header serves together.
#[test]
fn offers_are_united() {
    let world = World::new(&[1, 1, 1]);
    let mut alice = Node::start(&world);
    let shard = sender();
    let [first, second] = <[BeaconBundle; 2]>::try_from(shard.bundles(3)).expect("two blocks sent");
    offer(&mut alice, &shard, 3, vec![second.clone()]);
    assert_eq!(consumed(&alice.propose()), [0u64; 0]);
    let part = xshard::beacon::narrow(&first, 0, 2).expect("two of three");
    assert_eq!(taken(&offer(&mut alice, &shard, 3, vec![part.clone(), second])), Taken::New);
    assert_eq!(consumed(&alice.propose()), [0, 1]);
    // The whole takes the place of its part, which brings nothing any more.
    assert_eq!(taken(&offer(&mut alice, &shard, 3, vec![first])), Taken::New);
    assert_eq!(alice.core.crosslinks.bundles_held(), 2);
    assert_eq!(taken(&offer(&mut alice, &shard, 3, vec![part])), Taken::Known);
    assert_eq!(consumed(&alice.propose()), [0, 1, 2, 3, 4]);
}

/// Bundles are kept as long as their header is, and no longer.
#[test]
fn bundles_are_forgotten_with_their_header() {
    let world = World::new(&[1, 1, 1]);
    let mut alice = Node::start(&world);
    let mut shard = sender();
    offer(&mut alice, &shard, 1, shard.bundles(1));
    shard.grow();
    offer(&mut alice, &shard, 4, Vec::new());
    assert_eq!(alice.core.crosslinks.bundles_held(), 1);
    // The newest is accepted, so the other never will be.
    let block = alice.certify_next();
    assert!(committed(&block).events.iter().any(|event| matches!(event, Event::Accepted { .. })));
    assert_eq!(alice.core.crosslinks.bundles_held(), 0);
}

/// An offer has so many bundles, each of its own shard.
#[test]
fn offers_with_too_much_are_refused() {
    let world = World::with_shards(2, &[1, 1, 1]);
    let mut alice = Node::start(&world);
    let shard = sender();
    let bundle = shard.bundles(3).remove(0);
    let (max, found) = (OFFER_BUNDLES_MAX, OFFER_BUNDLES_MAX + 1);
    let error = CandidateError::Bundles { max, found };
    assert_eq!(refused(offer(&mut alice, &shard, 3, vec![bundle.clone(); found])), error);
    let mut other = bundle;
    other.header.shard = ShardId::new(1);
    let error = CandidateError::BundleShard { expected: ShardId::ZERO, found: ShardId::new(1) };
    assert_eq!(refused(offer(&mut alice, &shard, 3, vec![other])), error);
    assert_eq!(alice.core.sizes().crosslinks, 0);
}

/// Of more bundles than are kept the next ones stay.
#[test]
fn lowest_sequences_are_kept() {
    let world = World::new(&[1, 1, 1]);
    let mut alice = Node::start(&world);
    let mut shard = Shard::new();
    (0..Bundles::HEADER_MAX as u64 / 2 + 2).for_each(|_| shard.send(2));
    let height = shard.headers.len() as u64 - 1;
    // An epoch has fewer headers than bundles are kept: each brings two.
    let halves = |bundle: BeaconBundle| {
        let first = bundle.receipts[0].sequence;
        [0, 1].map(|place| xshard::beacon::narrow(&bundle, first + place, 1).expect("one of two"))
    };
    let all: Vec<_> = shard.bundles(height).into_iter().flat_map(halves).collect();
    offer(&mut alice, &shard, height, all[4..].to_vec());
    assert_eq!(taken(&offer(&mut alice, &shard, height, all[..4].to_vec())), Taken::New);
    assert_eq!(alice.core.crosslinks.bundles_held(), Bundles::HEADER_MAX);
    assert_eq!(taken(&offer(&mut alice, &shard, height, vec![all[67].clone()])), Taken::Known);
    assert_eq!(consumed(&alice.propose()), (0..Bundles::HEADER_MAX as u64).collect::<Vec<_>>());
}

/// An offer with more receipts than a message holds is passed on with the first of them.
#[test]
fn message_holds_the_next_receipts() {
    let world = World::new(&[1, 1, 1]);
    let alice = Node::start(&world);
    let mut shard = Shard::new();
    shard.send(2_000);
    shard.send(4_000);
    let offer = CrosslinkOffer {
        crosslink: alice.crosslink(&shard, 2),
        ancestries: Vec::new(),
        bundles: shard.bundles(2),
    };
    assert!(offer.ssz_bytes_len() > gossip::GOSSIP_BYTES_MAX);
    let message = gossip::crosslink_message(&offer);
    assert!(message.len() <= gossip::GOSSIP_BYTES_MAX);
    let Ok(gossip::Message::Crosslink(shorter)) = gossip::Message::decode(&message) else {
        panic!("an offer")
    };
    assert_eq!(shorter.bundles[0], offer.bundles[0]);
    let kept = shorter.bundles[1].receipts.len();
    assert!((1..4_000).contains(&kept), "{kept} receipts");
    assert!(message.len() > gossip::GOSSIP_BYTES_MAX / 2);
    let header = &offer.crosslink.header;
    assert_eq!(beacon_state::operation::receipts::verify(&shorter.bundles[1], header), Ok(()));
}
