//! What a seat signs.

use crate::{Chain, Epoch, SignatureBytes, View};
use alloy_primitives::B256;
use ssz_derive::{Decode, Encode};

/// The three statements of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[ssz(enum_behaviour = "tag")]
pub enum VoteKind {
    /// "This block follows in this view."
    Notarize,
    /// "This view shall bring no block."
    Nullify,
    /// "I know that a quorum notarized, and I never nullified: this block is certified."
    Finalize,
}

/// One statement of one seat about one view of one (chain, epoch).
///
/// The bytes that are signed are defined in `consensus::vote`, and are those of the BFT engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Vote {
    /// What is said.
    pub kind: VoteKind,
    /// Whose committee speaks.
    pub chain: Chain,
    /// The committee's term.
    pub epoch: Epoch,
    /// The view spoken about.
    pub view: View,
    /// The view of the block's parent; zero in a nullification.
    pub parent_view: View,
    /// The block's id; zero in a nullification.
    pub id: B256,
}

/// A vote with its signature, as evidence carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SignedVote {
    /// The statement.
    pub vote: Vote,
    /// Index of the seat in its committee.
    pub seat: u32,
    /// BLS signature of that seat alone.
    pub signature: SignatureBytes,
}
