//! Accounts whose keys the node holds. A shard node holds none: users sign their own transactions.

use crate::method::methods;
use alloy_primitives::Address;

/// Accounts whose keys the node holds.
pub trait AccountApi: Send + Sync + 'static {
    /// Their addresses.
    fn accounts(&self) -> Vec<Address> {
        Vec::new()
    }
}

methods! {
    AccountApi;

    /// Accounts whose keys the node holds: none.
    eth_accounts() -> "list of addresses" = |api| Ok(api.accounts());
}
