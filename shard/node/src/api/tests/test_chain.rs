//! A chain of which the test certifies each block.

use crate::api::Chain;
use crate::handle::{ChainEvent, PooledOf, QueryError, SubmitError};
use crate::pool::{AccountState, Counts, Pool, PoolLimits, PooledTransaction};
use crate::snapshot::{PendingBlock, Snapshot};
use crate::store::{Commit, Generation, ShardStore};
use crate::testing::{SHARD, open, short_spec};
use alloy_primitives::{Address, B256, Bytes};
use arc_swap::ArcSwap;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use primitives::{Committee, Epoch, EpochEntry, EpochTable, Height};
use shard_state::block::BlockLimits;
use shard_state::chain::{AccountProof, ShardState};
use shard_state::testing::NOTHING_INCOMING;
use shard_state::testing::TestBeacon;
use shard_state::transaction::{TransactionLimits, verify_batch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::MemoryDisk;
use tokio::sync::broadcast;

const STATES: u64 = 4;

#[derive(Debug)]
pub(super) struct TestChain {
    inner: Mutex<Inner>,
    snapshot: ArcSwap<Snapshot>,
    events: broadcast::Sender<ChainEvent>,
    pooled: broadcast::Sender<Arc<[PooledTransaction]>>,
    pub(super) highest: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    store: ShardStore,
    state: ShardState,
    pool: Pool,
    beacon: TestBeacon,
    finalized: Height,
}

impl TestChain {
    pub(super) fn new() -> Arc<Self> {
        let (store, resume) = open(&MemoryDisk::new(), STATES);
        let (pool, beacon) = (Pool::new(PoolLimits::default()), TestBeacon::new(short_spec()));
        let inner = Inner { store, state: resume.state, pool, beacon, finalized: Height::ZERO };
        let snapshot = ArcSwap::from_pointee(inner.snapshot());
        let highest = AtomicU64::new(0);
        let (events, pooled) = (broadcast::Sender::new(16), broadcast::Sender::new(16));
        Arc::new(Self { inner: Mutex::new(inner), snapshot, events, pooled, highest })
    }

    /// Proposes a block from the pool, which is then pending.
    pub(super) fn propose(&self) {
        let mut inner = self.inner.lock();
        inner.propose();
        self.snapshot.store(Arc::new(inner.snapshot()));
    }

    /// Certifies a block made from the pool.
    pub(super) fn seal(&self) -> B256 {
        let mut inner = self.inner.lock();
        let block = inner.propose();
        let certified = inner.state.certify(block.header.id()).expect("proposed just now");
        let executed = Arc::clone(&certified.executed);
        let (mut history, mut nodes) = (certified.history.clone(), Vec::new());
        history.push_with(executed.id, |position, node| nodes.push((position, node)));
        let commit = Commit {
            outbox: executed.outbox.clone(),
            cursors: executed.cursors.clone(),
            block: Arc::new(block),
            id: executed.id,
            certificate: None,
            transactions: executed.transactions.clone(),
            receipts: executed.receipts.clone(),
            change_set: Arc::clone(&executed.change_set),
            nodes,
        };
        inner.store.commit(&commit).expect("the disk works");
        inner.follow(&executed.change_set.accounts().iter().map(|delta| delta.address).collect::<Vec<_>>());
        self.snapshot.store(Arc::new(inner.snapshot()));
        let _ = self.events.send(ChainEvent::Certified(Arc::clone(&executed)));
        executed.id
    }

    /// Takes the blocks above `floor` back.
    pub(super) fn undo_above(&self, floor: u64) {
        let mut inner = self.inner.lock();
        let entry = EpochEntry { epoch: Epoch::ZERO, first_height: Height::ZERO, committee_root: B256::ZERO };
        let generation = Generation {
            early_ends: 1,
            floor: Height::new(floor),
            table: EpochTable::new(vec![entry]).expect("one entry"),
            committee: Committee::default(),
        };
        let undone = inner.store.rewind(&generation).expect("kept");
        let base = inner.store.base(Height::new(floor)).expect("there");
        let changes: Vec<_> = undone.iter().map(|block| Arc::clone(&block.change_set)).collect();
        inner.state.rewind(base, &changes).expect("these very changes");
        self.snapshot.store(Arc::new(inner.snapshot()));
        for block in undone {
            let _ = self.events.send(ChainEvent::Undone(Arc::new(block)));
        }
    }

    pub(super) fn finalize(&self, height: u64) {
        let mut inner = self.inner.lock();
        inner.finalized = Height::new(height);
        self.snapshot.store(Arc::new(inner.snapshot()));
    }
}

impl Inner {
    fn snapshot(&self) -> Snapshot {
        let best = self.state.best();
        let pending = self.state.executed(&best).cloned().zip(self.state.view_of(&best));
        Snapshot {
            spec: Arc::clone(self.state.spec()),
            view: self.state.view(),
            finalized: self.finalized,
            pending: pending.map(|(executed, view)| PendingBlock { executed, view }),
            reader: self.store.reader().expect("the disk works"),
        }
    }

    fn propose(&mut self) -> primitives::ShardBlock {
        let parent = self.state.base().header.clone();
        let context = self.beacon.context(&parent, 1 + parent.height.get());
        let limits = BlockLimits::new(self.state.spec());
        let mut candidates = self.pool.pending(shard_state::fee::next_base_fee(&parent, self.state.spec()));
        self.state
            .propose(parent.id(), context, NOTHING_INCOMING, &mut candidates, &limits)
            .expect("a block")
            .block
    }

    fn account(&self, address: &Address) -> AccountState {
        let account = self.state.view().account(address).expect("in memory");
        AccountState { nonce: account.nonce, balance: account.balance }
    }

    fn follow(&mut self, addresses: &[Address]) {
        let states: Vec<_> = addresses.iter().map(|address| (*address, self.account(address))).collect();
        self.pool.update_accounts(states);
    }
}

impl Chain for TestChain {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.events.subscribe()
    }

    fn pooled_events(&self) -> broadcast::Receiver<Arc<[PooledTransaction]>> {
        self.pooled.subscribe()
    }

    fn submit(&self, encoded: Bytes) -> BoxFuture<'_, Result<B256, SubmitError>> {
        let mut inner = self.inner.lock();
        let limits = TransactionLimits::new(inner.state.spec(), SHARD);
        let verified = verify_batch(vec![encoded], &limits).pop().expect("one for one");
        let outcome = verified.map_err(SubmitError::from).and_then(|transaction| {
            let (hash, account) = (transaction.hash(), inner.account(&transaction.sender()));
            let inserted = inner.pool.insert(Arc::new(transaction), account)?;
            let _ = self.pooled.send(inserted.promoted.into());
            Ok(hash)
        });
        std::future::ready(outcome).boxed()
    }

    fn pooled(&self, hash: B256) -> BoxFuture<'_, Option<PooledTransaction>> {
        std::future::ready(self.inner.lock().pool.lookup(&hash).cloned()).boxed()
    }

    fn nonce_after(&self, sender: Address) -> BoxFuture<'_, Option<u64>> {
        std::future::ready(self.inner.lock().pool.nonce_after(&sender)).boxed()
    }

    fn pool_counts(&self) -> BoxFuture<'_, Counts> {
        std::future::ready(self.inner.lock().pool.counts()).boxed()
    }

    fn pool_content(&self) -> BoxFuture<'_, Vec<PooledOf>> {
        let inner = self.inner.lock();
        let content = inner.pool.content();
        let content = content.map(|(sender, pending, queued)| PooledOf::new(*sender, pending, queued));
        std::future::ready(content.collect()).boxed()
    }

    fn pool_content_of(&self, sender: Address) -> BoxFuture<'_, PooledOf> {
        let inner = self.inner.lock();
        let (pending, queued) = inner.pool.content_of(&sender);
        std::future::ready(PooledOf::new(sender, pending, queued)).boxed()
    }

    fn prove(
        &self,
        address: Address,
        slots: Vec<B256>,
        height: Height,
    ) -> BoxFuture<'_, Result<AccountProof, QueryError>> {
        std::future::ready(self.inner.lock().state.proof(&address, &slots, height).map_err(QueryError::from))
            .boxed()
    }

    fn starting(&self) -> Height {
        Height::ZERO
    }

    fn highest(&self) -> Height {
        Height::new(self.highest.load(Ordering::Relaxed)).max(self.snapshot.load().height())
    }

    fn peers(&self) -> u64 {
        3
    }
}
