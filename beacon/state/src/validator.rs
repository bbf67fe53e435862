//! What the beacon state knows of one validator.

use primitives::{Address, Chain, NodeKey, PublicKeyBytes, Seat, ValidatorIndex};
use ssz_derive::{Decode, Encode};
use ssz_types::VariableList;
use ssz_types::typenum::{U65536, Unsigned as _};
use tree_hash_derive::TreeHash;

/// Most units one validator can hold.
pub const UNITS_MAX: usize = U65536::USIZE;

/// A validator; its index is its place in the registry and never reused, also when its last unit is gone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ValidatorRecord {
    /// Keys of its units that take part in draws.
    units: VariableList<PublicKeyBytes, U65536>,
    /// How many units it lost for offences.
    burned_units: u64,
    beacon_node: NodeKey,
    shard_node: NodeKey,
    withdrawal_address: Address,
}

impl ValidatorRecord {
    /// A validator with these units; none if they are more than [`UNITS_MAX`].
    pub fn new(
        units: Vec<PublicKeyBytes>,
        beacon_node: NodeKey,
        shard_node: NodeKey,
        withdrawal_address: Address,
    ) -> Option<Self> {
        let units = VariableList::new(units).ok()?;
        Some(Self { units, burned_units: 0, beacon_node, shard_node, withdrawal_address })
    }

    /// Keys of the units that take part in draws, in the order they were registered.
    pub fn units(&self) -> &[PublicKeyBytes] {
        &self.units
    }

    /// How many units it lost for offences.
    pub const fn burned_units(&self) -> u64 {
        self.burned_units
    }

    /// Whether it was ever punished.
    pub const fn is_slashed(&self) -> bool {
        self.burned_units > 0
    }

    /// Its identity on the network of `chain`.
    pub const fn node(&self, chain: Chain) -> NodeKey {
        match chain {
            Chain::Beacon => self.beacon_node,
            Chain::Shard(_) => self.shard_node,
        }
    }

    /// Receives its fees, and its stake when it leaves.
    pub const fn withdrawal_address(&self) -> Address {
        self.withdrawal_address
    }

    /// Its units as candidates for the committees of `chain`.
    pub(crate) fn seats(&self, index: ValidatorIndex, chain: Chain) -> impl Iterator<Item = Seat> + '_ {
        let (node, fee_recipient) = (self.node(chain), self.withdrawal_address);
        self.units.iter().map(move |key| Seat { key: *key, validator: index, node, fee_recipient })
    }

    /// Units that an offence costs now: a share of those there are, at least one if there is one.
    pub fn penalty_units(&self, slash_permille: u32) -> u64 {
        let units = self.units.len() as u64;
        let share = units * u64::from(slash_permille.min(1000)) / 1000;
        share.max(1).min(units)
    }

    /// Burns `count` units: that of the `offending` key first, then the latest registered.
    pub(crate) fn burn(&mut self, offending: &PublicKeyBytes, count: u64) -> u64 {
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
        burned
    }
}
