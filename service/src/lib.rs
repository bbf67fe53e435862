//! What every node process of Atoll does alike.
//!
//! - [`config`]: TOML file below environment and flags
//! - [`descriptors`]: how many files and connections may be open
//! - [`durability`]: what a commit survives, for engine and database alike
//! - [`failure`]: how a process ends
//! - [`logs`]: structured logs on standard error
//! - [`metrics`]: the Prometheus page
//! - [`node`]: what stands between a node and its network, found before it joins
//! - [`peers`]: the other nodes, as an operator writes them
//! - [`ports`]: whether a port is free, and which flag moves it
//! - [`runtime`]: tasks and time, real or simulated
//! - [`seat`]: a validator's seats as the engine hears them
//! - [`shutdown`]: the signals that end a process
//! - [`watch`]: a value that changes, and tasks that wait until it has, in order

pub mod config;
pub mod descriptors;
pub mod durability;
pub mod failure;
pub mod logs;
pub mod metrics;
pub mod node;
pub mod peers;
pub mod ports;
pub mod runtime;
pub mod seat;
pub mod shutdown;
pub mod watch;
