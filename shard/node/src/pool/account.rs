//! One sender's transactions.

use super::{AccountState, PooledTransaction};
use primitives::U256;
use std::{collections::BTreeMap, ops::RangeBounds, sync::Arc};

/// A transaction in its sender's queue.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Order of arrival in the pool: breaks ties.
    pub(super) arrival: u64,
    /// Most it can cost, wei.
    pub(super) cost: U256,
    pub(super) transaction: PooledTransaction,
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        self.transaction.encoded().len()
    }
}

/// A queue by nonce whose front, up to `executable_end`, is without gap and paid for.
#[derive(Debug)]
pub(super) struct Account {
    state: AccountState,
    entries: BTreeMap<u64, Entry>,
    executable_end: u64,
    /// Cost of everything executable.
    executable_cost: U256,
    /// Encoded bytes of all entries.
    bytes: usize,
}

impl Account {
    pub(super) const fn new(state: AccountState) -> Self {
        Self {
            state,
            entries: BTreeMap::new(),
            executable_end: state.nonce,
            executable_cost: U256::ZERO,
            bytes: 0,
        }
    }

    pub(super) const fn state(&self) -> AccountState {
        self.state
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Encoded bytes of all.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many are behind a gap, or not paid for.
    pub(super) fn queued(&self) -> usize {
        let executable = usize::try_from(self.executable_end - self.state.nonce).unwrap_or(usize::MAX);
        self.entries.len().saturating_sub(executable)
    }

    /// The first nonce that is not executable.
    pub(super) const fn executable_end(&self) -> u64 {
        self.executable_end
    }

    pub(super) const fn is_executable(&self, nonce: u64) -> bool {
        nonce >= self.state.nonce && nonce < self.executable_end
    }

    /// The executable ones in a range of nonces.
    pub(super) fn executable(&self, nonces: impl RangeBounds<u64>) -> Vec<PooledTransaction> {
        let executable = self.entries.range(nonces).take_while(|(nonce, _)| self.is_executable(**nonce));
        executable.map(|(_, entry)| Arc::clone(&entry.transaction)).collect()
    }

    pub(super) fn entry(&self, nonce: u64) -> Option<&Entry> {
        self.entries.get(&nonce)
    }

    /// The entry with the highest nonce.
    pub(super) fn last(&self) -> Option<&Entry> {
        self.entries.last_key_value().map(|(_, entry)| entry)
    }

    /// What everything executable would cost with one of this cost at `nonce`, in the place of what is there.
    pub(super) fn cost_with(&self, nonce: u64, cost: U256) -> U256 {
        let replaced =
            self.entry(nonce).filter(|_| self.is_executable(nonce)).map_or(U256::ZERO, |entry| entry.cost);
        self.executable_cost.saturating_sub(replaced).saturating_add(cost)
    }

    /// Adds an entry and returns the one it replaces.
    pub(super) fn insert(&mut self, nonce: u64, entry: Entry) -> Option<Entry> {
        self.bytes += entry.bytes();
        let replaced = self.entries.insert(nonce, entry);
        if let Some(replaced) = &replaced {
            self.bytes -= replaced.bytes();
            self.restart();
        }
        self.extend();
        replaced
    }

    /// Removes the entry with the highest nonce.
    pub(super) fn pop_last(&mut self) -> Option<(u64, Entry)> {
        let (nonce, entry) = self.entries.pop_last()?;
        self.bytes -= entry.bytes();
        if nonce < self.executable_end {
            self.executable_end = nonce;
            self.executable_cost = self.executable_cost.saturating_sub(entry.cost);
        }
        Some((nonce, entry))
    }

    /// Takes a new state over. Returns what its nonce has overtaken, and what the account cannot pay even alone.
    pub(super) fn set_state(&mut self, state: AccountState) -> Vec<Entry> {
        let rest = self.entries.split_off(&state.nonce);
        let mut dropped: Vec<Entry> = std::mem::replace(&mut self.entries, rest).into_values().collect();
        dropped.extend(
            self.entries.extract_if(.., |_, entry| entry.cost > state.balance).map(|(_, entry)| entry),
        );
        self.bytes -= dropped.iter().map(Entry::bytes).sum::<usize>();
        self.state = state;
        self.restart();
        self.extend();
        dropped
    }

    /// Executable and queued transactions.
    pub(super) fn split(&self) -> (Vec<&PooledTransaction>, Vec<&PooledTransaction>) {
        let side = |executable: bool| {
            self.entries
                .iter()
                .filter(move |(nonce, _)| self.is_executable(**nonce) == executable)
                .map(|(_, entry)| &entry.transaction)
                .collect()
        };
        (side(true), side(false))
    }

    const fn restart(&mut self) {
        self.executable_end = self.state.nonce;
        self.executable_cost = U256::ZERO;
    }

    /// Moves the executable end up as far as nonces and balance reach.
    fn extend(&mut self) {
        while let Some(entry) = self.entries.get(&self.executable_end) {
            let cost = self.executable_cost.saturating_add(entry.cost);
            if cost > self.state.balance {
                break;
            }
            self.executable_cost = cost;
            self.executable_end += 1;
        }
    }
}
