//! JSON-RPC of every shard that is served, each on a port of its own.

use crate::api::{ApiConfig, ShardApi};
use crate::node::Chains;
use primitives::ShardId;
use rpc::{ServerConfig, ServerHandle};
use service::watch;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// The servers that run.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Where the shard of each id listens.
    addresses: Vec<SocketAddr>,
    /// Requests in work and WebSockets of each, at most.
    connections_max: u32,
    running: BTreeMap<ShardId, ServerHandle>,
}

impl Servers {
    pub(crate) const fn new(addresses: Vec<SocketAddr>, connections_max: u32) -> Self {
        Self { addresses, connections_max, running: BTreeMap::new() }
    }

    /// Starts and stops servers as shards come and go, until none come any more or a server does not start.
    pub(crate) async fn follow(&mut self, mut chains: watch::Receiver<Arc<Chains>>) -> eyre::Result<()> {
        loop {
            let now = Arc::clone(&chains.borrow_and_update());
            self.adjust(&now).await?;
            if chains.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn adjust(&mut self, chains: &Chains) -> eyre::Result<()> {
        let gone: Vec<_> = self.running.keys().filter(|shard| !chains.contains_key(shard)).copied().collect();
        for shard in gone {
            if let Some(server) = self.running.remove(&shard) {
                server.stop().await;
            }
        }
        for (shard, chain) in chains {
            let Some(address) = self.addresses.get(shard.get() as usize) else { continue };
            if !self.running.contains_key(shard) {
                let config = ServerConfig {
                    cors: rpc::Cors::Any,
                    max_connections: self.connections_max,
                    ..ServerConfig::new(*address)
                };
                let api = ShardApi::start(Arc::new(chain.clone()), ApiConfig::default());
                let server = rpc::serve(config, rpc::method::shard_methods(api)).await?;
                tracing::info!(%shard, address = %server.address(), "JSON-RPC served");
                self.running.insert(*shard, server);
            }
        }
        Ok(())
    }

    /// Stops all servers; requests in work end first.
    pub(crate) async fn stop(&mut self) {
        while let Some((_, server)) = self.running.pop_first() {
            server.stop().await;
        }
    }
}
