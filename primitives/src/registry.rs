//! What the beacon state knows of one shard.

use crate::{Epoch, EpochTable, Height, ShardId};
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use ssz_derive::{Decode, Encode};
use std::fmt;
use tree_hash::{Hash256, PackedEncoding, TreeHash, TreeHashType};
use tree_hash_derive::TreeHash;

macro_rules! byte_enum_tree_hash {
    ($name:ty) => {
        impl TreeHash for $name {
            fn tree_hash_type() -> TreeHashType {
                u8::tree_hash_type()
            }
            fn tree_hash_packed_encoding(&self) -> PackedEncoding {
                (*self as u8).tree_hash_packed_encoding()
            }
            fn tree_hash_packing_factor() -> usize {
                u8::tree_hash_packing_factor()
            }
            fn tree_hash_root(&self) -> Hash256 {
                (*self as u8).tree_hash_root()
            }
        }
    };
}

/// Which executor a shard runs beside the EVM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[ssz(enum_behaviour = "tag")]
#[serde(rename_all = "kebab-case")]
pub enum ShardKind {
    /// General contracts; plain transfers take a fast path.
    #[default]
    Defi,
    /// Native token collections.
    Nft,
    /// Model store and inference.
    Ai,
}

impl fmt::Display for ShardKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Defi => "defi",
            Self::Nft => "nft",
            Self::Ai => "ai",
        })
    }
}

byte_enum_tree_hash!(ShardKind);

/// Whether a shard takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[ssz(enum_behaviour = "tag")]
#[serde(rename_all = "kebab-case")]
pub enum ShardStatus {
    /// Its committee produces blocks.
    #[default]
    Active,
    /// It has ended; its id is never used again.
    Retired,
}

byte_enum_tree_hash!(ShardStatus);

/// The newest shard header that the beacon chain has accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct AcceptedHeader {
    /// Its height.
    pub height: Height,
    /// Its id.
    pub id: B256,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its history root: proves the headers below it.
    pub history_root: B256,
    /// Its outbox root.
    pub outbox_root: B256,
    /// Beacon height of the block that accepted it.
    pub accepted_at: Height,
    /// Root of the inbox cursors that the header commits to.
    pub inbox_cursors_root: B256,
}

/// One shard's entry in the beacon chain's registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ShardRecord {
    /// Its id: also its index in the registry.
    pub shard: ShardId,
    /// What it executes.
    pub kind: ShardKind,
    /// Whether it takes part.
    pub status: ShardStatus,
    /// Latest crosslink.
    pub accepted: AcceptedHeader,
    /// Its committees.
    pub table: EpochTable,
    /// How often an epoch was ended early: a node that sees it rise starts the chain's consensus
    /// anew above `accepted`.
    pub early_ends: u64,
}
