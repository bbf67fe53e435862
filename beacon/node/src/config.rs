//! What an operator sets: flag over environment over file over default.

use crate::store::BeaconStore;
use serde::{Deserialize, Serialize};
use service::{durability::Durability, logs::LogFormat, node::Setup};
use std::net::SocketAddr;
use std::path::PathBuf;
use validator::NodeRole;

/// Settings of a beacon node; every one has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the node keeps its chain.
    pub data_dir: PathBuf,
    /// The network's genesis file.
    pub genesis: PathBuf,
    /// The validator's keys.
    pub keys: PathBuf,
    /// File with their password; asked for on the terminal if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Takes no part in consensus: only the network key is used, and no password is needed.
    pub follow: bool,
    /// Where the validators' network listens.
    pub listen: SocketAddr,
    /// The other nodes: `KEY@HOST:PORT`.
    pub peers: Vec<String>,
    /// Where the REST interface listens.
    pub rest: SocketAddr,
    /// Where the metrics page listens.
    pub metrics: SocketAddr,
    /// What a commit survives.
    pub durability: Durability,
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
        Self {
            data_dir: "beacon".into(),
            genesis: "genesis.json".into(),
            keys: "keys".into(),
            password_file: None,
            follow: false,
            listen: local(9000),
            peers: Vec::new(),
            rest: local(5052),
            metrics: local(5054),
            durability: Durability::Power,
            worker_threads: 2,
            log: "info,commonware=warn".into(),
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    /// What it has in common with the other kind of node.
    pub fn setup(&self) -> Setup<'_> {
        Setup {
            role: NodeRole::Beacon,
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

    /// How the database is opened.
    pub const fn storage(&self) -> storage::StoreConfig {
        BeaconStore::config(self.durability.storage())
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
            ..Config::default()
        };
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("beacon.toml");
        std::fs::write(&path, toml::to_string(&config).expect("plain data")).expect("writable");
        assert_eq!(service::config::load::<Config>(Some(&path)).expect("as written"), config);
    }

    /// A misspelt key names the right one.
    #[test]
    fn misspelt_setting_names_the_nearest() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("beacon.toml");
        std::fs::write(&path, "data_dri = \"x\"\n").expect("writable");
        let error = service::config::load::<Config>(Some(&path)).expect_err("no such key");
        assert!(error.to_string().ends_with("did you mean `data_dir`?"), "{error}");
    }
}
