//! Cryptography of Atoll: the lowest layer, which knows nothing of chains.
//!
//! Everything here is a deterministic function of its arguments, and no input taken from outside
//! makes it panic. Secrets are wiped when dropped and never printed.
//!
//! - [`hash`]: the hash functions, one name each
//! - [`merkle`]: binary Merkle trees of fixed depth, as SSZ defines them
//! - [`mmr`]: Merkle mountain range, the append-only list of a chain's header ids
//! - [`secp256k1`]: signatures of users, recovered in batches
//! - [`bls`]: signatures of validators, aggregated and verified in batches

pub mod bls;
pub mod hash;
pub mod merkle;
pub mod mmr;
pub mod secp256k1;
