//! What waits for a block, as geth lists it.

use super::Transaction;
use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// How many transactions wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PoolStatus {
    /// Those that a block could take.
    #[serde(with = "alloy_serde::quantity")]
    pub pending: u64,
    /// Those behind a gap, or not paid for.
    #[serde(with = "alloy_serde::quantity")]
    pub queued: u64,
}

/// One sender's transactions by nonce; the nonces are written in decimal.
pub type ByNonce<T> = BTreeMap<u64, T>;

/// Transactions of one sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PoolContentOf {
    /// Those that a block could take.
    pub pending: ByNonce<Transaction>,
    /// Those behind a gap, or not paid for.
    pub queued: ByNonce<Transaction>,
}

/// Transactions by sender, or a text for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolContent<T = Transaction> {
    /// Those that a block could take.
    pub pending: BTreeMap<Sender, ByNonce<T>>,
    /// Those behind a gap, or not paid for.
    pub queued: BTreeMap<Sender, ByNonce<T>>,
}

/// An address as a key of [`PoolContent`], where geth writes it with its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender(pub Address);

impl Serialize for Sender {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T> Default for PoolContent<T> {
    fn default() -> Self {
        Self { pending: BTreeMap::new(), queued: BTreeMap::new() }
    }
}

impl PoolContent {
    /// Adds a sender's transactions.
    pub fn add(&mut self, sender: Address, content: PoolContentOf) {
        let PoolContentOf { pending, queued } = content;
        for (side, transactions) in [(&mut self.pending, pending), (&mut self.queued, queued)] {
            if !transactions.is_empty() {
                side.insert(Sender(sender), transactions);
            }
        }
    }

    /// The same with a line of text for each transaction: whom it calls, what it sends, what it pays at most.
    pub fn inspection(&self) -> PoolContent<String> {
        let texts = |side: &BTreeMap<Sender, ByNonce<Transaction>>| {
            side.iter()
                .map(|(sender, content)| {
                    (*sender, content.iter().map(|(nonce, one)| (*nonce, line(one))).collect())
                })
                .collect()
        };
        PoolContent { pending: texts(&self.pending), queued: texts(&self.queued) }
    }
}

fn line(transaction: &Transaction) -> String {
    let to = transaction.to().map_or_else(|| "contract creation".into(), |to| to.to_string());
    let (value, gas, price) = (transaction.value(), transaction.gas_limit(), transaction.max_fee_per_gas());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}
