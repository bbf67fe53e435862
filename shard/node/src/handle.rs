//! What the rest of the process may ask of a running shard chain.
//!
//! Readers never wait for the chain: they take the newest [`Snapshot`]. Only what lives in the chain's own task, the
//! pool and the trie, is asked of it.

use crate::ingress::Submission;
use crate::journeys::Journeys;
use crate::pool::{Counts, Inserted, PoolError, PooledTransaction};
use crate::snapshot::Snapshot;
use crate::store::Undone;
use alloy_primitives::{Address, B256, Bytes};
use arc_swap::ArcSwap;
use primitives::{ChainSpec, Height, ShardId};
use shard_state::{
    block::Executed,
    chain::{AccountProof, ProofError},
    transaction::TransactionError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{broadcast, mpsc, oneshot};

/// Blocks that a slow listener may be behind before it misses some.
const EVENTS_MAX: usize = 1024;
/// Batches of pooled transactions that a slow listener may be behind before it misses some.
const POOLED_MAX: usize = 1024;

/// Something that became of a block; told after the snapshot that includes it is in place.
#[derive(Clone, Debug)]
pub enum ChainEvent {
    /// It was certified: its transactions, receipts and logs are the newest.
    Certified(Arc<Executed>),
    /// It was undone, because the beacon chain ended its epoch below it. Newest first.
    Undone(Arc<Undone>),
    /// The beacon chain has accepted the chain up to this height.
    Finalized(Height),
}

/// Why a transaction was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It can never be included.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The pool does not want it.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Too much is submitted at once.
    #[error("the node is busy: too many transactions wait to be verified, try again")]
    Busy,
    /// Nobody is there any more.
    #[error("the node does not serve this shard any more")]
    Stopped,
}

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The chain does not have it.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Nobody is there any more.
    #[error("the node does not serve this shard any more")]
    Stopped,
}

/// The pool's content: executable and queued transactions of one sender, in order of nonce.
#[derive(Clone, Debug)]
pub struct PooledOf {
    /// The sender.
    pub sender: Address,
    /// Those that a block could take.
    pub pending: Vec<PooledTransaction>,
    /// Those behind a gap, or not paid for.
    pub queued: Vec<PooledTransaction>,
}

impl PooledOf {
    /// The lists as the pool has them.
    pub(crate) fn new(
        sender: Address,
        pending: Vec<&PooledTransaction>,
        queued: Vec<&PooledTransaction>,
    ) -> Self {
        let owned = |list: Vec<&PooledTransaction>| list.into_iter().cloned().collect();
        Self { sender, pending: owned(pending), queued: owned(queued) }
    }
}

/// What a handle says to its chain.
#[derive(Debug)]
pub(crate) enum Command {
    Insert(Vec<PooledTransaction>, oneshot::Sender<Vec<Result<Inserted, PoolError>>>),
    Gossip(Bytes),
    /// Another shard on this node has sent something to this one.
    Collect(ShardId),
    Lookup(B256, oneshot::Sender<Option<PooledTransaction>>),
    NonceAfter(Address, oneshot::Sender<Option<u64>>),
    Content(oneshot::Sender<Vec<PooledOf>>),
    ContentOf(Address, oneshot::Sender<PooledOf>),
    Counts(oneshot::Sender<Counts>),
    Proof {
        address: Address,
        slots: Vec<B256>,
        height: Height,
        reply: oneshot::Sender<Result<AccountProof, ProofError>>,
    },
    Stop,
}

/// What chain and handles have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) shard: ShardId,
    pub(crate) spec: Arc<ChainSpec>,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) events: broadcast::Sender<ChainEvent>,
    pub(crate) pooled: broadcast::Sender<Arc<[PooledTransaction]>>,
    /// Height at which this process took the chain up.
    pub(crate) starting: Height,
    /// Highest block that anybody proposed.
    pub(crate) highest: AtomicU64,
    /// Other nodes in the committee of the newest epoch.
    pub(crate) peers: AtomicU64,
    /// When receipts passed.
    pub(crate) journeys: Journeys,
}

impl Shared {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self {
            shard: snapshot.shard(),
            spec: Arc::clone(&snapshot.spec),
            starting: snapshot.height(),
            highest: AtomicU64::new(snapshot.height().get()),
            peers: AtomicU64::new(0),
            journeys: Journeys::default(),
            snapshot: ArcSwap::from_pointee(snapshot),
            events: broadcast::Sender::new(EVENTS_MAX),
            pooled: broadcast::Sender::new(POOLED_MAX),
        }
    }
}

/// A running shard chain; clones are handles of the same.
#[derive(Clone, Debug)]
pub struct ChainHandle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) ingress: mpsc::Sender<Submission>,
}

impl ChainHandle {
    /// Which shard.
    pub fn shard(&self) -> ShardId {
        self.shared.shard
    }

    /// The rules.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        &self.shared.spec
    }

    /// The newest certified block and all that can be read beside it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// What happens from now on. A listener that is too far behind misses the oldest, and is told so.
    pub fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.shared.events.subscribe()
    }

    /// Transactions that a block can take from now on, in batches as they came. A listener that is too far behind
    /// misses the oldest, and is told so.
    pub fn pooled_events(&self) -> broadcast::Receiver<Arc<[PooledTransaction]>> {
        self.shared.pooled.subscribe()
    }

    /// Takes EIP-2718 encoded transactions into the pool and tells peers of them. Answers each one's hash, in the order
    /// given. What is submitted at the same time is verified together.
    pub async fn submit_transactions(&self, transactions: Vec<Bytes>) -> Vec<Result<B256, SubmitError>> {
        let count = transactions.len();
        let (reply, outcome) = oneshot::channel();
        let submission = Submission { transactions, reply: Some(reply) };
        if let Err(error) = self.ingress.try_send(submission) {
            let error = match error {
                mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
                mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
            };
            return vec![Err(error); count];
        }
        outcome.await.unwrap_or_else(|_| vec![Err(SubmitError::Stopped); count])
    }

    /// A transaction that waits for a block.
    pub async fn pooled(&self, hash: B256) -> Option<PooledTransaction> {
        self.ask(|reply| Command::Lookup(hash, reply)).await.flatten()
    }

    /// The nonce a sender's next transaction should have, after those that wait; `None` if none do.
    pub async fn nonce_after(&self, sender: Address) -> Option<u64> {
        self.ask(|reply| Command::NonceAfter(sender, reply)).await.flatten()
    }

    /// All that waits for a block, by sender.
    pub async fn pool_content(&self) -> Vec<PooledOf> {
        self.ask(Command::Content).await.unwrap_or_default()
    }

    /// What waits of one sender.
    pub async fn pool_content_of(&self, sender: Address) -> PooledOf {
        let content = self.ask(|reply| Command::ContentOf(sender, reply)).await;
        content.unwrap_or_else(|| PooledOf { sender, pending: Vec::new(), queued: Vec::new() })
    }

    /// How many transactions wait.
    pub async fn pool_counts(&self) -> Counts {
        self.ask(Command::Counts).await.unwrap_or_default()
    }

    /// Proves an account and slots of it in the state after a recent block.
    pub async fn proof(
        &self,
        address: Address,
        slots: Vec<B256>,
        height: Height,
    ) -> Result<AccountProof, QueryError> {
        let proof = self.ask(|reply| Command::Proof { address, slots, height, reply }).await;
        Ok(proof.ok_or(QueryError::Stopped)??)
    }

    /// Height at which this process took the chain up.
    pub fn starting(&self) -> Height {
        self.shared.starting
    }

    /// Height of the highest block that is known to exist, certified or not.
    pub fn highest(&self) -> Height {
        let seen = Height::new(self.shared.highest.load(Ordering::Relaxed));
        seen.max(self.snapshot().height())
    }

    /// Other nodes in the committee of the newest epoch.
    pub fn peers(&self) -> u64 {
        self.shared.peers.load(Ordering::Relaxed)
    }

    /// Asks the chain's task; `None` if there is none any more.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }
}
