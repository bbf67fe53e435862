//! The command line of Atoll.

pub mod cli;
pub mod stake;
pub mod testnet;
pub mod xsend;
