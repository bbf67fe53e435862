//! The entry point for real nodes: authenticated, encrypted TCP connections, files and the clock.

use crate::{Durability, Network};
use commonware_runtime::{Runner as _, tokio as runtime};
use primitives::NodeKey;
use std::{collections::BTreeMap, future::Future, net::SocketAddr, path::PathBuf};

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

/// Joins the network.
pub fn start(root: &Root, config: SocketsConfig) -> Network {
    let _ = (root, config);
    unreachable!("under construction")
}
