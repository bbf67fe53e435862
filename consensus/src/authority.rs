//! A committee with the power to speak for its chain during one epoch.
//!
//! Keys are decompressed and checked once, when an [`Authority`] is made; every later verification
//! costs only curve arithmetic. That each key's owner proved possession was seen to at registration.
//!
//! Rules: docs/spec/consensus.md#certificates

mod certificate;
mod source;
#[cfg(test)]
mod tests;

pub use certificate::{CertificateError, verify_certificates};
pub use source::{CommitteeError, CommitteeSource, ruling_authority};

use crypto::bls::{DecompressError, PublicKey, Signature};
use primitives::{B256, Chain, Committee, Epoch, SignedVote, Vote, VoteKind};
use rayon::prelude::*;
use std::sync::Arc;

/// A committee whose keys are ready to verify what its seats sign.
#[derive(Clone, Debug)]
pub struct Authority {
    committee: Committee,
    committee_root: B256,
    chain: Chain,
    epoch: Epoch,
    genesis_hash: B256,
    namespace: Vec<u8>,
    /// One for each seat.
    keys: Arc<[PublicKey]>,
}

/// Why a committee cannot speak for a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Nobody could sign.
    #[error("a committee has at least one seat, found none")]
    Empty,
    /// Seats ascend by key, no two share one.
    #[error("the seats are not in ascending order of key")]
    NotWellFormed,
    /// A seat's key is no public key.
    #[error("the key of seat {seat}: {error}")]
    Key {
        /// The seat's index.
        seat: u32,
        /// What is wrong with its key.
        error: DecompressError,
    },
}

/// Why a vote does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoteError {
    /// Another chain's.
    #[error("expected a vote of chain {expected}, found one of {found}")]
    Chain {
        /// The authority's.
        expected: Chain,
        /// The vote's.
        found: Chain,
    },
    /// Another committee's.
    #[error("expected a vote of epoch {expected}, found one of {found}")]
    Epoch {
        /// The authority's.
        expected: Epoch,
        /// The vote's.
        found: Epoch,
    },
    /// No such seat.
    #[error("the committee has {seats} seats, found a vote of seat {found}")]
    NoSuchSeat {
        /// How many there are.
        seats: u32,
        /// The vote's.
        found: u32,
    },
    /// What is not signed must be zero, or one vote would have many forms.
    #[error("a nullification names no block and no parent view")]
    NullifyNamesBlock,
    /// Not a signature at all.
    #[error("the signature of seat {seat}: {error}")]
    SignaturePoint {
        /// The seat's index.
        seat: u32,
        /// What is wrong with the point.
        error: DecompressError,
    },
    /// Of something or somebody else.
    #[error("the signature is not that of seat {seat} over this vote")]
    Signature {
        /// The seat's index.
        seat: u32,
    },
}

impl Authority {
    /// Makes `committee` the voice of `chain` in `epoch`; decompresses its keys (0.1 ms each).
    pub fn new(
        committee: Committee,
        chain: Chain,
        epoch: Epoch,
        genesis_hash: B256,
    ) -> Result<Self, AuthorityError> {
        if committee.is_empty() {
            return Err(AuthorityError::Empty);
        }
        if !committee.is_well_formed() {
            return Err(AuthorityError::NotWellFormed);
        }
        let keys: Vec<_> =
            committee.seats().par_iter().map(|seat| PublicKey::from_bytes(&seat.key)).collect();
        let keys = keys
            .into_iter()
            .zip(0u32..)
            .map(|(key, seat)| key.map_err(|error| AuthorityError::Key { seat, error }))
            .collect::<Result<_, _>>()?;
        let committee_root = committee.root();
        let namespace = crate::namespace(genesis_hash, chain);
        Ok(Self { committee, committee_root, chain, epoch, genesis_hash, namespace, keys })
    }

    /// The same committee in another term: its keys are not decompressed again.
    #[must_use]
    pub fn reappointed(&self, chain: Chain, epoch: Epoch) -> Self {
        let namespace = crate::namespace(self.genesis_hash, chain);
        Self { chain, epoch, namespace, ..self.clone() }
    }

    /// Its seats.
    pub const fn committee(&self) -> &Committee {
        &self.committee
    }

    /// What the epoch table says of the committee.
    pub const fn committee_root(&self) -> B256 {
        self.committee_root
    }

    /// The chain it speaks for.
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// Its term.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Votes that decide.
    pub fn quorum(&self) -> u32 {
        self.committee.quorum()
    }

    /// Prefix of everything its seats sign.
    pub fn namespace(&self) -> &[u8] {
        &self.namespace
    }

    /// Key of the seat at `index`.
    pub fn key(&self, index: u32) -> Option<&PublicKey> {
        self.keys.get(index as usize)
    }

    /// Verifies that the vote is one of this committee's, signed by the seat it names.
    pub fn verify_vote(&self, signed: &SignedVote) -> Result<(), VoteError> {
        let (vote, seat) = (&signed.vote, signed.seat);
        if vote.chain != self.chain {
            return Err(VoteError::Chain { expected: self.chain, found: vote.chain });
        }
        if vote.epoch != self.epoch {
            return Err(VoteError::Epoch { expected: self.epoch, found: vote.epoch });
        }
        let key = self.key(seat).ok_or(VoteError::NoSuchSeat { seats: self.committee.len(), found: seat })?;
        verify_seat_vote(key, &self.namespace, signed)
    }
}

/// Verifies form and signature of a vote by the seat of this `key`.
pub(crate) fn verify_seat_vote(
    key: &PublicKey,
    namespace: &[u8],
    signed: &SignedVote,
) -> Result<(), VoteError> {
    let seat = signed.seat;
    if !is_canonical(&signed.vote) {
        return Err(VoteError::NullifyNamesBlock);
    }
    let signature = Signature::from_bytes(&signed.signature)
        .map_err(|error| VoteError::SignaturePoint { seat, error })?;
    if key.verify(&crate::vote::signing_bytes(namespace, &signed.vote), &signature) {
        Ok(())
    } else {
        Err(VoteError::Signature { seat })
    }
}

/// Whether the fields that a vote's kind does not sign are zero.
fn is_canonical(vote: &Vote) -> bool {
    vote.kind != VoteKind::Nullify || (vote.id.is_zero() && vote.parent_view.get() == 0)
}
