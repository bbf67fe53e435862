//! The JSON-RPC of one shard, answered from its chain's snapshots.
//!
//! What always holds:
//! - one request is answered from one [`Snapshot`]: a block whose transaction receipt was
//!   given is already `latest`;
//! - nothing that may take long runs where other requests wait for it, and nothing runs without a limit;
//! - reading never waits for the chain's owner; only the pool and the trie are asked for there.
//!
//! Behaviour is geth's where a shard has the same thing; limits are in [`ApiConfig`].

mod atoll;
mod chain;
mod debug;
mod error;
mod eth;
mod events;
mod execute;
mod fees;
mod filters;
mod logs;
mod overrides;
mod position;
mod recent;
mod record;
mod replay;
mod simulate;
#[cfg(test)]
mod tests;
mod txpool;
mod workers;

pub use chain::Chain;
pub(crate) use error::submit as submit_error;

use crate::snapshot::Snapshot;
use alloy_eips::BlockId;
use alloy_primitives::B256;
use filters::Filters;
use parking_lot::Mutex;
use position::{Position, pending_block};
use primitives::Height;
use recent::Recent;
use record::BlockRecord;
use rpc::error::RpcResult;
use rpc::method::{NetApi, Web3Api};
use serde::{Deserialize, Serialize};
use shard_state::transaction::TransactionLimits;
use std::sync::Arc;
use std::time::Duration;
use workers::Workers;

/// What one request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Most gas of a call or an estimate.
    pub call_gas_max: u64,
    /// How long a call or a search may take, milliseconds.
    pub call_timeout_ms: u64,
    /// Calls that run at once, and searches that run at once.
    pub calls_at_once_max: usize,
    /// What one trace may hold before it is answered, bytes.
    pub trace_bytes_max: usize,
    /// Most blocks that one `eth_getLogs` covers.
    pub logs_blocks_max: u64,
    /// Most logs that one answer holds.
    pub logs_max: usize,
    /// Most transactions that one `txpool_content` answers.
    pub pool_content_max: usize,
    /// Most filters at once.
    pub filters_max: usize,
    /// How long a filter is kept that nobody asks for, milliseconds.
    pub filter_idle_ms: u64,
}

impl Default for ApiConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            call_gas_max: 50_000_000,
            call_timeout_ms: 5_000,
            calls_at_once_max: cores.max(2),
            trace_bytes_max: 64 << 20,
            logs_blocks_max: 10_000,
            logs_max: 20_000,
            pool_content_max: 20_000,
            filters_max: 10_000,
            filter_idle_ms: 5 * 60 * 1_000,
        }
    }
}

/// One shard's JSON-RPC.
#[derive(Debug)]
pub struct ShardApi {
    chain: Arc<dyn Chain>,
    config: ApiConfig,
    limits: TransactionLimits,
    recent: Arc<Recent>,
    filters: Arc<Filters>,
    calls: Workers,
    reads: Workers,
    /// The tip suggested above the block with this id.
    tip: Mutex<Option<(B256, u128)>>,
}

impl ShardApi {
    /// The RPC of a running chain, for [`rpc::method::shard_methods`]. Starts tasks on the current tokio runtime, which
    /// end with the chain.
    pub fn start(chain: Arc<dyn Chain>, config: ApiConfig) -> Arc<Self> {
        let snapshot = chain.snapshot();
        let limits = TransactionLimits::new(&snapshot.spec, snapshot.shard());
        let recent = Arc::new(Recent::new(&chain));
        tokio::spawn(Arc::clone(&recent).follow(chain.events()));
        let filters =
            Arc::new(Filters::new(&*chain, config.filters_max, Duration::from_millis(config.filter_idle_ms)));
        tokio::spawn(Arc::clone(&filters).follow());
        let patience = Duration::from_millis(config.call_timeout_ms);
        Arc::new(Self {
            limits,
            recent,
            filters,
            calls: Workers::new(config.calls_at_once_max, patience),
            reads: Workers::new(config.calls_at_once_max, patience),
            tip: Mutex::new(None),
            chain,
            config,
        })
    }

    /// Looks at a block, at the one that is being made on this thread; `None` if there is no such block.
    async fn look_at<T: Send + 'static>(
        &self,
        block: BlockId,
        look: impl FnOnce(&BlockRecord) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<Option<T>> {
        let snapshot = self.chain.snapshot();
        match Position::find(&snapshot, block)? {
            None => Ok(None),
            Some(Position::At(height)) => self.look(&snapshot, height, look).await,
            Some(Position::Pending) => look(&BlockRecord::Executed(pending_block(&snapshot))).map(Some),
        }
    }

    /// Looks at the certified block at `height`, on this thread if it is in memory.
    async fn look<T: Send + 'static>(
        &self,
        snapshot: &Arc<Snapshot>,
        height: Height,
        look: impl FnOnce(&BlockRecord) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<Option<T>> {
        if let Some(block) = self.recent.in_memory(snapshot, height)? {
            return look(&block).map(Some);
        }
        let (recent, snapshot) = (Arc::clone(&self.recent), Arc::clone(snapshot));
        self.reads.run(move || recent.record(&snapshot, height)?.map(|block| look(&block)).transpose()).await
    }
}

impl NetApi for ShardApi {
    fn network_id(&self) -> u64 {
        self.chain.snapshot().chain_id()
    }

    async fn peer_count(&self) -> RpcResult<u64> {
        Ok(self.chain.peers())
    }
}

impl Web3Api for ShardApi {
    fn client_version(&self) -> String {
        format!("atoll/v{}/{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)
    }
}
