//! The identity of a node, as the network library wants it.

use commonware_codec::DecodeExt as _;
use commonware_cryptography::ed25519;
use primitives::NodeKey;

/// Identity of a node.
pub(crate) type NodeId = ed25519::PublicKey;

/// The library's form of a node's key; `None` if the bytes are no key.
pub(crate) fn node_id(key: &NodeKey) -> Option<NodeId> {
    NodeId::decode(key.as_slice()).ok()
}

/// The bytes of a node's key.
pub(crate) fn node_key(id: &NodeId) -> NodeKey {
    NodeKey::from_slice(id.as_ref())
}
