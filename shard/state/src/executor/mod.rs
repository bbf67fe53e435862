//! What transactions do: the EVM, and a way around it for plain transfers with the same result.
//!
//! [`BlockExecutor`] runs the transactions of one block, one after another, on one EVM. A transaction that may not be
//! included ([`InclusionError`]) changes nothing; one that is included always pays for its gas, whether or
//! not what it does succeeds. Shards of every kind run this; native contracts of a kind are added beside `evm`.
//!
//! - `evm`: the interpreter (revm, Osaka rules) and the system calls that open a block
//! - `arrival`, `bundle_arrival`: receipts from other chains
//! - `transfer`: value to an account without code
//! - [`call`], [`estimate_gas`], [`create_access_list`]: what `eth_call` and its neighbours ask
//! - [`call_briefly`]: a call made between other work, if it is short enough for that
//! - [`Simulation`]: a block of such requests
//! - [`trace_call`], [`BlockExecutor::trace`]: the same executions, watched
//!
//! Rules: docs/spec/shard-block.md#execution

mod access_list;
mod arrival;
mod block;
mod brief;
mod bundle_arrival;
mod call;
mod environment;
mod estimate;
mod evm;
mod inclusion;
mod precompiles;
mod simulate;
#[cfg(test)]
mod tests;
mod trace;
mod transfer;

use alloy_primitives::{Address, Log};
use revm::context::result::EVMError;

use crate::state::StateError;

pub use access_list::{AccessListed, create_access_list};
pub use block::{BlockExecutor, Path};
pub use brief::call_briefly;
pub use call::{CallError, CallOutcome, CallRequest, call, halt_text};
pub use environment::Environment;
pub use estimate::estimate_gas;
pub(crate) use evm::ShardContext;
pub use inclusion::{InclusionError, check_inclusion};
pub use precompiles::{MovePrecompileError, PrecompileChanges};
pub use simulate::{SimulateError, Simulation, SimulationRules};
pub use trace::{Stop, TraceError, Tracer, TracerError, TransactionContext, trace_call};

/// What became of an included transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it did what it was to do.
    pub success: bool,
    /// Gas paid for.
    pub gas_used: u64,
    /// Events, in order; none if it failed.
    pub logs: Vec<Log>,
}

/// Why a transaction was not executed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExecuteError {
    /// It may not be included here.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A system contract refused the call that opens a block.
    #[error("the system contract {contract} failed")]
    SystemCall {
        /// Its address.
        contract: Address,
    },
    /// The EVM refused what was checked before, or failed in itself.
    #[error("the EVM failed: {0}")]
    Evm(Box<EVMError<StateError>>),
}

impl From<EVMError<StateError>> for ExecuteError {
    fn from(error: EVMError<StateError>) -> Self {
        match error {
            EVMError::Database(error) => Self::State(error),
            other => Self::Evm(Box::new(other)),
        }
    }
}
