use crate::light::{BootstrapError, LightClient, LightError};
use crate::sampling::{committee_seed, draw_committee};
use crate::testing::{Members, State, idle_lanes};
use crypto::bls::SecretKey;
use crypto::mmr::Mmr;
use primitives::{
    AcceptedHeader, Address, B256, Chain, ChainSpec, Committee, Epoch, EpochEntry, EpochTable, Genesis,
    GenesisValidator, Height, InboxCursor, InboxCursors, LightUpdate, Seat, SeatRegistration, ShardId,
    ShardRecord, Unverified, ValidatorIndex,
};

/// Five units of two validators, of which three sit in each committee.
fn genesis() -> Genesis {
    let seat = |secret: u8| SeatRegistration::new(&SecretKey::from_bytes(&[secret; 32]).unwrap());
    let validator = |number: u8, units: u8| GenesisValidator {
        seats: (0..units).map(|unit| seat(10 * number + unit)).collect(),
        beacon_node: B256::repeat_byte(number),
        shard_node: B256::repeat_byte(number + 100),
        withdrawal_address: Address::repeat_byte(number),
    };
    Genesis {
        spec: ChainSpec { seats_target: 3, ..ChainSpec::preset("local").unwrap() },
        timestamp_ms: 1_700_000_000_000,
        validators: vec![validator(1, 3), validator(2, 2)],
        allocations: vec![],
        shard_ids: (1..4).map(B256::repeat_byte).collect(),
    }
}

/// Written out by hand, as the rules say it.
fn committee(genesis: &Genesis, chain: Chain, epoch: u64) -> Committee {
    let mut units = Vec::new();
    for (index, validator) in genesis.validators.iter().enumerate() {
        for seat in &validator.seats {
            units.push(Seat {
                key: seat.key,
                validator: ValidatorIndex::new(index as u64),
                node: if chain == Chain::Beacon { validator.beacon_node } else { validator.shard_node },
                fee_recipient: validator.withdrawal_address,
            });
        }
    }
    draw_committee(&units, 3, committee_seed(genesis.hash(), chain, Epoch::new(epoch))).unwrap()
}

fn table(genesis: &Genesis, chain: Chain, heights: u64) -> EpochTable {
    let entry = |epoch| EpochEntry {
        epoch: Epoch::new(epoch),
        first_height: Height::new(epoch * heights),
        committee_root: committee(genesis, chain, epoch).root(),
    };
    EpochTable::new(vec![entry(0), entry(1)]).unwrap()
}

fn state(genesis: &Genesis) -> State {
    let record = |shard: u32| {
        let id = genesis.shard_ids[shard as usize];
        let (history_root, inbox_cursors_root) = (Mmr::new().root(), InboxCursors::default().root());
        let accepted = AcceptedHeader { id, history_root, inbox_cursors_root, ..AcceptedHeader::default() };
        let (kind, shard) = (genesis.spec.shards[shard as usize].kind, ShardId::new(shard));
        ShardRecord { shard, kind, accepted, table: table(genesis, shard.into(), 64), ..Default::default() }
    };
    State {
        mix: genesis.hash(),
        beacon_table: table(genesis, Chain::Beacon, 32),
        records: (0..3).map(record).collect(),
        cursors: vec![InboxCursors::default(); 3],
        lanes: idle_lanes(3),
    }
}

fn update(state: &State) -> LightUpdate {
    let mut update = state.update(0, 0, &Members::new(1, 1));
    update.certified.header.timestamp_ms = genesis().timestamp_ms;
    update.certified.header.history_root = Mmr::new().root();
    update
}

/// That something was consumed from shard 2.
fn cursors() -> InboxCursors {
    let (source, id) = (ShardId::new(2).into(), B256::repeat_byte(5));
    let cursor = InboxCursor { source, height: Height::new(1), id, epoch: Epoch::ZERO, sequence: 1 };
    InboxCursors::new(vec![cursor]).unwrap()
}

/// What becomes of the genesis state after a change.
fn refused(change: impl Fn(&mut State)) -> BootstrapError {
    let mut state = state(&genesis());
    change(&mut state);
    LightClient::from_genesis(&genesis(), Unverified::new(update(&state))).unwrap_err()
}

#[test]
fn a_client_starts_from_the_genesis_file_with_every_committee_of_two_epochs() {
    let genesis = genesis();
    let client = LightClient::from_genesis(&genesis, Unverified::new(update(&state(&genesis)))).unwrap();
    assert_eq!(client.missing(), []);
    assert_eq!(client.view().unwrap().mix, genesis.hash());
    for chain in [Chain::Beacon, Chain::from_code(0), Chain::from_code(1), Chain::from_code(2)] {
        for epoch in [0, 1] {
            let authority = client.authority(chain, Epoch::new(epoch)).unwrap();
            assert_eq!(authority.committee(), &committee(&genesis, chain, epoch));
        }
    }
    let accepted = client.finalized_shard(ShardId::new(1)).unwrap();
    assert_eq!(accepted.id, genesis.shard_ids[1]);
}

#[test]
fn a_state_that_does_not_follow_from_the_genesis_file_is_refused() {
    assert_eq!(refused(|state| state.mix = B256::ZERO), BootstrapError::Mix);
    let beacon = refused(|state| state.beacon_table = state.records[0].table.clone());
    assert_eq!(beacon, BootstrapError::BeaconTable);
    let shard = ShardId::new(1);
    let accepted = refused(|state| state.records[1].accepted.id = B256::ZERO);
    assert_eq!(accepted, BootstrapError::Record { shard });
    let consumed = refused(|state| {
        state.cursors[1] = cursors();
        state.records[1].accepted.inbox_cursors_root = cursors().root();
    });
    assert_eq!(consumed, BootstrapError::Record { shard });
    let table = refused(|state| state.records[1].table = state.records[0].table.clone());
    assert_eq!(table, BootstrapError::Record { shard });
    let count = refused(|state| {
        state.records.truncate(2);
        state.lanes.truncate(2);
    });
    assert_eq!(count, BootstrapError::RecordCount { expected: 3, found: 2 });
}

#[test]
fn a_header_that_is_not_the_first_is_refused() {
    let genesis = genesis();
    let refused = |change: &dyn Fn(&mut LightUpdate)| {
        let mut update = update(&state(&genesis));
        change(&mut update);
        LightClient::from_genesis(&genesis, Unverified::new(update)).unwrap_err()
    };
    let later = refused(&|update| update.certified.header.height = Height::new(1));
    assert_eq!(later, BootstrapError::Header { found: Height::new(1) });
    let elsewhen = refused(&|update| update.certified.header.timestamp_ms += 1);
    assert_eq!(elsewhen, BootstrapError::Header { found: Height::ZERO });
    let forged = refused(&|update| update.mix = B256::ZERO);
    assert_eq!(forged, BootstrapError::Light(LightError::Mix));
}

#[test]
fn the_genesis_of_another_network_is_refused() {
    let other = Genesis { allocations: vec![], ..genesis() };
    let first = update(&state(&other));
    assert!(LightClient::from_genesis(&other, Unverified::new(first.clone())).is_ok());
    let mut spec = other.spec.clone();
    spec.drift_ms += 1;
    let other = Genesis { spec, ..other };
    assert_eq!(LightClient::from_genesis(&other, Unverified::new(first)).unwrap_err(), BootstrapError::Mix);
}

#[test]
fn a_genesis_file_without_stake_draws_no_committee() {
    let mut genesis = genesis();
    genesis.validators.clear();
    let state = State { mix: genesis.hash(), ..state(&self::genesis()) };
    let error = LightClient::from_genesis(&genesis, Unverified::new(update(&state))).unwrap_err();
    assert_eq!(error, BootstrapError::Draw { chain: Chain::Beacon, epoch: Epoch::ZERO });
}
