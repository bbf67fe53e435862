use super::*;
use alloy_primitives::b256;
use primitives::{Address, ShardId, ValidatorIndex};
use proptest::prelude::*;
use std::collections::BTreeSet;

const SEED: B256 = B256::repeat_byte(5);

/// Units of distinct keys, two of each validator.
fn units(count: u64) -> Vec<Seat> {
    let unit = |index: u64| {
        let mut key = [0; 48];
        // Registry order is not key order.
        key[..8].copy_from_slice(&index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let validator = ValidatorIndex::new(index / 2);
        Seat { key: key.into(), validator, node: B256::ZERO, fee_recipient: Address::ZERO }
    };
    (0..count).map(unit).collect()
}

/// Computed by a textbook Fisher–Yates shuffle in Python, with hashlib.
#[test]
fn the_draw_is_a_fisher_yates_shuffle_of_the_seeded_stream() {
    let drawn = [391, 545, 885, 211, 428, 262, 524, 490, 749, 504, 296, 945];
    assert_eq!(draw_indices(1000, 12, SEED), drawn);
    assert_eq!(draw_indices(13, 12, SEED), [1, 8, 0, 3, 5, 12, 6, 7, 10, 4, 11, 9]);
    assert_eq!(draw_indices(10, 10, SEED), [1, 5, 7, 8, 3, 2, 4, 0, 9, 6]);
}

/// Computed with Python's hashlib.
#[test]
fn the_seed_depends_on_mix_chain_and_epoch() {
    let (mix, chain, epoch) = (B256::repeat_byte(1), Chain::Shard(ShardId::new(2)), Epoch::new(3));
    let seed = committee_seed(mix, chain, epoch);
    assert_eq!(seed, b256!("e7673429181be832bab80b5b6f80f9aee513c0ef8710e241d472307077c2d70b"));
    assert_ne!(seed, committee_seed(B256::repeat_byte(2), chain, epoch));
    assert_ne!(seed, committee_seed(mix, Chain::Beacon, epoch));
    assert_ne!(seed, committee_seed(mix, chain, Epoch::new(4)));
}

#[test]
fn a_committee_has_the_target_of_seats_or_all_units() {
    let seats = |count, target| draw_committee(&units(count), target, SEED).map(|committee| committee.len());
    assert_eq!(seats(1000, 128), Some(128));
    assert_eq!(seats(129, 128), Some(128));
    assert_eq!(seats(128, 128), Some(128));
    assert_eq!(seats(4, 128), Some(4));
    assert_eq!(seats(1, 1), Some(1));
}

#[test]
fn a_committee_needs_a_unit_and_a_target_that_a_committee_can_have() {
    assert_eq!(draw_committee(&[], 128, SEED), None);
    assert_eq!(draw_committee(&units(10), 0, SEED), None);
    assert_eq!(draw_committee(&units(3000), 2049, SEED), None);
    assert_eq!(draw_committee(&units(3000), 2048, SEED).map(|committee| committee.len()), Some(2048));
}

#[test]
fn units_that_share_a_key_make_no_committee() {
    let units = vec![units(1)[0]; 2];
    assert_eq!(draw_committee(&units, 2, SEED), None);
    assert!(draw_committee(&units, 1, SEED).is_some());
}

#[test]
fn another_seed_draws_another_committee() {
    let draw = |seed| draw_committee(&units(1000), 128, seed).unwrap();
    assert_eq!(draw(SEED), draw(SEED));
    assert_ne!(draw(SEED), draw(B256::repeat_byte(6)));
}

proptest! {
    #[test]
    fn no_unit_is_drawn_twice(total in 1u64..3000, count in 1u64..3000, seed in any::<[u8; 32]>()) {
        let drawn = draw_indices(total, count, seed.into());
        let distinct: BTreeSet<_> = drawn.iter().copied().collect();
        prop_assert_eq!(drawn.len() as u64, count.min(total));
        prop_assert_eq!(distinct.len(), drawn.len());
        prop_assert!(distinct.iter().all(|index| *index < total));
    }

    #[test]
    fn numbers_stay_below_their_bound(bound in 1u64.., seed in any::<[u8; 32]>()) {
        let mut numbers = Numbers::new(seed.into());
        prop_assert!((0..20).all(|_| numbers.below(bound) < bound));
    }
}

/// Sum of (observed − expected)² over expected.
fn chi_square(observed: &[u64], expected: f64) -> f64 {
    observed.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

fn seeds(count: u64) -> impl Iterator<Item = B256> {
    (0..count).map(|seed| sha256(&seed.to_le_bytes()))
}

/// Without replacement the statistic of 100 units has mean 90 and deviation below 14; 5 of those are allowed.
#[test]
fn every_unit_is_drawn_equally_often() {
    let mut observed = [0; 100];
    for seed in seeds(5000) {
        draw_indices(100, 10, seed).into_iter().for_each(|index| observed[index as usize] += 1);
    }
    let statistic = chi_square(&observed, 500.0);
    assert!((30.0..160.0).contains(&statistic), "{statistic}");
}

/// Mean 89 and deviation 13.3: the last place drawn is as fair as the first.
#[test]
fn every_place_is_filled_by_every_unit_equally_often() {
    for place in [0, 4, 9] {
        let mut observed = [0; 90];
        seeds(9000).for_each(|seed| observed[draw_indices(90, 10, seed)[place] as usize] += 1);
        let statistic = chi_square(&observed, 100.0);
        assert!((30.0..160.0).contains(&statistic), "place {place}: {statistic}");
    }
}

/// A remainder alone would give the lower third half of all numbers.
#[test]
fn large_bounds_are_not_biased() {
    let bound = 3 << 62;
    let mut numbers = Numbers::new(SEED);
    let mut thirds = [0; 3];
    (0..9000).for_each(|_| thirds[(numbers.below(bound) / (1 << 62)) as usize] += 1);
    let statistic = chi_square(&thirds, 3000.0);
    assert!(statistic < 20.0, "{statistic}");
}

#[test]
fn a_validator_is_drawn_in_proportion_to_its_units() {
    // Validator 0 owns 30 of 120 units: 10 of 40 seats on average, with a deviation of 2.2 each draw.
    let units: Vec<_> = units(120)
        .into_iter()
        .zip(0u64..)
        .map(|(unit, index)| Seat { validator: ValidatorIndex::new(index.saturating_sub(29)), ..unit })
        .collect();
    let owned = |committee: Committee| {
        committee.seats().iter().filter(|seat| seat.validator == ValidatorIndex::ZERO).count()
    };
    let total: usize = seeds(400).map(|seed| owned(draw_committee(&units, 40, seed).unwrap())).sum();
    assert!((3780..4220).contains(&total), "{total}");
}
