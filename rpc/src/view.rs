//! What JSON-RPC results look like.
//!
//! alloy's types are used wherever they serialize as geth does; ours are only those in which a shard's
//! block says more than an Ethereum block can.

mod block;
mod syncing;
mod transaction;
mod transaction_receipt;

pub use alloy_rpc_types_eth::{
    BlockTransactions, EIP1186AccountProofResponse, EIP1186StorageProof, FeeHistory, Log, Transaction,
    TransactionReceipt,
};
pub use block::{Anchor, Block, BlockFacts, Header, ShardFields, block_with_hashes, block_with_transactions};
pub use syncing::Syncing;
pub use transaction::{Place, transaction};
pub use transaction_receipt::{ReceiptFacts, logs, transaction_receipt};

#[cfg(test)]
mod tests;
