//! Which blocks are simulated: those that were asked for, and empty ones where heights are left out between them.

use alloy_rpc_types_eth::simulate::{MAX_SIMULATE_BLOCKS, SimBlock};
use primitives::{Height, ShardHeader};
use rpc::RpcError;
use rpc::error::{RpcResult, SimulationReason as Reason};

/// A block to simulate, with its place in the chain.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) height: Height,
    pub(super) timestamp_ms: u64,
    pub(super) block: SimBlock,
}

/// Puts blocks on top of `base`, each `interval_ms` after the one before unless it says otherwise.
pub(super) fn plan(base: &ShardHeader, blocks: Vec<SimBlock>, interval_ms: u64) -> RpcResult<Vec<Planned>> {
    if blocks.is_empty() {
        return Err(RpcError::InvalidParams("empty input".into()));
    }
    let mut planned = Vec::new();
    let (mut height, mut timestamp_ms) = (base.height, base.timestamp_ms);
    for block in blocks {
        let next = number(&block, height)?;
        if next.above(base.height) > MAX_SIMULATE_BLOCKS {
            let detail = format!(
                "too many blocks: {} above the base, the limit is {MAX_SIMULATE_BLOCKS}",
                next.above(base.height)
            );
            return Err(Reason::TooManyBlocks.because(detail).into());
        }
        while height.next() < next {
            height = height.next();
            timestamp_ms = timestamp_ms.saturating_add(interval_ms);
            planned.push(Planned { height, timestamp_ms, block: SimBlock::default() });
        }
        height = next;
        timestamp_ms = time(&block, timestamp_ms, interval_ms)?;
        planned.push(Planned { height, timestamp_ms, block });
    }
    Ok(planned)
}

/// The block's height, which is above `parent`.
fn number(block: &SimBlock, parent: Height) -> RpcResult<Height> {
    let Some(number) = block.block_number_override() else { return Ok(parent.next()) };
    let height = u64::try_from(number).map(Height::new);
    let height = height.map_err(|_| RpcError::InvalidParams("number is larger than 64 bits".into()))?;
    if height <= parent {
        let detail = format!("block numbers must be in order: {height} <= {parent}");
        return Err(Reason::BlockNumber.because(detail).into());
    }
    Ok(height)
}

/// The block's timestamp, milliseconds. Seconds may repeat from block to block, as on a shard they do.
fn time(block: &SimBlock, parent_ms: u64, interval_ms: u64) -> RpcResult<u64> {
    let Some(seconds) = block.block_overrides.as_ref().and_then(|overrides| overrides.time) else {
        return Ok(parent_ms.saturating_add(interval_ms));
    };
    let parent = parent_ms / 1_000;
    if seconds < parent {
        let detail = format!("block timestamps must be in order: {seconds} < {parent}");
        return Err(Reason::BlockTimestamp.because(detail).into());
    }
    let timestamp_ms = seconds.checked_mul(1_000);
    let timestamp_ms = timestamp_ms.ok_or_else(|| RpcError::InvalidParams("time is too far away".into()))?;
    Ok(timestamp_ms.max(parent_ms.saturating_add(1)))
}
