//! The `eth_` namespace, one file per area: each method, from the snapshot it is answered from.

mod account;
mod block;
mod chain;
mod execution;
mod fee;
mod filter;
mod state;
mod subscription;
mod transaction;
