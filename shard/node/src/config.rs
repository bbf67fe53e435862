//! What an operator sets: flag over environment over file over default.

use crate::pool::PoolLimits;
use crate::store::ShardStore;
use serde::{Deserialize, Serialize};
use service::{durability::Durability, logs::LogFormat, node::Setup};
use std::net::SocketAddr;
use std::path::PathBuf;
use validator::NodeRole;

/// Ports between the JSON-RPC of one shard and that of the next.
pub const RPC_STRIDE: u16 = 10;

/// Settings of a shard node; every one has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the node keeps its chains.
    pub data_dir: PathBuf,
    /// The network's genesis file.
    pub genesis: PathBuf,
    /// The validator's keys.
    pub keys: PathBuf,
    /// File with their password; asked for on the terminal if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Takes no part in consensus, and follows every shard: no password is needed.
    pub follow: bool,
    /// Where the validators' network listens.
    pub listen: SocketAddr,
    /// The other nodes: `KEY@HOST:PORT`.
    pub peers: Vec<String>,
    /// The beacon node's REST interface.
    pub beacon: String,
    /// Where the first shard's JSON-RPC listens; the others follow, [`RPC_STRIDE`] ports apart.
    pub rpc: SocketAddr,
    /// Requests in work and WebSockets of one shard's JSON-RPC, at most.
    pub rpc_connections: u32,
    /// Where the metrics page listens.
    pub metrics: SocketAddr,
    /// What a commit survives.
    pub durability: Durability,
    /// Blocks whose state stays readable.
    pub history_blocks: u64,
    /// Transactions that wait for a block of one shard, at most.
    pub pool_transactions: usize,
    /// Their bytes, at most.
    pub pool_bytes: usize,
    /// Those of one sender, at most.
    pub pool_account_transactions: usize,
    /// Threads that work.
    pub worker_threads: usize,
    /// What is logged, in `RUST_LOG`'s syntax.
    pub log: String,
    /// How a log line looks.
    pub log_format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let pool = PoolLimits::default();
        Self {
            data_dir: "shards".into(),
            genesis: "genesis.json".into(),
            keys: "keys".into(),
            password_file: None,
            follow: false,
            listen: local(9001),
            peers: Vec::new(),
            beacon: "http://127.0.0.1:5052".into(),
            rpc: local(8545),
            rpc_connections: 500,
            metrics: local(9101),
            durability: Durability::Power,
            history_blocks: 10_000,
            pool_transactions: pool.transactions_max,
            pool_bytes: pool.bytes_max,
            pool_account_transactions: pool.account_transactions_max,
            worker_threads: 4,
            log: "info,commonware=warn".into(),
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    /// What the pool of a shard holds at most.
    pub fn pool(&self) -> PoolLimits {
        PoolLimits {
            transactions_max: self.pool_transactions,
            bytes_max: self.pool_bytes,
            account_transactions_max: self.pool_account_transactions,
            ..PoolLimits::default()
        }
    }

    /// Where the JSON-RPC of the shard at `index` listens; `None` if there is no such port.
    pub fn rpc_at(&self, index: u32) -> Option<SocketAddr> {
        let offset = u32::from(RPC_STRIDE).checked_mul(index)?;
        let port = u32::from(self.rpc.port()).checked_add(offset)?;
        Some(SocketAddr::new(self.rpc.ip(), u16::try_from(port).ok()?))
    }

    /// What it has in common with the other kind of node.
    pub fn setup(&self) -> Setup<'_> {
        Setup {
            role: NodeRole::Shard,
            genesis: &self.genesis,
            data_dir: &self.data_dir,
            keys: &self.keys,
            password_file: self.password_file.as_ref(),
            follow: self.follow,
            listen: self.listen,
            peers: &self.peers,
            durability: self.durability,
        }
    }

    /// How the databases are opened.
    pub const fn storage(&self) -> storage::StoreConfig {
        ShardStore::config(self.durability.storage(), self.history_blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

    /// Every setting survives being written to a file and read back.
    #[test]
    fn settings_read_back_as_written() {
        let config = Config {
            password_file: Some("secret".into()),
            peers: vec![format!("{KEY}@127.0.0.1:9001")],
            durability: Durability::Process,
            history_blocks: 7,
            ..Config::default()
        };
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("shard.toml");
        std::fs::write(&path, toml::to_string(&config).expect("plain data")).expect("writable");
        assert_eq!(service::config::load::<Config>(Some(&path)).expect("as written"), config);
    }

    /// A misspelt key names the right one.
    #[test]
    fn misspelt_setting_names_the_nearest() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("shard.toml");
        std::fs::write(&path, "history_block = 5\n").expect("writable");
        let error = service::config::load::<Config>(Some(&path)).expect_err("no such key");
        assert!(error.to_string().ends_with("did you mean `history_blocks`?"), "{error}");
    }

    /// Each shard has a port of its own, as long as there are ports.
    #[test]
    fn shards_are_ten_ports_apart() {
        let config = Config { rpc: SocketAddr::from(([127, 0, 0, 1], 8545)), ..Config::default() };
        assert_eq!(config.rpc_at(2).map(|address| address.port()), Some(8565));
        assert_eq!(config.rpc_at(6000), None);
    }
}
