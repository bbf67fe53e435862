//! What readers see of a chain: the state after one block, which never changes.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use primitives::ShardHeader;

use crate::{
    account::Account,
    executor::{CallError, CallOutcome, CallRequest, Environment, call, call_briefly, estimate_gas},
    state::{FlatState, Layered, StateError},
};

/// The state after one block. Cheap to clone, and safe to read on any thread while the chain goes on.
#[derive(Clone, Debug)]
pub struct ChainView {
    header: Arc<ShardHeader>,
    id: B256,
    environment: Environment,
    state: Layered,
}

impl ChainView {
    /// A view of the state after `header`: for a node that rewinds [`Layered`] itself to older blocks.
    pub fn new(header: ShardHeader, id: B256, environment: Environment, state: Layered) -> Self {
        Self { header: Arc::new(header), id, environment, state }
    }

    /// The block.
    pub fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// The block's id.
    pub fn id(&self) -> B256 {
        self.id
    }

    /// What the EVM saw of the block.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The state after it.
    pub fn state(&self) -> &Layered {
        &self.state
    }

    /// An account; an empty one if it does not exist.
    pub fn account(&self, address: &Address) -> Result<Account, StateError> {
        Ok(self.state.account(address)?.unwrap_or_default())
    }

    /// A slot.
    pub fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        self.state.storage(address, slot)
    }

    /// An account's code; a delegation is code.
    pub fn code(&self, address: &Address) -> Result<Bytes, StateError> {
        match self.account(address)?.code_hash {
            KECCAK256_EMPTY => Ok(Bytes::new()),
            hash => self.state.code(&hash)?.ok_or(StateError::MissingCode { hash }),
        }
    }

    /// Executes a request at the end of the block, without writing.
    pub fn call(&self, request: &CallRequest, gas_max: u64) -> Result<CallOutcome, CallError> {
        call(&self.state, &self.environment, request, gas_max)
    }

    /// The same, if it is a short call: `None` if that takes longer, or might.
    pub fn call_briefly(
        &self,
        request: &CallRequest,
        gas_max: u64,
    ) -> Result<Option<CallOutcome>, CallError> {
        call_briefly(&self.state, &self.environment, request, gas_max)
    }

    /// The least gas that a request needs at the end of the block.
    pub fn estimate_gas(&self, request: &CallRequest, gas_max: u64) -> Result<u64, CallError> {
        estimate_gas(&self.state, &self.environment, request, gas_max)
    }
}
