//! The state of a shard and the rules that change it: accounts, their trie, blocks, executors.

pub mod account;
pub mod trie;
