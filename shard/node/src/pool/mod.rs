//! Transactions that wait for a block.
//!
//! Per sender a queue in order of nonce. Its front is *executable*: without a gap from the account's next nonce, and
//! paid for by the account's balance all together; the rest is *queued*. What always holds:
//! - count and bytes stay within the limits, whoever sends however much;
//! - when the pool is full, room is made as `room` says, so that a flood from one account only pushes out that account,
//!   and what no block could take never pushes out what one could;
//! - the order in which transactions are offered to a block depends on the pool's content alone.
//!
//! Pure: no clock, no lock; the chain's core owns it.

mod account;
mod index;
mod order;
mod room;
#[cfg(test)]
mod tests;

use account::{Account, Entry};
use alloy_consensus::Transaction as _;
use index::Index;
use primitives::{Address, B256, U256, Verified};
use room::Newcomer;
use shard_state::transaction::Transaction;
use std::{collections::BTreeMap, sync::Arc};

pub use order::Pending;

/// A transaction as the pool shares it.
pub type PooledTransaction = Arc<Verified<Transaction>>;

/// A replacement must offer this much more, percent.
const PRICE_BUMP_PERCENT: u128 = 10;

/// What the pool holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Transactions in all.
    pub transactions_max: usize,
    /// Encoded bytes in all.
    pub bytes_max: usize,
    /// Transactions of one sender; also how far a nonce may be ahead of the account's.
    pub account_transactions_max: usize,
    /// Of these, how many may be behind a gap when one more comes.
    pub account_queued_max: usize,
    /// Least tip, wei per gas.
    pub tip_min: u128,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            transactions_max: 200_000,
            bytes_max: 256 << 20,
            account_transactions_max: 4_096,
            account_queued_max: 256,
            tip_min: 1,
        }
    }
}

/// What the state says of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// Nonce of its next transaction.
    pub nonce: u64,
    /// What it can spend, wei.
    pub balance: U256,
}

/// Where a transaction went.
#[derive(Clone, Debug)]
pub struct Inserted {
    /// The transaction whose place it took.
    pub replaced: Option<B256>,
    /// What a block can take only since: the transaction itself and those that waited for it, in order of nonce; none
    /// if it waits itself.
    pub promoted: Vec<PooledTransaction>,
}

impl Inserted {
    /// Whether a block could take it now.
    pub const fn executable(&self) -> bool {
        !self.promoted.is_empty()
    }
}

/// How many transactions there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of them, how many a block could take.
    pub executable: usize,
    /// How many are behind a gap, or not paid for.
    pub queued: usize,
}

/// Why a transaction does not get in. The texts are geth's where geth has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// It is there.
    #[error("already known")]
    AlreadyKnown,
    /// The account has used this nonce.
    #[error("nonce too low: next nonce {expected}, tx nonce {found}")]
    NonceTooLow {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// Too far ahead of the account's next nonce to be kept.
    #[error("nonce too high: next nonce {expected}, tx nonce {found}")]
    NonceTooHigh {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The account cannot pay for it, together with what it has pending.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}", cost.saturating_sub(*balance))]
    InsufficientFunds {
        /// What the account has.
        balance: U256,
        /// What this transaction and those before it may cost.
        cost: U256,
    },
    /// Its tip is too small.
    #[error("transaction underpriced: gas tip cap {found}, minimum needed {expected}")]
    Underpriced {
        /// The transaction's.
        found: u128,
        /// The least.
        expected: u128,
    },
    /// Another transaction has this nonce and pays almost as much, or more.
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    /// The sender has too many transactions waiting.
    #[error("account limit exceeded: {found} transactions of this sender are waiting, the limit is {limit}")]
    AccountLimit {
        /// How many.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// There is no room, and nobody has to give way to this sender.
    #[error("txpool is full")]
    Full,
}

/// The pool.
#[derive(Debug)]
pub struct Pool {
    limits: PoolLimits,
    accounts: BTreeMap<Address, Account>,
    by_hash: BTreeMap<B256, (Address, u64)>,
    index: Index,
    bytes: usize,
    arrivals: u64,
}

impl Pool {
    /// An empty pool.
    pub const fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            accounts: BTreeMap::new(),
            by_hash: BTreeMap::new(),
            index: Index::new(),
            bytes: 0,
            arrivals: 0,
        }
    }

    /// Takes a transaction in; `state` is its sender's.
    pub fn insert(
        &mut self,
        transaction: PooledTransaction,
        state: AccountState,
    ) -> Result<Inserted, PoolError> {
        let hash = transaction.hash();
        if self.by_hash.contains_key(&hash) {
            return Err(PoolError::AlreadyKnown);
        }
        self.update_account(transaction.sender(), state);
        let cost = self.admissible(&transaction, state)?;
        let (sender, nonce) = (transaction.sender(), transaction.envelope().nonce());
        let newcomer = Newcomer::new(&transaction, self.accounts.get(&sender), state);
        self.make_room(&newcomer)?;
        let entry = Entry { arrival: self.arrivals, cost, transaction };
        self.arrivals += 1;
        self.bytes += entry.bytes();
        let mut account = self.detach(sender).unwrap_or_else(|| Account::new(state));
        let waiting_from = account.executable_end();
        let replaced = account.insert(nonce, entry);
        let promoted = match &replaced {
            None => account.executable(waiting_from..),
            Some(_) => account.executable(nonce..=nonce),
        };
        self.attach(sender, account);
        self.by_hash.insert(hash, (sender, nonce));
        let replaced = replaced.map(|old| self.forget(&old));
        Ok(Inserted { replaced, promoted })
    }

    /// The transaction's highest cost, if it may enter.
    fn admissible(&self, transaction: &PooledTransaction, state: AccountState) -> Result<U256, PoolError> {
        let envelope = transaction.envelope();
        let (nonce, expected) = (envelope.nonce(), state.nonce);
        let tip = tip_cap(transaction);
        if tip < self.limits.tip_min {
            return Err(PoolError::Underpriced { found: tip, expected: self.limits.tip_min });
        }
        if nonce < expected {
            return Err(PoolError::NonceTooLow { expected, found: nonce });
        }
        if nonce - expected >= self.limits.account_transactions_max as u64 {
            return Err(PoolError::NonceTooHigh { expected, found: nonce });
        }
        let balance = state.balance;
        let cost = transaction.cost_max().unwrap_or(U256::MAX);
        let account = self.accounts.get(&transaction.sender());
        let old = account.and_then(|account| account.entry(nonce));
        match old {
            Some(old) if !outbids(transaction, &old.transaction) => {
                return Err(PoolError::ReplacementUnderpriced);
            }
            None => self.require_account_room(account, nonce, expected)?,
            Some(_) => {}
        }
        let cost_all = account.map_or(cost, |account| account.cost_with(nonce, cost));
        if cost_all > balance {
            return Err(PoolError::InsufficientFunds { balance, cost: cost_all });
        }
        Ok(cost)
    }

    fn require_account_room(
        &self,
        account: Option<&Account>,
        nonce: u64,
        next: u64,
    ) -> Result<(), PoolError> {
        let Some(account) = account else { return Ok(()) };
        let (found, limit) = (account.len(), self.limits.account_transactions_max);
        if found >= limit {
            return Err(PoolError::AccountLimit { found, limit });
        }
        let is_queued = account.executable_end().max(next) != nonce;
        let (found, limit) = (account.queued(), self.limits.account_queued_max);
        if is_queued && found >= limit { Err(PoolError::AccountLimit { found, limit }) } else { Ok(()) }
    }

    /// What the state says of senders after a block, or after blocks were undone: drops what was mined or can no
    /// longer be, and finds anew what is executable.
    pub fn update_accounts(&mut self, states: impl IntoIterator<Item = (Address, AccountState)>) {
        for (sender, state) in states {
            self.update_account(sender, state);
        }
    }

    fn update_account(&mut self, sender: Address, state: AccountState) {
        if self.accounts.get(&sender).is_none_or(|account| account.state() == state) {
            return;
        }
        let mut account = self.detach(sender).expect("looked up just now");
        let dropped = account.set_state(state);
        self.attach(sender, account);
        for entry in &dropped {
            self.forget(entry);
        }
    }

    /// Executable transactions, best effective tip first; each sender's in order of nonce.
    pub fn pending(&self, base_fee: u64) -> Pending<'_> {
        Pending::new(&self.accounts, base_fee)
    }

    /// The transaction of this hash.
    pub fn lookup(&self, hash: &B256) -> Option<&PooledTransaction> {
        let (sender, nonce) = self.by_hash.get(hash)?;
        self.accounts.get(sender)?.entry(*nonce).map(|entry| &entry.transaction)
    }

    /// The nonce a sender's next transaction should have, after what is executable; `None` for an unknown sender.
    pub fn nonce_after(&self, sender: &Address) -> Option<u64> {
        self.accounts.get(sender).map(Account::executable_end)
    }

    /// All senders with their executable and queued transactions, in order of nonce.
    pub fn content(
        &self,
    ) -> impl Iterator<Item = (&Address, Vec<&PooledTransaction>, Vec<&PooledTransaction>)> {
        self.accounts.iter().map(|(sender, account)| {
            let (executable, queued) = account.split();
            (sender, executable, queued)
        })
    }

    /// One sender's executable and queued transactions, in order of nonce.
    pub fn content_of(&self, sender: &Address) -> (Vec<&PooledTransaction>, Vec<&PooledTransaction>) {
        self.accounts.get(sender).map(Account::split).unwrap_or_default()
    }

    /// How many transactions there are of each sort.
    pub fn counts(&self) -> Counts {
        let queued = self.index.queued();
        Counts { executable: self.len().saturating_sub(queued), queued }
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Encoded bytes of all.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn detach(&mut self, sender: Address) -> Option<Account> {
        let account = self.accounts.remove(&sender)?;
        self.index.remove(sender, &account, &self.limits);
        Some(account)
    }

    fn attach(&mut self, sender: Address, account: Account) {
        if account.len() > 0 {
            self.index.add(sender, &account, &self.limits);
            self.accounts.insert(sender, account);
        }
    }

    /// Takes an entry that left its account out of the indices.
    fn forget(&mut self, entry: &Entry) -> B256 {
        let hash = entry.transaction.hash();
        self.by_hash.remove(&hash);
        self.bytes -= entry.bytes();
        hash
    }
}

/// Most the proposer can earn per gas.
fn tip_cap(transaction: &Transaction) -> u128 {
    let envelope = transaction.envelope();
    envelope.max_priority_fee_per_gas().unwrap_or_else(|| envelope.max_fee_per_gas())
}

/// Whether `new` pays enough more than `old` for both its fee cap and its tip.
fn outbids(new: &Transaction, old: &Transaction) -> bool {
    let percent = |fee: u128| fee / 100 * PRICE_BUMP_PERCENT + fee % 100 * PRICE_BUMP_PERCENT / 100;
    let bumped = |fee: u128| fee.saturating_add(percent(fee).max(1));
    let caps = (new.envelope().max_fee_per_gas(), old.envelope().max_fee_per_gas());
    let tips = (tip_cap(new), tip_cap(old));
    caps.0 >= bumped(caps.1) && tips.0 >= bumped(tips.1)
}
