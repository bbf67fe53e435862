//! What holds in every state.

use super::{BeaconState, Stake};
use crate::progress::ShardProgress;
use primitives::{B256, Chain, EpochTable, Height, ShardId, ShardRecord, ValidatorIndex};

/// Why fields are no beacon state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// An entry is not where its id says.
    #[error("the registry's entry {expected} is of shard {found}")]
    Misplaced {
        /// Its place.
        expected: ShardId,
        /// Its id.
        found: ShardId,
    },
    /// One progress entry belongs to each shard.
    #[error("there are {expected} shards, but the progress of {found}")]
    Progress {
        /// Shards.
        expected: usize,
        /// Progress entries.
        found: usize,
    },
    /// One lane belongs to each shard.
    #[error("there are {expected} shards, but lanes of {found}")]
    Lanes {
        /// Shards.
        expected: usize,
        /// Lanes.
        found: usize,
    },
    /// A lane is not where its shard's id says, or its receipts are not in order.
    #[error("the lane at place {expected} is of shard {found}, or its receipts are not one after the other")]
    Lane {
        /// Its place.
        expected: ShardId,
        /// Its shard.
        found: ShardId,
    },
    /// Epochs or heights of a table do not rise, or nobody rules the next height.
    #[error("the epoch table of chain {chain} does not rule height {height}")]
    Table {
        /// The chain.
        chain: Chain,
        /// Its next height.
        height: Height,
    },
    /// Cursors of one shard are not in order.
    #[error("the inbox cursors of shard {shard} are not in order, one per source")]
    Cursors {
        /// The shard.
        shard: ShardId,
    },
    /// Not the cursors that the accepted header commits to.
    #[error("the accepted header of shard {shard} commits to inbox cursors {expected}, found {found}")]
    CursorsRoot {
        /// The shard.
        shard: ShardId,
        /// In its registry entry.
        expected: B256,
        /// Of the cursors.
        found: B256,
    },
    /// Offences are not in order.
    #[error("offence {index} is not above the one before it")]
    Offences {
        /// Its place.
        index: usize,
    },
    /// The queue of units on their way out does not rise, or has a unit of nobody.
    #[error("unit {index} of those on their way out is below the one before it, or of no validator")]
    Exits {
        /// Its place.
        index: usize,
    },
    /// Not as many units are on their way out as the validator says.
    #[error("validator {validator} has {expected} units on their way out, found {found}")]
    Exiting {
        /// Whose.
        validator: ValidatorIndex,
        /// In its record.
        expected: u64,
        /// In the queue.
        found: u64,
    },
    /// More were deposited than there are.
    #[error("{deposited} units were deposited of {total}, and some were there at genesis")]
    Deposited {
        /// Since genesis.
        deposited: u64,
        /// With those of genesis.
        total: u64,
    },
    /// The totals are not those of the validators.
    #[error("the validators' stake is {expected:?}, the totals are {found:?}")]
    Stake {
        /// Summed up.
        expected: Stake,
        /// In the state.
        found: Stake,
    },
    /// No committee could ever be drawn.
    #[error("no unit is staked")]
    NothingStaked,
}

impl BeaconState {
    /// Checks everything that holds in every state.
    pub(crate) fn check(&self) -> Result<(), StateError> {
        check_table(Chain::Beacon, &self.beacon_table, self.height.next())?;
        let (expected, found) = (self.shards.len(), self.progress.len());
        if expected != found {
            return Err(StateError::Progress { expected, found });
        }
        for ((expected, record), progress) in
            (0..).map(ShardId::new).zip(self.shards.iter()).zip(self.progress.iter())
        {
            if record.shard != expected {
                return Err(StateError::Misplaced { expected, found: record.shard });
            }
            check_table(record.shard.into(), &record.table, record.accepted.height.next())?;
            check_cursors(record, progress)?;
        }
        self.check_lanes()?;
        self.check_offences()?;
        self.check_exits()?;
        self.check_stake()
    }

    fn check_lanes(&self) -> Result<(), StateError> {
        let (expected, found) = (self.shards.len(), self.lanes.len());
        if expected != found {
            return Err(StateError::Lanes { expected, found });
        }
        for (expected, lane) in (0..).map(ShardId::new).zip(self.lanes.iter()) {
            if lane.shard() != expected || !lane.is_well_formed() {
                return Err(StateError::Lane { expected, found: lane.shard() });
            }
        }
        Ok(())
    }

    /// That the queue rises, and each validator has as many units in it as its record says.
    fn check_exits(&self) -> Result<(), StateError> {
        let mut counts = vec![0u64; self.validators.len()];
        let mut before = Height::ZERO;
        for (index, unit) in self.exits.iter().enumerate() {
            let place = usize::try_from(unit.validator.get()).unwrap_or(usize::MAX);
            let count = counts.get_mut(place).filter(|_| unit.withdrawable_at >= before);
            *count.ok_or(StateError::Exits { index })? += 1;
            before = unit.withdrawable_at;
        }
        for (index, (record, found)) in (0..).zip(self.validators.iter().zip(counts)) {
            let expected = record.exiting_units();
            if expected != found {
                let validator = ValidatorIndex::new(index);
                return Err(StateError::Exiting { validator, expected, found });
            }
        }
        Ok(())
    }

    fn check_offences(&self) -> Result<(), StateError> {
        let mut before = None;
        for (index, offence) in self.offences.iter().enumerate() {
            if before >= Some(offence) {
                return Err(StateError::Offences { index });
            }
            before = Some(offence);
        }
        Ok(())
    }

    fn check_stake(&self) -> Result<(), StateError> {
        let expected = self.summed_stake();
        if expected.staked_units == 0 {
            return Err(StateError::NothingStaked);
        }
        if expected != self.stake {
            return Err(StateError::Stake { expected, found: self.stake });
        }
        let (deposited, total) = (self.stake.deposited_units, self.stake.total_units());
        if deposited >= total {
            return Err(StateError::Deposited { deposited, total });
        }
        Ok(())
    }

    /// The totals, summed up from the validators; what was deposited and withdrawn is taken over.
    pub(crate) fn summed_stake(&self) -> Stake {
        let Stake { withdrawn_units, deposited_units, .. } = self.stake;
        let none = Stake { withdrawn_units, deposited_units, ..Stake::default() };
        self.validators.iter().fold(none, |stake, validator| Stake {
            staked_units: stake.staked_units.saturating_add(validator.units().len() as u64),
            exiting_units: stake.exiting_units.saturating_add(validator.exiting_units()),
            burned_units: stake.burned_units.saturating_add(validator.burned_units()),
            ..stake
        })
    }
}

fn check_table(chain: Chain, table: &EpochTable, height: Height) -> Result<(), StateError> {
    if table.is_well_formed() && table.ruling(height).is_some() {
        Ok(())
    } else {
        Err(StateError::Table { chain, height })
    }
}

fn check_cursors(record: &ShardRecord, progress: &ShardProgress) -> Result<(), StateError> {
    let shard = record.shard;
    if !progress.cursors.is_well_formed() {
        return Err(StateError::Cursors { shard });
    }
    let (expected, found) = (record.accepted.inbox_cursors_root, progress.cursors.root());
    if expected == found { Ok(()) } else { Err(StateError::CursorsRoot { shard, expected, found }) }
}
