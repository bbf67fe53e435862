//! The entry point for real nodes: authenticated, encrypted TCP connections, files and the clock.

use crate::{
    Durability, Network,
    chain_network::Audience,
    durability::Disk,
    lines::{CHANNELS, Lines, quota},
    network::Command,
    node::Node,
    node_key::{node_id, node_key, node_signer},
};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519};
use commonware_p2p::{Address, AddressableManager as _, authenticated::lookup};
use commonware_runtime::{Metrics as _, Quota, Runner as _, Spawner as _, Supervisor as _, tokio as runtime};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize, ordered::Map};
use primitives::NodeKey;
use std::{
    collections::BTreeMap, future::Future, net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;

/// A node on the network.
#[derive(Clone)]
pub struct SocketsConfig {
    /// Seed of the node's ed25519 key.
    pub node_secret: [u8; 32],
    /// Where to listen.
    pub listen: SocketAddr,
    /// Peers known at the start.
    pub peers: BTreeMap<NodeKey, SocketAddr>,
    /// What survives which crash.
    pub durability: Durability,
    /// Largest message, bytes: above the largest block.
    pub max_message_bytes: u32,
}

impl std::fmt::Debug for SocketsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketsConfig").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// The process's runtime, as [`run`] hands it out.
pub struct Root(pub(crate) runtime::Context);

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Root")
    }
}

/// Runs `main` as the process's one runtime; sockets, servers and files of all kinds work within it.
///
/// `storage` is the engine's own directory, which only one process may use. A panic of one task ends
/// that task, which shows as [`crate::Request::Failed`].
pub fn run<F, Fut>(storage: PathBuf, worker_threads: usize, main: F) -> Fut::Output
where
    F: FnOnce(Root) -> Fut,
    Fut: Future,
{
    let config = runtime::Config::new()
        .with_worker_threads(worker_threads.max(1))
        .with_catch_panics(true)
        .with_tcp_nodelay(Some(true))
        .with_storage_directory(storage);
    runtime::Runner::new(config).start(|context| main(Root(context)))
}

/// Joins the network. The sockets are bound by a task: a taken port ends the network, which ends its chains.
pub fn start(root: &Root, config: SocketsConfig) -> Network {
    let signer = node_signer(&config.node_secret);
    let key = node_key(&signer.public_key());
    let (commands, receiver) = mpsc::unbounded_channel();
    // The receiver is held right here, so this cannot fail.
    let _ = commands.send(Command::Peers(config.peers.clone()));
    let metrics = root.0.child("metrics");
    root.0
        .child("node")
        .with_attribute("node", key)
        .spawn(move |context| run_node(context, config, signer, receiver));
    Network { key, commands, metrics: Arc::new(move || metrics.encode()) }
}

/// Separates this network's connections from all others of the library's users.
const NAMESPACE: &[u8] = b"atoll";
/// Peers there is room for beyond twice those known at the start.
const PEERS_SPARE: usize = 16;
/// Messages between the tasks of the network.
const MAILBOX: NonZeroUsize = NZUsize!(1024);

async fn run_node(
    context: runtime::Context,
    config: SocketsConfig,
    signer: ed25519::PrivateKey,
    commands: mpsc::UnboundedReceiver<Command>,
) {
    let me = signer.public_key();
    let prefix = format!("n{:x}-", node_key(&me));
    let handshake = Sake {
        signer,
        synchrony_bound: Duration::from_secs(5),
        max_handshake_age: Duration::from_secs(10),
        version: sake::Version::V1,
    };
    let handshake = Cups::<_, ChaCha20Poly1305>::new(handshake, cups::Version::V1);
    // The library sets memory aside for what each of these may send in a second, on each channel.
    let peers_max =
        NonZeroUsize::MIN.saturating_add(config.peers.len().saturating_mul(2).saturating_add(PEERS_SPARE));
    let mut network = lookup::Config::local(
        handshake,
        NAMESPACE,
        config.listen,
        peers_max,
        config.max_message_bytes,
        MAILBOX,
    );
    network.tracked_peer_sets = NZUsize!(1);
    network.dial_frequency = Duration::from_millis(100);
    network.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(256));
    network.allowed_handshake_rate_per_subnet = Quota::per_second(NZU32!(1024));
    let (mut network, mut oracle) = lookup::Network::new(context.child("network"), network);
    let channels: [_; CHANNELS as usize] =
        std::array::from_fn(|channel| network.register(channel as u64, quota()));
    let disk = Disk::new(context.child("disk"), config.durability, &prefix);
    let (lines, strays) = Lines::new(&disk, channels, config.max_message_bytes as usize);
    network.start();
    let node = Node { context: disk, me, lines, peers: Audience::default() };
    let mut version = 0;
    let track = move |peers: BTreeMap<NodeKey, SocketAddr>| {
        let peers = peers.iter().filter_map(|(key, address)| Some((node_id(key)?, Address::from(*address))));
        // The library stops at a set that is too large; this node itself counts.
        let peers: Vec<_> = peers.take(peers_max.get() - 1).collect();
        match Map::try_from(peers) {
            Ok(peers) => {
                oracle.track(version, peers);
                version += 1;
            }
            Err(error) => tracing::error!(%error, "peers could not be tracked"),
        }
    };
    node.run(commands, strays, track).await;
}
