//! Exits: units leave the draws at once, and wait to be paid.
//!
//! Committees that were drawn already keep their seats, so the units can be punished as long as they wait.

use super::check_owner;
use crate::event::Event;
use crate::exits::ExitingUnit;
use crate::state::BeaconState;
use primitives::{ChainSpec, Receipt, ShardId, ValidatorIndex};
use xshard::{Exit, Refusal};

/// Checks that an exit, sent with a receipt of a shard, may be done. Returns how many units leave.
pub(super) fn check(
    state: &BeaconState,
    (shard, receipt): (ShardId, &Receipt),
    exit: &Exit,
) -> Result<u64, Refusal> {
    let Exit { validator, units } = *exit;
    check_owner(state, validator, (shard, receipt))?;
    if !receipt.value.is_zero() {
        return Err(Refusal::Value);
    }
    let staked = state.validator(validator).map_or(0, |record| record.units().len() as u64);
    let count = if units == 0 { staked } else { units };
    if count == 0 || count > staked {
        return Err(Refusal::Units);
    }
    if count >= state.stake.staked_units {
        return Err(Refusal::LastUnits);
    }
    // No more than one validator has.
    if !state.exits.has_room(count as usize) {
        return Err(Refusal::Full);
    }
    Ok(count)
}

/// Takes `count` units of a validator, as [`check`] returned them, out of the draws.
pub(super) fn apply(
    spec: &ChainSpec,
    state: &mut BeaconState,
    validator: ValidatorIndex,
    count: u64,
    events: &mut Vec<Event>,
) {
    let place = usize::try_from(validator.get()).unwrap_or(usize::MAX);
    let height = state.height;
    let withdrawable_at = height.plus(spec.exit_delay_heights.get());
    let gone = state.validators.write(place).map_or(Vec::new(), |record| record.exit(count, height));
    let units = gone.len() as u64;
    for key in gone {
        state.exits.push(ExitingUnit { validator, key, withdrawable_at });
    }
    state.stake.staked_units = state.stake.staked_units.saturating_sub(units);
    state.stake.exiting_units = state.stake.exiting_units.saturating_add(units);
    events.push(Event::Exited { validator, units, withdrawable_at });
}
