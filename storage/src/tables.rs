//! The flat tables behind the journal: sorted byte keys and values by table name, in MDBX or in memory.
//!
//! What always holds: a change of the tables is atomic and carries the [`Position`] it brings them
//! to, and a [`View`] shows them at exactly one position.

mod mdbx;
mod memory;

use std::{borrow::Cow, collections::BTreeMap, ops::Bound};

pub(crate) use mdbx::{MdbxTables, MdbxView, POSITION_TABLE};
pub(crate) use memory::{MemoryContent, MemoryTables};

use crate::error::StorageError;

/// How far the journal has been applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The last record applied; 0 before the first.
    pub(crate) number: u64,
    /// The sequence the store is at after it.
    pub(crate) sequence: Option<u64>,
}

/// New values by table and key; `None` deletes.
pub(crate) type Changes<'a> = BTreeMap<&'static str, BTreeMap<&'a [u8], Option<&'a [u8]>>>;

/// Between which keys to read.
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// In which order to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// A key with its value.
pub(crate) type Entry<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The flat tables behind the journal.
#[derive(Debug)]
pub(crate) enum Tables {
    Mdbx(MdbxTables),
    Memory(MemoryTables),
}

impl Tables {
    /// Applies all changes in one step, which brings the tables to `position`.
    pub(crate) fn apply(&self, changes: &Changes<'_>, position: Position) -> Result<(), StorageError> {
        match self {
            Self::Mdbx(tables) => tables.apply(changes, position),
            Self::Memory(tables) => tables.apply(changes, position),
        }
    }

    /// Makes what was applied survive a power cut, where the durability does not already say so.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        match self {
            Self::Mdbx(tables) => tables.sync(),
            Self::Memory(tables) => tables.sync(),
        }
    }

    /// The tables as they are now.
    pub(crate) fn view(&self) -> Result<View, StorageError> {
        Ok(match self {
            Self::Mdbx(tables) => View::Mdbx(tables.view()?),
            Self::Memory(tables) => View::Memory(tables.view()),
        })
    }
}

/// The tables at one position.
#[derive(Debug)]
pub(crate) enum View {
    Mdbx(MdbxView),
    Memory(MemoryContent),
}

impl View {
    pub(crate) fn position(&self) -> Result<Position, StorageError> {
        match self {
            Self::Mdbx(view) => view.position(),
            Self::Memory(content) => Ok(content.position),
        }
    }

    pub(crate) fn get(&self, table: &'static str, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, StorageError> {
        match self {
            Self::Mdbx(view) => view.get(table, key),
            Self::Memory(content) => Ok(content.get(table, key).map(Cow::Borrowed)),
        }
    }

    /// The entries of a table between two bounds, which must not be [inverted](is_empty).
    pub(crate) fn scan<'a>(
        &'a self,
        table: &'static str,
        bounds: &Bounds,
        direction: Direction,
    ) -> Result<Box<dyn Iterator<Item = Result<Entry<'a>, StorageError>> + 'a>, StorageError> {
        Ok(match self {
            Self::Mdbx(view) => Box::new(view.scan(table, bounds.clone(), direction)?),
            Self::Memory(content) => Box::new(content.scan(table, bounds, direction).map(Ok)),
        })
    }
}

/// The bounds without their allocation.
pub(crate) fn borrowed(bounds: &Bounds) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (bounds.0.as_ref().map(Vec::as_slice), bounds.1.as_ref().map(Vec::as_slice))
}

/// Whether no key can be between the bounds.
pub(crate) fn is_empty(bounds: &Bounds) -> bool {
    match borrowed(bounds) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    }
}
