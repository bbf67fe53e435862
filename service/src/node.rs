//! What a beacon node and a shard node do alike before they join their network: whatever stands in the way is found here.

use crate::{descriptors, durability::Durability, peers::peers, ports::free};
use engine::sockets::SocketsConfig;
use eyre::WrapErr as _;
use primitives::Genesis;
use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use validator::{KeyDirectory, NodeRole, Protection, Signer};

/// Room in a message beside the body of a block.
const MESSAGE_OVERHEAD_BYTES: u32 = 1 << 16;

/// What an operator sets of either kind of node.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Which of the validator's two nodes it is.
    pub role: NodeRole,
    /// The network's genesis file.
    pub genesis: &'a Path,
    /// Where the node keeps what it has; it is made if need be.
    pub data_dir: &'a Path,
    /// Directory of the validator's keys.
    pub keys: &'a Path,
    /// File with their password; asked for on the terminal if absent.
    pub password_file: Option<&'a PathBuf>,
    /// Takes no part in consensus: no password is needed.
    pub follow: bool,
    /// Where the validators' network listens.
    pub listen: SocketAddr,
    /// The other nodes: `KEY@HOST:PORT`.
    pub peers: &'a [String],
    /// What a commit survives.
    pub durability: Durability,
}

/// A node that may join.
#[derive(Debug)]
pub struct Ready {
    /// The network.
    pub genesis: Genesis,
    /// The validator's voice; a follower has none. What it said lies in the data directory of the node that says it.
    pub signer: Option<Signer>,
    /// The node's place in the network.
    pub sockets: SocketsConfig,
    /// To be held as long as the node runs: it keeps a second one out of the data directory.
    pub lock: File,
}

impl Setup<'_> {
    /// Reads and checks all of it. Without a genesis file nothing is made.
    pub fn ready(self) -> eyre::Result<Ready> {
        descriptors::raise_limit();
        let text = fs::read_to_string(self.genesis).wrap_err_with(|| {
            format!("{}: cannot read the genesis file (--genesis)", self.genesis.display())
        })?;
        let genesis = Genesis::from_json(&text).wrap_err_with(|| self.genesis.display().to_string())?;
        let known = peers(self.peers)?;
        fs::create_dir_all(self.data_dir).wrap_err_with(|| {
            format!("{}: cannot make the data directory (--data-dir)", self.data_dir.display())
        })?;
        let lock = lock(self.data_dir)?;
        let keys = KeyDirectory::new(self.keys);
        let network_key = keys.network_key(self.role)?;
        let signer = if self.follow { None } else { Some(self.signer(&keys, &genesis)?) };
        free(self.listen, "consensus", "--listen")?;
        let sockets = SocketsConfig {
            node_secret: *network_key.seed(),
            listen: self.listen,
            peers: known.into_iter().filter(|(key, _)| *key != network_key.node_key()).collect(),
            durability: self.durability.engine(),
            max_message_bytes: genesis.spec.body_bytes_max.saturating_add(MESSAGE_OVERHEAD_BYTES),
        };
        Ok(Ready { genesis, signer, sockets, lock })
    }

    fn signer(&self, keys: &KeyDirectory, genesis: &Genesis) -> eyre::Result<Signer> {
        let password = validator::cli::password(self.password_file, "Password of the validator's keys: ")?;
        let sync = self.durability == Durability::Power;
        let protection = Protection::open(&self.data_dir.join("protection"), sync)?;
        Ok(Signer::new(keys.seat_secrets(&password)?, genesis.hash(), protection))
    }
}

fn lock(data_dir: &Path) -> eyre::Result<File> {
    let path = data_dir.join("LOCK");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.wrap_err_with(|| path.display().to_string())?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(eyre::eyre!(
            "{} is in use by another process: stop it, or give this one a directory of its own (--data-dir)",
            data_dir.display()
        )),
        Err(TryLockError::Error(error)) => Err(error).wrap_err_with(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second node on a data directory ends at once.
    #[test]
    fn data_directory_has_one_node() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let _first = lock(folder.path()).expect("nobody else");
        let error = lock(folder.path()).expect_err("the first has it");
        assert!(error.to_string().contains("is in use by another process"), "{error}");
    }

    /// Without a genesis file nothing is made.
    #[test]
    fn missing_genesis_file_is_named() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let data_dir = folder.path().join("data");
        let setup = Setup {
            role: NodeRole::Beacon,
            genesis: &folder.path().join("none.json"),
            data_dir: &data_dir,
            keys: folder.path(),
            password_file: None,
            follow: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            peers: &[],
            durability: Durability::Power,
        };
        let error = setup.ready().expect_err("no file");
        assert!(error.to_string().ends_with("cannot read the genesis file (--genesis)"), "{error}");
        assert!(!data_dir.exists());
    }
}
