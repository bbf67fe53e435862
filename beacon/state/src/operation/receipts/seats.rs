//! What every registration of seats has to hold, of a new validator or an old one.

use super::keys::Keys;
use primitives::{ChainSpec, PublicKeyBytes, SeatRegistration, U256};
use std::collections::BTreeSet;
use xshard::Refusal;

/// Checks that `value` is one unit for each seat.
pub(super) fn check_value(spec: &ChainSpec, value: U256, seats: &[SeatRegistration]) -> Result<(), Refusal> {
    let expected = spec.unit_wei.checked_mul(U256::from(seats.len()));
    if expected == Some(value) { Ok(()) } else { Err(Refusal::Value) }
}

/// Checks that no key is registered already, or twice.
pub(super) fn check_keys(keys: &Keys, seats: &[SeatRegistration]) -> Result<(), Refusal> {
    let mut own = BTreeSet::<&PublicKeyBytes>::new();
    let is_new = |seat: &SeatRegistration| !keys.has_seat(&seat.key);
    if seats.iter().all(|seat| own.insert(&seat.key) && is_new(seat)) {
        Ok(())
    } else {
        Err(Refusal::SeatKey)
    }
}

/// Checks that somebody holds each secret. The one check that costs: it comes last.
pub(super) fn check_possession(seats: &[SeatRegistration]) -> Result<(), Refusal> {
    if seats.iter().all(SeatRegistration::is_possessed) { Ok(()) } else { Err(Refusal::Possession) }
}
