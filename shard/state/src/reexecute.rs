//! The same state again, from genesis and blocks alone.
//!
//! What `shard-node verify` and the simulator hold a node's state against: it shares no storage, no branches and
//! no cache with it, only the rules.

use std::sync::Arc;

use alloy_primitives::B256;
use crypto::mmr::Mmr;
use primitives::{Allocation, ChainSpec, ShardBlock, ShardHeader, ShardId};

use crate::{
    block::{BlockError, Executed, ParentView, execute},
    genesis::{genesis_header_of, genesis_state},
    state::MemoryState,
    trie::StateTrie,
};

/// A shard's state, led from genesis by blocks.
#[derive(Clone, Debug)]
pub struct Reexecution {
    spec: Arc<ChainSpec>,
    header: ShardHeader,
    id: B256,
    history: Mmr,
    state: MemoryState,
    trie: StateTrie,
}

impl Reexecution {
    /// The state before the first block.
    pub fn new(spec: Arc<ChainSpec>, shard: ShardId, allocations: &[Allocation], timestamp_ms: u64) -> Self {
        let state = genesis_state(allocations);
        let header = genesis_header_of(&spec, shard, &state, timestamp_ms);
        let (id, trie) = (header.id(), state.trie());
        Self { spec, header, id, history: Mmr::new(), state, trie }
    }

    /// Executes the next block; if it does not follow, nothing changes.
    pub fn step(&mut self, block: &ShardBlock) -> Result<Executed, BlockError> {
        let parent =
            ParentView { header: &self.header, id: self.id, history: &self.history, state: &self.state };
        let child_history = parent.child_history();
        let executed = execute(&self.spec, &parent, &mut self.trie, block, &|_| None, None)?;
        self.state.apply(&executed.change_set);
        self.history = child_history;
        self.header = executed.header.clone();
        self.id = executed.id;
        Ok(executed)
    }

    /// Executes blocks that follow each other.
    pub fn run<'a>(&mut self, blocks: impl IntoIterator<Item = &'a ShardBlock>) -> Result<(), BlockError> {
        blocks.into_iter().try_for_each(|block| self.step(block).map(drop))
    }

    /// The last header.
    pub fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// Id of the last header.
    pub fn id(&self) -> B256 {
        self.id
    }

    /// The state after it.
    pub fn state(&self) -> &MemoryState {
        &self.state
    }
}
