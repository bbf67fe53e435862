//! The identity of a node, as the network library wants it.

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{Signer as _, ed25519};
use primitives::NodeKey;

/// Identity of a node.
pub(crate) type NodeId = ed25519::PublicKey;

/// The library's form of a node's key; `None` if the bytes are no key.
pub(crate) fn node_id(key: &NodeKey) -> Option<NodeId> {
    NodeId::decode(Copying(key.as_slice())).ok()
}

/// The bytes of a node's key.
pub(crate) fn node_key(id: &NodeId) -> NodeKey {
    NodeKey::from_slice(id.as_ref())
}

/// The key pair of a node.
pub(crate) fn node_signer(secret: &[u8; 32]) -> ed25519::PrivateKey {
    ed25519::PrivateKey::decode(Copying(secret.as_slice()))
        .expect("any 32 bytes are the seed of an ed25519 key")
}

/// The identity of the node whose ed25519 key has this seed.
pub fn node_key_of(secret: &[u8; 32]) -> NodeKey {
    node_key(&node_signer(secret).public_key())
}
