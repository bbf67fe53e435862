//! What a chain's agreement means, without running it: who may sign, what is signed, how certain it is.
//!
//! Everything here is a pure function of its arguments, the same on every machine: no clock, no
//! network, no floating point. A value is [`light::Finalized`] only if this package found it so.
//!
//! - [`vote`]: the bytes that seats sign; [`namespace`]: what binds them to one chain of one network
//! - [`authority`]: a committee whose votes and certificates can be verified
//! - [`sampling`]: how committees are drawn; [`mix`]: the randomness they are drawn from
//! - [`takeover`]: how likely a draw gives an adversary too many seats
//! - [`evidence`]: what proves a seat guilty
//! - [`history`]: ancestry of headers; [`layout`]: where things are in the beacon state's tree
//! - [`light`]: following the beacon chain, and through it the shards, without executing them
//!
//! Rules: docs/spec/consensus.md

pub mod authority;
pub mod evidence;
pub mod history;
pub mod layout;
pub mod light;
pub mod mix;
mod namespace;
pub mod sampling;
pub mod takeover;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vote;

pub use namespace::namespace;
