//! The node itself.

use crate::beacon::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What software it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeVersion {
    /// Name, version and platform, separated by slashes.
    pub version: String,
}

/// How far it is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Syncing {
    /// Height it is at.
    pub head_slot: Decimal,
    /// Heights it lacks.
    pub sync_distance: Decimal,
    /// Whether it lacks any.
    pub is_syncing: bool,
    /// Always false: what a node shows it has executed.
    pub is_optimistic: bool,
    /// Always false: there is no separate execution client.
    pub el_offline: bool,
}

impl Syncing {
    /// A node at `head` of a chain that is known to reach `highest`.
    pub const fn new(head: u64, highest: u64) -> Self {
        Self {
            head_slot: Decimal(head),
            sync_distance: Decimal(highest.saturating_sub(head)),
            is_syncing: highest > head,
            is_optimistic: false,
            el_offline: false,
        }
    }
}

/// Who the node is on its network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// Its public key on the validators' network, 0x-prefixed.
    pub peer_id: String,
    /// Always empty: the network has no node records.
    pub enr: String,
    /// Where it listens, `address:port`.
    pub p2p_addresses: Vec<String>,
    /// Always empty: peers are known from the committees.
    pub discovery_addresses: Vec<String>,
    /// Always the same.
    pub metadata: IdentityMetadata,
}

/// Part of an identity in which the Beacon API names subnets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityMetadata {
    /// Always zero.
    pub seq_number: Decimal,
    /// Always none.
    pub attnets: String,
    /// Always none.
    pub syncnets: String,
}

impl Identity {
    /// A node with this key that listens at these addresses.
    pub fn new(peer_id: String, p2p_addresses: Vec<String>) -> Self {
        let metadata = IdentityMetadata {
            seq_number: Decimal(0),
            attnets: "0x0000000000000000".into(),
            syncnets: "0x00".into(),
        };
        Self { peer_id, enr: String::new(), p2p_addresses, discovery_addresses: Vec::new(), metadata }
    }
}

/// How many peers it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerCount {
    /// Known, and not connected.
    pub disconnected: Decimal,
    /// Being called.
    pub connecting: Decimal,
    /// Connected.
    pub connected: Decimal,
    /// Saying goodbye.
    pub disconnecting: Decimal,
}
