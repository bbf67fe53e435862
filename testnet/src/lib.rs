//! The command line of Atoll.

pub mod cli;
pub mod testnet;
pub mod xsend;
