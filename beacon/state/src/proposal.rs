//! What a proposer puts into a block: all that is valid, as much as fits, and nothing that is not.
//!
//! Whatever comes out of here is accepted by [`crate::apply_block`], whatever went in.

mod block;
mod bundles;
mod crosslinks;
mod disputes;
mod evidence;
#[cfg(test)]
mod tests;

pub use block::{Proposal, build_block};
pub use bundles::BundleSource;
pub use crosslinks::{Candidates, HistorySource, choose_crosslinks};
pub use disputes::{Disputes, choose_disputes};
pub use evidence::choose_evidence;
