//! What holds in every state.

use super::{BeaconState, Stake};
use crate::progress::ShardProgress;
use primitives::{B256, Chain, EpochTable, Height, ShardId, ShardRecord};

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
        self.check_offences()?;
        self.check_stake()
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
        Ok(())
    }

    /// The totals, summed up from the validators.
    pub(crate) fn summed_stake(&self) -> Stake {
        self.validators.iter().fold(Stake::default(), |stake, validator| Stake {
            staked_units: stake.staked_units.saturating_add(validator.units().len() as u64),
            burned_units: stake.burned_units.saturating_add(validator.burned_units()),
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
