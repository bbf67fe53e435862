//! What the beacon state knows of one validator.

use primitives::{Chain, Height, NodeKey, PublicKeyBytes, Seat, ValidatorIndex};
use ssz_derive::{Decode, Encode};
use ssz_types::VariableList;
use ssz_types::typenum::{U65536, Unsigned as _};
use tree_hash_derive::TreeHash;
use xshard::WithdrawalAccount;

/// Most units one validator can hold, those on their way out included.
pub const UNITS_MAX: usize = U65536::USIZE;

/// A validator; its index is its place in the registry and never reused, also when its last unit is gone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ValidatorRecord {
    /// Keys of its units that take part in draws.
    units: VariableList<PublicKeyBytes, U65536>,
    /// How many units left the draws and are neither paid nor burned.
    exiting_units: u64,
    /// How many units it lost for offences.
    burned_units: u64,
    beacon_node: NodeKey,
    shard_node: NodeKey,
    withdrawal: WithdrawalAccount,
    registered_at: Height,
    left_at: Height,
}

impl ValidatorRecord {
    /// A validator that is registered with these units at a beacon height; none if they are more than [`UNITS_MAX`].
    pub fn new(
        units: Vec<PublicKeyBytes>,
        beacon_node: NodeKey,
        shard_node: NodeKey,
        withdrawal: WithdrawalAccount,
        registered_at: Height,
    ) -> Option<Self> {
        let units = VariableList::new(units).ok()?;
        let (exiting_units, burned_units, left_at) = (0, 0, Height::ZERO);
        Some(Self {
            units,
            exiting_units,
            burned_units,
            beacon_node,
            shard_node,
            withdrawal,
            registered_at,
            left_at,
        })
    }

    /// Keys of the units that take part in draws, in the order they were registered.
    pub fn units(&self) -> &[PublicKeyBytes] {
        &self.units
    }

    /// How many units left the draws and are neither paid nor burned.
    pub const fn exiting_units(&self) -> u64 {
        self.exiting_units
    }

    /// How many units it lost for offences.
    pub const fn burned_units(&self) -> u64 {
        self.burned_units
    }

    /// Whether it was ever punished.
    pub const fn is_slashed(&self) -> bool {
        self.burned_units > 0
    }

    /// Beacon height at which it was registered.
    pub const fn registered_at(&self) -> Height {
        self.registered_at
    }

    /// Beacon height at which one of its units left the draws last, by an exit or a penalty; zero if none ever did.
    pub const fn left_at(&self) -> Height {
        self.left_at
    }

    /// Its identity on the network of `chain`.
    pub const fn node(&self, chain: Chain) -> NodeKey {
        match chain {
            Chain::Beacon => self.beacon_node,
            Chain::Shard(_) => self.shard_node,
        }
    }

    /// Owns its stake. Its fees go to the same address on every shard.
    pub const fn withdrawal(&self) -> WithdrawalAccount {
        self.withdrawal
    }

    /// Its units as candidates for the committees of `chain`.
    pub(crate) fn seats(&self, index: ValidatorIndex, chain: Chain) -> impl Iterator<Item = Seat> + '_ {
        let (node, fee_recipient) = (self.node(chain), self.withdrawal.address);
        self.units.iter().map(move |key| Seat { key: *key, validator: index, node, fee_recipient })
    }

    /// Units that it can still lose.
    pub fn punishable_units(&self) -> u64 {
        (self.units.len() as u64).saturating_add(self.exiting_units)
    }

    /// Units that an offence costs now: a share of those it can lose, at least one if there is one.
    pub fn penalty_units(&self, slash_permille: u32) -> u64 {
        let units = self.punishable_units();
        let share = units.saturating_mul(u64::from(slash_permille.min(1000))) / 1000;
        share.max(1).min(units)
    }

    /// Whether there is room for so many units more.
    pub(crate) fn has_room(&self, units: usize) -> bool {
        self.punishable_units().saturating_add(units as u64) <= UNITS_MAX as u64
    }

    /// Adds units; false, and nothing is added, if there is no room.
    pub(crate) fn add(&mut self, keys: impl ExactSizeIterator<Item = PublicKeyBytes>) -> bool {
        let has_room = self.has_room(keys.len());
        if has_room {
            let units = self.units.iter().copied().chain(keys).collect();
            self.units = VariableList::new(units).expect("there is room");
        }
        has_room
    }

    /// Takes the `count` latest registered units out of the draws, the latest first.
    pub(crate) fn exit(&mut self, count: u64, height: Height) -> Vec<PublicKeyBytes> {
        let mut units: Vec<_> = std::mem::take(&mut self.units).into();
        let kept = units.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        let mut gone = units.split_off(kept);
        gone.reverse();
        self.units = VariableList::new(units).expect("no more units than before");
        self.exiting_units = self.exiting_units.saturating_add(gone.len() as u64);
        self.left_at = height;
        gone
    }

    /// Takes note that `count` units which left the draws were paid.
    pub(crate) const fn pay(&mut self, count: u64) {
        self.exiting_units = self.exiting_units.saturating_sub(count);
    }

    /// Takes note that `count` units which left the draws were burned.
    pub(crate) const fn burn_exiting(&mut self, count: u64) {
        self.exiting_units = self.exiting_units.saturating_sub(count);
        self.burned_units = self.burned_units.saturating_add(count);
    }

    /// Burns `count` units that are drawn: that of the `offending` key first, then the latest registered.
    pub(crate) fn burn(&mut self, offending: &PublicKeyBytes, count: u64, height: Height) -> u64 {
        let mut units: Vec<_> = std::mem::take(&mut self.units).into();
        let before = units.len();
        if let Some(place) = units.iter().position(|unit| unit == offending) {
            let last = before - 1;
            units[place..=last].rotate_left(1);
        }
        let kept = (before as u64).saturating_sub(count);
        // `kept` is at most the number of units.
        units.truncate(kept as usize);
        let burned = before as u64 - kept;
        self.units = VariableList::new(units).expect("no more units than before");
        self.burned_units = self.burned_units.saturating_add(burned);
        if burned > 0 {
            self.left_at = height;
        }
        burned
    }
}
