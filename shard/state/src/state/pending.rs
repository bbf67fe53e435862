//! The state inside a block that is being executed: reads through to the parent's state, keeps what is written.
//!
//! Entries are kept in the order in which they were first read, beside maps that only find them: nothing here
//! depends on a hash map's order.

use std::collections::BTreeMap;

use alloy_eips::eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS};
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{AddressMap, B256Map, HashMap},
};
use revm::{
    Database,
    bytecode::Bytecode,
    state::{Account as EvmAccount, AccountInfo, EvmState},
};

use super::{
    change_set::{AccountDelta, ChangeSet, SlotDelta},
    flat::{FlatState, StateError},
};
use crate::account::Account;

#[derive(Clone, Debug)]
struct Entry {
    address: Address,
    before: Option<Account>,
    now: Option<Account>,
}

#[derive(Clone, Debug)]
struct Slot {
    entry: usize,
    key: U256,
    before: U256,
    now: U256,
}

/// A state that writes go to, above a state that they do not reach.
#[derive(Clone)]
pub struct PendingState<'a> {
    parent: &'a dyn FlatState,
    entries: Vec<Entry>,
    slots: Vec<Slot>,
    entry_of: AddressMap<usize>,
    slot_of: HashMap<(usize, U256), usize>,
    /// Code that was read or written; analysed once a block.
    code: B256Map<Bytecode>,
    code_stored: Vec<(B256, Bytes)>,
    /// Ids of blocks that are believed to be others, by height.
    block_hashes: BTreeMap<u64, B256>,
}

impl std::fmt::Debug for PendingState<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingState")
            .field("entries", &self.entries)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}

impl<'a> PendingState<'a> {
    /// Nothing written yet.
    pub fn new(parent: &'a dyn FlatState) -> Self {
        Self {
            parent,
            entries: Vec::new(),
            slots: Vec::new(),
            entry_of: AddressMap::default(),
            slot_of: HashMap::default(),
            code: B256Map::default(),
            code_stored: Vec::new(),
            block_hashes: BTreeMap::new(),
        }
    }

    /// The same with other ids of some blocks, by height.
    #[must_use]
    pub fn with_block_hashes(self, block_hashes: BTreeMap<u64, B256>) -> Self {
        Self { block_hashes, ..self }
    }

    /// The account as it is now.
    pub fn account(&mut self, address: &Address) -> Result<Option<Account>, StateError> {
        let entry = self.entry(address)?;
        Ok(self.entries[entry].now)
    }

    /// Sets an account; one that is empty by EIP-161 is removed.
    pub fn set_account(&mut self, address: &Address, account: Account) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        self.put(entry, Some(account));
        Ok(())
    }

    /// A slot as it is now.
    pub fn slot(&mut self, address: &Address, key: U256) -> Result<U256, StateError> {
        let entry = self.entry(address)?;
        let slot = self.slot_entry(entry, key)?;
        Ok(self.slots[slot].now)
    }

    /// Sets a slot.
    pub(crate) fn write_slot(&mut self, address: &Address, key: U256, value: U256) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        let slot = self.slot_entry(entry, key)?;
        self.slots[slot].now = value;
        Ok(())
    }

    /// The code with this hash, analysed.
    pub fn bytecode(&mut self, hash: &B256) -> Result<Bytecode, StateError> {
        if *hash == KECCAK256_EMPTY || hash.is_zero() {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.code.get(hash) {
            return Ok(code.clone());
        }
        let raw = self.parent.code(hash)?.ok_or(StateError::MissingCode { hash: *hash })?;
        let code = Bytecode::new_raw_checked(raw).map_err(|_| StateError::MalformedCode { hash: *hash })?;
        self.code.insert(*hash, code.clone());
        Ok(code)
    }

    /// Writes what a transaction left behind.
    pub(crate) fn commit(&mut self, changes: EvmState) -> Result<(), StateError> {
        // Each account is written on its own, so the map's order has no effect.
        #[expect(clippy::iter_over_hash_type, reason = "every entry is written under its own key")]
        for (address, account) in changes {
            if account.is_touched() {
                self.commit_account(&address, account)?;
            }
        }
        Ok(())
    }

    /// What was written, as the change set of the block.
    pub fn into_change_set(self) -> ChangeSet {
        let mut accounts: Vec<AccountDelta> = self
            .entries
            .into_iter()
            .map(|entry| AccountDelta {
                address: entry.address,
                before: entry.before,
                after: entry.now,
                storage: Vec::new(),
            })
            .collect();
        for slot in self.slots.iter().filter(|slot| slot.before != slot.now) {
            let delta = SlotDelta { slot: slot.key.into(), before: slot.before, after: slot.now };
            accounts[slot.entry].storage.push(delta);
        }
        let mut code = self.code_stored;
        code.sort_unstable_by_key(|(hash, _)| *hash);
        code.dedup_by_key(|(hash, _)| *hash);
        ChangeSet::new(accounts, code)
    }

    fn commit_account(&mut self, address: &Address, account: EvmAccount) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        if account.is_selfdestructed() {
            self.put(entry, None);
            return Ok(());
        }
        let AccountInfo { nonce, balance, code_hash, code, .. } = account.info;
        let code_hash = if code_hash.is_zero() { KECCAK256_EMPTY } else { code_hash };
        let code_is_new = self.entries[entry].now.map_or(KECCAK256_EMPTY, |now| now.code_hash) != code_hash;
        if let Some(code) = code.filter(|code| code_is_new && !code.is_empty()) {
            self.code_stored.push((code_hash, code.original_bytes()));
            self.code.insert(code_hash, code);
        }
        self.put(entry, Some(Account { nonce, balance, code_hash }));
        #[expect(clippy::iter_over_hash_type, reason = "every slot is written under its own key")]
        for (key, value) in account.storage {
            if value.is_changed() {
                let slot = self.slot_entry(entry, key)?;
                self.slots[slot].now = value.present_value;
            }
        }
        Ok(())
    }

    fn put(&mut self, entry: usize, account: Option<Account>) {
        let account = account.filter(|account| !account.is_empty());
        if account.is_none() && self.entries[entry].now.is_some_and(|now| now.code_hash != KECCAK256_EMPTY) {
            self.slots.iter_mut().filter(|slot| slot.entry == entry).for_each(|slot| slot.now = U256::ZERO);
        }
        self.entries[entry].now = account;
    }

    fn entry(&mut self, address: &Address) -> Result<usize, StateError> {
        if let Some(entry) = self.entry_of.get(address) {
            return Ok(*entry);
        }
        let account = self.parent.account(address)?;
        self.entries.push(Entry { address: *address, before: account, now: account });
        self.entry_of.insert(*address, self.entries.len() - 1);
        Ok(self.entries.len() - 1)
    }

    fn slot_entry(&mut self, entry: usize, key: U256) -> Result<usize, StateError> {
        if let Some(slot) = self.slot_of.get(&(entry, key)) {
            return Ok(*slot);
        }
        let value = self.parent.storage(&self.entries[entry].address, &B256::from(key))?;
        self.slots.push(Slot { entry, key, before: value, now: value });
        self.slot_of.insert((entry, key), self.slots.len() - 1);
        Ok(self.slots.len() - 1)
    }
}

impl Database for PendingState<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        let Some(account) = self.account(&address)? else { return Ok(None) };
        let code = self.bytecode(&account.code_hash)?;
        Ok(Some(AccountInfo::new(account.balance, account.nonce, account.code_hash, code)))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, StateError> {
        self.bytecode(&hash)
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, StateError> {
        self.slot(&address, key)
    }

    /// From the history contract of EIP-2935, which every block writes its parent to first: so the state is all
    /// that execution needs.
    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        if let Some(other) = self.block_hashes.get(&number) {
            return Ok(*other);
        }
        let key = U256::from(number % HISTORY_SERVE_WINDOW as u64);
        Ok(self.slot(&HISTORY_STORAGE_ADDRESS, key)?.into())
    }
}
