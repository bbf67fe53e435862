//! Changes to tables that become visible, and durable, together.

use std::collections::BTreeMap;

use crate::{
    error::StorageError,
    table::{KEY_BYTES_MAX, Key, Table, Value},
};

/// Changes of one table: each key's new value, or `None` where it is deleted.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Changes to tables that become visible, and durable, together. A later change of a key replaces
/// an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub(crate) tables: BTreeMap<&'static str, Changes>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of `key`.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        self.tables.entry(T::NAME).or_default().insert(key.to_bytes(), Some(bytes));
    }

    /// Removes `key`, whether it is there or not.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        self.tables.entry(T::NAME).or_default().insert(key.to_bytes(), None);
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of keys changed.
    pub fn len(&self) -> usize {
        self.tables.values().map(BTreeMap::len).sum()
    }

    /// The memory it takes, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        const ENTRY_BYTES: usize = 96; // two vectors, their allocations' rounding, a tree slot
        let entry = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| {
            ENTRY_BYTES + key.len() + value.as_ref().map_or(0, Vec::len)
        };
        self.tables.values().flatten().map(entry).sum()
    }

    /// The encoding that [`Store::decode_batch`](crate::Store::decode_batch) reads: what a record
    /// holds so that it can be undone.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_to(&mut out);
        out
    }

    /// For each table: name, number of keys; for each key: key, then 0 (deleted) or 1 and the value.
    /// Lengths and counts are little-endian u32.
    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        put_length(out, self.tables.len());
        for (name, changes) in &self.tables {
            put_bytes(out, name.as_bytes());
            put_length(out, changes.len());
            for (key, value) in changes {
                put_bytes(out, key);
                match value {
                    None => out.push(0),
                    Some(value) => {
                        out.push(1);
                        put_bytes(out, value);
                    }
                }
            }
        }
    }

    /// Reads [`encode`](Self::encode)'s output; `None` if it is not one. Tables are looked up in `names`.
    pub(crate) fn decode(mut bytes: &[u8], names: &[&'static str]) -> Result<Option<Self>, StorageError> {
        let mut batch = Self::new();
        let Some(tables) = take_length(&mut bytes) else { return Ok(None) };
        for _ in 0..tables {
            let Some(name) = take_bytes(&mut bytes) else { return Ok(None) };
            let Some(known) = names.iter().find(|known| known.as_bytes() == name) else {
                return Err(StorageError::UnknownTable { name: String::from_utf8_lossy(name).into() });
            };
            let Some(changes) = take_changes(&mut bytes) else { return Ok(None) };
            batch.tables.insert(known, changes);
        }
        Ok(bytes.is_empty().then_some(batch))
    }

    /// Checks what the tables would otherwise abort on.
    pub(crate) fn check(&self, names: &[&'static str]) -> Result<(), StorageError> {
        for (name, changes) in &self.tables {
            if !names.contains(name) {
                return Err(StorageError::UnknownTable { name: (*name).into() });
            }
            for key in changes.keys() {
                if key.is_empty() || key.len() > KEY_BYTES_MAX {
                    return Err(StorageError::KeyLength {
                        table: name,
                        found: key.len(),
                        max: KEY_BYTES_MAX,
                    });
                }
            }
        }
        Ok(())
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    // A record is refused above 1 GiB, long before a saturated length could be written to disk.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_length(bytes)?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_changes(bytes: &mut &[u8]) -> Option<Changes> {
    let mut changes = Changes::new();
    for _ in 0..take_length(bytes)? {
        let key = take_bytes(bytes)?.to_vec();
        let (tag, rest) = bytes.split_first()?;
        *bytes = rest;
        let value = match tag {
            0 => None,
            1 => Some(take_bytes(bytes)?.to_vec()),
            _ => return None,
        };
        changes.insert(key, value);
    }
    Some(changes)
}
