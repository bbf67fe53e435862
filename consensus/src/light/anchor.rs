//! What a shard block reads from the beacon chain, verified against the header it names.

use crate::layout::{verify_mix, verify_record, verify_seat};
use primitives::{
    Address, AnchorProof, B256, BeaconHeader, Epoch, Height, Seat, ShardHeader, ShardId, ShardRecord,
    ValidatorIndex,
};

/// What the anchor says. That the anchor is finalized is what the shard's committee vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorView<'a> {
    /// The anchor.
    pub header: &'a BeaconHeader,
    /// Its randomness.
    pub mix: B256,
    /// The shard's entry in the registry.
    pub record: &'a ShardRecord,
    /// The proposing seat.
    pub seat: &'a Seat,
    /// Earns the block's fees.
    pub fee_recipient: Address,
}

/// Why an anchor proof does not fit its header; the proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// Another beacon header.
    #[error("the anchor is {expected}, the proof is of {found}")]
    Id {
        /// Named by the shard header.
        expected: B256,
        /// Of the proof's header.
        found: B256,
    },
    /// The right header, said to be elsewhere.
    #[error("the anchor is at height {found}, the shard header says {expected}")]
    Height {
        /// Named by the shard header.
        expected: Height,
        /// Of the proof's header.
        found: Height,
    },
    /// Not in the anchor's state.
    #[error("the mix is not in the anchor's state")]
    Mix,
    /// Another shard's record.
    #[error("expected the record of shard {expected}, found that of {found}")]
    Shard {
        /// The header's.
        expected: ShardId,
        /// The record's.
        found: ShardId,
    },
    /// Not in the anchor's state.
    #[error("the record is not in the anchor's state")]
    Record,
    /// The anchor is too old, or the epoch long gone.
    #[error("the record's epoch table has no epoch {epoch}")]
    UnknownEpoch {
        /// The header's.
        epoch: Epoch,
    },
    /// The height belongs to another committee.
    #[error("height {height} is ruled by epoch {expected:?}, the header is of {found}")]
    Epoch {
        /// The header's.
        height: Height,
        /// The epoch that rules it, if any.
        expected: Option<Epoch>,
        /// The header's.
        found: Epoch,
    },
    /// Not in the committee.
    #[error("the seat is not at index {index} of the committee {committee_root}")]
    Seat {
        /// Said to be here.
        index: u32,
        /// In this committee.
        committee_root: B256,
    },
    /// Somebody else's seat.
    #[error("the proposer is validator {expected}, the seat is that of {found}")]
    Proposer {
        /// The header's.
        expected: ValidatorIndex,
        /// The seat's.
        found: ValidatorIndex,
    },
}

/// Verifies everything that a shard block takes from its anchor.
pub fn verify_anchor<'a>(
    header: &ShardHeader,
    proof: &'a AnchorProof,
) -> Result<AnchorView<'a>, AnchorError> {
    let AnchorProof { header: anchor, mix, mix_branch, record, record_branch, seat_index, seat, seat_branch } =
        proof;
    if anchor.id() != header.anchor.id {
        return Err(AnchorError::Id { expected: header.anchor.id, found: anchor.id() });
    }
    if anchor.height != header.anchor.height {
        return Err(AnchorError::Height { expected: header.anchor.height, found: anchor.height });
    }
    if !verify_mix(anchor.state_root, *mix, mix_branch) {
        return Err(AnchorError::Mix);
    }
    if record.shard != header.shard {
        return Err(AnchorError::Shard { expected: header.shard, found: record.shard });
    }
    if !verify_record(anchor.state_root, record, record_branch) {
        return Err(AnchorError::Record);
    }
    let committee_root = ruling_committee(header, record)?;
    if !verify_seat(committee_root, seat, *seat_index, seat_branch) {
        return Err(AnchorError::Seat { index: *seat_index, committee_root });
    }
    if seat.validator != header.proposer {
        return Err(AnchorError::Proposer { expected: header.proposer, found: seat.validator });
    }
    Ok(AnchorView { header: anchor, mix: *mix, record, seat, fee_recipient: seat.fee_recipient })
}

/// Root of the committee of the header's epoch, which has to be the one that rules its height.
fn ruling_committee(header: &ShardHeader, record: &ShardRecord) -> Result<B256, AnchorError> {
    let (height, epoch) = (header.height, header.epoch);
    let entry = record.table.entry(epoch).ok_or(AnchorError::UnknownEpoch { epoch })?;
    let expected = record.table.ruling(height).map(|ruling| ruling.epoch);
    if expected == Some(epoch) {
        Ok(entry.committee_root)
    } else {
        Err(AnchorError::Epoch { height, expected, found: epoch })
    }
}
