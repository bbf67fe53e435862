//! A flat state with the change sets of later blocks on top.
//!
//! A node's flat tables lag behind the chain: certified blocks reach them in large batches. What they lack is
//! held in layers, which are immutable and shared, so that a reader's snapshot costs a few reference counts.

use std::{fmt, sync::Arc};

use alloy_primitives::{
    Address, B256, Bytes, U256,
    map::{AddressMap, B256Map, HashMap},
};

use super::{
    change_set::ChangeSet,
    flat::{FlatState, StateError},
};
use crate::account::Account;

/// The values that one or several consecutive change sets leave behind, by key.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    accounts: AddressMap<Option<Account>>,
    storage: HashMap<(Address, B256), U256>,
    code: B256Map<Bytes>,
}

impl Layer {
    /// What change sets leave behind, applied in the order given.
    pub fn new<'a>(changes: impl IntoIterator<Item = &'a ChangeSet>) -> Self {
        let mut layer = Self::default();
        for change_set in changes {
            layer.extend(change_set);
        }
        layer
    }

    fn extend(&mut self, changes: &ChangeSet) {
        self.accounts.reserve(changes.accounts().len());
        for account in changes.accounts() {
            self.accounts.insert(account.address, account.after);
            for slot in &account.storage {
                self.storage.insert((account.address, slot.slot), slot.after);
            }
        }
        self.code.extend(changes.code().iter().cloned());
    }
}

/// A flat state below, layers above, the newest one read first. Cheap to clone.
#[derive(Clone)]
pub struct Layered {
    base: Arc<dyn FlatState>,
    /// Oldest first.
    layers: Vec<Arc<Layer>>,
}

impl Layered {
    /// A state without layers.
    pub fn new(base: Arc<dyn FlatState>) -> Self {
        Self { base, layers: Vec::new() }
    }

    /// This state with one more layer.
    #[must_use]
    pub fn with(&self, layer: Arc<Layer>) -> Self {
        let layers = self.layers.iter().cloned().chain([layer]).collect();
        Self { base: self.base.clone(), layers }
    }

    /// This state before blocks that it includes, whose change sets are given newest first: how a node reads
    /// recent history.
    #[must_use]
    pub fn rewound<'a>(&self, newest_first: impl IntoIterator<Item = &'a ChangeSet>) -> Self {
        let mut layer = Layer::default();
        for change_set in newest_first {
            layer.extend(&change_set.inverse());
        }
        self.with(Arc::new(layer))
    }
}

impl fmt::Debug for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layered").field("layers", &self.layers.len()).finish_non_exhaustive()
    }
}

impl FlatState for Layered {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        match self.layers.iter().rev().find_map(|layer| layer.accounts.get(address)) {
            Some(account) => Ok(*account),
            None => self.base.account(address),
        }
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        let key = (*address, *slot);
        match self.layers.iter().rev().find_map(|layer| layer.storage.get(&key)) {
            Some(value) => Ok(*value),
            None => self.base.storage(address, slot),
        }
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        match self.layers.iter().rev().find_map(|layer| layer.code.get(hash)) {
            Some(code) => Ok(Some(code.clone())),
            None => self.base.code(hash),
        }
    }
}

/// A flat state does not stand where its owner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block {found} is not among the {layers} blocks above the flat state")]
pub struct RebaseError {
    /// The block named.
    pub found: B256,
    /// How many blocks there are to choose from.
    pub layers: usize,
}

/// The certified blocks that the flat state below does not include yet.
///
/// Layers of neighbouring blocks are merged as a binary counter carries, so *n* blocks are at most
/// log₂ *n* + 1 layers to a reader. Memory grows until [`Self::rebase`] tells that the flat state has caught up.
#[derive(Debug)]
pub struct LayerStack {
    base: Layered,
    /// Oldest first, with the block each leads to.
    steps: Vec<(B256, Arc<ChangeSet>)>,
    /// How many steps each layer covers; together all of them, in order.
    groups: Vec<(usize, Arc<Layer>)>,
}

impl LayerStack {
    /// No block above `base`.
    pub fn new(base: Arc<dyn FlatState>) -> Self {
        Self { base: Layered::new(base), steps: Vec::new(), groups: Vec::new() }
    }

    /// Adds what leads to the state after block `id`.
    pub fn push(&mut self, id: B256, changes: Arc<ChangeSet>) {
        self.steps.push((id, changes));
        let mut count = 1;
        while self.groups.last().is_some_and(|(covered, _)| *covered == count) {
            self.groups.pop();
            count *= 2;
        }
        self.groups.push((count, self.layer_of_last(count)));
    }

    /// Replaces the flat state by one that includes every block up to `id`, and forgets those.
    pub fn rebase(&mut self, id: B256, base: Arc<dyn FlatState>) -> Result<(), RebaseError> {
        // The last one: after a rewind a block may be led to twice.
        let Some(index) = self.steps.iter().rposition(|(step, _)| *step == id) else {
            return Err(RebaseError { found: id, layers: self.steps.len() });
        };
        let rest = self.steps.split_off(index + 1);
        *self = Self::new(base);
        rest.into_iter().for_each(|(id, changes)| self.push(id, changes));
        Ok(())
    }

    /// How many blocks the flat state lacks.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether the flat state lacks nothing.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The state after the last block.
    pub fn top(&self) -> Layered {
        let layers = self.groups.iter().map(|(_, layer)| layer.clone()).collect();
        Layered { base: self.base.base.clone(), layers }
    }

    fn layer_of_last(&self, count: usize) -> Arc<Layer> {
        let first = self.steps.len().saturating_sub(count);
        Arc::new(Layer::new(self.steps[first..].iter().map(|(_, changes)| &**changes)))
    }
}
