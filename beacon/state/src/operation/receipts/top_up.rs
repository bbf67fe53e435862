//! Top-ups: more units of a validator, also of one whose last unit is gone.
//!
//! Only its owner adds to it, since who holds a unit's secret can cost the validator others.

use super::{check_owner, keys::Keys, seats};
use crate::event::Event;
use crate::state::BeaconState;
use primitives::{ChainSpec, Receipt, ShardId};
use xshard::{Refusal, TopUp};

/// Checks that a top-up, sent with a receipt of a shard, may be registered.
pub(super) fn check(
    spec: &ChainSpec,
    state: &BeaconState,
    keys: &Keys,
    (shard, receipt): (ShardId, &Receipt),
    top_up: &TopUp,
) -> Result<(), Refusal> {
    let TopUp { validator, seats } = top_up;
    check_owner(state, *validator, (shard, receipt))?;
    seats::check_value(spec, receipt.value, seats)?;
    if !state.validator(*validator).is_some_and(|record| record.has_room(seats.len())) {
        return Err(Refusal::Full);
    }
    seats::check_keys(keys, seats)?;
    seats::check_possession(seats)
}

/// Registers a checked top-up's units.
pub(super) fn apply(state: &mut BeaconState, keys: &mut Keys, top_up: &TopUp, events: &mut Vec<Event>) {
    let TopUp { validator, seats } = top_up;
    let units = seats.iter().map(|seat| seat.key);
    let place = usize::try_from(validator.get()).unwrap_or(usize::MAX);
    if !state.validators.write(place).is_some_and(|record| record.add(units.clone())) {
        // Checked: the validator is there and has room.
        return;
    }
    keys.add_seats(units);
    let count = seats.len() as u64;
    state.stake.staked_units = state.stake.staked_units.saturating_add(count);
    state.stake.deposited_units = state.stake.deposited_units.saturating_add(count);
    events.push(Event::ToppedUp { validator: *validator, units: count });
}
