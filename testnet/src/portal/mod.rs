//! Calls of the Portal by an account of a shard, and waiting for what becomes of them.

mod patience;
mod sending;

pub(crate) use patience::Patience;
pub(crate) use sending::{Sending, Sent, now_ms};
