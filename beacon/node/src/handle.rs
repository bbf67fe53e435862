//! What the rest of the process may ask of a running beacon node.
//!
//! Readers never wait for the chain: they take the newest [`Snapshot`], or read the disk.

use crate::Snapshot;
use crate::core::{CandidateError, Taken};
use crate::metrics::Metrics;
use crate::node::Failure;
use crate::store::{BeaconStore, Drawn};
use arc_swap::ArcSwap;
use beacon_state::Event;
use engine::Network;
use futures::future::{Either, select};
use primitives::{
    BeaconBlock, BeaconHeader, Chain, Committee, Conflict, CrosslinkOffer, Epoch, EpochTable, Evidence,
    Genesis, Height, LightUpdate, Unverified,
};
use service::{runtime::SharedRuntime, watch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use storage::StorageError;
use tokio::sync::{broadcast, mpsc, oneshot};

/// Certified blocks that a slow listener may be behind before it misses some.
const EVENTS_MAX: usize = 256;

/// A running beacon node; clones are handles of the same. It stops when the last is dropped.
#[derive(Clone, Debug)]
pub struct BeaconHandle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<Command>,
}

/// A certified block and what it did.
#[derive(Clone, Debug)]
pub struct Certified {
    /// The chain after it.
    pub snapshot: Arc<Snapshot>,
    /// What it did, in order.
    pub events: Vec<Event>,
}

/// Where a follower starts that trusts the genesis file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The genesis header.
    pub header: BeaconHeader,
    /// The beacon chain's committees as the genesis state names them.
    pub beacon_table: EpochTable,
    /// Those committees.
    pub committees: Vec<Committee>,
}

/// How the node is.
#[derive(Clone, Debug)]
pub enum Status {
    /// It follows the chain.
    Running,
    /// It was told to stop, and did.
    Stopped,
    /// It cannot go on.
    Failed(Arc<Failure>),
}

/// Why something offered was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It is wrong, or there is no room.
    #[error(transparent)]
    Refused(#[from] CandidateError),
    /// Too much is offered at once.
    #[error("the node is busy: try again")]
    Busy,
    /// Nobody is there any more.
    #[error("the node has stopped")]
    Stopped,
}

/// What a handle says to its node.
#[derive(Debug)]
pub(crate) enum Command {
    Crosslink(Unverified<CrosslinkOffer>, Answer),
    Evidence(Unverified<Evidence>, Answer),
    Conflict(Unverified<Conflict>, Answer),
    Stop,
}

/// Takes what became of something offered.
pub(crate) type Answer = oneshot::Sender<Result<Taken, CandidateError>>;

/// What node and handles have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) genesis: Genesis,
    pub(crate) bootstrap: Bootstrap,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Height of the snapshot: wakes those who wait for the next.
    pub(crate) head: watch::Sender<Height>,
    /// Highest block that anybody proposed.
    pub(crate) highest: AtomicU64,
    pub(crate) events: broadcast::Sender<Certified>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) store: BeaconStore,
    pub(crate) metrics: Metrics,
    pub(crate) network: Network,
    pub(crate) runtime: SharedRuntime,
}

impl Shared {
    pub(crate) fn new(
        genesis: Genesis,
        bootstrap: Bootstrap,
        snapshot: Arc<Snapshot>,
        store: BeaconStore,
        network: Network,
        runtime: SharedRuntime,
    ) -> Self {
        let height = snapshot.height();
        Self {
            genesis,
            bootstrap,
            snapshot: ArcSwap::new(snapshot),
            head: watch::Sender::new(height),
            highest: AtomicU64::new(height.get()),
            events: broadcast::Sender::new(EVENTS_MAX),
            status: watch::Sender::new(Status::Running),
            store,
            metrics: Metrics::new(),
            network,
            runtime,
        }
    }
}

impl BeaconHandle {
    /// The newest certified block and its state.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// The genesis file.
    pub fn genesis(&self) -> &Genesis {
        &self.shared.genesis
    }

    /// The node's place in the validators' network.
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// The chain on disk.
    pub fn store(&self) -> &BeaconStore {
        &self.shared.store
    }

    /// Height of the highest block that is known to exist, certified or not.
    pub fn highest(&self) -> Height {
        let seen = Height::new(self.shared.highest.load(Ordering::Relaxed));
        seen.max(self.snapshot().height())
    }

    /// The lowest light update above `height` that is kept, as soon as there is one; `None` if there is none
    /// within `wait`.
    pub async fn light_update_after(
        &self,
        height: Height,
        wait: Duration,
    ) -> Result<Option<LightUpdate>, StorageError> {
        let mut head = self.shared.head.subscribe();
        let mut patience = self.shared.runtime.sleep(wait);
        loop {
            head.mark_unchanged();
            if let Some(update) = self.shared.store.light_update_above(height)? {
                return Ok(Some(update));
            }
            match select(patience, std::pin::pin!(head.changed())).await {
                Either::Right((Ok(()), left)) => patience = left,
                // Out of patience, or the node has stopped.
                Either::Left(_) | Either::Right((Err(_), _)) => return Ok(None),
            }
        }
    }

    /// Where a follower starts.
    pub fn bootstrap(&self) -> &Bootstrap {
        &self.shared.bootstrap
    }

    /// The committee that was drawn for a chain and epoch, however long ago, and the epoch's first height.
    pub fn committee(&self, chain: Chain, epoch: Epoch) -> Result<Option<Drawn>, StorageError> {
        self.shared.store.committee(chain, epoch)
    }

    /// The certified block at `height`.
    pub fn block(&self, height: Height) -> Result<Option<BeaconBlock>, StorageError> {
        self.shared.store.block(height)
    }

    /// Offers a crosslink for a coming block.
    pub async fn submit_crosslink(&self, offer: Unverified<CrosslinkOffer>) -> Result<Taken, SubmitError> {
        self.submit(|answer| Command::Crosslink(offer, answer)).await
    }

    /// Offers a proof of equivocation.
    pub async fn submit_evidence(&self, evidence: Unverified<Evidence>) -> Result<Taken, SubmitError> {
        self.submit(|answer| Command::Evidence(evidence, answer)).await
    }

    /// Offers a proof that a committee certified two branches.
    pub async fn submit_conflict(&self, conflict: Unverified<Conflict>) -> Result<Taken, SubmitError> {
        self.submit(|answer| Command::Conflict(conflict, answer)).await
    }

    async fn submit(&self, command: impl FnOnce(Answer) -> Command) -> Result<Taken, SubmitError> {
        let (answer, outcome) = oneshot::channel();
        let sent = self.commands.try_send(command(answer));
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
        })?;
        let outcome = outcome.await.map_err(|_| SubmitError::Stopped)?;
        Ok(outcome?)
    }

    /// Certified blocks from now on. A listener that is too far behind misses the oldest, and is told so.
    pub fn events(&self) -> broadcast::Receiver<Certified> {
        self.shared.events.subscribe()
    }

    /// Waits until the head is at `height` or above; false if the node stops before.
    pub async fn reached(&self, height: Height) -> bool {
        self.shared.head.subscribe().wait_for(|head| *head >= height).await.is_ok()
    }

    /// The Prometheus page: the node's counters and those of its network.
    pub fn metrics(&self) -> String {
        self.shared.metrics.encode(&self.shared.network.metrics())
    }

    /// How the node is.
    pub fn status(&self) -> Status {
        self.shared.status.borrow().clone()
    }

    /// Returns when the node has ended, with the reason if it failed.
    pub async fn ended(&self) -> Result<(), Arc<Failure>> {
        let mut status = self.shared.status.subscribe();
        match status.wait_for(|status| !matches!(status, Status::Running)).await {
            Ok(Status::Failed(failure)) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Lets the node finish what it is at, and stop.
    pub async fn stop(&self) {
        // Closed means that it has stopped already.
        let _ = self.commands.send(Command::Stop).await;
        let _ = self.ended().await;
    }
}
