use super::*;
use crate::testing::Network;
use primitives::{
    AcceptedHeader, Address, BeaconLane, Epoch, NodeKey, PublicKeyBytes, ShardKind, ShardStatus, U256, View,
};
use proptest::prelude::*;
use ssz::{Decode as _, DecodeError, Encode as _};
use ssz_types::VariableList;
use ssz_types::typenum::{U65536, U1048576, U1099511627776};
use xshard::{Payload, Withdrawal, WithdrawalAccount};

/// A state in which every field says something.
fn example() -> BeaconState {
    let table = |first| {
        let entry = |epoch: u64| EpochEntry {
            epoch: Epoch::new(epoch),
            first_height: Height::new(epoch * 8),
            committee_root: B256::repeat_byte(epoch as u8),
        };
        EpochTable::new(vec![entry(first), entry(first + 1)]).unwrap()
    };
    let record = |shard| ShardRecord {
        shard: ShardId::new(shard),
        kind: ShardKind::Ai,
        status: ShardStatus::Active,
        accepted: AcceptedHeader {
            height: Height::new(9),
            id: B256::repeat_byte(3),
            inbox_cursors_root: ShardProgress::default().cursors.root(),
            ..AcceptedHeader::default()
        },
        table: table(1),
        early_ends: 2,
    };
    let validator = |index: u8| {
        let units = vec![PublicKeyBytes::new([index; 48]), PublicKeyBytes::new([index + 9; 48])];
        let (beacon, shard) = (NodeKey::repeat_byte(index), NodeKey::repeat_byte(index + 1));
        let withdrawal = WithdrawalAccount { shard: ShardId::new(1), address: Address::repeat_byte(index) };
        let mut validator =
            ValidatorRecord::new(units, beacon, shard, withdrawal, Height::new(index.into())).unwrap();
        validator.burn(&PublicKeyBytes::new([index; 48]), u64::from(index), Height::new(4));
        validator
    };
    let mut leaving = validator(0);
    let key = leaving.exit(1, Height::new(3))[0];
    let exiting = ExitingUnit { validator: ValidatorIndex::ZERO, key, withdrawable_at: Height::new(30) };
    let mut lane = ShardLane::new(ShardId::new(1));
    let payout = Withdrawal { validator: ValidatorIndex::new(1), to: Address::repeat_byte(1) };
    (0..3).for_each(|units| lane.send(U256::from(units), &Payload::Withdrawal(payout)));
    lane.receive();
    lane.acknowledge(1);
    let offence = |view| Offence {
        chain: Chain::Beacon,
        epoch: Epoch::new(1),
        view: View::new(view),
        validator: ValidatorIndex::new(1),
    };
    BeaconState {
        genesis_hash: B256::repeat_byte(1),
        mix: B256::repeat_byte(2),
        beacon_table: Cached::new(table(0)),
        shards: List::new(vec![record(0), record(1), record(2)]).unwrap(),
        lanes: List::new(vec![ShardLane::new(ShardId::ZERO), lane, ShardLane::new(ShardId::new(2))]).unwrap(),
        genesis_timestamp_ms: 77,
        height: Height::new(5),
        validators: List::new(vec![leaving, validator(1)]).unwrap(),
        progress: List::new(vec![ShardProgress::default(); 3]).unwrap(),
        offences: List::new(vec![offence(1), offence(2)]).unwrap(),
        stake: STAKE,
        exits: List::new(vec![exiting]).unwrap(),
    }
}

const STAKE: Stake =
    Stake { staked_units: 2, exiting_units: 1, burned_units: 1, withdrawn_units: 5, deposited_units: 6 };

/// The state as a plain SSZ container.
#[derive(TreeHash)]
struct Plain {
    genesis_hash: B256,
    mix: B256,
    beacon_table: EpochTable,
    shards: VariableList<ShardRecord, U65536>,
    lanes: VariableList<BeaconLane, U65536>,
    genesis_timestamp_ms: u64,
    height: Height,
    validators: VariableList<ValidatorRecord, U1048576>,
    progress: VariableList<ShardProgress, U65536>,
    offences: VariableList<Offence, U1099511627776>,
    stake: Stake,
    exits: VariableList<ExitingUnit, U1048576>,
}

#[test]
fn the_root_is_that_of_an_ssz_container() {
    let state = example();
    let plain = Plain {
        genesis_hash: state.genesis_hash,
        mix: state.mix,
        beacon_table: (*state.beacon_table).clone(),
        shards: VariableList::new(state.shards.iter().cloned().collect()).unwrap(),
        lanes: VariableList::new(state.lanes.iter().map(ShardLane::summary).collect()).unwrap(),
        genesis_timestamp_ms: state.genesis_timestamp_ms,
        height: state.height,
        validators: VariableList::new(state.validators.iter().cloned().collect()).unwrap(),
        progress: VariableList::new(state.progress.iter().cloned().collect()).unwrap(),
        offences: VariableList::new(state.offences.iter().copied().collect()).unwrap(),
        stake: state.stake,
        exits: VariableList::new(state.exits.iter().copied().collect()).unwrap(),
    };
    assert_eq!(state.root(), plain.tree_hash_root());
}

/// Changing any of these is a visible decision: other nodes would no longer agree.
#[test]
fn encoding_and_root_are_frozen() {
    let state = example();
    let bytes = state.as_ssz_bytes();
    let found = (bytes.len(), crypto::hash::sha256(&bytes).to_string(), state.root().to_string());
    assert_eq!(found, (FROZEN_LENGTH, FROZEN_ENCODING.into(), FROZEN_ROOT.into()));
}

const FROZEN_LENGTH: usize = 1914;
const FROZEN_ENCODING: &str = "0xe648d4c44f982f80d92a348c82b18b54dcdb8f219e748f738f9fcc76f1a11755";
const FROZEN_ROOT: &str = "0x2d1d7232fec33165f40a172b89720f467c1d9df5497931e00bfdadf654dfa60f";

#[test]
fn a_state_survives_its_encoding() {
    let state = example();
    let bytes = state.as_ssz_bytes();
    assert_eq!(bytes.len(), state.ssz_bytes_len());
    assert_eq!(BeaconState::from_ssz_bytes(&bytes), Ok(state));
}

/// What a field's write must do to the root.
fn assert_root_follows(change: impl FnOnce(&mut BeaconState)) {
    let mut state = example();
    let before = state.root();
    let copy = state.clone();
    change(&mut state);
    assert_ne!(state.root(), before);
    assert_eq!(copy.root(), before);
    assert_ne!(state, copy);
    // Decoding checks invariants that single changes break; a copy without caches does as well.
    let fresh = BeaconState {
        beacon_table: Cached::new((*state.beacon_table).clone()),
        shards: List::new(state.shards.iter().cloned().collect()).unwrap(),
        lanes: List::new(state.lanes.iter().cloned().collect()).unwrap(),
        exits: List::new(state.exits.iter().copied().collect()).unwrap(),
        validators: List::new(state.validators.iter().cloned().collect()).unwrap(),
        progress: List::new(state.progress.iter().cloned().collect()).unwrap(),
        offences: List::new(state.offences.iter().copied().collect()).unwrap(),
        ..state.clone()
    };
    assert_eq!(fresh, state);
    assert_eq!(fresh.root(), state.root());
}

#[test]
fn a_written_field_is_hashed_again_and_a_copy_keeps_its_root() {
    assert_root_follows(|state| state.genesis_hash = B256::ZERO);
    assert_root_follows(|state| state.mix = B256::ZERO);
    assert_root_follows(|state| state.beacon_table.write().truncate_from(Epoch::new(1)));
    assert_root_follows(|state| state.shards.write(2).unwrap().early_ends += 1);
    assert_root_follows(|state| state.genesis_timestamp_ms += 1);
    assert_root_follows(|state| state.height = Height::ZERO);
    assert_root_follows(|state| {
        let key = PublicKeyBytes::new([0; 48]);
        assert_eq!(state.validators.write(0).unwrap().burn(&key, 1, Height::ZERO), 1);
    });
    assert_root_follows(|state| state.lanes.write(1).unwrap().receive());
    assert_root_follows(|state| state.lanes.write(1).unwrap().acknowledge(2));
    assert_root_follows(|state| state.exits.retain(|_, _| false));
    assert_root_follows(|state| {
        let unit = *state.exits.get(0).unwrap();
        assert!(state.exits.push(unit));
    });
    assert_root_follows(|state| state.progress.write(1).unwrap().early_end_at = Height::new(1));
    assert_root_follows(|state| state.offences.write(1).unwrap().view = View::new(9));
    assert_root_follows(|state| state.stake.burned_units += 1);
}

fn assert_refused(change: impl FnOnce(&mut BeaconState), error: StateError) {
    let mut state = example();
    change(&mut state);
    assert_eq!(state.check(), Err(error.clone()));
    let refused = BeaconState::from_ssz_bytes(&state.as_ssz_bytes());
    assert_eq!(refused, Err(DecodeError::BytesInvalid(error.to_string())));
}

#[test]
fn what_no_chain_can_have_is_not_decoded() {
    let shard = ShardId::new(1);
    assert_refused(
        |state| state.shards.write(1).unwrap().shard = ShardId::new(7),
        StateError::Misplaced { expected: shard, found: ShardId::new(7) },
    );
    assert_refused(
        |state| state.progress = List::new(vec![ShardProgress::default(); 2]).unwrap(),
        StateError::Progress { expected: 3, found: 2 },
    );
    assert_refused(
        |state| *state.beacon_table.write() = EpochTable::default(),
        StateError::Table { chain: Chain::Beacon, height: Height::new(6) },
    );
    assert_refused(
        |state| state.shards.write(1).unwrap().accepted.height = Height::ZERO,
        StateError::Table { chain: shard.into(), height: Height::new(1) },
    );
    assert_refused(
        |state| state.offences.write(1).unwrap().view = View::new(1),
        StateError::Offences { index: 1 },
    );
    let found = Stake { staked_units: 4, ..STAKE };
    assert_refused(|state| state.stake = found, StateError::Stake { expected: STAKE, found });
    assert_refused(|state| state.stake.deposited_units = 9, StateError::Deposited { deposited: 9, total: 9 });
    assert_refused(
        |state| {
            state.exits = List::new(Vec::new()).unwrap();
            state.validators = List::new(Vec::new()).unwrap();
        },
        StateError::NothingStaked,
    );
}

#[test]
fn lanes_that_are_not_those_of_the_shards_are_not_decoded() {
    let (one, seven) = (ShardId::new(1), ShardId::new(7));
    assert_refused(
        |state| state.lanes.retain(|place, _| place != 2),
        StateError::Lanes { expected: 3, found: 2 },
    );
    assert_refused(
        |state| *state.lanes.write(1).unwrap() = ShardLane::new(seven),
        StateError::Lane { expected: one, found: seven },
    );
}

#[test]
fn a_queue_that_does_not_rise_or_belongs_to_nobody_is_not_decoded() {
    let unit = *example().exits.get(0).unwrap();
    let lower = ExitingUnit { withdrawable_at: Height::new(29), ..unit };
    assert_refused(|state| assert!(state.exits.push(lower)), StateError::Exits { index: 1 });
    let nobody = ExitingUnit { validator: ValidatorIndex::new(9), ..unit };
    assert_refused(|state| *state.exits.write(0).unwrap() = nobody, StateError::Exits { index: 0 });
    assert_refused(
        |state| state.exits.retain(|_, _| false),
        StateError::Exiting { validator: ValidatorIndex::ZERO, expected: 1, found: 0 },
    );
}

#[test]
fn cursors_that_the_accepted_header_does_not_commit_to_are_not_decoded() {
    let (expected, found) = (B256::repeat_byte(8), ShardProgress::default().cursors.root());
    assert_refused(
        |state| state.shards.write(1).unwrap().accepted.inbox_cursors_root = expected,
        StateError::CursorsRoot { shard: ShardId::new(1), expected, found },
    );
}

#[test]
fn cursors_out_of_order_are_not_decoded() {
    let cursor = |source| primitives::InboxCursor {
        source: Chain::Shard(ShardId::new(source)),
        height: Height::new(1),
        id: B256::ZERO,
        epoch: Epoch::ZERO,
        sequence: 0,
    };
    let bytes = [cursor(2), cursor(1)].map(|cursor| cursor.as_ssz_bytes()).concat();
    let mut state = example();
    let cursors = primitives::InboxCursors::from_ssz_bytes(&bytes).unwrap();
    state.progress.write(2).unwrap().cursors = cursors;
    assert_eq!(state.check(), Err(StateError::Cursors { shard: ShardId::new(2) }));
}

#[test]
fn the_current_epoch_is_the_one_that_rules_above_the_accepted_header() {
    let mut network = Network::new(1, &[1, 1, 1]);
    let chain = Chain::Shard(ShardId::new(0));
    network.grow(0, 6);
    network.accept(0);
    assert_eq!(network.state().current_epoch(chain).unwrap().epoch, Epoch::ZERO);
    network.grow(0, 1);
    network.accept(0);
    assert_eq!(network.state().current_epoch(chain).unwrap().epoch, Epoch::new(1));
    assert_eq!(network.state().current_epoch(Chain::Shard(ShardId::new(9))), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(BeaconState::from_ssz_bytes(&bytes).is_err());
    }

    #[test]
    fn a_state_with_a_flipped_bit_is_refused_or_another_state(bit in 0usize..8 * 900) {
        let state = example();
        let mut bytes = state.as_ssz_bytes();
        let place = (bit / 8) % bytes.len();
        bytes[place] ^= 1 << (bit % 8);
        if let Ok(other) = BeaconState::from_ssz_bytes(&bytes) {
            prop_assert_ne!(&other, &state);
            prop_assert_ne!(other.root(), state.root());
        }
    }
}
