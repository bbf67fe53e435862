//! Proof that a seat said two things an honest one cannot say.

use crate::{Committee, SignedVote};
use ssz_derive::{Decode, Encode};

/// Two votes of one seat in one view that exclude each other.
///
/// Guilt (judged by `consensus::evidence`): two different votes of one kind, or a nullification and
/// a finalization.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Evidence {
    /// One statement.
    pub first: SignedVote,
    /// The other; of the same chain, epoch, view and seat.
    pub second: SignedVote,
    /// The committee both were signed in: its root is in the epoch table.
    pub committee: Committee,
}
