//! The task behind a [`crate::Network`]: opens chains, one at a time for each, and tells them apart.

use crate::{
    ChainConfig, EngineError, Request,
    chain::{self, Ahead, Home},
    chain_network::Audience,
    durability::Runtime,
    lines::{Lines, Stray, place},
    network::{Command, Opened},
    node_key::{NodeId, node_id},
};
use commonware_p2p::Sender;
use commonware_runtime::AbortOnDrop;
use primitives::{Chain, NodeKey};
use std::{collections::BTreeMap, net::SocketAddr};
use tokio::sync::mpsc;

/// Nodes ahead of a chain that may wait for its attention.
const AHEAD_MAX: usize = 16;

/// A chain that was opened.
struct Open {
    task: AbortOnDrop<()>,
    ahead: mpsc::Sender<Ahead>,
}

/// A node, its chains and the tracking of its peers.
pub(crate) struct Node<E, S: Sender<PublicKey = NodeId>> {
    pub(crate) context: E,
    pub(crate) me: NodeId,
    pub(crate) lines: Lines<S>,
    pub(crate) peers: Audience,
}

impl<E: Runtime, S: Sender<PublicKey = NodeId>> Node<E, S> {
    /// Runs until the network is closed or nobody holds it any more. `track` learns who the peers are.
    pub(crate) async fn run(
        self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut strays: mpsc::Receiver<Stray>,
        mut track: impl FnMut(BTreeMap<NodeKey, SocketAddr>) + Send,
    ) {
        let mut chains: BTreeMap<Chain, Open> = BTreeMap::new();
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None | Some(Command::Close) => return,
                    Some(Command::Peers(peers)) => {
                        self.peers.set(peers.keys().filter_map(node_id).filter(|node| *node != self.me).collect());
                        track(peers);
                    }
                    Some(Command::Open { config, chain }) => {
                        if let Some(open) = chains.remove(&config.chain) {
                            open.task.abort().await;
                        }
                        chains.insert(config.chain, self.open(config, chain));
                    }
                },
                Some((number, (node, _))) = strays.recv() => {
                    let (chain, epoch) = place(number);
                    if let Some(open) = chains.get(&chain) {
                        // Who is ahead says so again.
                        let _ = open.ahead.try_send((epoch, node));
                    }
                }
            }
        }
    }

    fn open(&self, config: ChainConfig, opened: Opened) -> Open {
        let (ahead, behind) = mpsc::channel(AHEAD_MAX);
        let home = Home { me: self.me.clone(), lines: self.lines.clone(), peers: self.peers.clone() };
        let (chain, requests) = (config.chain, opened.requests.clone());
        let supervisor = self.context.child("chains").with_attribute("chain", chain);
        let task = supervisor.spawn(move |context| async move {
            let task = context
                .child("chain")
                .spawn(move |context| chain::run(context, home, config, opened, behind));
            let error = match task.abort_on_drop().join().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(error) => EngineError::Archive { chain, reason: error.to_string() },
            };
            tracing::error!(%chain, %error, "engine of chain failed");
            // Without an owner there is nobody to tell.
            let _ = requests.send(Request::Failed(error)).await;
        });
        Open { task: task.abort_on_drop(), ahead }
    }
}
