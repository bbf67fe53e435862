//! A development chain as the RPC sees it, on any task.
//!
//! What changes the chain runs on a thread that may block, one at a time; readers take the newest snapshot. A snapshot is
//! in place before the events that led to it are told.
//!
//! Lock order: `core`, then `executed`.

use super::core::{DevCore, DevError};
use crate::api::Chain;
use crate::handle::{ChainEvent, PooledOf, QueryError, SubmitError};
use crate::pool::{Counts, PooledTransaction};
use crate::snapshot::Snapshot;
use alloy_primitives::{Address, B256, Bytes};
use arc_swap::ArcSwap;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use primitives::Height;
use shard_state::{
    block::Executed,
    chain::AccountProof,
    transaction::{TransactionError, decode, impersonate, verify_batch},
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{broadcast, watch};

/// Blocks that a slow listener may be behind before it misses some.
const EVENTS_MAX: usize = 4_096;

/// A running development chain; clones are handles of the same.
#[derive(Clone, Debug)]
pub(super) struct DevChain {
    shared: Arc<Shared>,
    /// Time between blocks that are made of themselves.
    interval: watch::Sender<Option<Duration>>,
}

#[derive(Debug)]
struct Shared {
    core: Mutex<DevCore>,
    /// All blocks ever made, by id: the store does not know who an impersonated sender was.
    executed: Mutex<BTreeMap<B256, Arc<Executed>>>,
    snapshot: ArcSwap<Snapshot>,
    events: broadcast::Sender<ChainEvent>,
    pooled: broadcast::Sender<Arc<[PooledTransaction]>>,
}

impl DevChain {
    /// Begins a chain; its blocks are made at an interval, or one for each transaction. Starts a task on the current
    /// tokio runtime, which ends with the last handle.
    pub(super) fn start(chain_id: u64, interval: Option<Duration>) -> Result<Self, DevError> {
        let core = DevCore::new(chain_id, now_ms(), interval.is_none())?;
        let snapshot = ArcSwap::from_pointee(core.snapshot()?);
        let events = broadcast::Sender::new(EVENTS_MAX);
        let pooled = broadcast::Sender::new(EVENTS_MAX);
        let shared =
            Arc::new(Shared { core: Mutex::new(core), executed: Mutex::default(), snapshot, events, pooled });
        let (interval, changes) = watch::channel(interval);
        tokio::spawn(keep_making_blocks(Arc::downgrade(&shared), changes));
        Ok(Self { shared, interval })
    }

    /// Works on the chain, on a thread that may block.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DevCore) -> T + Send + 'static,
    ) -> Result<T, DevError> {
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || shared.work(work));
        task.await.map_err(|_| DevError::Stopped)?
    }

    /// Looks at the chain without changing it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&DevCore) -> T) -> T {
        look(&self.shared.core.lock())
    }

    /// Chooses the time between blocks that are made of themselves; none makes no such blocks.
    pub(super) fn set_interval(&self, interval: Option<Duration>) {
        self.interval.send_replace(interval);
    }

    /// Takes a transaction into the pool as one of `sender`'s, whoever signed it.
    pub(super) async fn submit_as(&self, sender: Address, encoded: Bytes) -> Result<B256, SubmitError> {
        self.submit_verified(move |core| impersonate(decode(encoded, core.limits())?, sender)).await
    }

    async fn submit_verified(
        &self,
        verify: impl FnOnce(&DevCore) -> Result<Verified, TransactionError> + Send + 'static,
    ) -> Result<B256, SubmitError> {
        let outcome = self.work(move |core| {
            let transaction = Arc::new(verify(core)?);
            core.submit(transaction, now_ms())
        });
        outcome.await.map_err(|_| SubmitError::Stopped)?
    }
}

type Verified = primitives::Verified<shard_state::transaction::Transaction>;

impl Shared {
    fn work<T>(&self, work: impl FnOnce(&mut DevCore) -> T) -> Result<T, DevError> {
        let mut core = self.core.lock();
        let result = work(&mut core);
        let events = core.take_events();
        self.executed.lock().extend(events.iter().filter_map(|event| match event {
            ChainEvent::Certified(block) => Some((block.id, Arc::clone(block))),
            ChainEvent::Undone(_) | ChainEvent::Finalized(_) => None,
        }));
        self.snapshot.store(Arc::new(core.snapshot()?));
        let promoted = core.take_promoted();
        if !promoted.is_empty() {
            let _ = self.pooled.send(promoted.into());
        }
        for event in events {
            // Nobody listening is nobody missing it.
            let _ = self.events.send(event);
        }
        Ok(result)
    }
}

impl Chain for DevChain {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.shared.events.subscribe()
    }

    fn pooled_events(&self) -> broadcast::Receiver<Arc<[PooledTransaction]>> {
        self.shared.pooled.subscribe()
    }

    fn submit(&self, encoded: Bytes) -> BoxFuture<'_, Result<B256, SubmitError>> {
        let verify = move |core: &DevCore| {
            let verified = verify_batch(vec![encoded], core.limits()).pop();
            verified.unwrap_or(Err(TransactionError::Empty))
        };
        self.submit_verified(verify).boxed()
    }

    fn pooled(&self, hash: B256) -> BoxFuture<'_, Option<PooledTransaction>> {
        std::future::ready(self.look(|core| core.pool().lookup(&hash).cloned())).boxed()
    }

    fn nonce_after(&self, sender: Address) -> BoxFuture<'_, Option<u64>> {
        std::future::ready(self.look(|core| core.pool().nonce_after(&sender))).boxed()
    }

    fn pool_counts(&self) -> BoxFuture<'_, Counts> {
        std::future::ready(self.look(|core| core.pool().counts())).boxed()
    }

    fn pool_content(&self) -> BoxFuture<'_, Vec<PooledOf>> {
        let content = self.look(|core| {
            let content = core.pool().content();
            content.map(|(sender, pending, queued)| PooledOf::new(*sender, pending, queued)).collect()
        });
        std::future::ready(content).boxed()
    }

    fn pool_content_of(&self, sender: Address) -> BoxFuture<'_, PooledOf> {
        let content = self.look(|core| {
            let (pending, queued) = core.pool().content_of(&sender);
            PooledOf::new(sender, pending, queued)
        });
        std::future::ready(content).boxed()
    }

    fn prove(
        &self,
        address: Address,
        slots: Vec<B256>,
        height: Height,
    ) -> BoxFuture<'_, Result<AccountProof, QueryError>> {
        let proof = self.work(move |core| core.proof(&address, &slots, height));
        proof.map(|proof| Ok(proof.map_err(|_| QueryError::Stopped)??)).boxed()
    }

    fn executed(&self, id: &B256) -> Option<Arc<Executed>> {
        self.shared.executed.lock().get(id).cloned()
    }

    fn starting(&self) -> Height {
        Height::ZERO
    }

    fn highest(&self) -> Height {
        self.shared.snapshot.load().height()
    }

    fn peers(&self) -> u64 {
        0
    }
}

/// Makes a block each time the interval has passed, for as long as there is a chain.
async fn keep_making_blocks(chain: std::sync::Weak<Shared>, mut interval: watch::Receiver<Option<Duration>>) {
    loop {
        let now = *interval.borrow_and_update();
        let passed = async {
            match now {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = interval.changed() => match changed {
                Ok(()) => {}
                Err(_) => return,
            },
            () = passed => {
                let Some(shared) = chain.upgrade() else { return };
                let sealed = tokio::task::spawn_blocking(move || shared.work(|core| core.seal(now_ms())));
                match sealed.await {
                    Ok(Ok(Ok(_))) => {}
                    Ok(Ok(Err(error)) | Err(error)) => tracing::error!(%error, "no block could be made"),
                    Err(_) => return,
                }
            }
        }
    }
}

/// The machine's clock, milliseconds since the Unix epoch.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
