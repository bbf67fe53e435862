//! Filters: clients that ask what has happened since they last asked.
//!
//! What always holds:
//! - a filter costs one entry in a list, whatever happens on the chain: what happened is kept once for all of them, and
//!   no more of it than a fixed weight;
//! - a filter that nobody has asked for too long, or that waits for what is not kept any more, is gone; none skips what
//!   it should have told;
//! - there are no more filters than the configuration allows.

mod feed;

use super::chain::Chain;
use super::error::storage;
use super::events::undone_logs;
use super::record::BlockRecord;
use crate::handle::ChainEvent;
use crate::pool::PooledTransaction;
use crate::snapshot::Snapshot;
use alloy_primitives::{B256, U128};
use alloy_rpc_types_eth::{Filter, FilterBlockOption};
use feed::Feed;
use parking_lot::Mutex;
use primitives::Height;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::view::Log;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};
use tokio::time::Instant;

/// Between two looks at what has happened when nobody asks.
const PERIOD: Duration = Duration::from_secs(1);
/// Blocks, and logs of blocks that were undone, that are kept.
const BLOCKS_WEIGHT_MAX: usize = 100_000;
/// Bytes of transactions that are kept.
const POOLED_WEIGHT_MAX: usize = 16 << 20;

/// Something that became of a block.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// It was certified.
    Certified { height: Height, id: B256 },
    /// It was undone. All of its logs, marked as removed, newest first.
    Undone { height: Height, id: B256, logs: Arc<[Log]> },
}

/// What a filter tells of.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Logs.
    Logs(Arc<Filter>),
    /// Ids of blocks.
    Blocks,
    /// Transactions of the pool; `full` is all of them instead of their hashes.
    Pooled { full: bool },
}

/// What has happened since a filter was last asked.
#[derive(Debug)]
pub(super) enum Changes {
    /// What may have left logs, or taken some back.
    Logs { filter: Arc<Filter>, from: u64, happenings: Vec<Happening> },
    /// Ids of blocks.
    Blocks(Vec<B256>),
    /// Transactions.
    Pooled { full: bool, transactions: Vec<PooledTransaction> },
}

#[derive(Debug)]
struct Installed {
    kind: Kind,
    /// Number of the first entry of its feed that it has not told.
    next: u64,
    asked: Instant,
}

/// All filters of one shard.
#[derive(Debug)]
pub(super) struct Filters {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    events: Receiver<ChainEvent>,
    pooled_events: Receiver<Arc<[PooledTransaction]>>,
    blocks: Feed<Happening>,
    pooled: Feed<PooledTransaction>,
    installed: BTreeMap<U128, Installed>,
    filters_max: usize,
    idle_max: Duration,
}

impl Filters {
    pub(super) fn new(chain: &dyn Chain, filters_max: usize, idle_max: Duration) -> Self {
        let inner = Inner {
            events: chain.events(),
            pooled_events: chain.pooled_events(),
            blocks: Feed::new(BLOCKS_WEIGHT_MAX),
            pooled: Feed::new(POOLED_WEIGHT_MAX),
            installed: BTreeMap::new(),
            filters_max,
            idle_max,
        };
        Self { inner: Mutex::new(inner) }
    }

    /// Takes in what happens and forgets idle filters, until the chain stops.
    pub(super) async fn follow(self: Arc<Self>) {
        while self.inner.lock().catch_up().is_some() {
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Adds a filter that tells of what happens from now on.
    pub(super) fn install(&self, kind: Kind) -> RpcResult<U128> {
        let mut inner = self.inner.lock();
        inner.catch_up();
        let limit = inner.filters_max;
        if inner.installed.len() >= limit {
            let text =
                format!("there are {limit} filters, which is the limit: uninstall one, or try again later");
            return Err(RpcError::LimitExceeded(text));
        }
        // So many bits that nobody guesses another's.
        let id = U128::from(rand::random::<u128>());
        let next = inner.end(&kind);
        inner.installed.insert(id, Installed { kind, next, asked: Instant::now() });
        Ok(id)
    }

    /// What a filter tells of.
    pub(super) fn kind(&self, id: U128) -> RpcResult<Kind> {
        let mut inner = self.inner.lock();
        inner.catch_up();
        Ok(inner.ask(id)?.kind.clone())
    }

    /// What has happened since this was last called.
    pub(super) fn take(&self, id: U128) -> RpcResult<Changes> {
        let mut inner = self.inner.lock();
        inner.catch_up();
        let changes = inner.changes(id);
        if changes.is_none() {
            inner.installed.remove(&id);
        }
        changes.ok_or(RpcError::FilterNotFound)
    }

    /// Not all that was taken was told: the filter goes on with entry `next`.
    pub(super) fn give_back(&self, id: U128, next: u64) {
        if let Some(installed) = self.inner.lock().installed.get_mut(&id) {
            installed.next = installed.next.min(next);
        }
    }

    /// Forgets a filter; whether there was one.
    pub(super) fn remove(&self, id: U128) -> bool {
        let mut inner = self.inner.lock();
        inner.catch_up();
        inner.installed.remove(&id).is_some()
    }
}

impl Inner {
    /// Takes in what has happened. `None` if nothing happens any more.
    fn catch_up(&mut self) -> Option<()> {
        self.installed.retain(|_, installed| installed.asked.elapsed() < self.idle_max);
        self.take_in_pooled()?;
        loop {
            match self.events.try_recv() {
                Ok(ChainEvent::Certified(block)) => {
                    self.blocks.push(Happening::Certified { height: block.header.height, id: block.id }, 1);
                }
                Ok(ChainEvent::Undone(undone)) => {
                    let logs: Arc<[Log]> = undone_logs(&undone, &|_| true).into();
                    let (height, id, weight) = (undone.block.header.height, undone.id, 1 + logs.len());
                    self.blocks.push(Happening::Undone { height, id, logs }, weight);
                }
                Ok(ChainEvent::Finalized(_)) => {}
                Err(TryRecvError::Lagged(_)) => self.blocks.miss(),
                Err(TryRecvError::Empty) => return Some(()),
                Err(TryRecvError::Closed) => return None,
            }
        }
    }

    fn take_in_pooled(&mut self) -> Option<()> {
        let wanted = self.installed.values().any(|installed| matches!(installed.kind, Kind::Pooled { .. }));
        loop {
            match self.pooled_events.try_recv() {
                Ok(batch) if wanted => {
                    for transaction in batch.iter() {
                        let weight = transaction.encoded().len();
                        self.pooled.push(Arc::clone(transaction), weight);
                    }
                }
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => self.pooled.miss(),
                Err(TryRecvError::Empty) => return Some(()),
                Err(TryRecvError::Closed) => return None,
            }
        }
    }

    const fn end(&self, kind: &Kind) -> u64 {
        match kind {
            Kind::Logs(_) | Kind::Blocks => self.blocks.end(),
            Kind::Pooled { .. } => self.pooled.end(),
        }
    }

    fn ask(&mut self, id: U128) -> RpcResult<&mut Installed> {
        let installed = self.installed.get_mut(&id).ok_or(RpcError::FilterNotFound)?;
        installed.asked = Instant::now();
        Ok(installed)
    }

    /// What a filter has to tell, which counts as told; `None` if there is no such filter, or too much has happened.
    fn changes(&mut self, id: U128) -> Option<Changes> {
        let kind = self.ask(id).ok()?.kind.clone();
        let end = self.end(&kind);
        let from = std::mem::replace(&mut self.installed.get_mut(&id)?.next, end);
        Some(match kind {
            Kind::Logs(filter) => Changes::Logs { filter, from, happenings: self.blocks.since(from)? },
            Kind::Blocks => {
                let certified =
                    self.blocks.since(from)?.into_iter().filter_map(|happening| match happening {
                        Happening::Certified { id, .. } => Some(id),
                        Happening::Undone { .. } => None,
                    });
                Changes::Blocks(certified.collect())
            }
            Kind::Pooled { full } => Changes::Pooled { full, transactions: self.pooled.since(from)? },
        })
    }
}

/// The logs of what happened that a filter lets pass, in order, and of how many happenings. They are not all told if
/// there are more logs than `logs_max`, or if the chain has gone back further than is told yet.
pub(super) fn logs(
    snapshot: &Snapshot,
    filter: &Filter,
    happenings: &[Happening],
    logs_max: usize,
    record: &dyn Fn(Height) -> RpcResult<Option<BlockRecord>>,
) -> RpcResult<(Vec<Log>, usize)> {
    let mut found = Vec::new();
    for (told, happening) in happenings.iter().enumerate() {
        if found.len() >= logs_max {
            return Ok((found, told));
        }
        match happening {
            Happening::Undone { height, id, logs } if covers(filter, *height, *id) => {
                found.extend(logs.iter().filter(|log| filter.matches(&log.inner)).cloned());
            }
            Happening::Certified { height, id } if covers(filter, *height, *id) => {
                if snapshot.reader.id(*height).map_err(storage)? == Some(*id) {
                    found.extend(certified_logs(snapshot, filter, *height, record)?);
                } else if let Some(logs) = logs_undone_later(&happenings[told..], *id) {
                    let logs = logs.iter().rev().filter(|log| filter.matches(&log.inner));
                    found.extend(logs.map(|log| Log { removed: false, ..log.clone() }));
                } else {
                    return Ok((found, told));
                }
            }
            Happening::Undone { .. } | Happening::Certified { .. } => {}
        }
    }
    Ok((found, happenings.len()))
}

/// The matching logs of a block of the chain.
fn certified_logs(
    snapshot: &Snapshot,
    filter: &Filter,
    height: Height,
    record: &dyn Fn(Height) -> RpcResult<Option<BlockRecord>>,
) -> RpcResult<Vec<Log>> {
    let header = snapshot.reader.header(height).map_err(storage)?;
    if !header.is_some_and(|header| filter.matches_bloom(header.logs_bloom)) {
        return Ok(Vec::new());
    }
    Ok(record(height)?.map(|block| block.logs(&|log| filter.matches(log))).unwrap_or_default())
}

fn logs_undone_later(happenings: &[Happening], wanted: B256) -> Option<&[Log]> {
    happenings.iter().find_map(|happening| match happening {
        Happening::Undone { id, logs, .. } if *id == wanted => Some(&**logs),
        Happening::Undone { .. } | Happening::Certified { .. } => None,
    })
}

/// Whether a filter names this block, or a range that it is in.
fn covers(filter: &Filter, height: Height, id: B256) -> bool {
    match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => hash == id,
        FilterBlockOption::Range { from_block, to_block } => {
            let number =
                |block: Option<alloy_eips::BlockNumberOrTag>| block.and_then(|block| block.as_number());
            number(from_block).is_none_or(|from| from <= height.get())
                && number(to_block).is_none_or(|to| height.get() <= to)
        }
    }
}
