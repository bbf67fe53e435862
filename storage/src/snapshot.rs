//! One consistent view of a store: the tables at one moment, and over them what was committed since.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    iter::Peekable,
    marker::PhantomData,
    ops::{Bound, RangeBounds},
    sync::Arc,
};

use crate::{
    batch::Batch,
    error::StorageError,
    overlay::Overlay,
    store::Shared,
    table::{Key, Row, Table, Value},
    tables::{Bounds, Direction, View, borrowed, is_empty},
};

/// A store as it was after one commit, whatever is committed since.
///
/// Keep it for a request, not for longer: while it lives, space freed in the tables is not reused,
/// and the directory stays locked.
#[derive(Debug)]
pub struct Snapshot {
    overlay: Arc<Overlay>,
    view: View,
    /// Keeps the lock on the directory.
    _shared: Arc<Shared>,
}

impl Snapshot {
    /// The store as it is now.
    pub(crate) fn take(shared: &Arc<Shared>) -> Result<Self, StorageError> {
        loop {
            let overlay = shared.overlay();
            let view = shared.tables().view()?;
            if let Some(snapshot) = Self::of(overlay, view, shared)? {
                return Ok(snapshot);
            }
        }
    }

    /// Puts together an overlay and a view taken after it. `None` if the tables have got a commit
    /// in between that the overlay does not have.
    fn of(overlay: Arc<Overlay>, view: View, shared: &Arc<Shared>) -> Result<Option<Self>, StorageError> {
        let agree = view.position()?.number <= overlay.position().number;
        Ok(agree.then(|| Self { overlay, view, _shared: shared.clone() }))
    }

    /// The last sequence committed.
    pub fn sequence(&self) -> Option<u64> {
        self.overlay.position().sequence
    }

    /// The value of a key.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StorageError> {
        match self.get_bytes(T::NAME, &key.to_bytes())? {
            None => Ok(None),
            Some(bytes) => decode_value::<T>(&bytes).map(Some),
        }
    }

    fn get_bytes(&self, table: &'static str, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, StorageError> {
        match self.overlay.get(table, key) {
            Some(value) => Ok(value.map(Cow::Borrowed)),
            None => self.view.get(table, key),
        }
    }

    /// The entries with keys in `range`, in ascending order.
    pub fn range<T: Table>(&self, range: impl RangeBounds<T::Key>) -> Result<Entries<'_, T>, StorageError> {
        self.entries(&encode_bounds(&range), Direction::Forward)
    }

    /// The entries with keys in `range`, in descending order.
    pub fn range_reversed<T: Table>(
        &self,
        range: impl RangeBounds<T::Key>,
    ) -> Result<Entries<'_, T>, StorageError> {
        self.entries(&encode_bounds(&range), Direction::Backward)
    }

    /// The first entry whose key is `key` or after it.
    pub fn first_at_or_after<T: Table>(&self, key: &T::Key) -> Result<Option<Row<T>>, StorageError> {
        let bounds = (Bound::Included(key.to_bytes()), Bound::Unbounded);
        self.entries::<T>(&bounds, Direction::Forward)?.next().transpose()
    }

    /// The entry with the greatest key.
    pub fn last<T: Table>(&self) -> Result<Option<Row<T>>, StorageError> {
        self.range_reversed::<T>(..)?.next().transpose()
    }

    /// The batch that takes `batch` back when it is applied after it.
    pub fn inverse(&self, batch: &Batch) -> Result<Batch, StorageError> {
        let mut inverse = Batch::new();
        for (table, changes) in &batch.tables {
            let mut old = BTreeMap::new();
            for key in changes.keys() {
                old.insert(key.clone(), self.get_bytes(table, key)?.map(Cow::into_owned));
            }
            inverse.tables.insert(table, old);
        }
        Ok(inverse)
    }

    fn entries<T: Table>(
        &self,
        bounds: &Bounds,
        direction: Direction,
    ) -> Result<Entries<'_, T>, StorageError> {
        let mut sources: Vec<Peekable<Source<'_>>> = Vec::new();
        if !is_empty(bounds) {
            for changes in self.overlay.newest_first().filter_map(|batch| batch.tables.get(T::NAME)) {
                let range = changes.range::<[u8], (Bound<&[u8]>, Bound<&[u8]>)>(borrowed(bounds));
                let entries = range.map(|(key, value)| {
                    Ok((Cow::Borrowed(key.as_slice()), value.as_deref().map(Cow::Borrowed)))
                });
                let source: Source<'_> = match direction {
                    Direction::Forward => Box::new(entries),
                    Direction::Backward => Box::new(entries.rev()),
                };
                sources.push(source.peekable());
            }
            let entries = self.view.scan(T::NAME, bounds, direction)?;
            let source: Source<'_> =
                Box::new(entries.map(|entry| entry.map(|(key, value)| (key, Some(value)))));
            sources.push(source.peekable());
        }
        Ok(Entries { sources, direction, table: PhantomData })
    }
}

/// Changes in the order of their keys; `None` where a key is deleted.
type Source<'a> = Box<dyn Iterator<Item = Result<Change<'a>, StorageError>> + 'a>;
type Change<'a> = (Cow<'a, [u8]>, Option<Cow<'a, [u8]>>);

/// The entries of a table in order. Ends after the first error.
pub struct Entries<'a, T> {
    /// Newest first: of those at the same key, the first decides.
    sources: Vec<Peekable<Source<'a>>>,
    direction: Direction,
    table: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Entries<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl<'a, T> Entries<'a, T> {
    /// The next change, newest where there are several for one key.
    fn next_change(&mut self) -> Option<Result<Change<'a>, StorageError>> {
        let mut chosen: Option<(usize, &[u8])> = None;
        for (index, source) in self.sources.iter_mut().enumerate() {
            let key = match source.peek() {
                None => continue,
                Some(Ok((key, _))) => key.as_ref(),
                Some(Err(error)) => {
                    let error = error.clone();
                    self.sources.clear();
                    return Some(Err(error));
                }
            };
            let first = chosen.is_none_or(|(_, least)| match self.direction {
                Direction::Forward => key < least,
                Direction::Backward => key > least,
            });
            if first {
                chosen = Some((index, key));
            }
        }
        let (index, _) = chosen?;
        let change = self.sources[index].next()?;
        if let Ok((key, _)) = &change {
            for source in &mut self.sources[index + 1..] {
                source.next_if(|other| matches!(other, Ok((other, _)) if other == key));
            }
        }
        Some(change)
    }
}

impl<T: Table> Iterator for Entries<'_, T> {
    type Item = Result<Row<T>, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_change()? {
                Ok((_, None)) => {}
                Ok((key, Some(value))) => return Some(decode_entry::<T>(&key, &value)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn encode_bounds<K: Key>(range: &impl RangeBounds<K>) -> Bounds {
    (range.start_bound().map(K::to_bytes), range.end_bound().map(K::to_bytes))
}

fn decode_entry<T: Table>(key: &[u8], value: &[u8]) -> Result<Row<T>, StorageError> {
    let key = T::Key::decode(key).map_err(|source| StorageError::Decode { table: T::NAME, source })?;
    Ok((key, decode_value::<T>(value)?))
}

pub(crate) fn decode_value<T: Table>(bytes: &[u8]) -> Result<T::Value, StorageError> {
    <T::Value as Value>::decode(bytes).map_err(|source| StorageError::Decode { table: T::NAME, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Durability, MemoryDisk, Store, StoreConfig};

    enum Numbers {}

    impl Table for Numbers {
        const NAME: &'static str = "numbers";
        type Key = u64;
        type Value = u64;
    }

    fn put(value: u64) -> Batch {
        let mut batch = Batch::new();
        batch.put::<Numbers>(&1, &value);
        batch
    }

    /// The moments that threads would meet by chance: the tables move between overlay and view.
    #[test]
    fn an_overlay_goes_with_a_view_that_knows_no_later_commit() {
        let config = StoreConfig::new(Durability::Power, &[Numbers::NAME]);
        let store = Store::memory(&MemoryDisk::new(), config).expect("the store opens");
        let shared = store.shared();
        store.commit(1, b"", put(1)).expect("it is the first");
        let first = shared.overlay();
        store.flush().expect("the disk works");
        let view = || shared.tables().view().expect("the disk works");
        let value = |overlay: &Arc<Overlay>| {
            let snapshot = Snapshot::of(overlay.clone(), view(), shared).expect("the view is readable")?;
            Some((snapshot.sequence(), snapshot.get::<Numbers>(&1).expect("it is readable")))
        };
        assert_eq!(value(&first), Some((Some(1), Some(1))), "the tables caught up with the overlay");
        store.commit(2, b"", put(2)).expect("it follows");
        assert_eq!(value(&first), Some((Some(1), Some(1))), "the tables do not have the second commit");
        let second = shared.overlay();
        store.flush().expect("the disk works");
        assert_eq!(value(&first), None, "the tables have a commit that the overlay lacks");
        assert_eq!(value(&second), Some((Some(2), Some(2))));
    }
}
