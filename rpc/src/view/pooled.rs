//! What is told of a transaction that came into the pool.

use super::Transaction;
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// A transaction that waits for a block: its hash, or all of it where that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pooled {
    /// Its hash.
    Hash(B256),
    /// All of it.
    Full(Box<Transaction>),
}
