//! Anchors: which finalized beacon header a block reads the beacon chain at.
//!
//! A proposal takes the newest one. One that this node has not seen is no reason to refuse a block, whatever its
//! height: the vote waits. One that contradicts what is finalized is.

use crate::beacon_view::BeaconView;
use primitives::{B256, Height, ShardHeader};

/// Why an anchor is refused; the proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorRefusal {
    /// Another header is finalized at its height.
    #[error("at beacon height {height} the finalized header is {expected}, the anchor is {found}")]
    Contradicts {
        /// The anchor's height.
        height: Height,
        /// What is finalized there.
        expected: B256,
        /// The anchor's id.
        found: B256,
    },
}

/// Whether the anchor of a block on `parent` is finalized: `None` as long as that is not known.
///
/// An anchor that the parent has too was judged with the parent.
pub(super) fn check(
    view: &BeaconView,
    parent: &ShardHeader,
    header: &ShardHeader,
) -> Option<Result<(), AnchorRefusal>> {
    let anchor = header.anchor;
    if anchor == parent.anchor && parent.height > Height::ZERO {
        return Some(Ok(()));
    }
    let expected = *view.ids.get(&anchor.height)?;
    if expected == anchor.id {
        Some(Ok(()))
    } else {
        Some(Err(AnchorRefusal::Contradicts { height: anchor.height, expected, found: anchor.id }))
    }
}
