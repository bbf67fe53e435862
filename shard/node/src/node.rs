//! The running node: follows the beacon chain, and runs every shard that its validator is drawn for.
//!
//! A chain is opened when one of our seats is in its current or a coming committee, so that it has synced before its
//! first vote, and closed when none is. Without seats the node follows all shards.

use crate::beacon_view::BeaconView;
use crate::chain::{ChainFailure, ChainParts, ShardChain};
use crate::follower::{Follower, Views};
use crate::handle::{ChainHandle, Command};
use crate::link::BeaconLink;
use crate::metrics::Metrics;
use crate::pool::PoolLimits;
use consensus::light::BootstrapError;
use engine::Network;
use primitives::{Genesis, ShardId};
use service::{runtime::SharedRuntime, watch};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use storage::{StorageError, Store};
use tokio::sync::mpsc;
use validator::Signer;

/// Opens the store of a shard.
pub type Stores = Arc<dyn Fn(ShardId) -> Result<Store, StorageError> + Send + Sync>;

/// What may differ between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Blocks whose state stays readable.
    pub history_blocks: u64,
    /// What the pool of a shard holds at most.
    pub pool: PoolLimits,
}

/// What a shard node is made of.
pub struct Parts {
    /// The network's genesis file, verified.
    pub genesis: Genesis,
    /// The shards' databases, opened with [`crate::store::ShardStore::config`].
    pub stores: Stores,
    /// Its connections.
    pub network: Network,
    /// Its seats; without, it follows every shard.
    pub signer: Option<Signer>,
    /// Its way to the beacon chain.
    pub link: Arc<dyn BeaconLink>,
    /// Tasks and time.
    pub runtime: SharedRuntime,
    /// What may differ between nodes.
    pub config: NodeConfig,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("network", &self.network)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The genesis file draws no committees.
    #[error("the genesis file: {0}")]
    Genesis(#[from] BootstrapError),
}

/// Why a node cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("shard {shard}: {failure}")]
pub struct Failure {
    /// Which shard.
    pub shard: ShardId,
    /// What happened to it.
    pub failure: ChainFailure,
}

/// How a node is.
#[derive(Clone, Debug)]
pub enum Status {
    /// It runs.
    Running,
    /// It was told to stop, and did.
    Stopped,
    /// It cannot go on.
    Failed(Arc<Failure>),
}

/// The shards that a node serves.
pub type Chains = BTreeMap<ShardId, ChainHandle>;
/// The same, as they come and go.
pub(crate) type Served = watch::Receiver<Arc<Chains>>;

/// A running shard node; clones are handles of the same.
#[derive(Clone, Debug)]
pub struct ShardNodeHandle {
    chains: watch::Receiver<Arc<Chains>>,
    status: watch::Receiver<Status>,
    views: Views,
    stop: mpsc::Sender<()>,
    metrics: Metrics,
    network: Network,
}

/// Starts shard nodes.
#[derive(Debug)]
pub struct ShardNode;

impl ShardNode {
    /// Starts to follow the beacon chain; shards are opened as soon as it is known which.
    pub async fn start(parts: Parts) -> Result<ShardNodeHandle, StartError> {
        let metrics = Metrics::new();
        let (follower, views) =
            Follower::new(&parts.genesis, Arc::clone(&parts.link), parts.runtime.clone(), metrics.clone())?;
        let (chains_sender, chains) = watch::channel(Arc::default());
        let (status_sender, status) = watch::channel(Status::Running);
        let (stop, stopped) = mpsc::channel(1);
        let (network, runtime) = (parts.network.clone(), parts.runtime.clone());
        let handle =
            ShardNodeHandle { chains, status, views: views.clone(), stop, metrics: metrics.clone(), network };
        runtime.spawn("beacon follower", Box::pin(follower.run()));
        let (ended_sender, ended) = mpsc::channel(1);
        let supervisor = Supervisor {
            genesis: Arc::new(parts.genesis.clone()),
            parts,
            views,
            metrics,
            chains: chains_sender,
            ended: ended_sender,
        };
        runtime.spawn("shard supervisor", Box::pin(supervisor.run(status_sender, ended, stopped)));
        Ok(handle)
    }
}

impl ShardNodeHandle {
    /// The shards that are served now.
    pub fn chains(&self) -> Arc<Chains> {
        Arc::clone(&self.chains.borrow())
    }

    /// The same, as they come and go.
    pub fn chains_changing(&self) -> watch::Receiver<Arc<Chains>> {
        self.chains.clone()
    }

    /// One shard, if it is served.
    pub fn chain(&self, shard: ShardId) -> Option<ChainHandle> {
        self.chains.borrow().get(&shard).cloned()
    }

    /// The newest view of the beacon chain, as soon as there is one.
    pub fn beacon(&self) -> Option<Arc<BeaconView>> {
        self.views.borrow().clone()
    }

    /// The node's place in the validators' network.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The Prometheus page: the node's counters and those of its network.
    pub fn metrics(&self) -> String {
        self.metrics.encode(&self.network.metrics())
    }

    /// How the node is.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Returns when the node has ended, with the reason if it failed.
    pub async fn ended(&self) -> Result<(), Arc<Failure>> {
        let mut status = self.status.clone();
        match status.wait_for(|status| !matches!(status, Status::Running)).await {
            Ok(Status::Failed(failure)) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Lets the node finish what it is at, and stop.
    pub async fn stop(&self) {
        // Closed means that it has stopped already.
        let _ = self.stop.send(()).await;
        let _ = self.ended().await;
    }
}

/// A chain's task has ended.
type Ended = (ShardId, Result<(), ChainFailure>);

/// The task that opens and closes chains.
struct Supervisor {
    genesis: Arc<Genesis>,
    parts: Parts,
    views: Views,
    metrics: Metrics,
    chains: watch::Sender<Arc<Chains>>,
    ended: mpsc::Sender<Ended>,
}

impl Supervisor {
    async fn run(
        mut self,
        status: watch::Sender<Status>,
        mut ended: mpsc::Receiver<Ended>,
        mut stopped: mpsc::Receiver<()>,
    ) {
        let outcome = loop {
            tokio::select! {
                biased;
                Some((shard, outcome)) = ended.recv() => {
                    self.remove(shard);
                    if let Err(failure) = outcome {
                        break Err(Failure { shard, failure });
                    }
                }
                changed = self.views.changed() => {
                    let view = self.views.borrow_and_update().clone();
                    let (Ok(()), Some(view)) = (changed, view) else { break Ok(()) };
                    if let Err(failure) = self.adjust(&view).await {
                        break Err(failure);
                    }
                }
                _ = stopped.recv() => break Ok(()),
            }
        };
        self.close_all(&mut ended).await;
        let end = match outcome {
            Ok(()) => Status::Stopped,
            Err(failure) => {
                tracing::error!(%failure, "shard node stopped");
                Status::Failed(Arc::new(failure))
            }
        };
        status.send_replace(end);
    }

    /// Opens the chains that are ours by now, and closes those that are not any more.
    async fn adjust(&mut self, view: &BeaconView) -> Result<(), Failure> {
        for proof in &view.records {
            let shard = proof.record.shard;
            let open = self.chains.borrow().get(&shard).cloned();
            match (self.is_ours(view, shard), open) {
                (true, None) => {
                    self.open(shard).await.map_err(|failure| Failure { shard, failure })?;
                }
                (false, Some(chain)) => {
                    // Full means busy: the next view asks again.
                    let _ = chain.commands.try_send(Command::Stop);
                }
                (true, Some(_)) | (false, None) => {}
            }
        }
        Ok(())
    }

    /// Whether one of our seats is in a committee that acts for `shard` from now on.
    fn is_ours(&self, view: &BeaconView, shard: ShardId) -> bool {
        let Some(signer) = &self.parts.signer else { return true };
        view.acting(shard).any(|committee| signer.seats_in(committee).next().is_some())
    }

    async fn open(&self, shard: ShardId) -> Result<(), ChainFailure> {
        let parts = &self.parts;
        let chain = ChainParts {
            genesis: Arc::clone(&self.genesis),
            shard,
            store: (parts.stores)(shard)?,
            history_blocks: parts.config.history_blocks,
            pool: parts.config.pool,
            network: parts.network.clone(),
            signer: parts.signer.clone(),
            link: Arc::clone(&parts.link),
            views: self.views.clone(),
            served: self.chains.subscribe(),
            runtime: parts.runtime.clone(),
            metrics: self.metrics.shard(shard),
        };
        let (handle, chain, commands) = ShardChain::open(chain).await?;
        tracing::info!(%shard, height = %handle.snapshot().height(), "shard opened");
        let ended = self.ended.clone();
        let task = async move {
            let outcome = chain.run(commands).await;
            // Nobody left to tell means that the node has stopped.
            let _ = ended.send((shard, outcome)).await;
        };
        parts.runtime.spawn("shard chain", Box::pin(task));
        self.chains.send_modify(|chains| {
            Arc::make_mut(chains).insert(shard, handle);
        });
        Ok(())
    }

    fn remove(&self, shard: ShardId) {
        tracing::info!(%shard, "shard closed");
        self.chains.send_modify(|chains| {
            Arc::make_mut(chains).remove(&shard);
        });
    }

    async fn close_all(&self, ended: &mut mpsc::Receiver<Ended>) {
        let chains = self.chains.send_replace(Arc::default());
        for chain in chains.values() {
            let _ = chain.commands.send(Command::Stop).await;
        }
        for _ in 0..chains.len() {
            if let Some((shard, Err(failure))) = ended.recv().await {
                tracing::error!(%shard, %failure, "shard stopped");
            }
        }
    }
}
