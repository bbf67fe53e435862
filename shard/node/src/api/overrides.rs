//! A state and a block that are other than they are, for the length of one call.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_eth::{
    BlockOverrides,
    state::{AccountOverride, StateOverride},
};
use rpc::RpcError;
use rpc::error::RpcResult;
use shard_state::{
    account::Account,
    executor::Environment,
    state::{FlatState, Layered, StateError},
};
use std::collections::{BTreeMap, BTreeSet};

/// A state with some of its accounts replaced.
#[derive(Debug)]
pub(super) struct OverriddenState<'a> {
    below: &'a Layered,
    accounts: BTreeMap<Address, Account>,
    slots: BTreeMap<(Address, B256), U256>,
    /// Accounts of which no slot but those in `slots` is left.
    cleared: BTreeSet<Address>,
    code: BTreeMap<B256, Bytes>,
}

impl<'a> OverriddenState<'a> {
    pub(super) fn new(below: &'a Layered, overrides: StateOverride) -> RpcResult<Self> {
        let (accounts, slots) = (BTreeMap::new(), BTreeMap::new());
        let mut state = Self { below, accounts, slots, cleared: BTreeSet::new(), code: BTreeMap::new() };
        let overrides: BTreeMap<Address, AccountOverride> = overrides.into_iter().collect();
        for (address, change) in overrides {
            state.replace(address, change)?;
        }
        Ok(state)
    }

    fn replace(&mut self, address: Address, change: AccountOverride) -> RpcResult<()> {
        let AccountOverride { balance, nonce, code, state, state_diff, move_precompile_to } = change;
        if state.is_some() && state_diff.is_some() {
            return Err(RpcError::Server(format!("account {address} has both 'state' and 'stateDiff'")));
        }
        if move_precompile_to.is_some() {
            return Err(RpcError::Server("movePrecompileToAddress is not supported".into()));
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

impl FlatState for OverriddenState<'_> {
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

/// The block that a call believes to be in. The difficulty and the blob fee mean nothing on a shard.
pub(super) fn override_environment(
    environment: &Environment,
    overrides: &BlockOverrides,
) -> RpcResult<Environment> {
    if overrides.block_hash.as_ref().is_some_and(|hashes| !hashes.is_empty()) {
        return Err(RpcError::Server(
            "blockHash is not supported: BLOCKHASH reads the state (EIP-2935)".into(),
        ));
    }
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
    Ok(environment)
}
