use std::{marker::PhantomData, ops::RangeBounds};
use crate::{Batch, StorageError, Table};
#[derive(Debug)]
pub struct Snapshot {}
#[derive(Debug)]
pub struct Entries<'a, T> { _p: PhantomData<&'a T> }
impl<T: Table> Iterator for Entries<'_, T> {
    type Item = Result<(T::Key, T::Value), StorageError>;
    fn next(&mut self) -> Option<Self::Item> { None }
}
impl Snapshot {
    pub fn sequence(&self) -> Option<u64> { None }
    pub fn get<T: Table>(&self, _key: &T::Key) -> Result<Option<T::Value>, StorageError> { Ok(None) }
    pub fn range<T: Table>(&self, _range: impl RangeBounds<T::Key>) -> Result<Entries<'_, T>, StorageError> { Ok(Entries { _p: PhantomData }) }
    pub fn range_reversed<T: Table>(&self, _range: impl RangeBounds<T::Key>) -> Result<Entries<'_, T>, StorageError> { Ok(Entries { _p: PhantomData }) }
    pub fn first_at_or_after<T: Table>(&self, _key: &T::Key) -> Result<Option<(T::Key, T::Value)>, StorageError> { Ok(None) }
    pub fn last<T: Table>(&self) -> Result<Option<(T::Key, T::Value)>, StorageError> { Ok(None) }
    /// The batch that takes `batch` back when applied after it.
    pub fn inverse(&self, _batch: &Batch) -> Result<Batch, StorageError> { Ok(Batch::new()) }
}
