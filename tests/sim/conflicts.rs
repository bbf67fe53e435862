//! Committees of which a quorum is corrupt: they certify two branches.
//!
//! Whoever certifies both needs no consensus, only the keys: so the second branch is made here, with the seats' own
//! keys, and offered to a beacon node as any peer could. What follows is the nodes' own doing.

use crate::{
    config::WorldConfig,
    seeds,
    world::{Simulation, World},
};
use consensus::vote::signing_bytes;
use crypto::bls::aggregate_signatures;
use primitives::{
    B256, BeaconBody, Certificate, Chain, Crosslink, CrosslinkOffer, Height, ShardId, Signers, Unverified,
    Vote, VoteKind,
};
use std::time::Duration;

/// The shard whose committee is corrupt.
const SOURCE: ShardId = ShardId::ZERO;

#[test]
fn a_committee_that_certifies_two_branches_is_replaced_and_its_consumers_are_taken_back() {
    seeds::each([91, 92], two_branches);
}

pub(crate) fn two_branches(seed: u64) {
    Simulation::new(seed, WorldConfig::new(3)).phase(async |world| {
        world.advance(6, Duration::from_secs(20)).await;
        // In the middle of an epoch, so that it rules until the beacon chain has seen both branches.
        let in_the_middle = |world: &World| (3..6).contains(&(world.shard_heights(SOURCE).0 % 12));
        world.until(Duration::from_secs(10), "the middle of an epoch", in_the_middle).await;
        let kept = newest_certified(world);
        let rival = rival_of(world, &kept);
        for crosslink in [kept, rival] {
            let offer = CrosslinkOffer { crosslink, ancestries: Vec::new(), bundles: Vec::new() };
            // Refused where one of the branches is accepted already; looked at all the same.
            let _ = world.validators[&0].beacon.submit_crosslink(Unverified::new(offer)).await;
        }
        let is_ended = |world: &World| world.estate.book.early_ends(SOURCE) == 1;
        world.until(Duration::from_secs(10), "the epoch ends early", is_ended).await;
        // Everybody goes on, long before anybody would be taken for stalled.
        world.advance(8, Duration::from_secs(15)).await;
        let bodies = disputes(world);
        assert_eq!(bodies.iter().map(|body| body.conflicts.len()).sum::<usize>(), 1);
        let consumers = bodies.iter().flat_map(|body| &body.consumptions);
        let consumers: Vec<_> = consumers.map(|consumption| consumption.certified.header.shard).collect();
        assert!(!consumers.is_empty(), "somebody consumes from every source all the time");
        for shard in world.estate.shards() {
            let expected = consumers.iter().filter(|consumer| **consumer == shard).count();
            let expected = expected + usize::from(shard == SOURCE);
            assert_eq!(
                world.estate.book.early_ends(shard),
                expected,
                "shard {shard} ended only where a block says why"
            );
        }
        // Certificates of two views prove nobody's guilt.
        let snapshot = world.validators[&0].beacon.snapshot();
        assert_eq!(snapshot.state().stake().burned_units, 0);
    });
}

/// The newest header of the source that has a certificate of its own, above what is accepted.
fn newest_certified(world: &World) -> Crosslink {
    let snapshot = world.chain(0, SOURCE).expect("everybody has a seat").snapshot();
    let reader = &snapshot.reader;
    let mut height = snapshot.height();
    loop {
        let header = reader.header(height).expect("readable").expect("kept");
        let below = height.previous().expect("some block has a certificate");
        let Some(certificate) = reader.certificate(height).expect("readable") else {
            height = below;
            continue;
        };
        let accepted =
            world.validators[&0].beacon.snapshot().state().shard(SOURCE).expect("it exists").accepted;
        let history = reader.history_proof(accepted.height.min(below), height).expect("an ancestor");
        let cursors = reader.cursors(height).expect("readable");
        return Crosslink { header, certificate, history, cursors, sources: Vec::new() };
    }
}

/// Another header in the place of one, certified by a quorum of the same committee in a later view.
fn rival_of(world: &World, kept: &Crosslink) -> Crosslink {
    let mut header = kept.header.clone();
    header.state_root = B256::repeat_byte(0xbd);
    let (chain, epoch, id) = (Chain::from(SOURCE), header.epoch, header.id());
    let drawn = world.validators[&0].beacon.committee(chain, epoch).expect("readable").expect("it rules");
    let committee = drawn.committee;
    let view = kept.certificate.view.next();
    let parent_view = kept.certificate.view;
    let vote = Vote { kind: VoteKind::Finalize, chain, epoch, view, parent_view, id };
    let bytes = signing_bytes(&consensus::namespace(world.estate.genesis.hash(), chain), &vote);
    let signatures: Vec<_> = (committee.seats().iter().take(committee.quorum() as usize))
        .map(|seat| {
            let secrets = &world.estate.secrets[seat.validator.get() as usize];
            let secret = secrets.iter().find(|secret| secret.public_key().to_bytes() == seat.key);
            secret.expect("a seat's owner has its key").sign(&bytes)
        })
        .collect();
    let signature = aggregate_signatures(&signatures.iter().collect::<Vec<_>>()).expect("a quorum");
    let signers = Signers::from_indices(committee.len(), 0..committee.quorum());
    let signature = signature.to_bytes();
    let certificate = Certificate { epoch, view, parent_view, id, signers, signature };
    Crosslink { header, certificate, ..kept.clone() }
}

/// The bodies of all beacon blocks that bring conflicts or consumptions.
fn disputes(world: &World) -> Vec<BeaconBody> {
    let store = world.validators[&0].beacon.store();
    let heights = (1..=store.head().get()).map(Height::new);
    let bodies = heights.map(|height| store.block(height).expect("readable").expect("kept").body);
    bodies.filter(|body| !body.conflicts.is_empty() || !body.consumptions.is_empty()).collect()
}
