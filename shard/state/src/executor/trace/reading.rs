//! The state before a transaction, as tracers read it.

use std::cell::RefCell;

use alloy_primitives::{Address, B256, U256};
use revm::{Database as _, DatabaseRef, bytecode::Bytecode, state::AccountInfo};

use crate::state::{PendingState, StateError};

/// A state that remembers what was read, behind a reference that promises not to change it.
pub(super) struct Reading<'s, 'a>(RefCell<&'s mut PendingState<'a>>);

impl<'s, 'a> Reading<'s, 'a> {
    pub(super) const fn new(state: &'s mut PendingState<'a>) -> Self {
        Self(RefCell::new(state))
    }
}

impl DatabaseRef for Reading<'_, '_> {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        self.0.borrow_mut().basic(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, StateError> {
        self.0.borrow_mut().code_by_hash(hash)
    }

    fn storage_ref(&self, address: Address, key: U256) -> Result<U256, StateError> {
        self.0.borrow_mut().storage(address, key)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        self.0.borrow_mut().block_hash(number)
    }
}
