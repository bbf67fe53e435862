//! Commits that are in the journal but not yet in the tables.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    batch::Batch,
    tables::{Changes, Position},
};

/// The changes of one journal record.
#[derive(Debug)]
pub(crate) struct Layer {
    position: Position,
    batch: Batch,
    bytes: usize,
}

impl Layer {
    /// The changes that bring the store to `position`.
    pub(crate) fn new(position: Position, batch: Batch) -> Self {
        let bytes = batch.memory_bytes();
        Self { position, batch, bytes }
    }

    pub(crate) fn batch(&self) -> &Batch {
        &self.batch
    }
}

/// The layers not known to be in the tables, oldest first, and the position after the last.
///
/// What always holds: an overlay and a view of the tables at position *p* together are the store
/// at the overlay's position, if *p* is at most that and the view was taken after the overlay. A
/// layer leaves only once the tables have it, and one that they have already changes nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    layers: Vec<Arc<Layer>>,
    position: Position,
    bytes: usize,
}

impl Overlay {
    /// Nothing is pending, the tables are at `position`.
    pub(crate) fn new(position: Position) -> Self {
        Self { layers: Vec::new(), position, bytes: 0 }
    }

    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// The memory the layers take, about.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.layers.len()
    }

    /// The layers, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Batch> {
        self.layers.iter().rev().map(|layer| layer.batch())
    }

    /// This overlay and one more layer.
    pub(crate) fn with(&self, layer: Layer) -> Self {
        let mut layers = Vec::with_capacity(self.layers.len() + 1);
        layers.extend_from_slice(&self.layers);
        let position = layer.position;
        let bytes = self.bytes.saturating_add(layer.bytes);
        layers.push(Arc::new(layer));
        Self { layers, position, bytes }
    }

    /// This overlay without the layers up to record `number`.
    pub(crate) fn without(&self, number: u64) -> Self {
        let layers: Vec<_> =
            self.layers.iter().filter(|layer| layer.position.number > number).cloned().collect();
        let bytes = layers.iter().map(|layer| layer.bytes).sum();
        Self { layers, position: self.position, bytes }
    }

    /// What the newest layer that has the key makes of it: a value, or `Some(None)` for deleted.
    pub(crate) fn get(&self, table: &'static str, key: &[u8]) -> Option<Option<&[u8]>> {
        self.newest_first().find_map(|batch| batch.tables.get(table)?.get(key)).map(Option::as_deref)
    }

    /// All layers as one, sorted.
    pub(crate) fn merged(&self) -> Changes<'_> {
        let mut merged: Changes<'_> = BTreeMap::new();
        for layer in &self.layers {
            for (name, changes) in &layer.batch.tables {
                let table = merged.entry(name).or_default();
                table.extend(changes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
            }
        }
        merged
    }
}
