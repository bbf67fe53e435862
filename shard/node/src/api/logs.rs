//! `eth_getLogs`: the logs of a range of blocks, found by their headers' blooms.

use super::error::storage;
use super::position::Position;
use super::record::BlockRecord;
use crate::snapshot::Snapshot;
use alloy_eips::BlockNumberOrTag;
use alloy_rpc_types_eth::{Filter, FilterBlockOption};
use primitives::Height;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::view::Log;
use std::ops::RangeInclusive;

/// The certified blocks that a filter covers; `None` if they are all above the head.
pub(super) fn range(
    snapshot: &Snapshot,
    filter: &Filter,
    blocks_max: u64,
) -> RpcResult<Option<RangeInclusive<u64>>> {
    let (from, to) = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let height = snapshot.reader.height(&hash).map_err(storage)?;
            let height = height.ok_or_else(|| RpcError::Server("unknown block".into()))?.get();
            return Ok(Some(height..=height));
        }
        FilterBlockOption::Range { from_block, to_block } => {
            (number(snapshot, from_block)?, number(snapshot, to_block)?)
        }
    };
    if from > to {
        return Err(RpcError::InvalidBlockRange);
    }
    let head = snapshot.height().get();
    if from > head {
        return Ok(None);
    }
    let to = to.min(head);
    let blocks = (to - from).saturating_add(1);
    if blocks > blocks_max {
        let text =
            format!("query covers {blocks} blocks, the limit is {blocks_max}: ask for a smaller range");
        return Err(RpcError::LimitExceeded(text));
    }
    Ok(Some(from..=to))
}

fn number(snapshot: &Snapshot, block: Option<BlockNumberOrTag>) -> RpcResult<u64> {
    match block.unwrap_or_default() {
        BlockNumberOrTag::Number(number) => Ok(number),
        BlockNumberOrTag::Pending => Err(RpcError::Server("pending logs are not supported".into())),
        tag => match Position::by_number(snapshot, tag) {
            Some(Position::At(height)) => Ok(height.get()),
            Some(Position::Pending) | None => Err(RpcError::HeaderNotFound),
        },
    }
}

/// The matching logs of a range, in order; `record` finds a block at a height.
pub(super) fn collect(
    snapshot: &Snapshot,
    filter: &Filter,
    range: RangeInclusive<u64>,
    logs_max: usize,
    record: &dyn Fn(Height) -> RpcResult<Option<BlockRecord>>,
) -> RpcResult<Vec<Log>> {
    let mut found = Vec::new();
    for height in range.map(Height::new) {
        let Some(header) = snapshot.reader.header(height).map_err(storage)? else { continue };
        if !filter.matches_bloom(header.logs_bloom) {
            continue;
        }
        let Some(block) = record(height)? else { continue };
        found.extend(block.logs(&|log| filter.matches(log)));
        if found.len() > logs_max {
            let text = format!(
                "query returned more than {logs_max} results: ask for a range that ends before block {height}, or filter more"
            );
            return Err(RpcError::LimitExceeded(text));
        }
    }
    Ok(found)
}
