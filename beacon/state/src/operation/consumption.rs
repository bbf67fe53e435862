//! Consumptions of void branches: a shard that consumed from a header which can never be accepted.
//!
//! None of its headers from there on can be accepted either, so its epoch ends at its accepted header, which consumed
//! from accepted headers only; the next committee consumes from the branch that is left. Each consumption is checked
//! against the state after those before it, so a shard that consumed from a consumer is taken back with it.
//!
//! Rules: docs/spec/beacon-state.md#consumptions

use super::certified::{self, CertifiedError};
use super::divergence::{self, DivergenceError, Place};
use crate::early_end::apply_early_end;
use crate::epoch::{DrawError, Lottery};
use crate::event::{EndCause, Event};
use crate::state::BeaconState;
use primitives::{B256, Bypassed, Consumption, Epoch, Height, InboxCursor, ShardId, ShardStatus, VoidSource};

#[cfg(test)]
mod tests;

/// Why a consumption has no place in a block; the sender is at fault, except for [`Self::Outdated`],
/// [`Self::NotAbove`] and what the source's state says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumptionError {
    /// Not certified.
    #[error("the consumer: {0}")]
    Certified(#[from] CertifiedError),
    /// Two cursors of one source, or not in order.
    #[error("the cursors are not in order, one per source")]
    CursorsOrder,
    /// Not the cursors that the shard certified.
    #[error("the header commits to cursors {expected}, found {found}")]
    CursorsRoot {
        /// In the header.
        expected: B256,
        /// Of the cursors.
        found: B256,
    },
    /// It consumed nothing from that source.
    #[error("no cursor is of source {source_shard}")]
    NoCursor {
        /// The source.
        source_shard: ShardId,
    },
    /// No such shard.
    #[error("there is no shard {shard}")]
    NoSuchShard {
        /// The consumer, or its source.
        shard: ShardId,
    },
    /// The consumer has ended.
    #[error("shard {shard} is retired")]
    Retired {
        /// The consumer.
        shard: ShardId,
    },
    /// The consumer's header is accepted, or older.
    #[error("the accepted header of shard {shard} is at height {accepted}, found one at {found}")]
    NotAbove {
        /// The consumer.
        shard: ShardId,
        /// Of its accepted header.
        accepted: Height,
        /// Of the header that is said to have consumed.
        found: Height,
    },
    /// The consumer's epoch has ended.
    #[error("shard {shard} is ruled by epoch {expected}, the consumer is of epoch {found}")]
    Outdated {
        /// The consumer.
        shard: ShardId,
        /// The epoch that rules above its accepted header.
        expected: Epoch,
        /// The header's.
        found: Epoch,
    },
    /// The source header is not above the accepted one.
    #[error("source {source_shard} is accepted up to height {accepted}, the header given is at {found}")]
    SourceNotAbove {
        /// The source.
        source_shard: ShardId,
        /// Of its accepted header.
        accepted: Height,
        /// Of the header that is said to be void.
        found: Height,
    },
    /// The source header may still be accepted.
    #[error("source {source_shard} at height {height}: epoch {found} is not void, epoch {ruling} rules")]
    NotVoid {
        /// The source.
        source_shard: ShardId,
        /// The source header's height.
        height: Height,
        /// The epoch that rules there.
        ruling: Epoch,
        /// The source header's epoch.
        found: Epoch,
    },
    /// The accepted header of the source may descend from the one that was consumed from.
    #[error("source {source_shard}: {error}")]
    Divergence {
        /// The source.
        source_shard: ShardId,
        /// What is wrong.
        error: DivergenceError,
    },
}

/// Verifies that the consumer's header commits to a cursor of the source; not the certificate's signature.
pub fn verify(consumption: &Consumption) -> Result<(), ConsumptionError> {
    let Consumption { certified, cursors, .. } = consumption;
    certified::verify(certified)?;
    if !cursors.is_well_formed() {
        return Err(ConsumptionError::CursorsOrder);
    }
    let (expected, found) = (certified.header.inbox_cursors_root, cursors.root());
    if expected != found {
        return Err(ConsumptionError::CursorsRoot { expected, found });
    }
    source_cursor(consumption).map(|_| ())
}

fn source_cursor(consumption: &Consumption) -> Result<&InboxCursor, ConsumptionError> {
    let source_shard = consumption.source.shard();
    let cursor = consumption.cursors.cursor(source_shard.into());
    cursor.ok_or(ConsumptionError::NoCursor { source_shard })
}

/// Checks that the consumer's epoch still rules, and that the source of a verified consumption is void.
pub fn check(state: &BeaconState, consumption: &Consumption) -> Result<(), ConsumptionError> {
    let header = &consumption.certified.header;
    let (shard, found) = (header.shard, header.epoch);
    let record = state.shard(shard).ok_or(ConsumptionError::NoSuchShard { shard })?;
    if record.status != ShardStatus::Active {
        return Err(ConsumptionError::Retired { shard });
    }
    let accepted = record.accepted.height;
    let ruling = record.table.ruling(accepted.next());
    let expected = ruling.ok_or(ConsumptionError::NoSuchShard { shard })?.epoch;
    if expected != found {
        return Err(ConsumptionError::Outdated { shard, expected, found });
    }
    if header.height <= accepted {
        return Err(ConsumptionError::NotAbove { shard, accepted, found: header.height });
    }
    let cursor = source_cursor(consumption)?;
    match &consumption.source {
        VoidSource::Ended(source) => check_ended(state, *source, cursor),
        VoidSource::Bypassed(bypassed) => check_bypassed(state, cursor, bypassed),
    }
}

/// Checks that the header that `cursor` names is above the accepted one and of an epoch that was ended before it.
fn check_ended(
    state: &BeaconState,
    source_shard: ShardId,
    cursor: &InboxCursor,
) -> Result<(), ConsumptionError> {
    let InboxCursor { height, epoch: found, .. } = *cursor;
    let no_such_shard = ConsumptionError::NoSuchShard { shard: source_shard };
    let record = state.shard(source_shard).ok_or(no_such_shard)?;
    let accepted = record.accepted.height;
    if height <= accepted {
        return Err(ConsumptionError::SourceNotAbove { source_shard, accepted, found: height });
    }
    // Epochs that end early are followed by higher numbers; an epoch that is still to be drawn has one, too.
    let ruling = record.table.ruling(height).ok_or(no_such_shard)?.epoch;
    if found >= ruling {
        return Err(ConsumptionError::NotVoid { source_shard, height, ruling, found });
    }
    Ok(())
}

/// Checks that the source's accepted header is not the one that `cursor` names, nor descends from it.
fn check_bypassed(
    state: &BeaconState,
    cursor: &InboxCursor,
    bypassed: &Bypassed,
) -> Result<(), ConsumptionError> {
    let source_shard = bypassed.shard;
    let record = state.shard(source_shard).ok_or(ConsumptionError::NoSuchShard { shard: source_shard })?;
    let accepted = record.accepted;
    let upper = Place { height: accepted.height, id: accepted.id, history_root: accepted.history_root };
    divergence::verify(cursor.height, cursor.id, &upper, &bypassed.divergence)
        .map_err(|error| ConsumptionError::Divergence { source_shard, error })
}

/// Ends the epoch of a checked consumption's shard at its accepted header.
pub(crate) fn apply(
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    consumption: &Consumption,
    events: &mut Vec<Event>,
) -> Result<(), DrawError> {
    apply_early_end(lottery, state, consumption.certified.header.shard, EndCause::Consumption, events)
}
