//! Payouts: stake that has waited long enough goes to its owner.
//!
//! The queue is paid from the front, the units of one validator that are next to each other in one receipt. Where the lane
//! to the owner's shard is full they wait, and only they.
//!
//! Rules: docs/spec/beacon-state.md#exits-and-payouts

use crate::event::Event;
use crate::state::BeaconState;
use primitives::{ChainSpec, U256, ValidatorIndex};
use std::ops::Range;
use xshard::{Payload, Withdrawal};

#[cfg(test)]
mod tests;

/// Pays what is due at the state's height, as far as lanes and the block's limit have room.
pub(crate) fn apply_payouts(spec: &ChainSpec, state: &mut BeaconState, events: &mut Vec<Event>) {
    let (mut paid, mut receipts) = (Vec::<Range<usize>>::new(), 0);
    for (validator, places) in due(state) {
        if receipts >= spec.beacon_receipts_max {
            break;
        }
        if pay(spec, state, validator, places.len() as u64, events) {
            receipts += 1;
            paid.push(places);
        }
    }
    if paid.is_empty() {
        return;
    }
    let mut paid = paid.into_iter().peekable();
    state.exits.retain(|place, _| {
        while paid.next_if(|places| places.end <= place).is_some() {}
        paid.peek().is_none_or(|places| !places.contains(&place))
    });
}

/// The places of units that are due, in runs of one validator.
fn due(state: &BeaconState) -> Vec<(ValidatorIndex, Range<usize>)> {
    let mut runs = Vec::<(ValidatorIndex, Range<usize>)>::new();
    let due = state.exits.iter().take_while(|unit| unit.withdrawable_at <= state.height);
    for (place, unit) in due.enumerate() {
        match runs.last_mut() {
            Some((validator, places)) if *validator == unit.validator => places.end = place + 1,
            _ => runs.push((unit.validator, place..place + 1)),
        }
    }
    runs
}

/// Pays so many of a validator's units; false if they have to wait.
fn pay(
    spec: &ChainSpec,
    state: &mut BeaconState,
    validator: ValidatorIndex,
    units: u64,
    events: &mut Vec<Event>,
) -> bool {
    let Some(owner) = state.validator(validator).map(|record| record.withdrawal()) else { return false };
    let has_room = |lane: &crate::ShardLane| (lane.pending().len() as u64) < spec.lane_capacity;
    if !state.lane(owner.shard).is_some_and(has_room) {
        return false;
    }
    let value = spec.unit_wei.saturating_mul(U256::from(units));
    let payload = Payload::Withdrawal(Withdrawal { validator, to: owner.address });
    if let Some(lane) = state.lanes.write(owner.shard.get() as usize) {
        lane.send(value, &payload);
    }
    // A validator's place is its index, which was just looked up.
    if let Some(record) = state.validators.write(validator.get() as usize) {
        record.pay(units);
    }
    state.stake.exiting_units = state.stake.exiting_units.saturating_sub(units);
    state.stake.withdrawn_units = state.stake.withdrawn_units.saturating_add(units);
    events.push(Event::Withdrawn { validator, units, shard: owner.shard, to: owner.address, value });
    true
}
