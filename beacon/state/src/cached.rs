//! A value that remembers its `hash_tree_root` until it is written to.
//!
//! Copies share the value, so that a state's copy costs what changes in it. The remembered root enters
//! neither equality nor the encoding.

use primitives::B256;
use ssz::{Decode, DecodeError, Encode};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use tree_hash::TreeHash;

#[derive(Clone, Debug, Default)]
pub(crate) struct Cached<T> {
    value: Arc<T>,
    root: OnceLock<B256>,
}

impl<T> Cached<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Arc::new(value), root: OnceLock::new() }
    }
}

impl<T: TreeHash> Cached<T> {
    pub(crate) fn root(&self) -> B256 {
        *self.root.get_or_init(|| self.value.tree_hash_root())
    }
}

impl<T: Clone> Cached<T> {
    /// The value, to be changed: its root is forgotten.
    pub(crate) fn write(&mut self) -> &mut T {
        self.root = OnceLock::new();
        Arc::make_mut(&mut self.value)
    }
}

impl<T> Deref for Cached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Cached<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value) || self.value == other.value
    }
}

impl<T: Eq> Eq for Cached<T> {}

impl<T: Encode> Encode for Cached<T> {
    fn is_ssz_fixed_len() -> bool {
        T::is_ssz_fixed_len()
    }
    fn ssz_fixed_len() -> usize {
        T::ssz_fixed_len()
    }
    fn ssz_bytes_len(&self) -> usize {
        self.value.ssz_bytes_len()
    }
    fn ssz_append(&self, buf: &mut Vec<u8>) {
        self.value.ssz_append(buf);
    }
}

impl<T: Decode> Decode for Cached<T> {
    fn is_ssz_fixed_len() -> bool {
        T::is_ssz_fixed_len()
    }
    fn ssz_fixed_len() -> usize {
        T::ssz_fixed_len()
    }
    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        T::from_ssz_bytes(bytes).map(Self::new)
    }
}
