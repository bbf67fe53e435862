//! Senders by what they hold, for finding who has to give way.

use super::{PoolLimits, account::Account};
use alloy_consensus::Transaction as _;
use primitives::Address;
use std::collections::BTreeSet;

/// Senders in three orders; each that holds something is in the first and the last.
#[derive(Debug)]
pub(super) struct Index {
    by_share: BTreeSet<(usize, Address)>,
    /// By how many transactions are queued; those without any are absent.
    by_queued: BTreeSet<(usize, Address)>,
    /// By the fee cap of the transaction with the highest nonce.
    by_last_fee: BTreeSet<(u128, Address)>,
}

/// How much of a pool one transaction of a size takes, in bytes: its own, and its part of the places.
pub(super) const fn share_of(bytes: usize, limits: &PoolLimits) -> usize {
    let place = match limits.bytes_max.checked_div(limits.transactions_max) {
        Some(place) => place,
        None => limits.bytes_max,
    };
    bytes.saturating_add(place)
}

/// How much of a pool an account takes.
pub(super) fn share(account: &Account, limits: &PoolLimits) -> usize {
    account.bytes().saturating_add(share_of(0, limits).saturating_mul(account.len()))
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { by_share: BTreeSet::new(), by_queued: BTreeSet::new(), by_last_fee: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, sender: Address, account: &Account, limits: &PoolLimits) {
        self.by_share.insert((share(account, limits), sender));
        if account.queued() > 0 {
            self.by_queued.insert((account.queued(), sender));
        }
        self.by_last_fee.insert((last_fee(account), sender));
    }

    /// `account` is as it was when it was added.
    pub(super) fn remove(&mut self, sender: Address, account: &Account, limits: &PoolLimits) {
        self.by_share.remove(&(share(account, limits), sender));
        self.by_queued.remove(&(account.queued(), sender));
        self.by_last_fee.remove(&(last_fee(account), sender));
    }

    /// The sender other than `but` that has the most queued, and how many.
    pub(super) fn most_queued(&self, but: Address) -> Option<(usize, Address)> {
        self.by_queued.iter().rev().find(|(_, sender)| *sender != but).copied()
    }

    /// How many transactions of all senders are queued.
    pub(super) fn queued(&self) -> usize {
        self.by_queued.iter().map(|(queued, _)| queued).sum()
    }

    /// The sender other than `but` that takes most of the pool.
    pub(super) fn largest(&self, but: Address) -> Option<Address> {
        self.by_share.iter().rev().find(|(_, sender)| *sender != but).map(|(_, sender)| *sender)
    }

    /// The sender other than `but` whose last transaction offers least, and how much that is.
    pub(super) fn cheapest(&self, but: Address) -> Option<(u128, Address)> {
        self.by_last_fee.iter().find(|(_, sender)| *sender != but).copied()
    }
}

fn last_fee(account: &Account) -> u128 {
    account.last().map_or(0, |entry| entry.transaction.envelope().max_fee_per_gas())
}
