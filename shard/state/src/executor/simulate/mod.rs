//! A block of requests that nobody signed, executed one after another: `eth_simulateV1`.
//!
//! What always holds: a request that is refused changes nothing; one that is executed pays for its gas at the price
//! that it names, which may be nothing. Without validation anybody may be the sender, with any nonce.

mod transfers;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY};

use super::{
    CallError, CallOutcome, CallRequest, Environment, ExecuteError, InclusionError, PrecompileChanges, call,
    evm::Evm,
};
use crate::{
    account::Account,
    state::{ChangeSet, FlatState, PendingState, StateError},
};

use transfers::Transfers;

/// What holds for all requests of a simulated block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimulationRules {
    /// Whether requests must be such that they could be included, had they been signed.
    pub validation: bool,
    /// Whether moved value leaves a log, as an ERC-20 token's does.
    pub transfers: bool,
}

/// Why a request cannot be a transaction of a simulated block.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SimulateError {
    /// As a transaction, it might not be included.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// The call cannot be made.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<StateError> for SimulateError {
    fn from(error: StateError) -> Self {
        Self::Call(error.into())
    }
}

/// A block that is being simulated.
#[derive(Debug)]
pub struct Simulation<'a> {
    evm: Evm<'a, Transfers>,
    environment: Environment,
    rules: SimulationRules,
    gas_used: u64,
}

impl<'a> Simulation<'a> {
    /// Opens a block as one that is certified would be.
    pub fn open(
        state: &'a dyn FlatState,
        environment: Environment,
        parent: B256,
        anchor: B256,
        rules: SimulationRules,
        precompiles: PrecompileChanges,
    ) -> Result<Self, ExecuteError> {
        let mut config = environment.config();
        config.tx_chain_id_check = false;
        if !rules.validation {
            config.disable_nonce_check = true;
            config.disable_eip3607 = true;
            config.tx_gas_limit_cap = Some(u64::MAX);
        }
        let evm = Evm::new(PendingState::new(state), config, environment.block(), environment.portal);
        let mut evm = evm.with_precompiles(precompiles).with_inspector(Transfers::default());
        evm.open_block(parent, anchor)?;
        Ok(Self { evm, environment, rules, gas_used: 0 })
    }

    /// Gas that the block has left.
    pub fn gas_left(&self) -> u64 {
        self.environment.gas_limit.saturating_sub(self.gas_used)
    }

    /// Gas of the requests so far.
    pub fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// The account's nonce as it is now.
    pub fn nonce(&mut self, address: &Address) -> Result<u64, StateError> {
        Ok(self.evm.state().account(address)?.unwrap_or_default().nonce)
    }

    /// Executes a request as a transaction with this nonce and gas limit, and writes what it leaves behind.
    pub fn execute(
        &mut self,
        request: &CallRequest,
        nonce: u64,
        gas: u64,
    ) -> Result<CallOutcome, SimulateError> {
        if gas > self.gas_left() {
            return Err(InclusionError::GasLimitReached { left: self.gas_left(), found: gas }.into());
        }
        if self.rules.validation {
            self.validate(request.from, nonce)?;
        }
        let is_free = !self.rules.validation && request.gas_price == 0;
        self.evm.set_base_fee(if is_free { 0 } else { self.environment.base_fee });
        let mut transaction = call::environment_of(request, gas);
        transaction.nonce = nonce;
        let executed =
            if self.rules.transfers { self.evm.inspect(transaction) } else { self.evm.run(transaction) };
        let executed = executed.map_err(|error| call::refusal(error, &self.environment, request))?;
        self.evm.state().commit(executed.state)?;
        let outcome = call::outcome(executed.result);
        self.gas_used = self.gas_used.saturating_add(outcome.gas_used());
        Ok(outcome)
    }

    /// Closes the block: what it changed.
    pub fn close(self) -> ChangeSet {
        self.evm.into_state().into_change_set()
    }

    fn validate(&mut self, sender: Address, found: u64) -> Result<(), SimulateError> {
        let state = self.evm.state();
        let Account { nonce: expected, code_hash, .. } = state.account(&sender)?.unwrap_or_default();
        if found < expected {
            return Err(InclusionError::NonceTooLow { sender, expected, found }.into());
        }
        if found > expected {
            return Err(InclusionError::NonceTooHigh { sender, expected, found }.into());
        }
        if code_hash != KECCAK256_EMPTY && !state.bytecode(&code_hash)?.is_eip7702() {
            return Err(InclusionError::SenderNotEoa { sender, code_hash }.into());
        }
        Ok(())
    }
}
