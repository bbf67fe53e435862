//! The proposer's share of the randomness.
//!
//! The reveal is the proposing seat's signature over (epoch ‖ height): unique, so that the proposer chooses
//! nothing but whether to propose.
//!
//! Rules: docs/spec/beacon-state.md#randomness

use crate::state::BeaconState;
use consensus::authority::Authority;
use consensus::mix::mix_reveal;
use consensus::vote::randao_bytes;
use crypto::bls::{DecompressError, Signature};
use primitives::{B256, Height, SignatureBytes, ValidatorIndex};

/// Why a proposer's reveal is not the one its seat must make; the proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RandaoError {
    /// The leader's seat does not exist.
    #[error("the committee has {seats} seats, the leader is seat {found}")]
    NoSuchSeat {
        /// How many there are.
        seats: u32,
        /// The leader's.
        found: u32,
    },
    /// The header names somebody else than the seat's owner.
    #[error("seat {seat} is of validator {expected}, the header's proposer is {found}")]
    Proposer {
        /// The leader's seat.
        seat: u32,
        /// Its owner.
        expected: ValidatorIndex,
        /// In the header.
        found: ValidatorIndex,
    },
    /// Not a signature at all.
    #[error("the reveal: {0}")]
    Point(DecompressError),
    /// Of something or somebody else.
    #[error("the reveal is not the signature of seat {seat} over height {height}")]
    Signature {
        /// The leader's seat.
        seat: u32,
        /// The block's height.
        height: Height,
    },
}

/// Verifies that `proposer` owns the leader's seat, and that the seat made the reveal of `height`.
pub fn verify(
    genesis_hash: B256,
    authority: &Authority,
    leader: u32,
    proposer: ValidatorIndex,
    height: Height,
    reveal: &SignatureBytes,
) -> Result<(), RandaoError> {
    let seats = authority.committee().len();
    let (Some(seat), Some(key)) = (authority.committee().seat(leader), authority.key(leader)) else {
        return Err(RandaoError::NoSuchSeat { seats, found: leader });
    };
    if seat.validator != proposer {
        return Err(RandaoError::Proposer { seat: leader, expected: seat.validator, found: proposer });
    }
    let signature = Signature::from_bytes(reveal).map_err(RandaoError::Point)?;
    if key.verify(&randao_bytes(genesis_hash, authority.epoch(), height), &signature) {
        Ok(())
    } else {
        Err(RandaoError::Signature { seat: leader, height })
    }
}

/// Mixes a verified reveal in.
pub(crate) fn apply(state: &mut BeaconState, reveal: &SignatureBytes) {
    state.mix = mix_reveal(state.mix, reveal);
}
