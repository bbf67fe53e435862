//! A list of at most 2^`DEPTH` values that remembers its root and those of its elements.
//!
//! A write costs the element and the path above it, a copy costs nothing until one of the two is written to.

use crate::cached::Cached;
use consensus::layout;
use primitives::B256;
use ssz::{Decode, DecodeError, Encode};
use std::sync::{Arc, OnceLock};
use tree_hash::TreeHash;

#[derive(Clone, Debug)]
pub(crate) struct List<T, const DEPTH: usize> {
    items: Arc<Vec<Cached<T>>>,
    root: OnceLock<B256>,
}

impl<T, const DEPTH: usize> List<T, DEPTH> {
    /// Most elements.
    pub(crate) const CAPACITY: usize = 1 << DEPTH;

    /// None if there are too many.
    pub(crate) fn new(items: Vec<T>) -> Option<Self> {
        Self::from_cached(items.into_iter().map(Cached::new).collect())
    }

    fn from_cached(items: Vec<Cached<T>>) -> Option<Self> {
        (items.len() <= Self::CAPACITY).then(|| Self { items: Arc::new(items), root: OnceLock::new() })
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.items.get(index).map(|item| &**item)
    }

    /// Whether there is room for so many elements more.
    pub(crate) fn has_room(&self, count: usize) -> bool {
        self.items.len().saturating_add(count) <= Self::CAPACITY
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &T> + '_ {
        self.items.iter().map(|item| &**item)
    }
}

impl<T: Clone, const DEPTH: usize> List<T, DEPTH> {
    /// The element, to be changed: its root and the list's are forgotten.
    pub(crate) fn write(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.items.len() {
            return None;
        }
        self.root = OnceLock::new();
        Arc::make_mut(&mut self.items).get_mut(index).map(Cached::write)
    }

    /// Appends an element; false, and nothing is changed, if the list is full.
    pub(crate) fn push(&mut self, item: T) -> bool {
        let has_room = self.has_room(1);
        if has_room {
            self.root = OnceLock::new();
            Arc::make_mut(&mut self.items).push(Cached::new(item));
        }
        has_room
    }

    /// Keeps the elements that `keep` wants, which is given each one's place.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, &T) -> bool) {
        let mut place = 0;
        self.root = OnceLock::new();
        Arc::make_mut(&mut self.items).retain(|item| {
            let kept = keep(place, item);
            place += 1;
            kept
        });
    }
}

impl<T: TreeHash, const DEPTH: usize> List<T, DEPTH> {
    pub(crate) fn root(&self) -> B256 {
        *self.root.get_or_init(|| layout::list_root(&self.element_roots(), DEPTH))
    }

    pub(crate) fn element_roots(&self) -> Vec<B256> {
        self.items.iter().map(Cached::root).collect()
    }
}

impl<T: PartialEq, const DEPTH: usize> PartialEq for List<T, DEPTH> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.items, &other.items) || self.items == other.items
    }
}

impl<T: Eq, const DEPTH: usize> Eq for List<T, DEPTH> {}

impl<T: Encode, const DEPTH: usize> Encode for List<T, DEPTH> {
    fn is_ssz_fixed_len() -> bool {
        false
    }
    fn ssz_bytes_len(&self) -> usize {
        self.items.ssz_bytes_len()
    }
    fn ssz_append(&self, buf: &mut Vec<u8>) {
        self.items.ssz_append(buf);
    }
}

impl<T: Decode, const DEPTH: usize> Decode for List<T, DEPTH> {
    fn is_ssz_fixed_len() -> bool {
        false
    }
    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        // The number of elements is bounded by that of the bytes, which the caller holds already.
        let items = Vec::<Cached<T>>::from_ssz_bytes(bytes)?;
        let found = items.len();
        Self::from_cached(items).ok_or_else(|| {
            DecodeError::BytesInvalid(format!("a list of at most {} elements has {found}", Self::CAPACITY))
        })
    }
}
