//! The base fee of a block, from its parent.
//!
//! Rules: EIP-1559, with the denominator and the elasticity of the chain specification.

use primitives::{ChainSpec, ShardHeader};

/// Base fee of the block after `parent`, wei per gas. Saturates; never panics on a header that rules do not allow.
pub fn next_base_fee(parent: &ShardHeader, spec: &ChainSpec) -> u64 {
    let target = parent.gas_limit / spec.base_fee_elasticity;
    if target == 0 {
        return parent.base_fee;
    }
    let change = |gas: u64| {
        let product = u128::from(parent.base_fee) * u128::from(gas);
        let change = product / u128::from(target) / u128::from(spec.base_fee_change_denominator.get());
        u64::try_from(change).unwrap_or(u64::MAX)
    };
    if parent.gas_used > target {
        parent.base_fee.saturating_add(change(parent.gas_used - target).max(1))
    } else {
        parent.base_fee.saturating_sub(change(target - parent.gas_used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(base_fee: u64, gas_used: u64) -> u64 {
        let spec = ChainSpec::preset("local").expect("a preset");
        let parent = ShardHeader { gas_limit: spec.gas_limit, gas_used, base_fee, ..Default::default() };
        next_base_fee(&parent, &spec)
    }

    #[test]
    fn a_block_at_its_target_keeps_the_base_fee() {
        assert_eq!(after(1_000_000_000, 250_000_000), 1_000_000_000);
    }

    #[test]
    fn a_full_block_raises_the_base_fee_by_one_part_in_192() {
        assert_eq!(after(1_000_000_000, 500_000_000), 1_005_208_333);
        assert_eq!(after(1, 500_000_000), 2);
    }

    #[test]
    fn an_empty_block_lowers_the_base_fee_by_one_part_in_192() {
        assert_eq!(after(1_000_000_000, 0), 994_791_667);
        assert_eq!(after(191, 0), 191);
    }

    #[test]
    fn the_base_fee_saturates() {
        assert_eq!(after(u64::MAX, 500_000_000), u64::MAX);
    }

    #[test]
    fn the_base_fee_follows_alloy_s_formula() {
        let params = alloy_eips::eip1559::BaseFeeParams::new(192, 2);
        for gas_used in [0, 1, 21_000, 249_999_999, 250_000_001, 444_444_444, 500_000_000] {
            for base_fee in [0, 1, 7, 191, 192, 1_000_000_007, 123_456_789_012_345] {
                let expected = alloy_eips::calc_next_block_base_fee(gas_used, 500_000_000, base_fee, params);
                assert_eq!(after(base_fee, gas_used), expected, "gas {gas_used}, base fee {base_fee}");
            }
        }
    }
}
