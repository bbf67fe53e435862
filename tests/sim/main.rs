//! Simulation: the real nodes of several validators in one deterministic runtime.
//!
//! Everything is the product's own code except time, links and disks. A run is determined by its seed: a failing
//! test prints the seed, and `ATOLL_SIM_SEED=<seed>` runs every scenario with that seed alone. The nightly target is
//! `cargo test -p atoll-tests --test sim -- --ignored`, with `ATOLL_SIM_SEEDS=<first>..<end>`.
//!
//! - [`world`]: the validators, their nodes, links and disks; [`config`] says what they are like
//! - [`book`]: what every node certified, as it happens; [`oracles`]: what must hold of it in the end
//! - the other modules are the scenarios

mod atomic;
mod beacon_oracle;
mod book;
mod byzantine;
mod calm;
mod committees;
mod config;
mod conflicts;
mod estate;
mod faults;
mod link;
mod market;
mod nightly;
mod oracles;
mod outage;
mod receipts;
mod runtime;
mod seeds;
mod shard_oracle;
mod staking;
mod storm;
mod traffic;
mod wallet;
mod world;
