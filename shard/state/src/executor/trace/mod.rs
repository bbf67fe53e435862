//! Watching a call or a transaction while it executes: what `debug_trace*` ask.
//!
//! What always holds: a watched transaction leaves behind what it leaves behind unwatched, and a plain transfer,
//! which otherwise takes the way around the interpreter, is watched inside it. A trace that grows beyond its budget
//! ends in [`TraceError::TooLarge`], one that was called off in [`TraceError::Stopped`]; neither is ever given in part.
//!
//! - [`Tracer`]: what is recorded, and how much of it
//! - [`trace_call`]: a request that nobody signed
//! - [`BlockExecutor::trace`]: a transaction at its place in its block

mod arrival;
mod budget;
mod reading;
#[cfg(test)]
mod tests;
mod tracer;

use alloy_rpc_types_trace::geth::GethTrace;
pub use inspectors::TransactionContext;
use revm_inspectors::tracing as inspectors;

use super::{BlockExecutor, CallError, CallRequest, Environment, ExecuteError, Outcome, call};
use crate::{
    state::{FlatState, StateError},
    transaction::Transaction,
};

pub use budget::Stop;
pub use tracer::{Tracer, TracerError};

/// Why there is no trace.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// It would hold more than it may.
    #[error(
        "the trace holds more than {limit} bytes: limit its steps, leave out stack, memory or storage, or use another tracer"
    )]
    TooLarge {
        /// Most bytes that it may hold.
        limit: usize,
    },
    /// Whoever asked for it called it off.
    #[error("execution timeout")]
    Stopped,
    /// There is no such tracer, or it is not configured like that.
    #[error(transparent)]
    Tracer(#[from] TracerError),
    /// The tracer does not take the options again that it was made from.
    #[error("the tracer cannot go on with its options")]
    Options,
    /// The call could not be made.
    #[error(transparent)]
    Call(CallError),
    /// The transaction could not be executed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

impl From<StateError> for TraceError {
    fn from(error: StateError) -> Self {
        Self::Execute(error.into())
    }
}

/// Traces a request on a state, as if at the end of the block that led to it. At most `gas_max` gas is used.
pub fn trace_call(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
    tracer: Tracer,
) -> Result<GethTrace, TraceError> {
    let (evm, transaction) = call::ready(state, environment, request, gas_max).map_err(TraceError::Call)?;
    let mut evm = evm.with_inspector(tracer);
    let executed = evm.inspect(transaction.clone());
    let (tracer, block, state) = evm.parts();
    tracer.refused()?;
    let executed = executed.map_err(|error| TraceError::Call(call::refusal(error, environment, request)))?;
    tracer.finish(TransactionContext::default(), &transaction, block, &executed, state)
}

impl<'a> BlockExecutor<'a> {
    /// The same block, able to trace what comes.
    pub fn with_tracer(self, tracer: Tracer) -> BlockExecutor<'a, Tracer> {
        self.with_inspector(tracer)
    }
}

impl BlockExecutor<'_, Tracer> {
    /// Executes a transaction and traces it; `context` is repeated in the traces that name their place. If it may not
    /// be included, or there is no trace, nothing changes. A receipt in the form of one is taken in.
    pub fn trace(
        &mut self,
        transaction: &Transaction,
        context: TransactionContext,
    ) -> Result<GethTrace, TraceError> {
        if let Some(arrival) = transaction.arrival() {
            return self.trace_arrival(arrival, transaction, context);
        }
        self.check(transaction)?;
        let environment = self.evm.prepare(transaction);
        let executed = self.evm.inspect(environment.clone());
        let (tracer, block, state) = self.evm.parts();
        tracer.refused()?;
        let executed = executed?;
        let trace = tracer.finish(context, &environment, block, &executed, state)?;
        state.commit(executed.state)?;
        self.include(transaction, Outcome::from(executed.result));
        Ok(trace)
    }
}
