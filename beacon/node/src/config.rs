//! What an operator sets: flag over environment over file over default.

use crate::store::BeaconStore;
use primitives::NodeKey;
use serde::{Deserialize, Serialize};
use service::logs::LogFormat;
use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

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

/// What survives which crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// A power cut.
    #[default]
    Power,
    /// `kill -9`, not a power cut.
    Process,
}

impl Durability {
    /// For the engine.
    pub const fn engine(self) -> engine::Durability {
        match self {
            Self::Power => engine::Durability::Power,
            Self::Process => engine::Durability::Process,
        }
    }

    /// For the database.
    pub const fn storage(self) -> storage::StoreConfig {
        BeaconStore::config(match self {
            Self::Power => storage::Durability::Power,
            Self::Process => storage::Durability::Process,
        })
    }
}

/// A peer that cannot be reached as written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Not of the form.
    #[error("peer `{found}`: expected KEY@HOST:PORT, KEY being the node's 32-byte key in hexadecimal")]
    Syntax {
        /// As configured.
        found: String,
    },
    /// No such host.
    #[error("peer `{found}`: the host has no address")]
    NoAddress {
        /// As configured.
        found: String,
    },
    /// One key at two places.
    #[error("peer `{found}` is listed twice")]
    Twice {
        /// As configured.
        found: String,
    },
}

/// Reads peers and looks up their addresses.
pub fn peers(texts: &[String]) -> Result<BTreeMap<NodeKey, SocketAddr>, PeerError> {
    let mut peers = BTreeMap::new();
    for text in texts {
        let found = || text.chars().take(200).collect::<String>();
        let (key, place) = text.split_once('@').ok_or_else(|| PeerError::Syntax { found: found() })?;
        let key: NodeKey = key.parse().map_err(|_| PeerError::Syntax { found: found() })?;
        if !place.contains(':') {
            return Err(PeerError::Syntax { found: found() });
        }
        let mut addresses = place.to_socket_addrs().map_err(|_| PeerError::NoAddress { found: found() })?;
        let address = addresses.next().ok_or_else(|| PeerError::NoAddress { found: found() })?;
        if peers.insert(key, address).is_some() {
            return Err(PeerError::Twice { found: found() });
        }
    }
    Ok(peers)
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

    /// A peer is a key and a place; anything else is refused and named.
    #[test]
    fn peers_are_keys_at_places() {
        let read = |text: &str| peers(&[text.to_owned()]);
        let found = read(&format!("{KEY}@127.0.0.1:9001")).expect("a peer");
        assert_eq!(
            found,
            BTreeMap::from([(NodeKey::repeat_byte(1), SocketAddr::from(([127, 0, 0, 1], 9001)))])
        );
        for text in ["127.0.0.1:9001", "0x01@127.0.0.1:9001", &format!("{KEY}@127.0.0.1")] {
            assert_eq!(read(text), Err(PeerError::Syntax { found: text.into() }));
        }
        let twice = format!("{KEY}@127.0.0.1:9001");
        assert_eq!(peers(&[twice.clone(), twice.clone()]), Err(PeerError::Twice { found: twice }));
    }
}
