//! The tables of a simulated disk.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use super::{Bounds, Changes, Direction, Entry, Position, borrowed};
use crate::{config::Durability, error::StorageError, memory_disk::MemoryDirectory};

/// What the tables hold; cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryContent {
    pub(crate) position: Position,
    tables: BTreeMap<&'static str, Arc<Table>>,
}

type Table = BTreeMap<Vec<u8>, Vec<u8>>;

impl MemoryContent {
    pub(super) fn get(&self, table: &'static str, key: &[u8]) -> Option<&[u8]> {
        self.tables.get(table)?.get(key).map(Vec::as_slice)
    }

    pub(super) fn scan<'a>(
        &'a self,
        table: &'static str,
        bounds: &Bounds,
        direction: Direction,
    ) -> Box<dyn Iterator<Item = Entry<'a>> + 'a> {
        let Some(table) = self.tables.get(table) else { return Box::new(std::iter::empty()) };
        let range = table.range::<[u8], (Bound<&[u8]>, Bound<&[u8]>)>(borrowed(bounds));
        let entries = range.map(|(key, value)| (key.as_slice().into(), value.as_slice().into()));
        match direction {
            Direction::Forward => Box::new(entries),
            Direction::Backward => Box::new(entries.rev()),
        }
    }

    fn apply(&mut self, changes: &Changes<'_>) {
        for (name, changes) in changes {
            let table = Arc::make_mut(self.tables.entry(name).or_default());
            for (key, value) in changes {
                match value {
                    Some(value) => drop(table.insert(key.to_vec(), value.to_vec())),
                    None => drop(table.remove(*key)),
                }
            }
        }
    }
}

/// The tables of a simulated disk.
#[derive(Debug)]
pub(crate) struct MemoryTables {
    directory: MemoryDirectory,
    durability: Durability,
}

impl MemoryTables {
    pub(crate) const fn new(directory: MemoryDirectory, durability: Durability) -> Self {
        Self { directory, durability }
    }

    pub(super) fn apply(&self, changes: &Changes<'_>, position: Position) -> Result<(), StorageError> {
        self.directory
            .change_tables(position, |content| content.apply(changes))
            .map_err(|source| StorageError::io("write", "memory/tables", source))?;
        match self.durability {
            Durability::Power => self.sync(),
            Durability::Process => Ok(()),
        }
    }

    pub(super) fn sync(&self) -> Result<(), StorageError> {
        self.directory.sync_tables().map_err(|source| StorageError::io("sync", "memory/tables", source))
    }

    pub(super) fn view(&self) -> MemoryContent {
        self.directory.tables()
    }
}
