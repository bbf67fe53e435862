//! A seat contradicts itself, and a node talks nonsense.

use super::harness::*;
use crate::{Durability, simulated::byzantine::Misconduct};
use consensus::authority::Authority;
use crypto::bls::SecretKey;
use primitives::{B256, Chain, Epoch, PublicKeyBytes, SignatureBytes, Vote};
use std::sync::Arc;

/// For each vote of its seat, casts another one for a block that does not exist.
struct Unprotected(SecretKey);

impl Misconduct for Unprotected {
    fn second_vote(&self, _: &PublicKeyBytes, vote: &Vote) -> Option<(Vote, SignatureBytes)> {
        let other = Vote { id: B256::repeat_byte(0xbb), ..*vote };
        Some((other, sign(&self.0, &other)))
    }
}

#[test]
fn a_seat_that_contradicts_itself_is_convicted_and_nobody_else() {
    let (plan, world) = (Plan::new(&[&[1, 2, 1, 1]], 1000), World::default());
    simulate(31, |root| async move {
        let (cluster, _nodes) = start(&root, LINK, 0..3, &plan, &world).await;
        let committee = plan.committee(Epoch::ZERO).unwrap();
        let guilty = seat_secret(3, 0);
        let guilty_seat = committee.index_of(&guilty.public_key().to_bytes()).unwrap();
        let conduct = Arc::new(Unprotected(guilty));
        let byzantine = cluster.byzantine_node(&node_secret(3), Durability::Power, conduct).await;
        open(&root, &byzantine, 3, &plan, &world).await;
        world.reach(&root, 0..3, 10).await;
        world.assert_no_fork();
        let authority = Authority::new(committee, Chain::Beacon, Epoch::ZERO, GENESIS_HASH).unwrap();
        let book = world.book();
        assert!(!book.evidence.is_empty());
        for (_, first, second) in &book.evidence {
            assert_eq!((first.seat, second.seat), (guilty_seat, guilty_seat));
            assert_eq!((first.vote.kind, first.vote.view), (second.vote.kind, second.vote.view));
            assert_ne!(first.vote.id, second.vote.id);
            assert_eq!(authority.verify_vote(first), Ok(()));
            assert_eq!(authority.verify_vote(second), Ok(()));
        }
    });
}

#[test]
fn nonsense_of_a_peer_on_every_channel_stops_nobody_and_accuses_nobody() {
    for seed in [41, 42, 43] {
        let (plan, world) = (Plan::new(&[&[1, 1, 1, 1]], 1000), World::default());
        simulate(seed, |root| async move {
            let (cluster, _nodes) = start(&root, LINK, 0..3, &plan, &world).await;
            let _noise = cluster.noisy_node(&node_secret(3), (Chain::Beacon, Epoch::ZERO)).await;
            world.reach(&root, 0..3, 20).await;
            world.assert_no_fork();
            let book = world.book();
            assert_eq!(book.failures, Vec::<String>::new());
            assert_eq!(book.evidence.len(), 0);
        });
    }
}
