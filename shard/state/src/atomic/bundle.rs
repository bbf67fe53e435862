//! The legs of a bundle, and the id over them.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue as _;

use super::{
    ATOMIC,
    abi::IAtomic::{self, Leg},
};
use crate::portal::{
    PORTAL, PortalRules,
    contract::{Stop, revert},
};

/// Fewest legs of a bundle.
pub const LEGS_MIN: usize = 2;
/// Most legs of a bundle: each has one bit of a byte.
pub const LEGS_MAX: usize = 8;

/// Id of a bundle: Keccak-256 of the ABI encoding of ("atoll bundle", coordinator, legs, deadline, salt).
pub fn bundle_id(coordinator: u32, legs: &[Leg], deadline: u64, salt: B256) -> B256 {
    keccak256(("atoll bundle".to_owned(), coordinator, legs.to_vec(), deadline, salt).abi_encode_params())
}

/// What an owner consents to: that this leg is escrowed, until the deadline, for whoever the coordinator decides. The hash
/// is of the ABI encoding.
pub(super) fn terms(coordinator: u32, deadline: u64, leg: &Leg) -> B256 {
    keccak256((coordinator, deadline, leg.clone()).abi_encode())
}

/// Whether a leg is of the native coin.
pub(super) fn is_native(token: Address) -> bool {
    token.is_zero()
}

/// Legs with their numbers.
pub(super) fn numbered(legs: &[Leg]) -> impl Iterator<Item = (u8, &Leg)> {
    (0..).zip(legs)
}

/// The bit of a leg in a mask.
pub(super) const fn bit(leg: u8) -> u8 {
    1u8.unbounded_shl(leg as u32)
}

/// The legs of a mask.
pub(super) fn members(mask: u8) -> impl Iterator<Item = u8> {
    (0..LEGS_MAX as u8).filter(move |leg| mask & bit(*leg) != 0)
}

/// Checks that legs can be a bundle.
pub(super) fn check_legs(rules: &PortalRules, legs: &[Leg]) -> Result<(), Stop> {
    let found = legs.len();
    if !(LEGS_MIN..=LEGS_MAX).contains(&found) {
        let [least, most, found] = [LEGS_MIN, LEGS_MAX, found].map(U256::from);
        return Err(revert(IAtomic::LegCount { least, most, found }));
    }
    for (number, leg) in numbered(legs) {
        let Leg { shard, token, amount, .. } = *leg;
        if shard >= rules.shards {
            return Err(revert(IAtomic::UnknownShard { shard }));
        }
        if amount.is_zero() {
            return Err(revert(IAtomic::ZeroAmount { leg: number }));
        }
        if token == ATOMIC || token == PORTAL {
            return Err(revert(IAtomic::BadToken { token }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    fn leg(shard: u32) -> Leg {
        let [token, from, to] = [1, 2, 3].map(Address::repeat_byte);
        Leg { shard, token, from, to, amount: U256::from(4) }
    }

    /// Wallets compute this id too: a change is a new network.
    #[test]
    fn a_bundle_has_this_id() {
        let id = bundle_id(5, &[leg(6), leg(7)], 8, B256::repeat_byte(9));
        assert_eq!(id, b256!("d0ab8eba726555e3740a300402e4fbd9386657a61ddb5683ebcf09410628c23c"));
    }

    #[test]
    fn everything_of_a_bundle_is_in_its_id() {
        let legs = [leg(6), leg(7)];
        let salt = B256::repeat_byte(9);
        let id = bundle_id(5, &legs, 8, salt);
        assert_ne!(id, bundle_id(6, &legs, 8, salt));
        assert_ne!(id, bundle_id(5, &legs[..1], 8, salt));
        assert_ne!(id, bundle_id(5, &[leg(7), leg(6)], 8, salt));
        assert_ne!(id, bundle_id(5, &legs, 9, salt));
        assert_ne!(id, bundle_id(5, &legs, 8, B256::ZERO));
        let [first, second] = legs;
        for changed in [
            Leg { token: Address::ZERO, ..first.clone() },
            Leg { from: Address::ZERO, ..first.clone() },
            Leg { to: Address::ZERO, ..first.clone() },
            Leg { amount: U256::ZERO, ..first },
        ] {
            assert_ne!(id, bundle_id(5, &[changed, second.clone()], 8, salt));
        }
    }

    #[test]
    fn a_mask_has_one_bit_for_each_leg() {
        assert_eq!(members(0b1000_0101).collect::<Vec<_>>(), [0, 2, 7]);
        assert_eq!((bit(7), bit(8), bit(u8::MAX)), (0x80, 0, 0));
    }
}
