//! The command line of Atoll.

pub mod cli;
mod portal;
pub mod stake;
pub mod testnet;
pub mod xsend;
