//! Executed blocks above the last certified one.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use crypto::mmr::Mmr;

use crate::{block::Executed, state::Layer};

/// Beyond this many, blocks that nothing is built on are forgotten, those of the oldest views first. A forgotten
/// block is only executed again if it is needed after all.
const BLOCKS_MAX: usize = 64;

/// A block with what building on it takes.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) executed: Arc<Executed>,
    /// The ids of heights zero up to its parent.
    pub(super) history: Mmr,
    pub(super) layer: Arc<Layer>,
}

/// Blocks by id; the parent of each is among them, or is the base.
#[derive(Debug, Default)]
pub(super) struct Branches {
    blocks: BTreeMap<B256, Remembered>,
}

impl Branches {
    pub(super) fn get(&self, id: &B256) -> Option<&Remembered> {
        self.blocks.get(id)
    }

    /// Adds a block; `tip` is never forgotten for it.
    pub(super) fn insert(&mut self, block: Remembered, tip: B256) {
        self.blocks.insert(block.executed.id, block);
        while self.blocks.len() > BLOCKS_MAX {
            let Some(oldest) = self.oldest_leaf(tip) else { break };
            self.blocks.remove(&oldest);
        }
    }

    /// From a block down to the base, which is not part of it. Empty for the base.
    pub(super) fn path(&self, from: B256) -> Vec<&Remembered> {
        let mut path = Vec::new();
        let mut id = from;
        while let Some(block) = self.blocks.get(&id) {
            id = block.executed.header.parent;
            path.push(block);
        }
        path
    }

    /// Whether `ancestor` is `id` or below it, above the base.
    pub(super) fn descends(&self, id: B256, ancestor: B256) -> bool {
        self.path(id).iter().any(|block| block.executed.id == ancestor)
    }

    /// Forgets all that does not descend from `base`, and `base` itself, which is certified now.
    pub(super) fn keep_above(&mut self, base: B256) {
        let dropped: Vec<B256> =
            self.blocks.keys().copied().filter(|id| *id == base || !self.descends(*id, base)).collect();
        for id in dropped {
            self.blocks.remove(&id);
        }
    }

    /// The highest block, of the latest view where there are several.
    pub(super) fn best(&self) -> Option<B256> {
        let rank = |block: &&Remembered| {
            let header = &block.executed.header;
            (header.height, header.epoch, header.view)
        };
        self.blocks.values().max_by_key(rank).map(|block| block.executed.id)
    }

    fn oldest_leaf(&self, tip: B256) -> Option<B256> {
        let is_parent = |id: B256| self.blocks.values().any(|block| block.executed.header.parent == id);
        self.blocks
            .values()
            .map(|block| &block.executed)
            .filter(|executed| executed.id != tip && !is_parent(executed.id))
            .min_by_key(|executed| (executed.header.epoch, executed.header.view))
            .map(|executed| executed.id)
    }
}
