//! The state after one block, read by key.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::account::Account;

/// Accounts, storage slots and code as they are after one block.
///
/// An implementation is a snapshot: what it answers never changes while it is alive, whatever is
/// committed to the store meanwhile. An account that is empty by EIP-161 is absent.
pub trait FlatState: Send + Sync {
    /// The account, if it exists.
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError>;

    /// Value of a slot (not hashed); zero if it was never written.
    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError>;

    /// Code by its Keccak-256, if any account ever had it. Not asked for the empty code.
    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError>;
}

/// Why the state cannot be read. The store is at fault, never the block: nothing follows from it about validity.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StateError {
    /// The store failed.
    #[error("the state store failed: {0}")]
    Store(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// An account names code that the store does not have.
    #[error("the state store lacks the code with hash {hash}")]
    MissingCode {
        /// Keccak-256 of the code.
        hash: B256,
    },
    /// The store answered something that cannot be state.
    #[error("the code with hash {hash} starts like a delegation but is none")]
    MalformedCode {
        /// Keccak-256 of the code.
        hash: B256,
    },
}

impl revm::database_interface::DBErrorMarker for StateError {}

impl PartialEq for StateError {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Store(ours), Self::Store(theirs)) => Arc::ptr_eq(ours, theirs),
            (Self::MissingCode { hash: ours }, Self::MissingCode { hash: theirs })
            | (Self::MalformedCode { hash: ours }, Self::MalformedCode { hash: theirs }) => ours == theirs,
            _ => false,
        }
    }
}

impl Eq for StateError {}

impl<T: FlatState + ?Sized> FlatState for Arc<T> {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        (**self).account(address)
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        (**self).storage(address, slot)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        (**self).code(hash)
    }
}
