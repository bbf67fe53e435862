//! What a validator was punished for.

use primitives::{Chain, Epoch, ValidatorIndex, View};
use ssz_derive::{Decode, Encode};
use tree_hash_derive::TreeHash;

/// One offence, however many seats and votes it was committed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TreeHash)]
pub struct Offence {
    /// Chain of the votes.
    pub chain: Chain,
    /// Epoch of the votes.
    pub epoch: Epoch,
    /// View of the votes.
    pub view: View,
    /// Who signed them.
    pub validator: ValidatorIndex,
}
