//! Blocks that were executed but not certified yet.

use beacon_state::{BeaconChainState, Event};
use primitives::{B256, BeaconBlock, Height};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A block with what it leads to.
#[derive(Clone, Debug)]
pub(super) struct Executed {
    pub(super) block: Arc<BeaconBlock>,
    /// The seat it was proposed from.
    pub(super) leader: u32,
    /// The state above it.
    pub(super) chain: Arc<BeaconChainState>,
    /// What it did.
    pub(super) events: Vec<Event>,
}

/// Executed blocks by id, at most [`Branches::MAX`].
#[derive(Clone, Debug, Default)]
pub(super) struct Branches {
    by_id: BTreeMap<B256, Executed>,
}

impl Branches {
    /// Each view of each undecided height brings at most one block. What is forgotten is executed again.
    pub(super) const MAX: usize = 64;

    pub(super) fn get(&self, id: &B256) -> Option<&Executed> {
        self.by_id.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Executed> {
        self.by_id.values()
    }

    pub(super) fn remove(&mut self, id: &B256) -> Option<Executed> {
        self.by_id.remove(id)
    }

    /// Adds a block; of too many others, the lowest goes, and of those the one of the lowest view.
    pub(super) fn insert(&mut self, executed: Executed) {
        if self.by_id.len() >= Self::MAX {
            let place = |executed: &Executed| (executed.block.header.height, executed.block.header.view);
            let lowest = self.by_id.iter().min_by_key(|(_, executed)| place(executed)).map(|(id, _)| *id);
            lowest.and_then(|id| self.by_id.remove(&id));
        }
        self.by_id.insert(executed.chain.id(), executed);
    }

    /// Forgets what can no longer be certified.
    pub(super) fn retain_above(&mut self, height: Height) {
        self.by_id.retain(|_, executed| executed.block.header.height > height);
    }
}
