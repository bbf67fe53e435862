//! How committees are drawn: units of stake, without replacement, by a seed that nobody chose.
//!
//! Each unit has the same chance, so a validator is drawn in proportion to its stake and may hold
//! several seats. The draw is a Fisher–Yates shuffle that stops after the seats needed; its numbers are
//! unbiased (rejection, no remainder) and come from SHA-256(seed ‖ counter).
//!
//! Rules: docs/spec/consensus.md#sampling

use crypto::hash::sha256;
use primitives::{B256, Chain, Committee, Epoch, SEATS_MAX, Seat};
use std::collections::BTreeMap;

const SEED_DOMAIN: &[u8] = b"ATOLL_COMMITTEE";

/// The seed that the committee of `chain` in `epoch` is drawn with, given the mix at the draw.
pub fn committee_seed(mix: B256, chain: Chain, epoch: Epoch) -> B256 {
    let (chain, epoch) = (chain.code().to_le_bytes(), epoch.get().to_le_bytes());
    sha256(&[SEED_DOMAIN, mix.as_slice(), &chain, &epoch].concat())
}

/// Draws a committee of `seats_target` out of `units`: every unit of every active validator, in
/// registry order. All of them where there are not more.
///
/// None if there is no unit, the target is zero or above [`SEATS_MAX`], or two drawn units share a key.
pub fn draw_committee(units: &[Seat], seats_target: u32, seed: B256) -> Option<Committee> {
    let target = seats_target as usize;
    if units.is_empty() || target == 0 || target > SEATS_MAX {
        return None;
    }
    if units.len() <= target {
        return Committee::new(units.to_vec());
    }
    let drawn = draw_indices(units.len() as u64, target as u64, seed);
    // Indices are below the number of units, which is a usize.
    Committee::new(drawn.into_iter().filter_map(|index| units.get(index as usize).copied()).collect())
}

/// The first `count` of a shuffle of `0..total`.
fn draw_indices(total: u64, count: u64, seed: B256) -> Vec<u64> {
    let mut numbers = Numbers::new(seed);
    // The shuffled array, where it differs from 0, 1, 2…: at most one entry for each draw.
    let mut moved = BTreeMap::new();
    (0..count.min(total))
        .map(|place| {
            let other = place + numbers.below(total - place);
            let here = moved.remove(&place).unwrap_or(place);
            if other == place { here } else { moved.insert(other, here).unwrap_or(other) }
        })
        .collect()
}

/// Unbiased numbers from SHA-256 in counter mode.
struct Numbers {
    seed: B256,
    counter: u64,
    block: B256,
    used: usize,
}

impl Numbers {
    fn new(seed: B256) -> Self {
        Self { seed, counter: 0, block: B256::ZERO, used: B256::len_bytes() }
    }

    /// A number from zero up to, and without, `bound`, which is not zero.
    fn below(&mut self, bound: u64) -> u64 {
        // 2^64 mod bound values at the top would favour small remainders.
        let excess = (u64::MAX % bound + 1) % bound;
        loop {
            let number = self.next();
            if number <= u64::MAX - excess {
                return number % bound;
            }
        }
    }

    fn next(&mut self) -> u64 {
        if self.used == B256::len_bytes() {
            self.block = sha256(&[self.seed.as_slice(), &self.counter.to_le_bytes()].concat());
            self.counter += 1;
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests;
