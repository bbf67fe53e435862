//! What transactions pay, and what a new one should offer.
//!
//! The tip that is suggested: a shard's block is hardly ever full, so any tip gets in, and [`TIP_FLOOR`] is enough.
//! Where one of the last [`BLOCKS_LOOKED_AT`] blocks was more than half full, it is the 60th percentile of the
//! lowest tips that got into those, as in geth, between floor and ceiling.

use super::record::BlockRecord;
use alloy_rpc_types_eth::FeeHistory;
use primitives::{ChainSpec, ShardHeader};
use rpc::error::RpcResult;
use shard_state::fee::next_base_fee;

/// One gwei per gas, wei.
pub(super) const TIP_FLOOR: u128 = 1_000_000_000;
/// Five hundred gwei per gas, wei.
const TIP_CEILING: u128 = 500 * TIP_FLOOR;
/// Blocks that a suggestion is made from.
pub(super) const BLOCKS_LOOKED_AT: u64 = 20;
/// Lowest tips of each block that count.
const TIPS_PER_BLOCK: usize = 3;
const PERCENTILE: usize = 60;
/// What blob gas costs: the least there is.
const BLOB_BASE_FEE: u128 = 1;

/// Most blocks in one answer, as in geth.
pub(super) const HISTORY_BLOCKS_MAX: u64 = 1_024;
/// Most blocks in one answer that looks into each block's transactions.
pub(super) const REWARD_BLOCKS_MAX: u64 = 128;

/// Whether a block says something about what tip is needed.
pub(super) const fn is_busy(header: &ShardHeader) -> bool {
    header.gas_used > header.gas_limit / 2
}

/// The tip to offer, from what the busy ones of the last blocks took.
pub(super) fn suggested_tip(busy: &[BlockRecord]) -> RpcResult<u128> {
    let mut lowest = Vec::new();
    for block in busy {
        let mut tips: Vec<u128> = block.tips()?.into_iter().map(|(tip, _)| tip).collect();
        tips.sort_unstable();
        lowest.extend(tips.into_iter().take(TIPS_PER_BLOCK));
    }
    lowest.sort_unstable();
    let index = lowest.len().saturating_sub(1) * PERCENTILE / 100;
    Ok(lowest.get(index).copied().unwrap_or_default().clamp(TIP_FLOOR, TIP_CEILING))
}

/// Fees of consecutive blocks, oldest first.
#[derive(Debug)]
pub(super) struct History {
    answer: FeeHistory,
    percentiles: Vec<f64>,
    next_base_fee: u64,
}

impl History {
    pub(super) fn new(oldest: u64, percentiles: Vec<f64>) -> Self {
        let reward = (!percentiles.is_empty()).then(Vec::new);
        Self {
            answer: FeeHistory { oldest_block: oldest, reward, ..FeeHistory::default() },
            percentiles,
            next_base_fee: 0,
        }
    }

    /// Adds a block without its transactions: for a history without percentiles.
    pub(super) fn add_header(&mut self, header: &ShardHeader, spec: &ChainSpec) {
        let limit = header.gas_limit.max(1);
        self.answer.base_fee_per_gas.push(header.base_fee.into());
        // Only shown: no node decides anything by it.
        self.answer.gas_used_ratio.push(header.gas_used as f64 / limit as f64);
        // A shard takes no blobs.
        self.answer.base_fee_per_blob_gas.push(BLOB_BASE_FEE);
        self.answer.blob_gas_used_ratio.push(0.0);
        self.next_base_fee = next_base_fee(header, spec);
    }

    /// Adds a block.
    pub(super) fn add(&mut self, block: &BlockRecord, spec: &ChainSpec) -> RpcResult<()> {
        self.add_header(block.header(), spec);
        if let Some(reward) = &mut self.answer.reward {
            reward.push(rewards(block.tips()?, block.header().gas_used, &self.percentiles));
        }
        Ok(())
    }

    /// The answer, with the base fee of the block after the last.
    pub(super) fn finish(mut self) -> FeeHistory {
        if !self.answer.base_fee_per_gas.is_empty() {
            self.answer.base_fee_per_gas.push(self.next_base_fee.into());
            self.answer.base_fee_per_blob_gas.push(BLOB_BASE_FEE);
        }
        self.answer
    }
}

/// The tips at percentiles of the gas used, lowest tip first; zeros for a block without transactions.
fn rewards(mut tips: Vec<(u128, u64)>, gas_used: u64, percentiles: &[f64]) -> Vec<u128> {
    tips.sort_unstable();
    let mut entries = tips.into_iter();
    let (mut tip, mut covered) = entries.next().unwrap_or_default();
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = (gas_used as f64 * percentile / 100.0) as u64;
            while covered < threshold
                && let Some((next, gas)) = entries.next()
            {
                tip = next;
                covered = covered.saturating_add(gas);
            }
            tip
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::rewards;

    #[test]
    fn a_percentile_is_of_the_gas_and_not_of_the_transactions() {
        let tips = vec![(30, 10), (10, 80), (20, 10)];
        assert_eq!(rewards(tips, 100, &[0.0, 50.0, 80.0, 85.0, 100.0]), [10, 10, 10, 20, 30]);
    }

    #[test]
    fn a_block_without_transactions_has_zero_for_each_percentile() {
        assert_eq!(rewards(Vec::new(), 0, &[25.0, 75.0]), [0, 0]);
    }
}
