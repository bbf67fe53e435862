//! `web3_`: what software this is.

use super::methods;
use alloy_primitives::{Bytes, keccak256};

/// What a node answers in the `web3_` namespace.
pub trait Web3Api: Send + Sync + 'static {
    /// Name, version and platform, separated by slashes.
    fn client_version(&self) -> String;
}

methods! {
    Web3Api;

    /// Name, version and platform of the node, separated by slashes.
    web3_clientVersion() -> "text" = |api| Ok(api.client_version());

    /// Keccak-256 of the bytes.
    web3_sha3(data: Bytes) -> "hash" = |_api| Ok(keccak256(data));
}
