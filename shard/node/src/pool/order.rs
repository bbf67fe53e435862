//! The order in which transactions are offered to a block.

use super::{PooledTransaction, account::Account};
use alloy_consensus::Transaction as _;
use primitives::Address;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// The best next transaction of one sender; greater is better.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    tip: u128,
    arrival: Reverse<u64>,
    sender: &'a Address,
    nonce: u64,
}

/// Executable transactions by effective tip, then arrival; each sender's in order of nonce.
#[derive(Debug)]
pub struct Pending<'a> {
    accounts: &'a BTreeMap<Address, Account>,
    base_fee: u64,
    heads: BinaryHeap<Candidate<'a>>,
}

impl<'a> Pending<'a> {
    pub(super) fn new(accounts: &'a BTreeMap<Address, Account>, base_fee: u64) -> Self {
        let mut pending = Self { accounts, base_fee, heads: BinaryHeap::new() };
        let heads =
            accounts.iter().filter_map(|(sender, account)| pending.candidate(sender, account.state().nonce));
        pending.heads = heads.collect();
        pending
    }

    /// The transaction of `sender` at `nonce`, unless it cannot be executed at this base fee: then
    /// those after it cannot either.
    fn candidate(&self, sender: &'a Address, nonce: u64) -> Option<Candidate<'a>> {
        let account = self.accounts.get(sender).filter(|account| account.is_executable(nonce))?;
        let entry = account.entry(nonce)?;
        let tip = entry.transaction.envelope().effective_tip_per_gas(self.base_fee)?;
        Some(Candidate { tip, arrival: Reverse(entry.arrival), sender, nonce })
    }
}

impl Iterator for Pending<'_> {
    type Item = PooledTransaction;

    fn next(&mut self) -> Option<PooledTransaction> {
        let Candidate { sender, nonce, .. } = self.heads.pop()?;
        if let Some(next) = self.candidate(sender, nonce + 1) {
            self.heads.push(next);
        }
        self.accounts.get(sender)?.entry(nonce).map(|entry| entry.transaction.clone())
    }
}
