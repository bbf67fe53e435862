//! A state and a block that are other than they are, for the length of one call.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_eth::{
    BlockOverrides,
    state::{AccountOverride, StateOverride},
};
use rpc::RpcError;
use rpc::error::{RpcResult, SimulationReason};
use shard_state::{
    account::Account,
    executor::{CallRequest, Environment, MovePrecompileError, PrecompileChanges},
    state::{FlatState, Layered, StateError},
};
use std::collections::{BTreeMap, BTreeSet};

/// A state with some of its accounts replaced.
#[derive(Debug)]
pub(super) struct OverriddenState {
    below: Layered,
    accounts: BTreeMap<Address, Account>,
    slots: BTreeMap<(Address, B256), U256>,
    /// Accounts of which no slot but those in `slots` is left.
    cleared: BTreeSet<Address>,
    code: BTreeMap<B256, Bytes>,
    /// Precompiles that are elsewhere, or not there because their account is overridden.
    precompiles: PrecompileChanges,
}

impl OverriddenState {
    pub(super) fn new(below: &Layered, overrides: StateOverride) -> RpcResult<Self> {
        let mut state = Self {
            below: below.clone(),
            accounts: BTreeMap::new(),
            slots: BTreeMap::new(),
            cleared: BTreeSet::new(),
            code: BTreeMap::new(),
            precompiles: PrecompileChanges::default(),
        };
        let overrides: BTreeMap<Address, AccountOverride> = overrides.into_iter().collect();
        for (address, change) in &overrides {
            if let Some(to) = change.move_precompile_to {
                state.relocate(*address, to, overrides.contains_key(&to))?;
            }
        }
        for (address, change) in overrides {
            state.precompiles.remove(address);
            state.replace(address, change)?;
        }
        Ok(state)
    }

    /// The request as it runs on this state.
    pub(super) fn request(&self, request: CallRequest) -> CallRequest {
        CallRequest { precompiles: self.precompiles.clone(), ..request }
    }

    /// Precompiles that are elsewhere.
    pub(super) fn precompiles(&self) -> PrecompileChanges {
        self.precompiles.clone()
    }

    fn relocate(&mut self, from: Address, to: Address, is_overridden: bool) -> RpcResult<()> {
        if from == to {
            let detail = format!("account {from} cannot be moved to itself");
            return Err(SimulationReason::PrecompileToItself.because(detail).into());
        }
        let moved = self.precompiles.relocate(from, to);
        let moved =
            if is_overridden { moved.and(Err(MovePrecompileError::Taken { found: to })) } else { moved };
        moved.map_err(|error| match error {
            MovePrecompileError::Taken { .. } => SimulationReason::PrecompileTaken.because(error).into(),
            MovePrecompileError::NoPrecompile { .. } => RpcError::Server(error.to_string()),
        })
    }

    fn replace(&mut self, address: Address, change: AccountOverride) -> RpcResult<()> {
        let AccountOverride { balance, nonce, code, state, state_diff, move_precompile_to: _ } = change;
        if state.is_some() && state_diff.is_some() {
            return Err(RpcError::Server(format!("account {address} has both 'state' and 'stateDiff'")));
        }
        let mut account = self.below.account(&address).map_err(super::error::state)?.unwrap_or_default();
        account.balance = balance.unwrap_or(account.balance);
        account.nonce = nonce.unwrap_or(account.nonce);
        if let Some(code) = code {
            account.code_hash = keccak256(&code);
            self.code.insert(account.code_hash, code);
        }
        self.accounts.insert(address, account);
        if state.is_some() {
            self.cleared.insert(address);
        }
        let slots: BTreeMap<B256, B256> = state.or(state_diff).unwrap_or_default().into_iter().collect();
        self.slots.extend(slots.into_iter().map(|(slot, value)| ((address, slot), value.into())));
        Ok(())
    }
}

impl FlatState for OverriddenState {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        match self.accounts.get(address) {
            Some(account) => Ok(Some(*account).filter(|account| !account.is_empty())),
            None => self.below.account(address),
        }
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        match self.slots.get(&(*address, *slot)) {
            Some(value) => Ok(*value),
            None if self.cleared.contains(address) => Ok(U256::ZERO),
            None => self.below.storage(address, slot),
        }
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        match self.code.get(hash) {
            Some(code) => Ok(Some(code.clone())),
            None => self.below.code(hash),
        }
    }
}

/// The block that a call believes to be in, and the ids of earlier ones that it believes in. The difficulty and the blob
/// fee mean nothing on a shard.
pub(super) fn override_block(
    environment: &Environment,
    overrides: BlockOverrides,
) -> RpcResult<(Environment, BTreeMap<u64, B256>)> {
    let number = |name: &'static str, value: U256| {
        u64::try_from(value).map_err(|_| RpcError::InvalidParams(format!("{name} is larger than 64 bits")))
    };
    let mut environment = *environment;
    if let Some(height) = overrides.number {
        environment.height = number("number", height)?;
    }
    if let Some(base_fee) = overrides.base_fee {
        environment.base_fee = number("baseFeePerGas", base_fee)?;
    }
    environment.timestamp = overrides.time.unwrap_or(environment.timestamp);
    environment.gas_limit = overrides.gas_limit.unwrap_or(environment.gas_limit);
    environment.fee_recipient = overrides.coinbase.unwrap_or(environment.fee_recipient);
    environment.mix = overrides.random.unwrap_or(environment.mix);
    Ok((environment, overrides.block_hash.unwrap_or_default()))
}
