//! A seat contradicts itself.

use super::harness::*;
use crate::SeatSigner;
use consensus::authority::Authority;
use crypto::bls::SecretKey;
use primitives::{Chain, Epoch, PublicKeyBytes, SignatureBytes, Vote};
use std::sync::Arc;

struct Unprotected(SecretKey);

impl SeatSigner for Unprotected {
    fn key(&self) -> PublicKeyBytes {
        self.0.public_key().to_bytes()
    }

    fn sign(&self, vote: &Vote) -> Option<SignatureBytes> {
        Some(sign(&self.0, vote))
    }
}

#[test]
fn a_seat_that_contradicts_itself_is_convicted_and_nobody_else() {
    let (plan, world) = (Plan::new(&[&[1, 2, 1, 1]], 1000), World::default());
    simulate(31, |root| async move {
        let (cluster, _nodes) = start(&root, LINK, 0..3, &plan, &world).await;
        let committee = plan.committee(Epoch::ZERO).unwrap();
        let guilty = Unprotected(seat_secret(3, 0));
        let guilty_seat = committee.index_of(&guilty.key()).unwrap();
        let place = (Chain::Beacon, Epoch::ZERO);
        let _byzantine =
            cluster.equivocator(&node_secret(3), GENESIS_HASH, place, &committee, Arc::new(guilty)).await;
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
