//! What JSON-RPC results look like.
//!
//! alloy's types are used wherever they serialize as geth does; ours are only those in which a shard's
//! block says more than an Ethereum block can.

mod block;
mod config;
mod pool;
mod pooled;
mod receipt;
mod syncing;
mod trace;
mod transaction;
mod transaction_receipt;

pub use alloy_eips::eip7910::EthConfig;
pub use alloy_rpc_types_eth::{
    AccessListResult, BlockTransactions, EIP1186AccountProofResponse, EIP1186StorageProof, FeeHistory,
    FilterChanges, Log, Transaction, TransactionReceipt,
    simulate::{SimCallResult, SimulateError, SimulatedBlock},
};
pub use alloy_rpc_types_trace::geth::{
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult,
};
pub use block::{Anchor, Block, BlockFacts, Header, ShardFields, block_with_hashes, block_with_transactions};
pub use config::chain_config;
pub use pool::{ByNonce, PoolContent, PoolContentOf, PoolStatus, Sender};
pub use pooled::Pooled;
pub use receipt::{BundleView, InclusionView, LaneView, Passage, ReceiptJourney};
pub use syncing::{Progress, SyncNotice, Syncing};
pub use trace::{TraceCallOptions, TraceOptions};
pub use transaction::{Place, transaction};
pub use transaction_receipt::{ReceiptFacts, logs, transaction_receipt};

#[cfg(test)]
mod tests;
