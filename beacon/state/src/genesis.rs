//! The beacon chain's first state and header.

use crate::cached::Cached;
use crate::chain::BeaconChainState;
use crate::epoch::{DrawError, Lottery};
use crate::event::Event;
use crate::lane::ShardLane;
use crate::list::List;
use crate::progress::ShardProgress;
use crate::state::{BeaconState, Stake};
use crate::validator::{UNITS_MAX, ValidatorRecord};
use crypto::mmr::Mmr;
use primitives::{
    AcceptedHeader, B256, BeaconBody, BeaconHeader, Chain, Epoch, EpochTable, Genesis, Height, InboxCursors,
    ShardId, ShardRecord, ShardStatus, SignatureBytes,
};
use xshard::WithdrawalAccount;

#[cfg(test)]
mod tests;

/// Why a genesis file gives no beacon state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisStateError {
    /// A validator holds too much.
    #[error("validator {validator} has {found} units, at most {max} are possible")]
    TooManyUnits {
        /// Its index.
        validator: usize,
        /// Its units.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// Too many validators or shards.
    #[error("at most {max} {what} are possible, found {found}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// As many ids as shards are needed.
    #[error("shard {shard} has no genesis header id")]
    NoShardId {
        /// The shard.
        shard: ShardId,
    },
    /// No committee.
    #[error(transparent)]
    Draw(#[from] DrawError),
}

/// The beacon chain at height zero, and the draws of epochs 0 and 1 of every chain.
///
/// `genesis` is verified (`Genesis::verify`). The randomness starts as the genesis hash; a shard's
/// accepted header is its genesis header, which has consumed nothing, whose history is empty and whose
/// outbox root is taken as zero.
pub fn genesis(genesis: &Genesis) -> Result<(BeaconChainState, Vec<Event>), GenesisStateError> {
    let mut state = empty_state(genesis)?;
    let mut events = Vec::new();
    draw_all(genesis, &mut state, &mut events)?;
    let body = BeaconBody {
        randao_reveal: SignatureBytes::new([0; SignatureBytes::LENGTH]),
        crosslinks: Vec::new(),
        evidence: Vec::new(),
        conflicts: Vec::new(),
        consumptions: Vec::new(),
        bundles: Vec::new(),
    };
    let header = BeaconHeader {
        timestamp_ms: genesis.timestamp_ms,
        state_root: state.root(),
        body_root: body.root(),
        history_root: Mmr::new().root(),
        ..BeaconHeader::default()
    };
    Ok((BeaconChainState::new(state, header, Mmr::new()), events))
}

/// The state before the draws.
fn empty_state(genesis: &Genesis) -> Result<BeaconState, GenesisStateError> {
    let hash = genesis.hash();
    let validators = validators(genesis)?;
    let staked_units = validators.iter().map(|validator| validator.units().len() as u64).sum();
    let shards = shards(genesis)?;
    let lanes = shards.iter().map(|record| ShardLane::new(record.shard)).collect();
    let progress = vec![ShardProgress::default(); shards.len()];
    Ok(BeaconState {
        genesis_hash: hash,
        mix: hash,
        beacon_table: Cached::default(),
        shards: bounded("shards", shards)?,
        lanes: bounded("shards", lanes)?,
        genesis_timestamp_ms: genesis.timestamp_ms,
        height: Height::ZERO,
        validators: bounded("validators", validators)?,
        progress: bounded("shards", progress)?,
        offences: bounded("offences", Vec::new())?,
        stake: Stake { staked_units, ..Stake::default() },
        exits: bounded("exits", Vec::new())?,
    })
}

fn bounded<T, const DEPTH: usize>(
    what: &'static str,
    items: Vec<T>,
) -> Result<List<T, DEPTH>, GenesisStateError> {
    let found = items.len();
    List::new(items).ok_or(GenesisStateError::TooMany { what, found, max: List::<T, DEPTH>::CAPACITY })
}

fn validators(genesis: &Genesis) -> Result<Vec<ValidatorRecord>, GenesisStateError> {
    let record = |(validator, entry): (usize, &primitives::GenesisValidator)| {
        let units: Vec<_> = entry.seats.iter().map(|seat| seat.key).collect();
        let found = units.len();
        let withdrawal = WithdrawalAccount { shard: ShardId::ZERO, address: entry.withdrawal_address };
        ValidatorRecord::new(units, entry.beacon_node, entry.shard_node, withdrawal, Height::ZERO)
            .ok_or(GenesisStateError::TooManyUnits { validator, found, max: UNITS_MAX })
    };
    genesis.validators.iter().enumerate().map(record).collect()
}

fn shards(genesis: &Genesis) -> Result<Vec<ShardRecord>, GenesisStateError> {
    let record = |(shard, spec): (ShardId, &primitives::ShardSpec)| {
        let id = genesis.shard_genesis_id(shard).ok_or(GenesisStateError::NoShardId { shard })?;
        let accepted = AcceptedHeader {
            height: Height::ZERO,
            id,
            epoch: Epoch::ZERO,
            history_root: Mmr::new().root(),
            outbox_root: B256::ZERO,
            accepted_at: Height::ZERO,
            inbox_cursors_root: InboxCursors::default().root(),
        };
        Ok(ShardRecord {
            shard,
            kind: spec.kind,
            status: ShardStatus::Active,
            accepted,
            table: EpochTable::default(),
            early_ends: 0,
        })
    };
    (0..).map(ShardId::new).zip(&genesis.spec.shards).map(record).collect()
}

/// Draws epochs 0 and 1 of every chain.
fn draw_all(genesis: &Genesis, state: &mut BeaconState, events: &mut Vec<Event>) -> Result<(), DrawError> {
    let lottery = Lottery::new(&genesis.spec, state.mix);
    let draw_two = |state: &BeaconState, chain, events: &mut Vec<Event>| {
        let mut table = EpochTable::default();
        lottery.draw_next(state, chain, &mut table, events)?;
        lottery.draw_next(state, chain, &mut table, events)?;
        Ok(table)
    };
    *state.beacon_table.write() = draw_two(state, Chain::Beacon, events)?;
    for place in 0..state.shards.len() {
        let Some(shard) = state.shards.get(place).map(|record| record.shard) else { continue };
        let table = draw_two(state, shard.into(), events)?;
        if let Some(record) = state.shards.write(place) {
            record.table = table;
        }
    }
    Ok(())
}
