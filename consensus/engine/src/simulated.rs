//! The entry point for simulations: every node in one deterministic runtime, with simulated links and disks.
//!
//! The same seed gives the same run. Time is simulated, and passes only while all tasks wait.

pub mod byzantine;

mod noise;

use crate::{
    Durability, Network,
    chain_network::Audience,
    durability::Disk,
    lines::{CHANNELS, Lines, quota},
    node::Node,
    node_key::{NodeId, node_id, node_key, node_signer},
};
use byzantine::Misconduct;
use commonware_cryptography::Signer as _;
use commonware_p2p::{Manager as _, simulated as p2p};
use commonware_runtime::{Clock as _, Handle, Metrics as _, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZUsize, Probability, ordered::Set};
use primitives::{Chain, Epoch, NodeKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc;

/// The simulation's runtime, as [`run`] hands it out.
pub struct Root(pub(crate) deterministic::Context);

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root")
    }
}

/// What is left when all nodes lose power at once: what their disks had synced.
pub struct Checkpoint(deterministic::Checkpoint);

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checkpoint")
    }
}

/// Runs `main` in a new simulation. Whatever still runs when it returns is gone, as in a power cut.
pub fn run<F, Fut>(seed: u64, main: F) -> (Fut::Output, Checkpoint)
where
    F: FnOnce(Root) -> Fut,
    Fut: Future,
{
    let config = deterministic::Config::default().with_seed(seed).with_timeout(Some(SIMULATED_MAX));
    let (output, checkpoint) =
        deterministic::Runner::new(config).start_and_recover(|context| main(Root(context)));
    (output, Checkpoint(checkpoint))
}

/// Runs `main` in a simulation that goes on where another lost power.
pub fn recover<F, Fut>(checkpoint: Checkpoint, main: F) -> (Fut::Output, Checkpoint)
where
    F: FnOnce(Root) -> Fut,
    Fut: Future,
{
    let runner = deterministic::Runner::from(checkpoint.0);
    let (output, checkpoint) = runner.start_and_recover(|context| main(Root(context)));
    (output, Checkpoint(checkpoint))
}

/// Simulated time after which a simulation is taken to be stuck, and panics.
const SIMULATED_MAX: Duration = Duration::from_secs(3600);

impl Root {
    /// Another handle to the same runtime.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child("child"))
    }

    /// Runs `task` beside the others; it ends with the simulation.
    pub fn spawn<Fut>(&self, task: Fut) -> Task
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        Task(self.0.child("task").spawn(move |_| task))
    }

    /// Lets simulated time pass.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.0.sleep(duration)
    }

    /// Milliseconds since the simulation's beginning of time.
    pub fn now_ms(&self) -> u64 {
        crate::application::now_ms(&self.0)
    }
}

/// A task of the simulation.
pub struct Task(Handle<()>);

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

impl Task {
    /// Ends it, with all it started.
    pub fn abort(&self) {
        self.0.abort();
    }
}

/// A way between two nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Mean time a message travels.
    pub latency: Duration,
    /// Standard deviation of it.
    pub jitter: Duration,
    /// Messages lost, of a thousand.
    pub lost_per_mille: u16,
}

impl Link {
    fn library(self) -> p2p::Link {
        let kept = 1000_u64.saturating_sub(u64::from(self.lost_per_mille));
        let success_rate = Probability::new(kept, 1000).expect("at most a thousand of a thousand");
        p2p::Link { latency: self.latency, jitter: self.jitter, success_rate }
    }
}

/// Nodes in one simulated network, linked each to each.
pub struct Cluster {
    context: deterministic::Context,
    oracle: p2p::Oracle<NodeId, deterministic::Context>,
    link: Link,
    max_message_bytes: u32,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// All nodes, with what each takes for its peers.
    nodes: BTreeMap<NodeId, Audience>,
    sets: u64,
}

impl Inner {
    fn others(&self, me: &NodeId) -> BTreeSet<NodeId> {
        self.nodes.keys().filter(|node| *node != me).cloned().collect()
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("link", &self.link).finish_non_exhaustive()
    }
}

/// Both ends of a physical channel.
type Channel = (p2p::Sender<NodeId, deterministic::Context>, p2p::Receiver<NodeId>);

/// Nodes a cluster can have.
const NODES_MAX: NonZeroUsize = NZUsize!(64);

impl Cluster {
    /// A network without nodes, whose nodes are linked by `link`.
    pub fn start(root: &Root, link: Link, max_message_bytes: u32) -> Self {
        let config = p2p::Config {
            max_size: max_message_bytes,
            max_peers_per_set: NODES_MAX,
            disconnect_on_block: false,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) = p2p::Network::new(root.0.child("network"), config);
        network.start();
        Self { context: root.0.child("cluster"), oracle, link, max_message_bytes, inner: Mutex::default() }
    }

    /// Starts the node with this secret, or starts it again after [`Network::close`], on its own disk.
    pub async fn node(&self, node_secret: &[u8; 32], durability: Durability) -> Network {
        self.start_node(node_secret, durability, None).await
    }

    /// As [`Self::node`], but it breaks the rules as `conduct` says.
    pub async fn byzantine_node(
        &self,
        node_secret: &[u8; 32],
        durability: Durability,
        conduct: Arc<dyn Misconduct>,
    ) -> Network {
        self.start_node(node_secret, durability, Some(conduct)).await
    }

    async fn start_node(
        &self,
        node_secret: &[u8; 32],
        durability: Durability,
        conduct: Option<Arc<dyn Misconduct>>,
    ) -> Network {
        let me = node_signer(node_secret).public_key();
        let peers = self.admit(&me).await;
        let channels = self.channels(&me).await;
        let votes = channels[0].0.clone();
        let key = node_key(&me);
        let prefix = format!("n{key:x}-");
        let (commands, receiver) = mpsc::unbounded_channel();
        let metrics = self.context.child("metrics");
        let max_message_bytes = self.max_message_bytes as usize;
        self.context.child("node").with_attribute("node", key).spawn(move |context| async move {
            let disk = Disk::new(context, durability, &prefix);
            let (lines, strays) = Lines::new(&disk, channels, max_message_bytes);
            Node { context: disk, me, lines, peers }.run(receiver, strays, |_| ()).await;
        });
        let network = Network { key, commands, metrics: Arc::new(move || metrics.encode()) };
        match conduct {
            Some(conduct) => byzantine::corrupt(&self.context, network, conduct, votes),
            None => network,
        }
    }

    /// The ends of a node's physical channels.
    async fn channels(&self, me: &NodeId) -> [Channel; CHANNELS as usize] {
        let control = self.oracle.control(me.clone());
        let mut channels = Vec::new();
        for channel in 0..CHANNELS {
            let ends = control.register(channel, quota()).await;
            channels.push(ends.expect("the simulated network runs as long as the simulation"));
        }
        channels.try_into().expect("one pair of ends was made for each channel")
    }

    /// Starts a node that sends nonsense on every channel, some of it on the lines of this chain and epoch.
    pub async fn noisy_node(&self, node_secret: &[u8; 32], place: (Chain, Epoch)) -> Task {
        let me = node_signer(node_secret).public_key();
        self.admit(&me).await;
        let senders = self.channels(&me).await.map(|(sender, _)| sender);
        Task(self.context.child("noise").spawn(move |context| noise::run(context, senders, place)))
    }

    /// Makes a node known to the others; returns its peers, which later nodes are added to.
    async fn admit(&self, me: &NodeId) -> Audience {
        let (audience, added) = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let known = inner.nodes.len();
            let audience = inner.nodes.entry(me.clone()).or_default().clone();
            let is_new = inner.nodes.len() > known;
            if is_new {
                inner.sets += 1;
                self.oracle.manager().track(inner.sets, Set::from_iter_dedup(inner.nodes.keys().cloned()));
                for (node, audience) in &inner.nodes {
                    audience.set(inner.others(node));
                }
            }
            (audience, if is_new { inner.others(me) } else { BTreeSet::new() })
        };
        for other in &added {
            self.add(me, other, self.link).await;
        }
        audience
    }

    /// Links two nodes, in both directions, in place of any link they have.
    pub async fn link(&self, one: NodeKey, other: NodeKey, link: Link) {
        if let (Some(one), Some(other)) = (node_id(&one), node_id(&other)) {
            self.cut_ids(&one, &other).await;
            self.add(&one, &other, link).await;
        }
    }

    /// Unlinks two nodes.
    pub async fn cut(&self, one: NodeKey, other: NodeKey) {
        if let (Some(one), Some(other)) = (node_id(&one), node_id(&other)) {
            self.cut_ids(&one, &other).await;
        }
    }

    /// Unlinks a node from all others.
    pub async fn isolate(&self, one: NodeKey) {
        for other in self.others(one) {
            self.cut(one, other).await;
        }
    }

    /// Links a node to all others again.
    pub async fn rejoin(&self, one: NodeKey) {
        for other in self.others(one) {
            self.link(one, other, self.link).await;
        }
    }

    fn others(&self, one: NodeKey) -> Vec<NodeKey> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.nodes.keys().map(node_key).filter(|node| *node != one).collect()
    }

    async fn add(&self, one: &NodeId, other: &NodeId, link: Link) {
        for (from, to) in [(one, other), (other, one)] {
            let added = self.oracle.add_link(from.clone(), to.clone(), link.library()).await;
            added.expect("two different nodes of the network that are not linked");
        }
    }

    async fn cut_ids(&self, one: &NodeId, other: &NodeId) {
        for (from, to) in [(one, other), (other, one)] {
            // There may be no link to remove.
            let _ = self.oracle.remove_link(from.clone(), to.clone()).await;
        }
    }
}
