//! What subscribers hear.
//!
//! A subscriber that falls further behind than the chain keeps events for is cut off, never skipped past.

use super::record::matching_logs;
use crate::handle::ChainEvent;
use crate::store::Undone;
use alloy_primitives::keccak256;
use alloy_rpc_types_eth::Filter;
use futures::stream::{self, BoxStream, StreamExt as _};
use rpc::view::{BlockFacts, Header, Log};
use shard_state::block::Executed;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Headers as they are certified.
pub(super) fn heads(events: broadcast::Receiver<ChainEvent>) -> BoxStream<'static, Header> {
    let heads = follow(events).filter_map(async |event| match event {
        ChainEvent::Certified(block) => Some(header(&block)),
        ChainEvent::Undone(_) | ChainEvent::Finalized(_) => None,
    });
    heads.boxed()
}

/// Matching logs as their blocks are certified, and again, marked as removed, if those are taken back.
pub(super) fn logs(events: broadcast::Receiver<ChainEvent>, filter: Filter) -> BoxStream<'static, Log> {
    let filter = Arc::new(filter);
    let logs = follow(events).flat_map(move |event| {
        stream::iter(match event {
            ChainEvent::Certified(block) => certified(&block, &filter),
            ChainEvent::Undone(block) => undone(&block, &filter),
            ChainEvent::Finalized(_) => Vec::new(),
        })
    });
    logs.boxed()
}

/// Events until one is missed, or the chain stops.
fn follow(events: broadcast::Receiver<ChainEvent>) -> impl stream::Stream<Item = ChainEvent> + Send {
    stream::unfold(events, async |mut events| events.recv().await.ok().map(|event| (event, events)))
}

fn header(block: &Executed) -> Header {
    let facts = BlockFacts {
        header: &block.header,
        id: block.id,
        fee_recipient: block.environment.fee_recipient,
        mix: block.environment.mix,
        size: 0,
    };
    let mut header = Header::from(&facts);
    // As in geth, a header that is announced says nothing of its block's size.
    header.ethereum.size = None;
    header
}

fn certified(block: &Executed, filter: &Filter) -> Vec<Log> {
    if !filter.matches_bloom(block.header.logs_bloom) {
        return Vec::new();
    }
    let hash = |index: usize| {
        block.transactions.get(index).map(|transaction| transaction.hash()).unwrap_or_default()
    };
    matching_logs(&block.header, block.id, &hash, &block.receipts, &|log| filter.matches(log))
}

fn undone(block: &Undone, filter: &Filter) -> Vec<Log> {
    let Undone { block, id, receipts, .. } = block;
    let hash = |index: usize| block.body.transactions.get(index).map(keccak256).unwrap_or_default();
    let mut logs = matching_logs(&block.header, *id, &hash, receipts, &|log| filter.matches(log));
    logs.iter_mut().for_each(|log| log.removed = true);
    // The newest first, as they are taken back.
    logs.reverse();
    logs
}
