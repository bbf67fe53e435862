//! Where every chain of a network starts.

use crate::{ChainSpec, NodeKey, PublicKeyBytes, ShardId, SignatureBytes, SpecError};
use alloy_primitives::{Address, B256, U256};
use crypto::bls::{PublicKey, SecretKey, Signature, verify_possession};
use serde::{Deserialize, Serialize};
use ssz_derive::{Decode, Encode};

/// Key of one unit of stake, with the proof that its owner holds the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct SeatRegistration {
    /// The key.
    pub key: PublicKeyBytes,
    /// Proof of possession.
    pub possession: SignatureBytes,
}

impl SeatRegistration {
    /// That of the key's owner.
    pub fn new(secret: &SecretKey) -> Self {
        Self { key: secret.public_key().to_bytes(), possession: secret.prove_possession().to_bytes() }
    }

    /// Whether the proof of possession holds.
    pub fn is_possessed(&self) -> bool {
        match (PublicKey::from_bytes(&self.key), Signature::from_bytes(&self.possession)) {
            (Ok(key), Ok(possession)) => verify_possession(&key, &possession),
            _ => false,
        }
    }
}

/// A validator of the first hour; its index is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisValidator {
    /// One per unit of stake.
    pub seats: Vec<SeatRegistration>,
    /// Identity of its `beacon-node`.
    pub beacon_node: NodeKey,
    /// Identity of its `shard-node`.
    pub shard_node: NodeKey,
    /// Receives fees on every shard, and on shard 0 the stake when it leaves.
    pub withdrawal_address: Address,
}

/// An account funded at genesis, on every shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The account.
    pub address: Address,
    /// Wei on each shard.
    pub balance: U256,
}

/// The file from which all nodes of a network start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The rules.
    pub spec: ChainSpec,
    /// Timestamp of every chain's genesis block, milliseconds since the Unix epoch.
    pub timestamp_ms: u64,
    /// The validators.
    pub validators: Vec<GenesisValidator>,
    /// The funded accounts.
    pub allocations: Vec<Allocation>,
    /// Id of each shard's genesis header, by shard id; shard nodes compute and compare it.
    pub shard_ids: Vec<B256>,
}

/// Why a genesis file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The text is not a genesis file.
    #[error("not a genesis file: {0}")]
    Syntax(String),
    /// The rules do not hold together.
    #[error("specification: {0}")]
    Spec(#[from] SpecError),
    /// As many ids as shards are needed.
    #[error("the specification has {expected} shards, but there are {found} shard ids")]
    ShardIds {
        /// Shards in the specification.
        expected: usize,
        /// Ids in the file.
        found: usize,
    },
    /// Nobody could agree on anything.
    #[error("there is no validator with stake")]
    NoValidators,
    /// One secret key would vote for two seats.
    #[error("seat key {0} is registered twice")]
    DuplicateSeat(PublicKeyBytes),
    /// The owner does not hold the secret.
    #[error("validator {validator}: the proof of possession of seat key {key} is wrong")]
    Possession {
        /// Its index.
        validator: usize,
        /// The key.
        key: PublicKeyBytes,
    },
}

impl Genesis {
    /// Reads and checks a genesis file, proofs of possession included.
    pub fn from_json(text: &str) -> Result<Self, GenesisError> {
        let genesis: Self =
            serde_json::from_str(text).map_err(|error| GenesisError::Syntax(error.to_string()))?;
        genesis.verify()?;
        Ok(genesis)
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with string keys")
    }

    /// Checks everything that can be checked without executing.
    pub fn verify(&self) -> Result<(), GenesisError> {
        self.spec.verify()?;
        let (expected, found) = (self.spec.shards.len(), self.shard_ids.len());
        if expected != found {
            return Err(GenesisError::ShardIds { expected, found });
        }
        let mut keys: Vec<_> =
            self.validators.iter().flat_map(|validator| &validator.seats).map(|seat| seat.key).collect();
        if keys.is_empty() {
            return Err(GenesisError::NoValidators);
        }
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(GenesisError::DuplicateSeat(pair[0]));
        }
        for (index, validator) in self.validators.iter().enumerate() {
            for seat in &validator.seats {
                if !seat.is_possessed() {
                    return Err(GenesisError::Possession { validator: index, key: seat.key });
                }
            }
        }
        Ok(())
    }

    /// Names the network: everything that is signed depends on it.
    pub fn hash(&self) -> B256 {
        let bytes = serde_json::to_vec(self).expect("plain data with string keys");
        crypto::hash::sha256(&bytes)
    }

    /// Id of a shard's genesis header.
    pub fn shard_genesis_id(&self, shard: ShardId) -> Option<B256> {
        self.shard_ids.get(shard.get() as usize).copied()
    }
}
