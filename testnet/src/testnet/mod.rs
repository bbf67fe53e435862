//! A whole network on one machine: native processes, fixed ports, data kept across restarts.

mod accounts;
mod description;
mod down;
mod node_config;
mod plan;
mod ports;
mod prepare;
mod process;
mod ready;
mod report;
mod seats;
mod status;
mod up;

pub use description::{Account, Description, Endpoint, Validator};
pub use down::{DataDir, LogsArgs, down, logs};
pub use plan::{Plan, UpArgs};
pub use process::{NodeProcess, Program};
pub use status::{StatusArgs, status};
pub use up::run as up;
