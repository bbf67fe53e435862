//! What readers see of a shard: the chain as it was after one certified block.

use crate::store::Reader;
use primitives::{B256, ChainSpec, Height, ShardHeader, ShardId};
use shard_state::{block::Executed, chain::ChainView, fee::next_base_fee};
use std::sync::Arc;

/// A block above the newest certified one, proposed and executed here but not certified yet.
#[derive(Clone, Debug)]
pub struct PendingBlock {
    /// Header, transactions and transaction receipts.
    pub executed: Arc<Executed>,
    /// The state after it.
    pub view: ChainView,
}

/// The newest certified block and all that can be read beside it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The rules.
    pub spec: Arc<ChainSpec>,
    /// The state after the newest certified block: JSON-RPC's `latest` and `safe`.
    pub view: ChainView,
    /// Height of the newest block that a finalized beacon block has recorded: JSON-RPC's `finalized`.
    pub finalized: Height,
    /// A block on top, if there is one: JSON-RPC's `pending`.
    pub pending: Option<PendingBlock>,
    /// Blocks, transactions and older states, up to the newest certified block.
    pub reader: Reader,
}

impl Snapshot {
    /// The shard.
    pub fn shard(&self) -> ShardId {
        self.header().shard
    }

    /// What transactions must be signed for.
    pub fn chain_id(&self) -> u64 {
        self.spec.evm_chain_id(self.shard())
    }

    /// The newest certified header.
    pub fn header(&self) -> &ShardHeader {
        self.view.header()
    }

    /// Its id.
    pub fn id(&self) -> B256 {
        self.view.id()
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.header().height
    }

    /// Base fee of the block above it, wei per gas.
    pub fn next_base_fee(&self) -> u64 {
        next_base_fee(self.header(), &self.spec)
    }
}
