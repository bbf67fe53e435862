//! Conflicts: two certified headers of one shard and epoch that exclude each other.
//!
//! An honest committee cannot certify both, whatever the network does: more than a third of its seats broke
//! the rules. The epoch ends at the accepted header, and what it certified above is void, both branches of it; where
//! one branch was accepted in part, that part stays. A conflict counts while its epoch rules, so it counts once.
//!
//! Who is guilty, a conflict tells only if both certificates are of one view: whoever signed both finalized two
//! headers in one view, and both sums of signatures prove it. Of certificates of different views none of the votes
//! need exclude each other; the guilty gave others that do, which those who saw them bring as evidence.
//!
//! Rules: docs/spec/beacon-state.md#conflicts

use super::certified::{self, CertifiedError};
use super::divergence::{self, DivergenceError, Place};
use super::evidence::{self, Verdict};
use crate::early_end::apply_early_end;
use crate::epoch::{DrawError, Lottery};
use crate::event::{EndCause, Event};
use crate::state::BeaconState;
use consensus::authority::Authority;
use consensus::evidence::Guilty;
use primitives::{CertifiedShardHeader, ChainSpec, Conflict, Epoch, ShardId, ShardStatus};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Why a conflict has no place in a block; the sender is at fault, except for [`Self::Outdated`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConflictError {
    /// Headers of two shards.
    #[error("the headers are of shards {first} and {second}")]
    Shards {
        /// Of the first.
        first: ShardId,
        /// Of the second.
        second: ShardId,
    },
    /// Headers of two terms.
    #[error("the headers are of epochs {first} and {second}")]
    Epochs {
        /// Of the first.
        first: Epoch,
        /// Of the second.
        second: Epoch,
    },
    /// Not certified.
    #[error("the first header: {0}")]
    First(CertifiedError),
    /// Not certified.
    #[error("the second header: {0}")]
    Second(CertifiedError),
    /// They may be of one branch.
    #[error(transparent)]
    Divergence(#[from] DivergenceError),
    /// No such shard.
    #[error("there is no shard {shard}")]
    NoSuchShard {
        /// The headers'.
        shard: ShardId,
    },
    /// The shard has ended.
    #[error("shard {shard} is retired")]
    Retired {
        /// The headers'.
        shard: ShardId,
    },
    /// The epoch has ended: there is nothing left to recover from.
    #[error("shard {shard} is ruled by epoch {expected}, the conflict is of epoch {found}")]
    Outdated {
        /// The headers'.
        shard: ShardId,
        /// The epoch that rules above the accepted header.
        expected: Epoch,
        /// The headers'.
        found: Epoch,
    },
}

/// Verifies that the headers exclude each other; not the certificates' signatures.
pub fn verify(conflict: &Conflict) -> Result<(), ConflictError> {
    let Conflict { first, second, divergence } = conflict;
    certified::verify(first).map_err(ConflictError::First)?;
    certified::verify(second).map_err(ConflictError::Second)?;
    let (first, second) = (&first.header, &second.header);
    if first.shard != second.shard {
        return Err(ConflictError::Shards { first: first.shard, second: second.shard });
    }
    if first.epoch != second.epoch {
        return Err(ConflictError::Epochs { first: first.epoch, second: second.epoch });
    }
    let CertifiedShardHeader { header, certificate } = &conflict.second;
    let upper = Place { height: header.height, id: certificate.id, history_root: header.history_root };
    Ok(divergence::verify(first.height, conflict.first.certificate.id, &upper, divergence)?)
}

/// Checks that the epoch of a verified conflict still rules.
pub fn check(state: &BeaconState, conflict: &Conflict) -> Result<(), ConflictError> {
    let (shard, found) = (conflict.first.header.shard, conflict.first.header.epoch);
    let record = state.shard(shard).ok_or(ConflictError::NoSuchShard { shard })?;
    if record.status != ShardStatus::Active {
        return Err(ConflictError::Retired { shard });
    }
    let ruling = record.table.ruling(record.accepted.height.next());
    let expected = ruling.ok_or(ConflictError::NoSuchShard { shard })?.epoch;
    if expected == found { Ok(()) } else { Err(ConflictError::Outdated { shard, expected, found }) }
}

/// Slashes the seats of `authority`'s committee that the certificates of a checked conflict prove guilty, unless they
/// were punished for it already or have nothing to lose.
pub(crate) fn apply_slashing(
    spec: &ChainSpec,
    state: &mut BeaconState,
    conflict: &Conflict,
    authority: &Authority,
    events: &mut Vec<Event>,
) {
    let view = conflict.first.certificate.view;
    for seat_index in guilty_seats(conflict) {
        let Some(seat) = authority.committee().seat(seat_index) else { continue };
        let guilty = Guilty {
            chain: authority.chain(),
            epoch: authority.epoch(),
            committee_root: authority.committee_root(),
            seat: *seat,
            seat_index,
        };
        let verdict = Verdict::new(guilty, view);
        if let Ok(penalty) = evidence::check(spec, state, &verdict) {
            evidence::apply(state, &verdict, penalty, events);
        }
    }
}

/// Ends the epoch of a checked conflict at the accepted header.
pub(crate) fn apply(
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    conflict: &Conflict,
    events: &mut Vec<Event>,
) -> Result<(), DrawError> {
    apply_early_end(lottery, state, conflict.first.header.shard, EndCause::Conflict, events)
}

/// The seats that finalized both headers in one view.
fn guilty_seats(conflict: &Conflict) -> Vec<u32> {
    let (first, second) = (&conflict.first.certificate, &conflict.second.certificate);
    if first.view != second.view {
        return Vec::new();
    }
    let also: BTreeSet<_> = second.signers.indices().collect();
    first.signers.indices().filter(|seat| also.contains(seat)).collect()
}
