//! A validator's keys, and everything that signs with them.
//!
//! Secrets never leave this package: nodes hold a [`Signer`] and ask it for signatures, and it
//! refuses those that an honest validator cannot give.
//!
//! - [`keystore`]: EIP-2335 files
//! - [`KeyDirectory`]: where a validator's keys lie
//! - [`Protection`]: what was signed before, on disk
//! - [`Signer`]: signatures of a validator's seats

pub mod cli;
mod directory;
pub mod keystore;
mod protection;
mod signer;

pub use directory::{DirectoryError, KeyDirectory, NetworkKey, NodeRole};
pub use protection::{Protection, ProtectionError, Refusal};
pub use signer::{SeatKey, Signer};
