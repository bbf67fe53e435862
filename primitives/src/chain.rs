//! Which chain, and which way between two of them.

use crate::ShardId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssz::{Decode, DecodeError, Encode};
use ssz_derive::{Decode, Encode};
use std::{fmt, str::FromStr};
use tree_hash::{Hash256, PackedEncoding, TreeHash, TreeHashType};
use tree_hash_derive::TreeHash;

/// The beacon chain, or one shard chain.
///
/// On the wire a `uint32`: a shard's id, or `u32::MAX` for the beacon chain. As text: `beacon` or
/// the shard's id in decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chain {
    /// The chain that holds the validators.
    Beacon,
    /// A chain that executes transactions.
    Shard(ShardId),
}

impl Chain {
    const BEACON: u32 = u32::MAX;

    /// The wire form.
    pub const fn code(self) -> u32 {
        match self {
            Self::Beacon => Self::BEACON,
            Self::Shard(shard) => shard.get(),
        }
    }

    /// The chain a wire code means.
    pub const fn from_code(code: u32) -> Self {
        match code {
            Self::BEACON => Self::Beacon,
            shard => Self::Shard(ShardId::new(shard)),
        }
    }

    /// The shard, unless this is the beacon chain.
    pub const fn shard(self) -> Option<ShardId> {
        match self {
            Self::Beacon => None,
            Self::Shard(shard) => Some(shard),
        }
    }
}

impl From<ShardId> for Chain {
    fn from(shard: ShardId) -> Self {
        Self::Shard(shard)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beacon => f.write_str("beacon"),
            Self::Shard(shard) => write!(f, "{shard}"),
        }
    }
}

/// A text that names no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `beacon` or a shard id below {max}, found `{found}`", max = u32::MAX)]
pub struct ChainParseError {
    found: String,
}

impl FromStr for Chain {
    type Err = ChainParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "beacon" {
            return Ok(Self::Beacon);
        }
        match text.parse::<u32>() {
            Ok(shard) if shard != Self::BEACON => Ok(Self::Shard(ShardId::new(shard))),
            _ => Err(ChainParseError { found: text.chars().take(32).collect() }),
        }
    }
}

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Encode for Chain {
    fn is_ssz_fixed_len() -> bool {
        true
    }
    fn ssz_fixed_len() -> usize {
        <u32 as Encode>::ssz_fixed_len()
    }
    fn ssz_bytes_len(&self) -> usize {
        <u32 as Encode>::ssz_fixed_len()
    }
    fn ssz_append(&self, buf: &mut Vec<u8>) {
        self.code().ssz_append(buf);
    }
}

impl Decode for Chain {
    fn is_ssz_fixed_len() -> bool {
        true
    }
    fn ssz_fixed_len() -> usize {
        <u32 as Decode>::ssz_fixed_len()
    }
    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        u32::from_ssz_bytes(bytes).map(Self::from_code)
    }
}

impl TreeHash for Chain {
    fn tree_hash_type() -> TreeHashType {
        u32::tree_hash_type()
    }
    fn tree_hash_packed_encoding(&self) -> PackedEncoding {
        self.code().tree_hash_packed_encoding()
    }
    fn tree_hash_packing_factor() -> usize {
        u32::tree_hash_packing_factor()
    }
    fn tree_hash_root(&self) -> Hash256 {
        self.code().tree_hash_root()
    }
}

/// Ordered pair source → destination; its receipts are numbered from zero without gaps.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TreeHash, Serialize, Deserialize,
)]
pub struct Lane {
    /// The chain that emits.
    pub source: Chain,
    /// The chain that consumes.
    pub destination: Chain,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}→{}", self.source, self.destination)
    }
}
