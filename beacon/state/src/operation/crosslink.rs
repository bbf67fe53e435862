//! Crosslinks: a shard's certified headers, as the beacon chain accepts them.
//!
//! Accepted is a header above the accepted one and of the epoch that rules next, up to that epoch's last
//! height, whose history contains the accepted one and whose certificate is of the committee in the
//! table. Whatever it consumed from other shards must be accepted too, before or in the same block: so
//! several crosslinks may need each other ([`joint`]). Cursors never fall. What the shard has consumed of the beacon
//! chain's own receipts is not kept any longer.
//!
//! Rules: docs/spec/beacon-state.md#crosslinks

pub mod joint;

use crate::epoch::{DrawError, Lottery};
use crate::event::Event;
use crate::state::BeaconState;
use consensus::history::{HistoryError, verify_ancestor};
use primitives::{
    AcceptedHeader, B256, Chain, ChainSpec, Crosslink, Epoch, Height, InboxCursor, ShardId, ShardStatus,
};

#[cfg(test)]
mod tests;

/// Why a crosslink cannot be accepted, whatever else is in the block; its proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrosslinkError {
    /// The certificate is of another header.
    #[error("the certificate is of header {found}, the crosslink's is {expected}")]
    CertifiedId {
        /// The header's id.
        expected: B256,
        /// The certificate's.
        found: B256,
    },
    /// The certificate is of another term.
    #[error("the header is of epoch {expected}, its certificate of {found}")]
    CertifiedEpoch {
        /// The header's.
        expected: Epoch,
        /// The certificate's.
        found: Epoch,
    },
    /// Not the cursors that the shard certified.
    #[error("the header commits to cursors {expected}, found {found}")]
    CursorsRoot {
        /// In the header.
        expected: B256,
        /// Of the cursors.
        found: B256,
    },
    /// Two cursors of one source, or not in order.
    #[error("the cursors are not in order, one per source")]
    CursorsOrder,
    /// Each cursor has its ancestry.
    #[error("there are {expected} cursors, but ancestries of {found} sources")]
    Sources {
        /// Cursors.
        expected: usize,
        /// Ancestries.
        found: usize,
    },
    /// No such shard.
    #[error("there is no shard {shard}")]
    NoSuchShard {
        /// The header's.
        shard: ShardId,
    },
    /// The shard has ended.
    #[error("shard {shard} is retired")]
    Retired {
        /// The header's.
        shard: ShardId,
    },
    /// Accepted already, or older.
    #[error("the accepted header is at height {accepted}, found one at {found}")]
    NotAbove {
        /// Of the accepted header.
        accepted: Height,
        /// Of the crosslink's.
        found: Height,
    },
    /// A void epoch, or one whose predecessor's last header is not accepted yet.
    #[error("height {height} is accepted from epoch {expected} only, found epoch {found}")]
    Epoch {
        /// The header's height.
        height: Height,
        /// The epoch that rules next.
        expected: Epoch,
        /// The header's.
        found: Epoch,
    },
    /// Beyond the boundary.
    #[error("epoch {epoch} ends at height {last}, found a header at {found}")]
    BeyondEpoch {
        /// The header's epoch.
        epoch: Epoch,
        /// Its last height.
        last: Height,
        /// The header's height.
        found: Height,
    },
    /// The accepted header is not shown to be an ancestor.
    #[error("continuity: {0}")]
    History(HistoryError),
    /// A cursor moved backwards, or to another branch.
    #[error("the cursor of source {source_chain} was at height {height}, sequence {sequence}, and fell")]
    CursorFell {
        /// The source.
        source_chain: Chain,
        /// Height it was at.
        height: Height,
        /// Sequence it was at.
        sequence: u64,
    },
}

/// Verifies what the crosslink says of itself. Not the certificate: that is verified with all others.
pub fn verify(crosslink: &Crosslink) -> Result<(), CrosslinkError> {
    verify_certified(crosslink)?;
    let (expected, found) = (crosslink.cursors.as_slice().len(), crosslink.sources.len());
    if expected != found {
        return Err(CrosslinkError::Sources { expected, found });
    }
    Ok(())
}

/// [`verify`] without what the beacon proposer attaches: what the shard vouches for.
pub fn verify_certified(crosslink: &Crosslink) -> Result<(), CrosslinkError> {
    let Crosslink { header, certificate, cursors, .. } = crosslink;
    let (expected, found) = (header.id(), certificate.id);
    if expected != found {
        return Err(CrosslinkError::CertifiedId { expected, found });
    }
    let (expected, found) = (header.epoch, certificate.epoch);
    if expected != found {
        return Err(CrosslinkError::CertifiedEpoch { expected, found });
    }
    if !cursors.is_well_formed() {
        return Err(CrosslinkError::CursorsOrder);
    }
    let (expected, found) = (header.inbox_cursors_root, cursors.root());
    if expected != found {
        return Err(CrosslinkError::CursorsRoot { expected, found });
    }
    Ok(())
}

/// Checks a verified crosslink against the state alone: not its certificate, nor what it consumed.
pub fn check(spec: &ChainSpec, state: &BeaconState, crosslink: &Crosslink) -> Result<(), CrosslinkError> {
    check_place(spec, state, crosslink)?;
    let header = &crosslink.header;
    let shard = header.shard;
    let accepted = state.shard(shard).ok_or(CrosslinkError::NoSuchShard { shard })?.accepted;
    verify_ancestor(header.history_root, header.height, accepted.height, accepted.id, &crosslink.history)
        .map_err(CrosslinkError::History)
}

/// [`check`] without the history proof: whether the header is one that may be accepted next.
pub(crate) fn check_place(
    spec: &ChainSpec,
    state: &BeaconState,
    crosslink: &Crosslink,
) -> Result<(), CrosslinkError> {
    let header = &crosslink.header;
    let shard = header.shard;
    let no_such_shard = CrosslinkError::NoSuchShard { shard };
    let record = state.shard(shard).ok_or(no_such_shard)?;
    if record.status != ShardStatus::Active {
        return Err(CrosslinkError::Retired { shard });
    }
    let (accepted, found) = (record.accepted.height, header.height);
    if found <= accepted {
        return Err(CrosslinkError::NotAbove { accepted, found });
    }
    // A state always knows who rules the next height; without, no epoch is the right one.
    let ruling = record.table.ruling(accepted.next()).ok_or(no_such_shard)?;
    if header.epoch != ruling.epoch {
        let (expected, found) = (ruling.epoch, header.epoch);
        return Err(CrosslinkError::Epoch { height: header.height, expected, found });
    }
    let last = last_height(spec, state, shard).ok_or(no_such_shard)?;
    if found > last {
        return Err(CrosslinkError::BeyondEpoch { epoch: header.epoch, last, found });
    }
    check_cursors(state, crosslink)
}

/// Last height of the epoch that rules above the accepted header.
fn last_height(spec: &ChainSpec, state: &BeaconState, shard: ShardId) -> Option<Height> {
    let record = state.shard(shard)?;
    let ruling = record.table.ruling(record.accepted.height.next())?;
    record.table.last_height(ruling.epoch, spec.epoch_heights(shard.into()))
}

/// Checks that no cursor fell since the last crosslink.
fn check_cursors(state: &BeaconState, crosslink: &Crosslink) -> Result<(), CrosslinkError> {
    let Some(progress) = state.progress(crosslink.header.shard) else { return Ok(()) };
    for before in progress.cursors.as_slice() {
        let stands = crosslink.cursors.cursor(before.source).is_some_and(|now| {
            let onward = now.height > before.height || (now.height == before.height && now.id == before.id);
            onward && now.sequence >= before.sequence
        });
        if !stands {
            let InboxCursor { source, height, sequence, .. } = *before;
            return Err(CrosslinkError::CursorFell { source_chain: source, height, sequence });
        }
    }
    Ok(())
}

/// Accepts a checked crosslink, and draws a committee if it starts an epoch.
pub(crate) fn apply(
    spec: &ChainSpec,
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    crosslink: &Crosslink,
    events: &mut Vec<Event>,
) -> Result<(), DrawError> {
    let header = &crosslink.header;
    let (shard, id) = (header.shard, crosslink.certificate.id);
    let Some(mut record) = state.shard(shard).cloned() else { return Ok(()) };
    let ends_epoch = last_height(spec, state, shard) == Some(header.height);
    record.accepted = AcceptedHeader {
        height: header.height,
        id,
        epoch: header.epoch,
        history_root: header.history_root,
        outbox_root: header.outbox_root,
        accepted_at: state.height,
        inbox_cursors_root: header.inbox_cursors_root,
    };
    events.push(Event::Accepted { shard, id, height: header.height });
    if ends_epoch {
        lottery.draw_next(state, shard.into(), &mut record.table, events)?;
    }
    let place = shard.get() as usize;
    if let Some(entry) = state.shards.write(place) {
        *entry = record;
    }
    if let Some(progress) = state.progress.write(place) {
        progress.cursors = crosslink.cursors.clone();
    }
    let consumed = crosslink.cursors.cursor(Chain::Beacon).map_or(0, |cursor| cursor.sequence);
    if state.lane(shard).is_some_and(|lane| lane.first_sequence() < consumed)
        && let Some(lane) = state.lanes.write(place)
    {
        lane.acknowledge(consumed);
    }
    Ok(())
}
