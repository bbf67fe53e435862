//! One block with its transactions and what came of them, from memory or from disk, and its views.
//!
//! A block's `size` is that of its encoded header and transactions; proofs from the beacon chain are not counted.

use super::error::internal;
use crate::pool::PooledTransaction;
use alloy_consensus::{
    ReceiptEnvelope, Signed, Transaction as _, TxEnvelope, TxLegacy, transaction::Recovered,
};
use alloy_primitives::{B256, Bytes, keccak256};
use primitives::{Chain, ShardBlock, ShardHeader};
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::view::{
    Block, BlockFacts, Header, Log, Place, ReceiptFacts, Transaction, TransactionReceipt, block_with_hashes,
    block_with_transactions, logs, transaction, transaction_receipt,
};
use shard_state::{
    block::Executed,
    executor::Environment,
    receipt,
    transaction::{TransactionLimits, acknowledged, arrivals, verify_batch},
};
use ssz::Encode as _;
use std::sync::Arc;

/// A block and what came of its transactions.
#[derive(Clone, Debug)]
pub(super) enum BlockRecord {
    /// Executed by this process: senders are known.
    Executed(Arc<Executed>),
    /// Read from disk.
    Stored(Arc<StoredBlock>),
}

/// A block as it is on disk.
#[derive(Clone, Debug)]
pub(super) struct StoredBlock {
    pub(super) block: ShardBlock,
    pub(super) id: B256,
    pub(super) environment: Environment,
    /// What it took in, in the form of transactions.
    pub(super) arrivals: Vec<PooledTransaction>,
    pub(super) receipts: Vec<receipt::TransactionReceipt>,
    pub(super) limits: TransactionLimits,
}

impl StoredBlock {
    /// The block as it is on disk, with what it took in.
    pub(super) fn new(
        block: ShardBlock,
        id: B256,
        environment: Environment,
        receipts: Vec<receipt::TransactionReceipt>,
        limits: TransactionLimits,
    ) -> Self {
        let arrivals = arrivals(&block.body).into_iter();
        let arrivals =
            arrivals.map(|arrival| Arc::new(shard_state::transaction::Transaction::of_arrival(arrival)));
        Self { arrivals: arrivals.collect(), block, id, environment, receipts, limits }
    }

    /// The transaction at `index`, as its block carries it.
    fn raw(&self, index: usize) -> Option<&Bytes> {
        match index.checked_sub(self.arrivals.len()) {
            None => self.arrivals.get(index).map(|arrival| arrival.encoded()),
            Some(index) => self.block.body.transactions.get(index),
        }
    }

    fn hash(&self, index: usize) -> Option<B256> {
        match index.checked_sub(self.arrivals.len()) {
            None => self.arrivals.get(index).map(|arrival| arrival.hash()),
            Some(index) => self.block.body.transactions.get(index).map(keccak256),
        }
    }

    fn verified(&self, range: std::ops::Range<usize>) -> RpcResult<Vec<PooledTransaction>> {
        let count = self.arrivals.len();
        let arrivals = self.arrivals.get(range.start.min(count)..range.end.min(count)).unwrap_or_default();
        let signed = range.start.saturating_sub(count)..range.end.saturating_sub(count);
        let encoded = self.block.body.transactions.get(signed).unwrap_or_default().to_vec();
        let verified = verify_batch(encoded, &self.limits).into_iter();
        let verified = verified.map(|verified| verified.map(Arc::new).map_err(|error| internal(&error)));
        arrivals.iter().cloned().map(Ok).chain(verified).collect()
    }
}

impl BlockRecord {
    pub(super) fn header(&self) -> &ShardHeader {
        match self {
            Self::Executed(executed) => &executed.header,
            Self::Stored(stored) => &stored.block.header,
        }
    }

    pub(super) fn id(&self) -> B256 {
        match self {
            Self::Executed(executed) => executed.id,
            Self::Stored(stored) => stored.id,
        }
    }

    pub(super) fn environment(&self) -> &Environment {
        match self {
            Self::Executed(executed) => &executed.environment,
            Self::Stored(stored) => &stored.environment,
        }
    }

    pub(super) fn receipts(&self) -> &[receipt::TransactionReceipt] {
        match self {
            Self::Executed(executed) => &executed.receipts,
            Self::Stored(stored) => &stored.receipts,
        }
    }

    /// How many transactions there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Executed(executed) => executed.transactions.len(),
            Self::Stored(stored) => stored.arrivals.len() + stored.block.body.transactions.len(),
        }
    }

    /// The transaction at `index`, EIP-2718.
    pub(super) fn raw(&self, index: usize) -> Option<Bytes> {
        match self {
            Self::Executed(executed) => {
                executed.transactions.get(index).map(|transaction| transaction.encoded().clone())
            }
            Self::Stored(stored) => stored.raw(index).cloned(),
        }
    }

    pub(super) fn encoded(&self) -> Vec<&Bytes> {
        match self {
            Self::Executed(executed) => {
                executed.transactions.iter().map(|transaction| transaction.encoded()).collect()
            }
            Self::Stored(stored) => (0..self.len()).filter_map(|index| stored.raw(index)).collect(),
        }
    }

    /// Hash of the transaction at `index`.
    fn hash(&self, index: usize) -> Option<B256> {
        match self {
            Self::Executed(executed) => {
                executed.transactions.get(index).map(|transaction| transaction.hash())
            }
            Self::Stored(stored) => stored.hash(index),
        }
    }

    /// The transactions of a range, with their senders.
    pub(super) fn verified(&self, range: std::ops::Range<usize>) -> RpcResult<Vec<PooledTransaction>> {
        match self {
            Self::Executed(executed) => Ok(executed.transactions.get(range).unwrap_or_default().to_vec()),
            Self::Stored(stored) => stored.verified(range),
        }
    }

    fn facts(&self) -> BlockFacts<'_> {
        let transactions: usize = self.encoded().into_iter().map(|bytes| bytes.len()).sum();
        BlockFacts {
            header: self.header(),
            id: self.id(),
            fee_recipient: self.environment().fee_recipient,
            mix: self.environment().mix,
            size: (self.header().ssz_bytes_len() + transactions) as u64,
        }
    }

    fn place(&self, index: usize) -> Place {
        let header = self.header();
        place(header, self.id(), index)
    }

    /// The header.
    pub(super) fn header_view(&self) -> Header {
        Header::from(&self.facts())
    }

    /// The block; `full` is with transactions instead of their hashes.
    pub(super) fn block_view(&self, full: bool) -> RpcResult<Block> {
        let facts = self.facts();
        if full {
            let transactions = self.verified(0..self.len())?;
            let recovered = transactions.iter().map(|transaction| self.shown(transaction));
            return Ok(block_with_transactions(&facts, recovered));
        }
        let hashes = match self {
            Self::Executed(executed) => {
                executed.transactions.iter().map(|transaction| transaction.hash()).collect()
            }
            Self::Stored(stored) => (0..self.len()).filter_map(|index| stored.hash(index)).collect(),
        };
        Ok(block_with_hashes(&facts, hashes))
    }

    /// The transaction at `index`.
    pub(super) fn transaction_view(&self, index: usize) -> RpcResult<Transaction> {
        let found = self.one(index)?;
        Ok(transaction(self.shown(&found), Some(self.place(index))))
    }

    /// A transaction as it is shown. A receipt from another chain pays nothing here; who executes the block again, as
    /// `cast run` does, wants a price that would do.
    fn shown(&self, found: &PooledTransaction) -> Recovered<TxEnvelope> {
        let recovered = found.to_recovered();
        let price = |envelope| match envelope {
            TxEnvelope::Legacy(signed) if found.arrival().is_some() => {
                let (unsigned, signature, hash) = signed.into_parts();
                let gas_price = self.header().base_fee.into();
                Signed::new_unchecked(TxLegacy { gas_price, ..unsigned }, signature, hash).into()
            }
            other => other,
        };
        recovered.map(price)
    }

    /// What came of the transaction at `index`.
    pub(super) fn receipt_view(&self, index: usize) -> RpcResult<TransactionReceipt> {
        let transaction = self.one(index)?;
        let (before, receipt) = match self.receipts().split_at_checked(index) {
            Some((before, [receipt, ..])) => (before, receipt),
            _ => return Err(missing(index)),
        };
        let logs_before = before.iter().map(|receipt| receipt.logs().len() as u64).sum();
        self.receipt_of(&transaction, receipt, index, logs_before)
    }

    /// What came of all transactions, in order.
    pub(super) fn receipt_views(&self) -> RpcResult<Vec<TransactionReceipt>> {
        let transactions = self.verified(0..self.len())?;
        let mut logs_before = 0;
        let mut views = Vec::with_capacity(transactions.len());
        for (index, (transaction, receipt)) in transactions.iter().zip(self.receipts()).enumerate() {
            views.push(self.receipt_of(transaction, receipt, index, logs_before)?);
            logs_before += receipt.logs().len() as u64;
        }
        Ok(views)
    }

    fn receipt_of(
        &self,
        transaction: &PooledTransaction,
        receipt: &receipt::TransactionReceipt,
        index: usize,
        logs_before: u64,
    ) -> RpcResult<TransactionReceipt> {
        let envelope = transaction.envelope();
        let facts = ReceiptFacts {
            hash: transaction.hash(),
            kind: envelope.tx_type(),
            from: transaction.sender(),
            to: envelope.to(),
            nonce: envelope.nonce(),
            gas_used: receipt.gas_used,
            effective_gas_price: envelope.effective_gas_price(Some(self.header().base_fee)),
            place: self.place(index),
            logs_before,
        };
        let inner =
            ReceiptEnvelope::as_receipt_with_bloom(&receipt.envelope).ok_or_else(|| missing(index))?;
        Ok(transaction_receipt(facts, inner.clone()))
    }

    /// All logs of the block that `keep` lets pass, in order.
    pub(super) fn logs(&self, keep: &dyn Fn(&alloy_primitives::Log) -> bool) -> Vec<Log> {
        let hash = |index| self.hash(index).unwrap_or_default();
        matching_logs(self.header(), self.id(), &hash, self.receipts(), keep)
    }

    /// How many of the transactions are receipts from other chains; they come first.
    fn arrivals(&self) -> usize {
        match self {
            Self::Executed(executed) => executed.arrivals.len(),
            Self::Stored(stored) => stored.arrivals.len(),
        }
    }

    /// What other chains had consumed, as far as the block knew.
    pub(super) fn acknowledged(&self) -> Vec<(Chain, u64)> {
        match self {
            Self::Executed(executed) => executed.acknowledged.clone(),
            Self::Stored(stored) => acknowledged(stored.block.header.shard, &stored.block.body),
        }
    }

    /// For each transaction that was signed the tip it paid, wei per gas, and the gas it used.
    pub(super) fn tips(&self) -> RpcResult<Vec<(u128, u64)>> {
        let base_fee = self.header().base_fee;
        let tip = |envelope: &alloy_consensus::TxEnvelope| {
            envelope.effective_tip_per_gas(base_fee).unwrap_or_default()
        };
        let arrivals = self.arrivals();
        let gas = self.receipts().iter().skip(arrivals).map(|receipt| receipt.gas_used);
        match self {
            Self::Executed(executed) => {
                Ok(executed.signed().iter().map(|transaction| tip(transaction.envelope())).zip(gas).collect())
            }
            Self::Stored(stored) => {
                let envelopes = stored.block.body.transactions.iter().map(|bytes| {
                    alloy_eips::Decodable2718::decode_2718_exact(bytes).map_err(|error| internal(&error))
                });
                envelopes.zip(gas).map(|(envelope, gas)| Ok((tip(&envelope?), gas))).collect()
            }
        }
    }

    fn one(&self, index: usize) -> RpcResult<PooledTransaction> {
        self.verified(index..index.saturating_add(1))?.pop().ok_or_else(|| missing(index))
    }
}

/// Where the transaction at `index` of a block is.
pub(super) const fn place(header: &ShardHeader, id: B256, index: usize) -> Place {
    Place {
        block_hash: id,
        block_number: header.height.get(),
        block_timestamp: header.timestamp_ms / 1_000,
        base_fee: header.base_fee,
        index: index as u64,
    }
}

/// The logs of a block that `keep` lets pass, in order; `hash` gives the transactions' hashes.
pub(super) fn matching_logs(
    header: &ShardHeader,
    id: B256,
    hash: &dyn Fn(usize) -> B256,
    receipts: &[receipt::TransactionReceipt],
    keep: &dyn Fn(&alloy_primitives::Log) -> bool,
) -> Vec<Log> {
    let mut found = Vec::new();
    let mut before = 0;
    for (index, receipt) in receipts.iter().enumerate() {
        if receipt.logs().iter().any(keep) {
            let views = logs(place(header, id, index), hash(index), before, receipt.logs().iter().cloned());
            found.extend(views.into_iter().filter(|log| keep(&log.inner)));
        }
        before += receipt.logs().len() as u64;
    }
    found
}

/// The indices of the store name it, the block does not have it.
fn missing(index: usize) -> RpcError {
    tracing::error!(index, "a block on disk lacks a transaction that its index names");
    RpcError::Internal(format!("the block has no transaction {index}"))
}
