//! End to end: real processes, real sockets, real clients.
//!
//! Every test starts a network of its own through the `atoll` binary. They take turns, because each
//! wants the whole machine.

mod atomic;
mod clients;
mod docs;
mod failures;
mod load;
mod network;
mod receipts;
mod scripts;
mod staking;
mod tools;
mod wallet;
