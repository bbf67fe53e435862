//! Transaction receipts, and the roots that a header commits to transactions and receipts with.
//!
//! A *transaction receipt* says what an Ethereum transaction did; it has nothing to do with a receipt between chains.
//! Both roots are SSZ list roots over Keccak-256 hashes, so one short Merkle branch proves that a
//! transaction, or its receipt, is in a block.
//!
//! Rules: docs/spec/shard-block.md#roots

use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bloom, Log, keccak256};
use consensus::layout::{list_branch, list_root};
use crypto::merkle::verify_branch;
use primitives::Verified;
use rayon::prelude::*;

use crate::{executor::Outcome, portal, transaction::Transaction};

#[cfg(test)]
mod tests;

/// Depth of the tree over a block's transactions, without the list's length: at most 2^20 of them.
pub const TRANSACTIONS_DEPTH: usize = 20;

/// Fewer receipts than this are hashed sooner than threads wake up.
const PARALLEL_MIN: usize = 256;

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionReceipt {
    /// Status, cumulative gas, bloom and logs, as Ethereum encodes them.
    pub envelope: ReceiptEnvelope,
    /// Gas of this transaction alone.
    pub gas_used: u64,
    /// Where a creation puts its contract; also of one that failed, as geth answers.
    pub contract_address: Option<Address>,
}

impl TransactionReceipt {
    /// The receipt of a transaction after which `cumulative_gas_used` gas of the block is used.
    pub fn new(transaction: &Transaction, outcome: Outcome, cumulative_gas_used: u64) -> Self {
        let Outcome { success, gas_used, logs } = outcome;
        let receipt = Receipt { status: Eip658Value::Eip658(success), cumulative_gas_used, logs };
        let envelope = ReceiptEnvelope::from_typed(transaction.envelope().tx_type(), receipt.with_bloom());
        let creation = transaction.envelope().is_create();
        let contract_address = creation.then(|| transaction.sender().create(transaction.envelope().nonce()));
        Self { envelope, gas_used, contract_address }
    }

    /// That of a receipt from another chain, after which `cumulative_gas_used` gas of the block is used. It has the form
    /// of a legacy transaction's.
    pub fn of_arrival(outcome: Outcome, cumulative_gas_used: u64) -> Self {
        let Outcome { success, gas_used, logs } = outcome;
        let bloom = portal::logs_bloom(&logs);
        let receipt = Receipt { status: Eip658Value::Eip658(success), cumulative_gas_used, logs };
        let envelope = ReceiptEnvelope::Legacy(ReceiptWithBloom::new(receipt, bloom));
        Self { envelope, gas_used, contract_address: None }
    }

    /// Whether the transaction did what it was to do.
    pub fn success(&self) -> bool {
        self.envelope.status()
    }

    /// Gas of the block up to and including the transaction.
    pub fn cumulative_gas_used(&self) -> u64 {
        self.envelope.cumulative_gas_used()
    }

    /// The bloom filter of its logs.
    pub fn bloom(&self) -> Bloom {
        *self.envelope.logs_bloom()
    }

    /// Its events.
    pub fn logs(&self) -> &[Log] {
        self.envelope.logs()
    }

    /// Keccak-256 of the EIP-2718 encoding: its leaf.
    pub fn hash(&self) -> B256 {
        keccak256(self.envelope.encoded_2718())
    }
}

/// Union of the receipts' blooms.
pub fn logs_bloom(receipts: &[TransactionReceipt]) -> Bloom {
    receipts
        .iter()
        .filter(|receipt| !receipt.logs().is_empty())
        .fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom())
}

/// What a header commits to its transactions with, from their hashes.
pub fn transactions_root(hashes: &[B256]) -> B256 {
    list_root(hashes, TRANSACTIONS_DEPTH)
}

/// What a header commits to the transaction receipts with.
pub fn transaction_receipts_root(receipts: &[TransactionReceipt]) -> B256 {
    let hashes: Vec<B256> = if receipts.len() < PARALLEL_MIN {
        receipts.iter().map(TransactionReceipt::hash).collect()
    } else {
        receipts.par_iter().with_min_len(PARALLEL_MIN / 4).map(TransactionReceipt::hash).collect()
    };
    list_root(&hashes, TRANSACTIONS_DEPTH)
}

/// Branch from the hash at `index` (of a transaction or of a receipt) to the root over all of them. `None` if there is
/// no such hash.
pub fn transaction_branch(hashes: &[B256], index: u64) -> Option<Vec<B256>> {
    list_branch(hashes, index, TRANSACTIONS_DEPTH)
}

/// Whether `hash` is at `index` of the list with this `root`.
pub fn verify_transaction_branch(hash: &B256, index: u64, branch: &[B256], root: &B256) -> bool {
    // The length is mixed in at the top, to the right: the index's bit there is zero.
    index < 1 << TRANSACTIONS_DEPTH && verify_branch(hash, index, TRANSACTIONS_DEPTH + 1, branch, root)
}

/// Hashes of transactions in order.
pub(crate) fn hashes<'a>(
    transactions: impl IntoIterator<Item = &'a std::sync::Arc<Verified<Transaction>>>,
) -> Vec<B256> {
    transactions.into_iter().map(|transaction| transaction.hash()).collect()
}
