//! One node's place in its validators' network, and the chains it runs there.

use crate::{ChainConfig, ChainHandle, Request};
use primitives::NodeKey;
use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc};
use tokio::sync::mpsc;

/// One network identity with its connections. Clones share them; when the last is dropped, all stops.
#[derive(Clone)]
pub struct Network {
    pub(crate) key: NodeKey,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// What a [`Network`] says to the task behind it.
#[derive(Debug)]
pub(crate) enum Command {
    Open { config: ChainConfig, chain: Opened },
    Peers(BTreeMap<NodeKey, SocketAddr>),
    Close,
}

/// The engine's ends of a chain's channels.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) commands: mpsc::UnboundedReceiver<crate::handle::Command>,
    pub(crate) gossip: mpsc::Receiver<bytes::Bytes>,
    pub(crate) requests: mpsc::Sender<Request>,
}

/// Gossip messages that may wait to be sent.
const GOSSIP_MAX: usize = 256;

impl Network {
    /// This node's identity.
    pub const fn key(&self) -> NodeKey {
        self.key
    }

    /// Starts a chain: from `config.start`, or from what an earlier run of this generation left on disk.
    ///
    /// An engine that runs the same chain is stopped first. If the chain cannot be opened, the only request
    /// is [`Request::Failed`].
    pub async fn open(&self, config: ChainConfig) -> (ChainHandle, mpsc::Receiver<Request>) {
        let (commands, chain_commands) = mpsc::unbounded_channel();
        let (gossip, chain_gossip) = mpsc::channel(GOSSIP_MAX);
        let (chain_requests, requests) = mpsc::channel(config.requests_max.max(1));
        let chain = Opened { commands: chain_commands, gossip: chain_gossip, requests: chain_requests };
        self.command(Command::Open { config, chain });
        (ChainHandle { commands, gossip }, requests)
    }

    /// Says who the peers are and where. Connections to others are ended.
    pub fn peers(&self, peers: BTreeMap<NodeKey, SocketAddr>) {
        self.command(Command::Peers(peers));
    }

    /// All metrics of the process's runtime, in Prometheus' text format.
    pub fn metrics(&self) -> String {
        (self.metrics)()
    }

    /// Stops all chains and connections, as a crash would.
    pub fn close(self) {
        self.command(Command::Close);
    }

    fn command(&self, command: Command) {
        if let Err(error) = self.commands.send(command) {
            tracing::debug!(command = ?error.0, "network is closed, command dropped");
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("key", &self.key).finish_non_exhaustive()
    }
}
