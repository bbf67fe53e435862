//! The state of a shard as flat accounts, slots and code, and what one block does to it.
//!
//! - [`FlatState`]: the state after one block, read by key; a node implements it over its store
//! - [`MemoryState`]: a whole state in ordered maps, for genesis, tests and re-execution
//! - [`ChangeSet`]: what a block changed, there and back
//! - [`Layered`]: a flat state with the change sets of later blocks on top
//! - [`PendingState`]: the state inside a block that is being executed

mod change_set;
mod codec;
mod flat;
mod layered;
mod memory;
mod pending;
#[cfg(test)]
mod tests;

pub use change_set::{AccountDelta, ChangeSet, SlotDelta};
pub use codec::ChangeSetError;
pub use flat::{FlatState, StateError};
pub use layered::{Layer, LayerStack, Layered, RebaseError};
pub use memory::MemoryState;
pub use pending::PendingState;
