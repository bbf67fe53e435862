//! Starting a light client from the genesis file, trusting nobody.
//!
//! Everything public in the beacon chain's first state follows from the genesis file: the randomness is
//! its hash, epochs 0 and 1 of every chain are drawn from its validators, and each shard's accepted
//! header is its genesis header. Only the state's private parts are taken on the word of whoever sent
//! the first header; nothing here reads them.
//!
//! Rules: docs/spec/beacon-state.md#genesis

use super::update::verify_parts;
use super::{BeaconView, LightClient, LightError};
use crate::sampling::{committee_seed, draw_committee};
use crypto::mmr::Mmr;
use primitives::{
    AcceptedHeader, BeaconHeader, Chain, ChainSpec, Committee, Epoch, EpochEntry, EpochTable, Genesis,
    Height, InboxCursors, LightUpdate, Seat, ShardId, ShardRecord, ShardStatus, Unverified, ValidatorIndex,
};

/// Epochs that genesis draws for every chain.
const EPOCHS_DRAWN: u64 = 2;

/// Why a first update is not that of the genesis file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapError {
    /// Not a first header, or that of another network; the sender is at fault.
    #[error("the header of height {found} is not the genesis header of this network")]
    Header {
        /// Its height.
        found: Height,
    },
    /// The randomness has to be the genesis hash; the sender is at fault.
    #[error("the mix is not the hash of the genesis file")]
    Mix,
    /// Not the committees drawn from the genesis file; the sender is at fault.
    #[error("the beacon table does not name the committees that genesis draws")]
    BeaconTable,
    /// As many records as shards; the sender is at fault.
    #[error("the genesis file has {expected} shards, found {found} records")]
    RecordCount {
        /// In the genesis file.
        expected: usize,
        /// In the update.
        found: usize,
    },
    /// Not what the genesis file says of the shard; the sender is at fault.
    #[error("the record of shard {shard} is not that of genesis")]
    Record {
        /// The shard.
        shard: ShardId,
    },
    /// The genesis file is at fault.
    #[error("genesis draws no committee of chain {chain} for epoch {epoch}")]
    Draw {
        /// The chain.
        chain: Chain,
        /// The epoch.
        epoch: Epoch,
    },
    /// The update does not hold together.
    #[error(transparent)]
    Light(#[from] LightError),
}

/// What genesis draws for one chain.
struct Draw {
    table: EpochTable,
    committees: Vec<Committee>,
}

impl LightClient {
    /// Starts at the beacon chain's genesis header, whose update (its certificate is not looked at) is
    /// verified against the genesis file. All committees of epochs 0 and 1 are held from the start.
    pub fn from_genesis(genesis: &Genesis, update: Unverified<LightUpdate>) -> Result<Self, BootstrapError> {
        let view = verify_parts(update.into_unverified())?;
        verify_header(genesis, &view.header)?;
        if view.mix != genesis.hash() {
            return Err(BootstrapError::Mix);
        }
        let beacon = draw(genesis, Chain::Beacon)?;
        if view.beacon_table != beacon.table {
            return Err(BootstrapError::BeaconTable);
        }
        let shards = verify_records(genesis, &view)?;
        let mut client = Self::new(genesis.hash(), view.header.clone(), beacon.table, beacon.committees)?;
        client.set_view(view);
        for (shard, draw) in shards {
            for (committee, epoch) in draw.committees.into_iter().zip(0..) {
                client.committee(shard.into(), Epoch::new(epoch), Unverified::new(committee))?;
            }
        }
        Ok(client)
    }

    /// Starts from the genesis file alone, asking nobody: the header held is the genesis header without the two roots
    /// that only its state knows, so that nothing can be read at it. The first update, at any height above, moves on
    /// from it.
    pub fn from_file(genesis: &Genesis) -> Result<Self, BootstrapError> {
        let beacon = draw(genesis, Chain::Beacon)?;
        let header = BeaconHeader {
            timestamp_ms: genesis.timestamp_ms,
            history_root: Mmr::new().root(),
            ..BeaconHeader::default()
        };
        Ok(Self::new(genesis.hash(), header, beacon.table, beacon.committees)?)
    }
}

/// Verifies all of the header but the roots of what only the beacon state knows.
fn verify_header(genesis: &Genesis, header: &BeaconHeader) -> Result<(), BootstrapError> {
    let expected = BeaconHeader {
        timestamp_ms: genesis.timestamp_ms,
        state_root: header.state_root,
        body_root: header.body_root,
        history_root: Mmr::new().root(),
        ..BeaconHeader::default()
    };
    if *header == expected { Ok(()) } else { Err(BootstrapError::Header { found: header.height }) }
}

/// Verifies that each record is that of genesis, and returns what was drawn for each shard.
fn verify_records(genesis: &Genesis, view: &BeaconView) -> Result<Vec<(ShardId, Draw)>, BootstrapError> {
    let (expected, found) = (genesis.spec.shards.len(), view.records.len());
    if expected != found {
        return Err(BootstrapError::RecordCount { expected, found });
    }
    let verify = |((record, spec), shard): ((&ShardRecord, &primitives::ShardSpec), ShardId)| {
        let draw = draw(genesis, shard.into())?;
        let accepted = AcceptedHeader {
            id: genesis.shard_genesis_id(shard).ok_or(BootstrapError::Record { shard })?,
            history_root: Mmr::new().root(),
            inbox_cursors_root: InboxCursors::default().root(),
            ..AcceptedHeader::default()
        };
        let table = draw.table.clone();
        let (kind, status) = (spec.kind, ShardStatus::Active);
        let expected = ShardRecord { shard, kind, status, accepted, table, early_ends: 0 };
        if *record == expected { Ok((shard, draw)) } else { Err(BootstrapError::Record { shard }) }
    };
    view.records.iter().zip(&genesis.spec.shards).zip((0..).map(ShardId::new)).map(verify).collect()
}

/// Draws a chain's first committees.
fn draw(genesis: &Genesis, chain: Chain) -> Result<Draw, BootstrapError> {
    let ChainSpec { seats_target, .. } = genesis.spec;
    let (mix, units) = (genesis.hash(), units(genesis, chain));
    let draw = |epoch| {
        let committee = draw_committee(&units, seats_target, committee_seed(mix, chain, epoch));
        committee.ok_or(BootstrapError::Draw { chain, epoch })
    };
    let committees: Vec<_> = (0..EPOCHS_DRAWN).map(Epoch::new).map(draw).collect::<Result<_, _>>()?;
    let entry = |(committee, epoch): (&Committee, u64)| EpochEntry {
        epoch: Epoch::new(epoch),
        first_height: Height::new(epoch.saturating_mul(genesis.spec.epoch_heights(chain))),
        committee_root: committee.root(),
    };
    let table = EpochTable::new(committees.iter().zip(0..).map(entry).collect());
    let table = table.ok_or(BootstrapError::Draw { chain, epoch: Epoch::new(EPOCHS_DRAWN - 1) })?;
    Ok(Draw { table, committees })
}

/// Every unit of every validator, as it would sit in a committee of `chain`.
fn units(genesis: &Genesis, chain: Chain) -> Vec<Seat> {
    let validators = genesis.validators.iter().zip((0..).map(ValidatorIndex::new));
    let units = validators.flat_map(|(validator, index)| {
        let node = match chain {
            Chain::Beacon => validator.beacon_node,
            Chain::Shard(_) => validator.shard_node,
        };
        let fee_recipient = validator.withdrawal_address;
        validator.seats.iter().map(move |seat| Seat { key: seat.key, validator: index, node, fee_recipient })
    });
    units.collect()
}
