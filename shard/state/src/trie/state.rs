//! The state trie: every account, and under each the root of its storage.
//!
//! A block is applied as one batch of account changes. Updating is in place; the way back is the batch of
//! inverse changes, which gives back the very root there was.
//!
//! Rules: Ethereum yellow paper, section 4.1 and appendix D; EIP-161.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use rayon::prelude::*;

use super::{
    Trie,
    encoded::{EncodedAccount, decode_slot},
    storage::{self, SlotChange, StorageTries},
};
use crate::account::{Account, AccountChange};

/// Fewer addresses than this are hashed sooner than threads wake up.
const PARALLEL_MIN: usize = 1_024;

/// A slot, its value (zero if it has none), and the nodes that prove it under the storage root.
pub type SlotProof = (B256, U256, Vec<Bytes>);

/// The accounts of a shard and their storage, as one Merkle-Patricia trie per level.
#[derive(Clone, Debug, Default)]
pub struct StateTrie {
    accounts: Trie,
    storage: StorageTries,
}

impl StateTrie {
    /// A state without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state of these accounts with their storage, in any order, each address once. Accounts that are empty
    /// by EIP-161 are left out.
    pub fn from_accounts<S: AsRef<[(B256, U256)]>>(
        accounts: impl IntoIterator<Item = (Address, Account, S)>,
    ) -> Self {
        let mut storage = StorageTries::default();
        let mut leaves: Vec<(B256, EncodedAccount)> = accounts
            .into_iter()
            .filter(|(_, account, _)| !account.is_empty())
            .map(|(address, account, slots)| {
                let key = keccak256(address);
                if !slots.as_ref().is_empty() {
                    let mut trie = Trie::new();
                    storage::update(&mut trie, slots.as_ref());
                    storage.put(key, trie);
                }
                (key, EncodedAccount::account(&account, &storage.root(&key)))
            })
            .collect();
        leaves.sort_unstable_by_key(|leaf| leaf.0);
        Self { accounts: Trie::from_sorted(leaves), storage }
    }

    /// The state root, after computing what is not yet.
    pub fn root(&mut self) -> B256 {
        self.accounts.root()
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are no accounts.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Bytes of memory held, spare capacity included.
    pub fn memory_bytes(&self) -> usize {
        self.accounts.memory_bytes() + self.storage.memory_bytes()
    }

    /// Root of the storage of an account; [`EMPTY_ROOT`](super::EMPTY_ROOT) if it has none.
    pub fn storage_root(&self, address: &Address) -> B256 {
        self.storage.root(&keccak256(address))
    }

    /// Applies changes and returns the new state root. They may come in any order; of two changes of one
    /// address the later one is applied to what the earlier one left.
    pub fn update(&mut self, changes: &[AccountChange]) -> B256 {
        let changes = sorted_by_key(changes);
        if changes.is_sorted_by(|(a, _), (b, _)| a < b) {
            return self.update_sorted(&changes);
        }
        for change in &changes {
            self.update_sorted(std::slice::from_ref(change));
        }
        self.accounts.root()
    }

    /// Applies changes of accounts whose hashed addresses ascend, and returns the new root.
    fn update_sorted(&mut self, changes: &[(B256, &AccountChange)]) -> B256 {
        let mut slots: Vec<(B256, &[SlotChange])> = Vec::new();
        for (key, change) in changes {
            let exists = change.account.is_some_and(|account| !account.is_empty());
            if !exists || change.storage_cleared {
                self.storage.take(key);
            }
            if exists && !change.storage.is_empty() {
                slots.push((*key, &change.storage));
            }
        }
        self.storage.update(&slots);

        let leaves: Vec<(B256, Option<EncodedAccount>)> = changes
            .iter()
            .map(|(key, change)| {
                let account = change.account.filter(|account| !account.is_empty());
                (*key, account.map(|account| EncodedAccount::account(&account, &self.storage.root(key))))
            })
            .collect();
        self.accounts.update_sorted(&leaves)
    }

    /// What `eth_getProof` answers of an account: the nodes that prove it, or its absence, under the state root,
    /// and for each slot its value and the nodes that prove it under the account's storage root.
    pub fn account_proof(&self, address: &Address, slots: &[B256]) -> (Vec<Bytes>, Vec<SlotProof>) {
        let key = keccak256(address);
        let storage = self.storage.get(&key);
        let slots = slots.iter().map(|slot| {
            let Some(trie) = storage else { return (*slot, U256::ZERO, Vec::new()) };
            let key = keccak256(slot);
            let value = trie.get(&key).map_or(U256::ZERO, decode_slot);
            (*slot, value, trie.proof(&key))
        });
        (self.accounts.proof(&key), slots.collect())
    }
}

/// The changes with the keys of their accounts, ascending, those of one account in the order given.
fn sorted_by_key(changes: &[AccountChange]) -> Vec<(B256, &AccountChange)> {
    let mut keyed: Vec<_> = if changes.len() >= PARALLEL_MIN && rayon::current_num_threads() > 1 {
        changes.par_iter().map(with_key).collect()
    } else {
        changes.iter().map(with_key).collect()
    };
    keyed.sort_by_key(|change| change.0);
    keyed
}

fn with_key(change: &AccountChange) -> (B256, &AccountChange) {
    (keccak256(change.address), change)
}
