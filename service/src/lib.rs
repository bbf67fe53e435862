//! What every long-running process of Atoll does alike.
//!
//! - [`config`]: TOML file below environment and flags
//! - [`logs`]: structured logs on standard error
//! - [`metrics`]: the Prometheus page
//! - [`runtime`]: tasks and time, real or simulated
//! - [`shutdown`]: the signals that end a process

pub mod config;
pub mod logs;
pub mod metrics;
pub mod runtime;
pub mod shutdown;
