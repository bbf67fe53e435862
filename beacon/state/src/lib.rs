//! The beacon chain's state, and the one function that changes it.
//!
//! Pure: a block and its parent's state determine the next state, on every machine. What always holds:
//!
//! - every chain's epoch table names the committees of the current epoch and of the next, and an epoch
//!   number, once drawn, is never drawn again;
//! - an accepted shard header has the last accepted one as ancestor, and whatever it consumed from
//!   other shards is accepted too;
//! - staked, exiting, burned and withdrawn units add up to those of genesis and the deposited ones, and some unit is
//!   always staked;
//! - a receipt of a shard is consumed once and in order, and only of an accepted header;
//! - an offence is punished once.
//!
//! In each operation `verify` is stateless, `check` reads the state and `apply` writes it.
//!
//! - [`genesis`]: where it starts; [`BeaconState`]: what it is; [`BeaconChainState`]: with its header
//! - [`apply_block`]: the transition; [`Event`]: what it did
//! - [`operation`]: randomness, evidence, conflicts, crosslinks, receipts; [`epoch`]: draws; [`early_end`]: recovery
//! - [`ShardLane`]: what goes to and fro between the beacon chain and a shard; [`ExitingUnit`]: stake on its way out
//! - [`proposal`]: choosing what goes into a block; [`light`]: what followers are told
//!
//! Rules: docs/spec/beacon-state.md

mod block;
mod cached;
mod chain;
pub mod early_end;
pub mod epoch;
mod event;
mod exits;
mod genesis;
mod lane;
pub mod light;
mod list;
mod offence;
pub mod operation;
mod payout;
mod progress;
pub mod proposal;
mod state;
#[cfg(test)]
mod testing;
mod validator;

pub use block::{BlockError, Transition, apply_block};
pub use chain::BeaconChainState;
pub use consensus::authority::{CommitteeError, CommitteeSource};
pub use event::{EndCause, Event};
pub use exits::ExitingUnit;
pub use genesis::{GenesisStateError, genesis};
pub use lane::ShardLane;
pub use offence::Offence;
pub use progress::ShardProgress;
pub use state::{BeaconState, Stake, StateError};
pub use validator::{UNITS_MAX, ValidatorRecord};
