//! Where a validator's keys lie.
//!
//! ```text
//! keys/
//!   validator.json    EIP-2335: the key whose children are the seats' keys
//!   seats             number of seats, decimal
//!   beacon-node.key   Ed25519 seed of the beacon-node's network identity, hexadecimal
//!   shard-node.key    likewise of the shard-node
//! ```
//! Secret files are readable by their owner only.

use crate::keystore::{Keystore, KeystoreError, Strength};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use crypto::bls::SecretKey;
use primitives::{B256, GenesisValidator, NodeKey, SeatRegistration};
use std::{
    fmt, fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Most seats one key can have; bounds the work of opening a directory.
pub(crate) const SEATS_MAX: u32 = 4096;

/// Which of a validator's two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRole {
    /// Takes part in the beacon chain.
    Beacon,
    /// Takes part in every shard the validator is drawn for.
    Shard,
}

impl NodeRole {
    const fn file(self) -> &'static str {
        match self {
            Self::Beacon => "beacon-node.key",
            Self::Shard => "shard-node.key",
        }
    }
}

/// Secret of a node's network identity.
pub struct NetworkKey(Zeroizing<[u8; 32]>);

impl NetworkKey {
    /// A random one.
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// From an Ed25519 seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The Ed25519 seed: the network layer signs its handshakes with it.
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// The identity that peers know.
    pub fn node_key(&self) -> NodeKey {
        let pair = Ed25519KeyPair::from_seed_unchecked(self.0.as_ref()).expect("any 32 bytes are a seed");
        B256::from_slice(pair.public_key().as_ref())
    }
}

impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkKey({})", self.node_key())
    }
}

/// Why a key directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// There are keys already.
    #[error("{0} exists already; keys are never overwritten: choose another --out")]
    Exists(PathBuf),
    /// The keystore gives no key.
    #[error("{path}: {source}")]
    Keystore {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeystoreError,
    },
    /// A small file holds something else.
    #[error("{path}: expected {expected}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
}

/// A validator's keys on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDirectory {
    path: PathBuf,
}

impl KeyDirectory {
    const KEYSTORE: &'static str = "validator.json";
    const SEATS: &'static str = "seats";

    /// The directory at `path`, which may not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a new validator: `secret` under `password`, and two random network keys.
    pub fn create(
        &self,
        secret: &SecretKey,
        key_path: &str,
        seats: u32,
        password: &str,
        strength: Strength,
    ) -> Result<(), DirectoryError> {
        if !(1..=SEATS_MAX).contains(&seats) {
            return Err(self.content(Self::SEATS, "a number of seats from 1 to 4096"));
        }
        fs::create_dir_all(&self.path).map_err(|source| self.io("", source))?;
        let keystore = Keystore::encrypt(secret, password, key_path, strength);
        self.write_new(Self::KEYSTORE, &keystore.to_json())?;
        self.write_new(Self::SEATS, &seats.to_string())?;
        for role in [NodeRole::Beacon, NodeRole::Shard] {
            let seed = Zeroizing::new(const_hex::encode(NetworkKey::random().seed()));
            self.write_new(role.file(), &seed)?;
        }
        Ok(())
    }

    /// The keystore, still encrypted.
    pub fn keystore(&self) -> Result<Keystore, DirectoryError> {
        Keystore::from_json(&self.read(Self::KEYSTORE)?).map_err(|source| self.keystore_error(source))
    }

    /// The secret key of each seat: children 0, 1, … of the validator's key (EIP-2333, hardened).
    pub fn seat_secrets(&self, password: &str) -> Result<Vec<SecretKey>, DirectoryError> {
        let master = self.master(password)?;
        Ok((0..self.seats()?).map(|index| master.child(index)).collect())
    }

    fn master(&self, password: &str) -> Result<SecretKey, DirectoryError> {
        self.keystore()?.decrypt(password).map_err(|source| self.keystore_error(source))
    }

    /// How many seats the validator has keys for.
    pub fn seats(&self) -> Result<u32, DirectoryError> {
        let text = self.read(Self::SEATS)?;
        match text.trim().parse() {
            Ok(seats) if (1..=SEATS_MAX).contains(&seats) => Ok(seats),
            _ => Err(self.content(Self::SEATS, "a number of seats from 1 to 4096")),
        }
    }

    /// A node's network identity.
    pub fn network_key(&self, role: NodeRole) -> Result<NetworkKey, DirectoryError> {
        let text = self.read(role.file())?;
        const_hex::decode_to_array(text.trim())
            .map(NetworkKey::from_seed)
            .map_err(|_| self.content(role.file(), "32 bytes in hexadecimal"))
    }

    /// Adds `count` seats to those that there are keys for, and registers them. On an error the directory is as it was.
    pub fn add_seats(&self, password: &str, count: u32) -> Result<Vec<SeatRegistration>, DirectoryError> {
        let before = self.seats()?;
        let after = before.saturating_add(count);
        if after > SEATS_MAX {
            return Err(self.content(Self::SEATS, "at most 4096 seats, new ones included"));
        }
        let master = self.master(password)?;
        let added = (before..after).map(|index| SeatRegistration::new(&master.child(index))).collect();
        self.replace(Self::SEATS, &after.to_string())?;
        Ok(added)
    }

    /// Keys of all seats, with proofs of possession.
    pub fn seat_registrations(&self, password: &str) -> Result<Vec<SeatRegistration>, DirectoryError> {
        Ok(self.seat_secrets(password)?.iter().map(SeatRegistration::new).collect())
    }

    /// The validator as a genesis file lists it.
    pub fn registration(
        &self,
        password: &str,
        withdrawal_address: primitives::Address,
    ) -> Result<GenesisValidator, DirectoryError> {
        Ok(GenesisValidator {
            seats: self.seat_registrations(password)?,
            beacon_node: self.network_key(NodeRole::Beacon)?.node_key(),
            shard_node: self.network_key(NodeRole::Shard)?.node_key(),
            withdrawal_address,
        })
    }

    fn read(&self, name: &str) -> Result<Zeroizing<String>, DirectoryError> {
        fs::read_to_string(self.path.join(name)).map(Zeroizing::new).map_err(|source| self.io(name, source))
    }

    /// Writes a file anew, whole or not at all.
    fn replace(&self, name: &str, text: &str) -> Result<(), DirectoryError> {
        let next = format!("{name}.next");
        let path = self.path.join(&next);
        // What a run that was cut off left behind is nothing.
        let _ = fs::remove_file(&path);
        self.write_new(&next, text)?;
        fs::rename(&path, self.path.join(name)).map_err(|source| self.io(name, source))
    }

    fn write_new(&self, name: &str, text: &str) -> Result<(), DirectoryError> {
        let path = self.path.join(name);
        let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = opened.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => DirectoryError::Exists(path.clone()),
            _ => self.io(name, source),
        })?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|source| self.io(name, source))
    }

    fn io(&self, name: &str, source: io::Error) -> DirectoryError {
        DirectoryError::Io { path: self.path.join(name), source }
    }

    fn content(&self, name: &str, expected: &'static str) -> DirectoryError {
        DirectoryError::Content { path: self.path.join(name), expected }
    }

    fn keystore_error(&self, source: KeystoreError) -> DirectoryError {
        DirectoryError::Keystore { path: self.path.join(Self::KEYSTORE), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretKey {
        SecretKey::derive_master(&[9; 32]).expect("a long enough seed")
    }

    /// A directory gives back what was put in, and its registration proves possession.
    #[test]
    fn created_keys_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyDirectory::new(folder.path().join("keys"));
        keys.create(&secret(), "", 3, "secret", Strength::Light).unwrap();
        let registration = keys.registration("secret", primitives::Address::ZERO).unwrap();
        assert_eq!(registration.seats.len(), 3);
        assert!(registration.seats.iter().all(SeatRegistration::is_possessed));
        assert_ne!(registration.beacon_node, registration.shard_node);
        assert_eq!(registration.seats[2].key, secret().child(2).public_key().to_bytes());
    }

    /// What is added comes after what there was, which stays.
    #[test]
    fn seats_are_added_behind_those_that_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyDirectory::new(folder.path().join("keys"));
        keys.create(&secret(), "", 2, "secret", Strength::Light).unwrap();
        let added = keys.add_seats("secret", 3).unwrap();
        let all = keys.seat_registrations("secret").unwrap();
        assert_eq!((keys.seats().unwrap(), &all[2..]), (5, &*added));
        assert!(keys.add_seats("secret", SEATS_MAX).is_err());
        assert!(keys.add_seats("another", 1).is_err(), "a wrong password changes nothing");
        assert_eq!(keys.seats().unwrap(), 5);
    }

    /// Keys are worth more than convenience.
    #[test]
    fn existing_keys_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyDirectory::new(folder.path());
        keys.create(&secret(), "", 1, "secret", Strength::Light).unwrap();
        let again = keys.create(&secret(), "", 1, "secret", Strength::Light);
        assert!(matches!(again, Err(DirectoryError::Exists(_))));
    }

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn node_key_is_the_ed25519_public_key() {
        let seed =
            const_hex::decode_to_array(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let expected = "0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(NetworkKey::from_seed(seed.unwrap()).node_key().to_string(), expected);
    }
}
