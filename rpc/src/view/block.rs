//! A shard block as an Ethereum block.
//!
//! Every field an Ethereum tool reads has Ethereum's meaning; `hash` is the header's own id, so it is not the
//! keccak of the RLP of these fields. Whoever verifies verifies the SSZ header.

use super::{BlockTransactions, Place, Transaction, transaction};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, TxEnvelope, transaction::Recovered};
use alloy_primitives::{Address, B64, B256, Bytes, U256};
use primitives::ShardHeader;
use serde::{Deserialize, Serialize};

/// The beacon header that a shard block reads the beacon chain at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Its height.
    #[serde(with = "alloy_serde::quantity")]
    pub height: u64,
    /// Its id; also the block's `parentBeaconBlockRoot`.
    pub id: B256,
}

/// What a shard's header says beyond an Ethereum header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardFields {
    /// Milliseconds since the Unix epoch; `timestamp` is whole seconds and may repeat.
    #[serde(with = "alloy_serde::quantity")]
    pub timestamp_ms: u64,
    /// Term of the committee that certified it.
    #[serde(with = "alloy_serde::quantity")]
    pub epoch: u64,
    /// View it was proposed in.
    #[serde(with = "alloy_serde::quantity")]
    pub view: u64,
    /// Index of the validator that proposed it.
    #[serde(with = "alloy_serde::quantity")]
    pub proposer: u64,
    /// Its view of the beacon chain.
    pub anchor: Anchor,
}

/// An Ethereum header with what a shard's header says beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What every Ethereum tool reads.
    #[serde(flatten)]
    pub ethereum: alloy_rpc_types_eth::Header,
    /// The rest, under one name: web3.py takes for a header only what is nine tenths of fields it knows.
    pub atoll: ShardFields,
}

/// A block with its transactions, or with their hashes.
pub type Block = alloy_rpc_types_eth::Block<Transaction, Header>;

/// What the view of a block is made from.
#[derive(Clone, Copy, Debug)]
pub struct BlockFacts<'a> {
    /// The header.
    pub header: &'a ShardHeader,
    /// Its id, which costs hashing to compute again.
    pub id: B256,
    /// Who earned the fees.
    pub fee_recipient: Address,
    /// The randomness at the anchor: PREVRANDAO.
    pub mix: B256,
    /// Bytes of the encoded block.
    pub size: u64,
}

impl BlockFacts<'_> {
    /// The place of the transaction at `index`.
    pub const fn place(&self, index: u64) -> Place {
        Place {
            block_hash: self.id,
            block_number: self.header.height.get(),
            block_timestamp: self.header.timestamp_ms / 1_000,
            base_fee: self.header.base_fee,
            index,
        }
    }
}

impl From<&BlockFacts<'_>> for Header {
    fn from(facts: &BlockFacts<'_>) -> Self {
        let header = facts.header;
        let inner = alloy_consensus::Header {
            parent_hash: header.parent,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: facts.fee_recipient,
            state_root: header.state_root,
            transactions_root: header.transactions_root,
            receipts_root: header.transaction_receipts_root,
            logs_bloom: header.logs_bloom,
            difficulty: U256::ZERO,
            number: header.height.get(),
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: header.timestamp_ms / 1_000,
            extra_data: Bytes::new(),
            mix_hash: facts.mix,
            nonce: B64::ZERO,
            base_fee_per_gas: Some(header.base_fee),
            // A shard takes no blobs; tools that fork it want to read that since `parentBeaconBlockRoot` is there.
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(header.anchor.id),
            ..Default::default()
        };
        Self {
            ethereum: alloy_rpc_types_eth::Header {
                hash: facts.id,
                inner,
                total_difficulty: None,
                size: Some(U256::from(facts.size)),
            },
            atoll: ShardFields {
                timestamp_ms: header.timestamp_ms,
                epoch: header.epoch.get(),
                view: header.view.get(),
                proposer: header.proposer.get(),
                anchor: Anchor { height: header.anchor.height.get(), id: header.anchor.id },
            },
        }
    }
}

/// A block that names its transactions.
pub fn block_with_hashes(facts: &BlockFacts<'_>, hashes: Vec<B256>) -> Block {
    Block::new(facts.into(), BlockTransactions::Hashes(hashes))
}

/// A block that holds its transactions, in order.
pub fn block_with_transactions<T: Into<TxEnvelope>>(
    facts: &BlockFacts<'_>,
    transactions: impl IntoIterator<Item = Recovered<T>>,
) -> Block {
    let transactions = (0..)
        .zip(transactions)
        .map(|(index, recovered)| transaction(recovered, Some(facts.place(index))))
        .collect();
    Block::new(facts.into(), BlockTransactions::Full(transactions))
}
