//! Who gives way when the pool is full.
//!
//! Whoever has to, gives up the transaction with the highest nonce, so that what is left stays without a new gap.
//! 1. To a transaction that a block could take: whoever has the most queued.
//! 2. Then whoever takes more of the pool than the newcomer's sender will.
//! 3. Then, if the sender has nothing in the pool yet: whoever's last transaction has the lowest fee cap, if it is
//!    lower than the newcomer's. So transactions that no block will take do not fill the pool for good.
//!
//! A newcomer behind a gap only pushes out what is queued, of whoever has more of that.

use super::account::{Account, Entry};
use super::index::{share, share_of};
use super::{AccountState, Pool, PoolError, PooledTransaction};
use alloy_consensus::Transaction as _;
use primitives::Address;

/// Most transactions that give way to one; one that needs more room is refused.
const DROPPED_MAX: usize = 256;

/// What room is to be made for.
#[derive(Debug)]
pub(super) struct Newcomer {
    sender: Address,
    bytes: usize,
    fee_cap: u128,
    is_executable: bool,
    /// Bytes of the transaction whose place it takes.
    replaced: Option<usize>,
    /// Whether its sender holds nothing else.
    is_first: bool,
    /// How many of its sender are queued.
    queued: usize,
}

/// What gave way, and what is needed to take that back.
#[derive(Debug)]
struct Dropped {
    sender: Address,
    state: AccountState,
    nonce: u64,
    entry: Entry,
}

impl Newcomer {
    /// A transaction of an admissible cost; `account` is its sender's.
    pub(super) fn new(
        transaction: &PooledTransaction,
        account: Option<&Account>,
        state: AccountState,
    ) -> Self {
        let nonce = transaction.envelope().nonce();
        let end = account.map_or(state.nonce, Account::executable_end);
        Self {
            sender: transaction.sender(),
            bytes: transaction.encoded().len(),
            fee_cap: transaction.envelope().max_fee_per_gas(),
            is_executable: nonce <= end,
            replaced: account.and_then(|account| account.entry(nonce)).map(Entry::bytes),
            is_first: account.is_none(),
            queued: account.map_or(0, Account::queued),
        }
    }
}

impl Pool {
    /// Drops what has to give way until there is room. On error nothing has changed.
    pub(super) fn make_room(&mut self, newcomer: &Newcomer) -> Result<(), PoolError> {
        let mut dropped = Vec::new();
        while !self.has_room(newcomer) {
            let victim = self.victim(newcomer).filter(|_| dropped.len() < DROPPED_MAX);
            let Some(last) = victim.and_then(|sender| self.take_last(sender)) else {
                dropped.into_iter().rev().for_each(|last| self.put_back(last));
                return Err(PoolError::Full);
            };
            dropped.push(last);
        }
        Ok(())
    }

    fn has_room(&self, newcomer: &Newcomer) -> bool {
        let count = self.by_hash.len() + usize::from(newcomer.replaced.is_none());
        let bytes = self.bytes - newcomer.replaced.unwrap_or_default() + newcomer.bytes;
        count <= self.limits.transactions_max && bytes <= self.limits.bytes_max
    }

    fn victim(&self, newcomer: &Newcomer) -> Option<Address> {
        let Newcomer { sender: own, bytes, .. } = *newcomer;
        let most_queued = self.index.most_queued(own);
        if !newcomer.is_executable {
            return most_queued.filter(|(queued, _)| *queued > newcomer.queued + 1).map(|(_, sender)| sender);
        }
        if let Some((_, sender)) = most_queued {
            return Some(sender);
        }
        let of = |sender: &Address| self.accounts.get(sender);
        let own_share = of(&own).map_or(0, |account| share(account, &self.limits));
        let own_share = own_share.saturating_add(share_of(bytes, &self.limits));
        let keeps_as_much = |sender: &Address| {
            of(sender).is_some_and(|account| {
                let last = account.last().map_or(0, |entry| share_of(entry.bytes(), &self.limits));
                share(account, &self.limits).saturating_sub(last) >= own_share
            })
        };
        let largest = self.index.largest(own).filter(keeps_as_much);
        largest.or_else(|| {
            let (fee_cap, sender) = self.index.cheapest(own).filter(|_| newcomer.is_first)?;
            (fee_cap < newcomer.fee_cap).then_some(sender)
        })
    }

    fn take_last(&mut self, sender: Address) -> Option<Dropped> {
        let mut account = self.detach(sender)?;
        let state = account.state();
        let last = account.pop_last();
        self.attach(sender, account);
        let (nonce, entry) = last?;
        self.forget(&entry);
        Some(Dropped { sender, state, nonce, entry })
    }

    fn put_back(&mut self, dropped: Dropped) {
        let Dropped { sender, state, nonce, entry } = dropped;
        let mut account = self.detach(sender).unwrap_or_else(|| Account::new(state));
        self.by_hash.insert(entry.transaction.hash(), (sender, nonce));
        self.bytes += entry.bytes();
        account.insert(nonce, entry);
        self.attach(sender, account);
    }
}
