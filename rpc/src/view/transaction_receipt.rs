//! What came of a transaction, and the logs it left.

use super::{Log, Place, TransactionReceipt};
use alloy_consensus::{Receipt, ReceiptEnvelope, ReceiptWithBloom, TxType};
use alloy_primitives::{Address, B256};

/// What the view of a transaction receipt is made from.
#[derive(Clone, Debug)]
pub struct ReceiptFacts {
    /// The transaction's hash.
    pub hash: B256,
    /// Its EIP-2718 type.
    pub kind: TxType,
    /// Who sent it.
    pub from: Address,
    /// Whom it calls; `None` if it creates a contract.
    pub to: Option<Address>,
    /// Its nonce, from which the created contract's address follows.
    pub nonce: u64,
    /// Gas of this transaction alone.
    pub gas_used: u64,
    /// Wei per gas that it paid.
    pub effective_gas_price: u128,
    /// Where it is.
    pub place: Place,
    /// How many logs the transactions before it in the block left.
    pub logs_before: u64,
}

/// The view of a transaction receipt.
pub fn transaction_receipt(
    facts: ReceiptFacts,
    receipt: ReceiptWithBloom<Receipt<alloy_primitives::Log>>,
) -> TransactionReceipt {
    let ReceiptWithBloom { receipt, logs_bloom } = receipt;
    let logs = logs(facts.place, facts.hash, facts.logs_before, receipt.logs);
    let receipt = Receipt { status: receipt.status, cumulative_gas_used: receipt.cumulative_gas_used, logs };
    TransactionReceipt {
        inner: ReceiptEnvelope::from_typed(facts.kind, ReceiptWithBloom { receipt, logs_bloom }),
        transaction_hash: facts.hash,
        transaction_index: Some(facts.place.index),
        block_hash: Some(facts.place.block_hash),
        block_number: Some(facts.place.block_number),
        gas_used: facts.gas_used,
        effective_gas_price: facts.effective_gas_price,
        blob_gas_used: None,
        blob_gas_price: None,
        from: facts.from,
        to: facts.to,
        contract_address: match facts.to {
            None => Some(facts.from.create(facts.nonce)),
            Some(_) => None,
        },
    }
}

/// The view of one transaction's logs; `logs_before` is how many the transactions before it left.
pub fn logs(
    place: Place,
    transaction: B256,
    logs_before: u64,
    logs: impl IntoIterator<Item = alloy_primitives::Log>,
) -> Vec<Log> {
    (logs_before..)
        .zip(logs)
        .map(|(index, inner)| Log {
            inner,
            block_hash: Some(place.block_hash),
            block_number: Some(place.block_number),
            block_timestamp: Some(place.block_timestamp),
            transaction_hash: Some(transaction),
            transaction_index: Some(place.index),
            log_index: Some(index),
            removed: false,
        })
        .collect()
}
