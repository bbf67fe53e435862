//! What one block changed in the state, there and back.
//!
//! Holds: accounts ascend by address, the slots of each by key, code by hash; nothing is listed that did not
//! change. So equal changes have equal change sets, and the inverse of the inverse is the same change set.
//!
//! A removed account has its slots listed as becoming zero. Storage is never cleared wholesale: since EIP-6780 no
//! account that had storage before a transaction is destroyed by it, and none is created where there is storage, for
//! whoever has storage has a nonce (EIP-161 gives contracts one, EIP-7702 raises that of an account which takes on
//! code). So the collision that EIP-7610 refuses, storage without nonce and code, does not come about.

use std::collections::{BTreeMap, btree_map::Entry};

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::account::{Account, AccountChange};

/// One slot before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotDelta {
    /// The slot (not hashed).
    pub slot: B256,
    /// Value before the block.
    pub before: U256,
    /// Value after the block.
    pub after: U256,
}

/// One account before and after, and its slots that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDelta {
    /// The account.
    pub address: Address,
    /// The account before the block, if it existed.
    pub before: Option<Account>,
    /// The account after the block, if it exists.
    pub after: Option<Account>,
    /// Ascending by slot.
    pub storage: Vec<SlotDelta>,
}

/// Everything one block changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    accounts: Vec<AccountDelta>,
    code: Vec<(B256, Bytes)>,
}

impl ChangeSet {
    /// Puts the changes in order and leaves out what does not change. Each address, each slot of an account
    /// and each code hash is given at most once.
    pub fn new(mut accounts: Vec<AccountDelta>, mut code: Vec<(B256, Bytes)>) -> Self {
        for account in &mut accounts {
            account.storage.retain(|slot| slot.before != slot.after);
            account.storage.sort_unstable_by_key(|slot| slot.slot);
        }
        accounts.retain(|account| account.before != account.after || !account.storage.is_empty());
        accounts.sort_unstable_by_key(|account| account.address);
        code.sort_unstable_by_key(|(hash, _)| *hash);
        Self { accounts, code }
    }

    /// The changes of decoded parts, if they are in order and all of them are changes.
    pub(super) fn from_canonical(accounts: Vec<AccountDelta>, code: Vec<(B256, Bytes)>) -> Option<Self> {
        let ordered = accounts.is_sorted_by(|a, b| a.address < b.address)
            && code.is_sorted_by(|a, b| a.0 < b.0)
            && accounts.iter().all(|account| {
                (account.before != account.after || !account.storage.is_empty())
                    && account.storage.is_sorted_by(|a, b| a.slot < b.slot)
                    && account.storage.iter().all(|slot| slot.before != slot.after)
            });
        ordered.then_some(Self { accounts, code })
    }

    /// The accounts, ascending by address.
    pub fn accounts(&self) -> &[AccountDelta] {
        &self.accounts
    }

    /// Code that was stored, with its Keccak-256, ascending by hash. It may have been known before.
    pub fn code(&self) -> &[(B256, Bytes)] {
        &self.code
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.code.is_empty()
    }

    /// The way back: before and after change places. Code, being named by its hash, stays where it is.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let accounts = self.accounts.iter().map(|account| AccountDelta {
            address: account.address,
            before: account.after,
            after: account.before,
            storage: account
                .storage
                .iter()
                .map(|slot| SlotDelta { slot: slot.slot, before: slot.after, after: slot.before })
                .collect(),
        });
        Self { accounts: accounts.collect(), code: self.code.clone() }
    }

    /// These changes and then `later` ones, as if one block had made both.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        let mut accounts: BTreeMap<Address, AccountDelta> =
            self.accounts.iter().map(|account| (account.address, account.clone())).collect();
        for account in &later.accounts {
            match accounts.entry(account.address) {
                Entry::Vacant(new) => drop(new.insert(account.clone())),
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.after = account.after;
                    known.storage = slots_then(&known.storage, &account.storage);
                }
            }
        }
        let code: BTreeMap<B256, Bytes> = self.code.iter().chain(&later.code).cloned().collect();
        Self::new(accounts.into_values().collect(), code.into_iter().collect())
    }

    /// What the state trie applies to follow these changes.
    pub fn account_changes(&self) -> Vec<AccountChange> {
        let change = |account: &AccountDelta| AccountChange {
            address: account.address,
            account: account.after,
            storage: account.storage.iter().map(|slot| (slot.slot, slot.after)).collect(),
            storage_cleared: false,
        };
        self.accounts.iter().map(change).collect()
    }
}

/// The slots of one account, changed and then changed again.
fn slots_then(first: &[SlotDelta], later: &[SlotDelta]) -> Vec<SlotDelta> {
    let mut slots: BTreeMap<B256, SlotDelta> = first.iter().map(|slot| (slot.slot, *slot)).collect();
    for slot in later {
        let before = slots.get(&slot.slot).map_or(slot.before, |known| known.before);
        slots.insert(slot.slot, SlotDelta { before, ..*slot });
    }
    slots.into_values().collect()
}
