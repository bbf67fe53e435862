//! Joint acceptance: crosslinks of one block that need each other.
//!
//! A crosslink *requires* that each source header its cursors name is accepted: it is the source's newest
//! accepted header, or an ancestor of it. Newest means after this block, so two shards that consumed
//! from each other are accepted together or not at all. A cursor that has not moved since the shard's last
//! crosslink requires nothing: what it names is accepted already. A cursor of the beacon chain's own receipts requires only
//! that they were sent.

use crate::state::BeaconState;
use consensus::history::{HistoryError, verify_ancestor};
use primitives::{B256, Chain, Crosslink, Height, InboxCursor, ShardId, SourceAncestry};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// The newest accepted header of a shard, as far as requirements look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: Height,
    /// Its id.
    pub id: B256,
    /// Proves the headers below it.
    pub history_root: B256,
}

/// Each shard's newest header if all of `crosslinks` are accepted; shards without a crosslink are left out.
pub type Heads = BTreeMap<ShardId, Head>;

/// The heads that these crosslinks would make.
pub fn heads<'a>(crosslinks: impl IntoIterator<Item = &'a Crosslink>) -> Heads {
    crosslinks
        .into_iter()
        .map(|crosslink| {
            let header = &crosslink.header;
            let (height, history_root) = (header.height, header.history_root);
            (header.shard, Head { height, id: crosslink.certificate.id, history_root })
        })
        .collect()
}

/// Why a crosslink's requirements are not met; the proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// A source that emits no receipts for this shard.
    #[error("shard {shard} cannot consume from {found}")]
    NoSuchSource {
        /// The shard of the crosslink.
        shard: ShardId,
        /// The cursor's source.
        found: Chain,
    },
    /// It consumed more than the beacon chain sent.
    #[error("the beacon chain sent {sent} receipts to shard {shard}, consumed were {found}")]
    NeverSent {
        /// The shard of the crosslink.
        shard: ShardId,
        /// Sequence that the next one will have.
        sent: u64,
        /// The cursor's sequence.
        found: u64,
    },
    /// It consumed what is not accepted.
    #[error("shard {source_shard} is accepted up to height {accepted}, consumed up to {found}")]
    NotAccepted {
        /// The cursor's source.
        source_shard: ShardId,
        /// Its newest accepted height.
        accepted: Height,
        /// The cursor's height.
        found: Height,
    },
    /// It consumed from another branch.
    #[error("shard {source_shard} at height {height}: accepted is {expected}, consumed was {found}")]
    OtherBranch {
        /// The cursor's source.
        source_shard: ShardId,
        /// The cursor's height.
        height: Height,
        /// The accepted id.
        expected: B256,
        /// The cursor's id.
        found: B256,
    },
    /// The cursor's header is below the newest one, which is not shown to descend from it.
    #[error("shard {source_shard} at height {height}: no ancestry is given")]
    AncestryMissing {
        /// The cursor's source.
        source_shard: ShardId,
        /// The cursor's height.
        height: Height,
    },
    /// Where nothing is to be proven, nothing is given.
    #[error("the cursor of source {source_chain} needs no ancestry, which is written as zero")]
    AncestryNeedless {
        /// The cursor's source.
        source_chain: Chain,
    },
    /// The ancestry proves something else.
    #[error("ancestry in shard {source_shard}: {error}")]
    Ancestry {
        /// The cursor's source.
        source_shard: ShardId,
        /// What is wrong.
        error: HistoryError,
    },
}

/// What a cursor requires of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// Nothing: it has not moved, or it names the head itself.
    Met,
    /// That its header is an ancestor of the head.
    Ancestor(ShardId, Head),
}

/// What `cursor` of `shard` requires, given the heads after the block.
pub(crate) fn requirement(
    state: &BeaconState,
    heads: &Heads,
    shard: ShardId,
    cursor: &InboxCursor,
) -> Result<Requirement, RequirementError> {
    if cursor.source == Chain::Beacon {
        return beacon_requirement(state, shard, cursor.sequence);
    }
    if !has_moved(state, shard, cursor) {
        return Ok(Requirement::Met);
    }
    let no_such_source = RequirementError::NoSuchSource { shard, found: cursor.source };
    let source_shard = cursor.source.shard().filter(|source| *source != shard).ok_or(no_such_source)?;
    let head = head(state, heads, source_shard).ok_or(no_such_source)?;
    let (height, found) = (cursor.height, cursor.id);
    if height > head.height {
        return Err(RequirementError::NotAccepted { source_shard, accepted: head.height, found: height });
    }
    if height < head.height {
        return Ok(Requirement::Ancestor(source_shard, head));
    }
    if found != head.id {
        return Err(RequirementError::OtherBranch { source_shard, height, expected: head.id, found });
    }
    Ok(Requirement::Met)
}

/// What a cursor of the beacon chain's receipts requires: that as many were sent.
fn beacon_requirement(
    state: &BeaconState,
    shard: ShardId,
    found: u64,
) -> Result<Requirement, RequirementError> {
    let no_such_source = RequirementError::NoSuchSource { shard, found: Chain::Beacon };
    let sent = state.lane(shard).ok_or(no_such_source)?.next_sequence();
    if found <= sent { Ok(Requirement::Met) } else { Err(RequirementError::NeverSent { shard, sent, found }) }
}

/// Checks that everything a verified crosslink consumed is accepted by `heads` or before.
pub fn check(state: &BeaconState, heads: &Heads, crosslink: &Crosslink) -> Result<(), RequirementError> {
    let shard = crosslink.header.shard;
    for (cursor, ancestry) in crosslink.cursors.as_slice().iter().zip(&crosslink.sources) {
        match (requirement(state, heads, shard, cursor)?, ancestry) {
            (Requirement::Met, SourceAncestry::Direct(0)) => {}
            (Requirement::Met, _) => {
                return Err(RequirementError::AncestryNeedless { source_chain: cursor.source });
            }
            (Requirement::Ancestor(source_shard, head), SourceAncestry::Ancestor(proof)) => {
                verify_ancestor(head.history_root, head.height, cursor.height, cursor.id, proof)
                    .map_err(|error| RequirementError::Ancestry { source_shard, error })?;
            }
            (Requirement::Ancestor(source_shard, _), SourceAncestry::Direct(_)) => {
                return Err(RequirementError::AncestryMissing { source_shard, height: cursor.height });
            }
        }
    }
    Ok(())
}

/// Whether the cursor names another header than at the shard's last crosslink.
pub(crate) fn has_moved(state: &BeaconState, shard: ShardId, cursor: &InboxCursor) -> bool {
    let before = state.progress(shard).and_then(|progress| progress.cursors.cursor(cursor.source));
    before.is_none_or(|before| (before.height, before.id) != (cursor.height, cursor.id))
}

/// The newest header of `shard` after the block.
fn head(state: &BeaconState, heads: &Heads, shard: ShardId) -> Option<Head> {
    heads.get(&shard).copied().or_else(|| {
        let accepted = &state.shard(shard)?.accepted;
        Some(Head { height: accepted.height, id: accepted.id, history_root: accepted.history_root })
    })
}
