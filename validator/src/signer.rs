//! Signatures of a validator's seats.

use crate::{Protection, Refusal};
use crypto::bls::SecretKey;
use parking_lot::Mutex;
use primitives::{B256, Epoch, Height, PublicKeyBytes, SignatureBytes, Vote};
use std::{collections::BTreeMap, sync::Arc};

/// One seat's secret, usable but not readable.
#[derive(Clone, Debug)]
pub struct SeatKey {
    secret: Arc<SecretKey>,
    key: PublicKeyBytes,
    genesis_hash: B256,
    protection: Arc<Mutex<Protection>>,
}

impl SeatKey {
    /// The seat's public key.
    pub const fn key(&self) -> PublicKeyBytes {
        self.key
    }

    /// Signs a vote, unless an honest validator could not have said it.
    pub fn sign_vote(&self, vote: &Vote) -> Result<SignatureBytes, Refusal> {
        self.protection.lock().permit(&self.key, vote)?;
        let namespace = consensus::namespace(self.genesis_hash, vote.chain);
        Ok(self.secret.sign(&consensus::vote::signing_bytes(&namespace, vote)).to_bytes())
    }

    /// The seat's share of the beacon chain's randomness at one height: nothing to choose, so
    /// nothing to protect.
    pub fn sign_reveal(&self, epoch: Epoch, height: Height) -> SignatureBytes {
        self.secret.sign(&consensus::vote::randao_bytes(self.genesis_hash, epoch, height)).to_bytes()
    }
}

/// All seats of one validator.
#[derive(Clone, Debug)]
pub struct Signer {
    seats: Arc<BTreeMap<PublicKeyBytes, SeatKey>>,
}

impl Signer {
    /// Takes the secrets into custody.
    pub fn new(secrets: Vec<SecretKey>, genesis_hash: B256, protection: Protection) -> Self {
        let protection = Arc::new(Mutex::new(protection));
        let seats = secrets.into_iter().map(|secret| {
            let key = secret.public_key().to_bytes();
            (key, SeatKey { secret: Arc::new(secret), key, genesis_hash, protection: protection.clone() })
        });
        Self { seats: Arc::new(seats.collect()) }
    }

    /// The seat with this key, if it is ours.
    pub fn seat(&self, key: &PublicKeyBytes) -> Option<&SeatKey> {
        self.seats.get(key)
    }

    /// Our seats in a committee, in the committee's order.
    pub fn seats_in<'a>(
        &'a self,
        committee: &'a primitives::Committee,
    ) -> impl Iterator<Item = &'a SeatKey> + 'a {
        committee.seats().iter().filter_map(|seat| self.seats.get(&seat.key))
    }

    /// Public keys of our seats, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKeyBytes> {
        self.seats.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Chain, View, VoteKind};

    /// A signed vote verifies; a contradicting one gets no signature.
    #[test]
    fn only_consistent_votes_are_signed() {
        let secret = SecretKey::derive_master(&[3; 32]).unwrap();
        let public = secret.public_key();
        let genesis_hash = B256::repeat_byte(1);
        let signer = Signer::new(vec![secret], genesis_hash, Protection::in_memory());
        let seat = signer.seat(&public.to_bytes()).unwrap();
        let vote = |id| Vote {
            kind: VoteKind::Notarize,
            chain: Chain::Beacon,
            epoch: Epoch::ZERO,
            view: View::new(1),
            parent_view: View::ZERO,
            id: B256::repeat_byte(id),
        };
        let signature = crypto::bls::Signature::from_bytes(&seat.sign_vote(&vote(1)).unwrap()).unwrap();
        let namespace = consensus::namespace(genesis_hash, Chain::Beacon);
        assert!(public.verify(&consensus::vote::signing_bytes(&namespace, &vote(1)), &signature));
        assert!(matches!(seat.sign_vote(&vote(2)), Err(Refusal::Contradiction { .. })));
    }
}
