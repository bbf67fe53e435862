//! The beacon state: an SSZ container whose root every beacon header commits to.

mod check;
mod codec;
#[cfg(test)]
mod tests;

pub use check::StateError;

use crate::cached::Cached;
use crate::exits::ExitingUnit;
use crate::lane::ShardLane;
use crate::list::List;
use crate::offence::Offence;
use crate::progress::ShardProgress;
use crate::validator::ValidatorRecord;
use consensus::layout::{self, STATE_FIELDS};
use primitives::{B256, Chain, EpochEntry, EpochTable, Height, Seat, ShardId, ShardRecord, ValidatorIndex};
use ssz_derive::{Decode, Encode};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

/// Depth of the validator registry's tree.
pub(crate) const VALIDATORS_DEPTH: usize = 20;
/// Depth of the tree of punished offences. Each cost a unit, so they are fewer than units.
pub(crate) const OFFENCES_DEPTH: usize = 40;
/// Depth of the tree of units on their way out.
pub(crate) const EXITS_DEPTH: usize = 20;

/// Units of stake by what became of them: staked, exiting, burned and withdrawn ones are those of genesis and the
/// deposited ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Stake {
    /// Units that take part in draws.
    pub staked_units: u64,
    /// Units that left the draws and are neither paid nor burned.
    pub exiting_units: u64,
    /// Units that offences cost.
    pub burned_units: u64,
    /// Units that were paid out.
    pub withdrawn_units: u64,
    /// Units that were registered since genesis.
    pub deposited_units: u64,
}

impl Stake {
    /// Units that there ever were, by what became of them.
    pub const fn total_units(&self) -> u64 {
        let punishable = self.staked_units.saturating_add(self.exiting_units);
        punishable.saturating_add(self.burned_units).saturating_add(self.withdrawn_units)
    }
}

/// What the beacon chain knows after a block.
///
/// Its first five fields are public: `consensus::layout` says where followers find them. Copies share
/// what they have in common, and roots are remembered field by field.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct BeaconState {
    pub(crate) genesis_hash: B256,
    pub(crate) mix: B256,
    pub(crate) beacon_table: Cached<EpochTable>,
    pub(crate) shards: List<ShardRecord, { layout::SHARDS_DEPTH }>,
    pub(crate) lanes: List<ShardLane, { layout::SHARDS_DEPTH }>,
    pub(crate) genesis_timestamp_ms: u64,
    pub(crate) height: Height,
    pub(crate) validators: List<ValidatorRecord, VALIDATORS_DEPTH>,
    pub(crate) progress: List<ShardProgress, { layout::SHARDS_DEPTH }>,
    /// Ascending.
    pub(crate) offences: List<Offence, OFFENCES_DEPTH>,
    pub(crate) stake: Stake,
    /// Rising by height; one for each unit.
    pub(crate) exits: List<ExitingUnit, EXITS_DEPTH>,
}

impl BeaconState {
    /// Hash of the genesis file: names the network.
    pub const fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    /// The randomness that the next draws use.
    pub const fn mix(&self) -> B256 {
        self.mix
    }

    /// Timestamp of every chain's genesis block, milliseconds since the Unix epoch.
    pub const fn genesis_timestamp_ms(&self) -> u64 {
        self.genesis_timestamp_ms
    }

    /// Height of the block that led here.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// Units by what became of them.
    pub const fn stake(&self) -> Stake {
        self.stake
    }

    /// Committees of the beacon chain itself.
    pub fn beacon_table(&self) -> &EpochTable {
        &self.beacon_table
    }

    /// The registry's entry of `shard`.
    pub fn shard(&self, shard: ShardId) -> Option<&ShardRecord> {
        self.shards.get(shard.get() as usize)
    }

    /// Every shard's entry, by id.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = &ShardRecord> + '_ {
        self.shards.iter()
    }

    /// The lanes to and from `shard`.
    pub fn lane(&self, shard: ShardId) -> Option<&ShardLane> {
        self.lanes.get(shard.get() as usize)
    }

    /// Every shard's lanes, by id.
    pub fn lanes(&self) -> impl ExactSizeIterator<Item = &ShardLane> + '_ {
        self.lanes.iter()
    }

    /// Units on their way out, in the order in which they left the draws.
    pub fn exits(&self) -> impl ExactSizeIterator<Item = &ExitingUnit> + '_ {
        self.exits.iter()
    }

    /// What is kept of `shard` beside its entry.
    pub fn progress(&self, shard: ShardId) -> Option<&ShardProgress> {
        self.progress.get(shard.get() as usize)
    }

    /// The validator at `index`.
    pub fn validator(&self, index: ValidatorIndex) -> Option<&ValidatorRecord> {
        self.validators.get(usize::try_from(index.get()).ok()?)
    }

    /// Every validator, by index.
    pub fn validators(&self) -> impl ExactSizeIterator<Item = &ValidatorRecord> + '_ {
        self.validators.iter()
    }

    /// Punished offences that could still be reported, ascending.
    pub fn offences(&self) -> impl ExactSizeIterator<Item = &Offence> + '_ {
        self.offences.iter()
    }

    /// Committees of `chain`.
    pub fn table(&self, chain: Chain) -> Option<&EpochTable> {
        match chain {
            Chain::Beacon => Some(&self.beacon_table),
            Chain::Shard(shard) => self.shard(shard).map(|record| &record.table),
        }
    }

    /// The term of `chain` that rules what is built next: above this block, or above the accepted header.
    pub fn current_epoch(&self, chain: Chain) -> Option<&EpochEntry> {
        let height = match chain {
            Chain::Beacon => self.height,
            Chain::Shard(shard) => self.shard(shard)?.accepted.height,
        };
        self.table(chain)?.ruling(height.next())
    }

    /// Every unit that may be drawn for `chain`, in order of the registry.
    pub fn units(&self, chain: Chain) -> Vec<Seat> {
        (0..)
            .zip(self.validators.iter())
            .flat_map(|(index, validator)| validator.seats(ValidatorIndex::new(index), chain))
            .collect()
    }

    /// `hash_tree_root`: what a header's `state_root` is.
    pub fn root(&self) -> B256 {
        layout::state_root(&self.field_roots())
    }

    /// Roots of the container's fields; unused slots are zero.
    pub fn field_roots(&self) -> [B256; STATE_FIELDS] {
        let mut roots = [B256::ZERO; STATE_FIELDS];
        let fields = [
            self.genesis_hash,
            self.mix,
            self.beacon_table.root(),
            self.shards.root(),
            self.lanes.root(),
            self.genesis_timestamp_ms.tree_hash_root(),
            self.height.tree_hash_root(),
            self.validators.root(),
            self.progress.root(),
            self.offences.root(),
            self.stake.tree_hash_root(),
            self.exits.root(),
        ];
        roots[..fields.len()].copy_from_slice(&fields);
        roots
    }
}
