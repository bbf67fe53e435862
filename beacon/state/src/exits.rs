//! Units on their way out: out of the draws, not paid yet, and punishable as long.
//!
//! They wait in one queue, in the order in which they left. Since each waits equally long, it rises by the height from
//! which on a unit may be paid.
//!
//! Rules: docs/spec/beacon-state.md#exits-and-payouts

use crate::state::BeaconState;
use primitives::{Height, PublicKeyBytes, ValidatorIndex};
use ssz_derive::{Decode, Encode};
use tree_hash_derive::TreeHash;

/// A unit that left the draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExitingUnit {
    /// Whose.
    pub validator: ValidatorIndex,
    /// Its key, which nobody else may register as long.
    pub key: PublicKeyBytes,
    /// Beacon height from which on it is paid.
    pub withdrawable_at: Height,
}

impl BeaconState {
    /// Whether the unit with this key is on its way out and `validator`'s.
    pub(crate) fn is_exiting(&self, validator: ValidatorIndex, key: &PublicKeyBytes) -> bool {
        self.exits.iter().any(|unit| unit.validator == validator && unit.key == *key)
    }

    /// Takes `count` of a validator's units out of the queue: that with the `offending` key first, then those that would
    /// be paid last. Returns how many there were.
    pub(crate) fn remove_exiting(
        &mut self,
        validator: ValidatorIndex,
        offending: &PublicKeyBytes,
        count: u64,
    ) -> u64 {
        let own = self.exits.iter().enumerate().filter(|(_, unit)| unit.validator == validator);
        let mut places: Vec<(bool, usize)> =
            own.map(|(place, unit)| (unit.key == *offending, place)).collect();
        places.sort_unstable();
        let kept = places.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        let mut removed: Vec<usize> = places.split_off(kept).into_iter().map(|(_, place)| place).collect();
        removed.sort_unstable();
        self.exits.retain(|place, _| removed.binary_search(&place).is_err());
        removed.len() as u64
    }
}
