//! What subscribers hear.
//!
//! A subscriber that falls further behind than the chain keeps events for is cut off, never skipped past.

use super::atoll::journeys;
use super::chain::Chain;
use super::record::matching_logs;
use crate::handle::ChainEvent;
use crate::pool::PooledTransaction;
use crate::store::Undone;
use alloy_rpc_types_eth::Filter;
use futures::stream::{self, BoxStream, StreamExt as _};
use rpc::view::{BlockFacts, Header, Log, Pooled, ReceiptJourney, SyncNotice, Syncing, transaction};
use shard_state::{block::Executed, transaction::entry_hashes};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// Heights that a node may lack while the newest block is still on its way.
const IN_FLIGHT: u64 = 2;
/// Between two looks at whether the node still catches up.
const SYNC_PERIOD: Duration = Duration::from_millis(250);

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
            ChainEvent::Undone(block) => undone_logs(&block, &|log| filter.matches(log)),
            ChainEvent::Finalized(_) => Vec::new(),
        })
    });
    logs.boxed()
}

/// Transactions that a block can take, as they come; `full` is all of them instead of their hashes.
pub(super) fn pooled(
    events: broadcast::Receiver<Arc<[PooledTransaction]>>,
    full: bool,
) -> BoxStream<'static, Pooled> {
    let view = move |pooled: &PooledTransaction| match full {
        false => Pooled::Hash(pooled.hash()),
        true => Pooled::Full(Box::new(transaction(pooled.to_recovered(), None))),
    };
    follow(events)
        .flat_map(move |batch| stream::iter((0..batch.len()).map(move |index| view(&batch[index]))))
        .boxed()
}

/// How far the node has come.
pub(super) fn syncing(chain: &dyn Chain) -> Syncing {
    let (current, highest) = (chain.snapshot().height(), chain.highest());
    if highest.above(current) <= IN_FLIGHT {
        return Syncing::DONE;
    }
    Syncing::running(chain.starting().get(), current.get(), highest.get())
}

/// That the node begins to catch up, and that it has; nothing of how it was at first.
pub(super) fn sync_notices(chain: Arc<dyn Chain>) -> BoxStream<'static, SyncNotice> {
    let mut known = syncing(&*chain);
    let seconds = stream::unfold((), async |()| Some((tokio::time::sleep(SYNC_PERIOD).await, ())));
    let notices = seconds.filter_map(move |()| {
        let now = syncing(&*chain);
        let changed = (now == Syncing::DONE) != (known == Syncing::DONE);
        known = now;
        std::future::ready(changed.then(|| now.into()))
    });
    notices.boxed()
}

/// Receipts between shards, as the blocks that sent or consumed them are certified.
pub(super) fn receipts(chain: Arc<dyn Chain>) -> BoxStream<'static, ReceiptJourney> {
    let receipts = follow(chain.events()).flat_map(move |event| {
        let ChainEvent::Certified(block) = event else { return stream::iter(Vec::new()) };
        stream::iter(journeys(&block, chain.snapshot().finalized, &*chain))
    });
    receipts.boxed()
}

/// Events until one is missed, or nothing happens any more.
fn follow<T: Clone + Send + 'static>(events: broadcast::Receiver<T>) -> impl stream::Stream<Item = T> + Send {
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

/// The logs of an undone block that `keep` lets pass, marked as removed.
pub(super) fn undone_logs(block: &Undone, keep: &dyn Fn(&alloy_primitives::Log) -> bool) -> Vec<Log> {
    let Undone { block, id, receipts, .. } = block;
    let hashes = entry_hashes(&block.body);
    let hash = |index: usize| hashes.get(index).copied().unwrap_or_default();
    let mut logs = matching_logs(&block.header, *id, &hash, receipts, keep);
    logs.iter_mut().for_each(|log| log.removed = true);
    // The newest first, as they are taken back.
    logs.reverse();
    logs
}
