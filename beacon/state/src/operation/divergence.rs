//! Divergence: that one header does not descend from another.
//!
//! A header has one ancestor at each height below it, and stands alone at its own: who shows another header
//! there than the one in question shows that they are on different branches.

use consensus::history::{HistoryError, verify_ancestor};
use primitives::{B256, Divergence, Height};

/// Why two headers are not shown to exclude each other; the sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DivergenceError {
    /// Said to be at one height, and are not.
    #[error("expected a header at height {expected}, found one at {found}")]
    Heights {
        /// Of the header that may be lower.
        expected: Height,
        /// Of the other.
        found: Height,
    },
    /// Where nothing is to be proven, nothing is given.
    #[error("a divergence at one height is written as zero, found {found}")]
    NotZero {
        /// What was written.
        found: u8,
    },
    /// There is only one branch.
    #[error("both branches have header {id} at height {height}")]
    SameHeader {
        /// Where.
        height: Height,
        /// What both have.
        id: B256,
    },
    /// The other ancestor is none.
    #[error("the other ancestor: {0}")]
    History(#[from] HistoryError),
}

/// A header, as far as divergence looks at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) height: Height,
    pub(super) id: B256,
    pub(super) history_root: B256,
}

/// Verifies that the header `upper` is not the one at `height` with this `id`, nor descends from it.
pub(super) fn verify(
    height: Height,
    id: B256,
    upper: &Place,
    divergence: &Divergence,
) -> Result<(), DivergenceError> {
    let other = match divergence {
        Divergence::SameHeight(0) if height == upper.height => upper.id,
        Divergence::SameHeight(0) => {
            return Err(DivergenceError::Heights { expected: height, found: upper.height });
        }
        Divergence::SameHeight(found) => return Err(DivergenceError::NotZero { found: *found }),
        Divergence::Below(other) => {
            verify_ancestor(upper.history_root, upper.height, height, other.id, &other.proof)?;
            other.id
        }
    };
    if other == id { Err(DivergenceError::SameHeader { height, id }) } else { Ok(()) }
}
