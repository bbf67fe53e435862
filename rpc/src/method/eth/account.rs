//! Accounts whose keys the node holds. A shard node holds none: users sign their own transactions.

use crate::{
    error::{RpcError, RpcResult},
    method::methods,
};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use std::future::Future;

/// Accounts whose keys the node holds. What is here is the answer of a node that holds none.
pub trait AccountApi: Send + Sync + 'static {
    /// Their addresses.
    fn accounts(&self) -> Vec<Address> {
        Vec::new()
    }

    /// Signs a transaction with the key of its sender and takes it into the pool; answers its hash.
    fn send_transaction(&self, _request: TransactionRequest) -> impl Future<Output = RpcResult<B256>> + Send {
        async { Err(RpcError::UnknownAccount) }
    }
}

methods! {
    AccountApi;

    /// Accounts whose keys the node holds: none.
    eth_accounts() -> "list of addresses" = |api| Ok(api.accounts());

    /// Signs a transaction with a key of the node's and sends it: refused, as the node holds no keys.
    eth_sendTransaction(request: TransactionRequest) -> "hash" = |api| api.send_transaction(request).await;

    /// Signs a transaction with a key of the node's: refused, as the node holds no keys.
    eth_signTransaction(request: TransactionRequest) -> "signed transaction"
        = |_api| Err::<Bytes, _>(RpcError::UnknownAccount);

    /// Signs a message with a key of the node's: refused, as the node holds no keys.
    eth_sign(address: Address, message: Bytes) -> "signature"
        = |_api| Err::<Bytes, _>(RpcError::UnknownAccount);
}
