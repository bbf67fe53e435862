//! The type of what can no longer change.

use std::ops::Deref;

/// A value the chain can no longer revert. Built only by [`crate::light`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalized<T>(T);

impl<T> Finalized<T> {
    /// States that the light client has just found `value` final.
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Finalized<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
