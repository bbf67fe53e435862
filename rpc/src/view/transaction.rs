//! A transaction, in a block or waiting for one.

use super::Transaction;
use alloy_consensus::{
    TxEnvelope,
    transaction::{Recovered, TransactionInfo},
};
use alloy_primitives::B256;

/// Where in the chain a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The block's id.
    pub block_hash: B256,
    /// The block's height.
    pub block_number: u64,
    /// The block's timestamp, seconds since the Unix epoch.
    pub block_timestamp: u64,
    /// The block's base fee, wei per gas.
    pub base_fee: u64,
    /// The transaction's index in the block.
    pub index: u64,
}

/// The view of a transaction; without a place it is pending.
pub fn transaction<T: Into<TxEnvelope>>(recovered: Recovered<T>, place: Option<Place>) -> Transaction {
    let envelope = recovered.map(Into::into);
    let info = match place {
        None => TransactionInfo::default(),
        Some(place) => TransactionInfo {
            hash: Some(*envelope.tx_hash()),
            index: Some(place.index),
            block_hash: Some(place.block_hash),
            block_number: Some(place.block_number),
            base_fee: Some(place.base_fee),
            block_timestamp: Some(place.block_timestamp),
        },
    };
    Transaction::from_transaction(envelope, info)
}
