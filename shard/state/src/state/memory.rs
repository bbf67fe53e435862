//! A whole state in ordered maps.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};

use super::{
    change_set::ChangeSet,
    flat::{FlatState, StateError},
};
use crate::{account::Account, trie::StateTrie};

/// Every account, slot and code of a state: for genesis, tests and re-execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState {
    accounts: BTreeMap<Address, Account>,
    storage: BTreeMap<(Address, B256), U256>,
    code: BTreeMap<B256, Bytes>,
}

impl MemoryState {
    /// A state without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an account; one that is empty by EIP-161 is removed.
    pub fn set_account(&mut self, address: Address, account: Account) {
        self.put_account(address, Some(account));
    }

    /// Sets a slot.
    pub fn set_storage(&mut self, address: Address, slot: B256, value: U256) {
        if value.is_zero() {
            self.storage.remove(&(address, slot));
        } else {
            self.storage.insert((address, slot), value);
        }
    }

    /// Stores code and returns its hash.
    pub fn set_code(&mut self, code: Bytes) -> B256 {
        let hash = keccak256(&code);
        if hash != KECCAK256_EMPTY {
            self.code.insert(hash, code);
        }
        hash
    }

    /// Makes the changes of a block; those of its inverse undo it.
    pub fn apply(&mut self, changes: &ChangeSet) {
        for account in changes.accounts() {
            self.put_account(account.address, account.after);
            for slot in &account.storage {
                self.set_storage(account.address, slot.slot, slot.after);
            }
        }
        self.code.extend(changes.code().iter().cloned());
    }

    /// The accounts, ascending by address.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &Account)> {
        self.accounts.iter()
    }

    /// The slots of an account, ascending.
    pub fn slots(&self, address: Address) -> impl Iterator<Item = (B256, U256)> {
        self.storage
            .range((address, B256::ZERO)..=(address, B256::repeat_byte(0xff)))
            .map(|((_, slot), value)| (*slot, *value))
    }

    /// All code, ascending by hash.
    pub fn codes(&self) -> impl Iterator<Item = (&B256, &Bytes)> {
        self.code.iter()
    }

    /// The trie over all of it.
    pub fn trie(&self) -> StateTrie {
        StateTrie::from_accounts(
            self.accounts
                .iter()
                .map(|(address, account)| (*address, *account, self.slots(*address).collect::<Vec<_>>())),
        )
    }

    /// Sum of all balances; conserved but for what blocks burn. `None` if it does not fit.
    pub fn supply(&self) -> Option<U256> {
        self.accounts.values().try_fold(U256::ZERO, |sum, account| sum.checked_add(account.balance))
    }

    fn put_account(&mut self, address: Address, account: Option<Account>) {
        match account.filter(|account| !account.is_empty()) {
            Some(account) => self.accounts.insert(address, account),
            None => self.accounts.remove(&address),
        };
    }
}

impl FlatState for MemoryState {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(address).copied())
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        Ok(self.storage.get(&(*address, *slot)).copied().unwrap_or_default())
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(self.code.get(hash).cloned())
    }
}
