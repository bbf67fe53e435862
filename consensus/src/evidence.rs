//! What proves a seat guilty: two votes that no honest seat signs.
//!
//! Guilty is who, in one view, notarizes two blocks, or finalizes two blocks, or both nullifies and
//! finalizes. To notarize and then nullify is what an honest seat does when a view times out.
//!
//! Rules: docs/spec/consensus.md#evidence

use crate::authority::{VoteError, verify_seat_vote};
use crypto::bls::{DecompressError, PublicKey};
use primitives::{B256, Chain, Epoch, Evidence, Seat, View, Vote, VoteKind};

/// Who is guilty, once the caller finds `committee_root` in the epoch table of `chain` at `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guilty {
    /// Chain of both votes.
    pub chain: Chain,
    /// Epoch of both votes.
    pub epoch: Epoch,
    /// Root of the committee that the evidence brings along.
    pub committee_root: B256,
    /// The seat that signed both.
    pub seat: Seat,
    /// Its index in the committee.
    pub seat_index: u32,
}

/// Why evidence proves nothing; the sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Votes of two chains.
    #[error("the votes are of chains {first} and {second}")]
    Chains {
        /// Of the first vote.
        first: Chain,
        /// Of the second.
        second: Chain,
    },
    /// Votes of two epochs.
    #[error("the votes are of epochs {first} and {second}")]
    Epochs {
        /// Of the first vote.
        first: Epoch,
        /// Of the second.
        second: Epoch,
    },
    /// Votes of two views.
    #[error("the votes are of views {first} and {second}")]
    Views {
        /// Of the first vote.
        first: View,
        /// Of the second.
        second: View,
    },
    /// Votes of two seats.
    #[error("the votes are of seats {first} and {second}")]
    Seats {
        /// Of the first vote.
        first: u32,
        /// Of the second.
        second: u32,
    },
    /// An honest seat may sign both.
    #[error("an honest seat may sign both votes: {first:?} and {second:?}")]
    Innocent {
        /// Kind of the first vote.
        first: VoteKind,
        /// Kind of the second.
        second: VoteKind,
    },
    /// The same statement twice.
    #[error("both votes say the same")]
    SameVote,
    /// Seats ascend by key, no two share one.
    #[error("the committee's seats are not in ascending order of key")]
    Committee,
    /// No such seat.
    #[error("the committee has {seats} seats, found votes of seat {found}")]
    NoSuchSeat {
        /// How many there are.
        seats: u32,
        /// The votes'.
        found: u32,
    },
    /// The seat's key is no public key.
    #[error("the key of seat {seat}: {error}")]
    Key {
        /// The seat's index.
        seat: u32,
        /// What is wrong with its key.
        error: DecompressError,
    },
    /// Not signed by the seat.
    #[error("the first vote: {0}")]
    First(VoteError),
    /// Not signed by the seat.
    #[error("the second vote: {0}")]
    Second(VoteError),
}

/// Verifies that one seat of the evidence's committee signed two votes that exclude each other.
pub fn verify_evidence(genesis_hash: B256, evidence: &Evidence) -> Result<Guilty, EvidenceError> {
    let Evidence { first, second, committee } = evidence;
    verify_same_place(&first.vote, &second.vote)?;
    if first.seat != second.seat {
        return Err(EvidenceError::Seats { first: first.seat, second: second.seat });
    }
    verify_exclusion(&first.vote, &second.vote)?;
    if !committee.is_well_formed() {
        return Err(EvidenceError::Committee);
    }
    let (seat_index, seats) = (first.seat, committee.len());
    let seat = committee.seat(seat_index).ok_or(EvidenceError::NoSuchSeat { seats, found: seat_index })?;
    let key =
        PublicKey::from_bytes(&seat.key).map_err(|error| EvidenceError::Key { seat: seat_index, error })?;
    let Vote { chain, epoch, .. } = first.vote;
    let namespace = crate::namespace(genesis_hash, chain);
    verify_seat_vote(&key, &namespace, first).map_err(EvidenceError::First)?;
    verify_seat_vote(&key, &namespace, second).map_err(EvidenceError::Second)?;
    Ok(Guilty { chain, epoch, committee_root: committee.root(), seat: *seat, seat_index })
}

/// Verifies that both votes are about one view.
fn verify_same_place(first: &Vote, second: &Vote) -> Result<(), EvidenceError> {
    if first.chain != second.chain {
        return Err(EvidenceError::Chains { first: first.chain, second: second.chain });
    }
    if first.epoch != second.epoch {
        return Err(EvidenceError::Epochs { first: first.epoch, second: second.epoch });
    }
    if first.view != second.view {
        return Err(EvidenceError::Views { first: first.view, second: second.view });
    }
    Ok(())
}

/// Verifies that no honest seat signs both, given that they are about one view.
fn verify_exclusion(first: &Vote, second: &Vote) -> Result<(), EvidenceError> {
    use VoteKind::{Finalize, Notarize, Nullify};
    match (first.kind, second.kind) {
        (Notarize, Notarize) | (Finalize, Finalize) => {
            let same = (first.parent_view, first.id) == (second.parent_view, second.id);
            if same { Err(EvidenceError::SameVote) } else { Ok(()) }
        }
        (Nullify, Finalize) | (Finalize, Nullify) => Ok(()),
        (Nullify, Nullify) => Err(EvidenceError::SameVote),
        (first, second) => Err(EvidenceError::Innocent { first, second }),
    }
}

#[cfg(test)]
mod tests;
