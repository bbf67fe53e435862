//! `web3_`: what software this is.

use super::{add_method, nothing};
use alloy_primitives::{Bytes, keccak256};
use jsonrpsee::RpcModule;

/// What a node answers in the `web3_` namespace.
pub trait Web3Api: Send + Sync + 'static {
    /// Name, version and platform, separated by slashes.
    fn client_version(&self) -> String;
}

pub(super) fn add<A: Web3Api>(module: &mut RpcModule<A>) {
    add_method(module, "web3_clientVersion", nothing, |api, ()| async move { Ok(api.client_version()) });
    add_method(module, "web3_sha3", |a| a.required::<Bytes>(), |_, data| async move { Ok(keccak256(data)) });
}
