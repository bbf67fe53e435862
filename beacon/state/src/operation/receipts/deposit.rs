//! Deposits: a new validator.
//!
//! A key that is staked or on its way out is not registered again: two seats with one secret would be one. Once its unit
//! is paid or burned a key may come back, in a draw to come: votes name their epoch, and in the committees of that epoch a
//! key belongs to whom it was drawn for. To remember every key for ever would make the state grow with all that left.
//! Node keys are never free again, since the index of a validator that left stays its own: it comes back by a top-up.

use super::{keys::Keys, seats};
use crate::event::Event;
use crate::state::BeaconState;
use crate::validator::ValidatorRecord;
use primitives::{B256, ChainSpec, Receipt, ShardStatus, ValidatorIndex};
use xshard::{Deposit, Refusal};

/// Checks that a deposit may be registered.
pub(super) fn check(
    spec: &ChainSpec,
    state: &BeaconState,
    keys: &Keys,
    receipt: &Receipt,
    deposit: &Deposit,
) -> Result<(), Refusal> {
    let Deposit { seats, beacon_node, shard_node, withdrawal } = deposit;
    seats::check_value(spec, receipt.value, seats)?;
    let is_open = |record: &primitives::ShardRecord| record.status == ShardStatus::Active;
    if !state.shard(withdrawal.shard).is_some_and(is_open) {
        return Err(Refusal::WithdrawalShard);
    }
    let is_node = |key: &B256| !key.is_zero() && !keys.has_node(key);
    if beacon_node == shard_node || !is_node(beacon_node) || !is_node(shard_node) {
        return Err(Refusal::NodeKey);
    }
    if !state.validators.has_room(1) || seats.len() > crate::validator::UNITS_MAX {
        return Err(Refusal::Full);
    }
    seats::check_keys(keys, seats)?;
    seats::check_possession(seats)
}

/// Registers a checked deposit's validator.
pub(super) fn apply(state: &mut BeaconState, keys: &mut Keys, deposit: &Deposit, events: &mut Vec<Event>) {
    let Deposit { seats, beacon_node, shard_node, withdrawal } = deposit;
    let units: Vec<_> = seats.iter().map(|seat| seat.key).collect();
    let (validator, count) = (ValidatorIndex::new(state.validators.len() as u64), units.len() as u64);
    let record = ValidatorRecord::new(units.clone(), *beacon_node, *shard_node, *withdrawal, state.height);
    if !record.is_some_and(|record| state.validators.push(record)) {
        // Checked: there is room.
        return;
    }
    keys.add_seats(units);
    keys.add_nodes([*beacon_node, *shard_node]);
    state.stake.staked_units = state.stake.staked_units.saturating_add(count);
    state.stake.deposited_units = state.stake.deposited_units.saturating_add(count);
    events.push(Event::Registered { validator, units: count });
}
