//! Tracing a receipt from another chain: the call that it asks for, or, if nothing runs, the transaction that it is shown
//! as.
//!
//! What the Portal notes of it, and the answer that it sends, are not part of the trace.

use alloy_rpc_types_trace::geth::GethTrace;
use revm::context::{
    TxEnv,
    result::{ExecutionResult, Output, ResultAndState, ResultGas, SuccessReason},
};
use xshard::Arrival;

use super::{TraceError, Tracer, TransactionContext};
use crate::{
    executor::{BlockExecutor, ExecuteError, arrival::Run},
    transaction::Transaction,
};

impl BlockExecutor<'_, Tracer> {
    /// Takes in a receipt in the form of a transaction, and traces it.
    pub(super) fn trace_arrival(
        &mut self,
        arrival: &Arrival,
        shown: &Transaction,
        context: TransactionContext,
    ) -> Result<GethTrace, TraceError> {
        let run = match self.asked(arrival) {
            Some(run) if self.has_callee(&run)? => Some(run),
            _ => None,
        };
        let watched = run.as_ref().map(|run| self.watch(run));
        self.evm.parts().0.refused()?;
        let watched = watched.transpose()?;
        let call = run.map_or_else(|| self.evm.prepare(shown), |run| run.call());
        // What it costs is known once it is taken in; what it found is what was there before.
        let mut other = self.state().clone();
        let receipt = self.receive(arrival)?;
        let (success, gas) = (receipt.success(), spent(receipt.gas_used));
        std::mem::swap(self.state(), &mut other);
        let trace = self.told(&call, watched, success, gas, context);
        std::mem::swap(self.state(), &mut other);
        trace
    }

    /// The trace of what was watched, or of a call that runs nothing.
    fn told(
        &mut self,
        call: &TxEnv,
        watched: Option<ResultAndState>,
        success: bool,
        gas: ResultGas,
        context: TransactionContext,
    ) -> Result<GethTrace, TraceError> {
        let executed = match watched {
            Some(ResultAndState { result, state }) => ResultAndState::new(with_gas(result, gas), state),
            None => ResultAndState::new(at_once(success, gas), self.evm.show(call, success)?),
        };
        let (tracer, block, state) = self.evm.parts();
        tracer.finish(context, call, block, &executed, state)
    }

    /// What a call does that a receipt asks for; nothing is written.
    fn watch(&mut self, run: &Run) -> Result<ResultAndState, ExecuteError> {
        let before = self.state().account(&run.caller)?.unwrap_or_default();
        self.credit(&run.caller, run.value)?;
        let executed = self.evm.inspect_unpaid(run.call());
        self.state().set_account(&run.caller, before)?;
        executed
    }
}

fn spent(gas: u64) -> ResultGas {
    ResultGas::default().with_total_gas_spent(gas)
}

/// The result of what does nothing but succeed or fail.
fn at_once(success: bool, gas: ResultGas) -> ExecutionResult {
    let (logs, output) = (Vec::new(), Default::default());
    if success {
        ExecutionResult::Success { reason: SuccessReason::Stop, gas, logs, output: Output::Call(output) }
    } else {
        ExecutionResult::Revert { gas, logs, output }
    }
}

/// The same result at another price.
fn with_gas(result: ExecutionResult, gas: ResultGas) -> ExecutionResult {
    match result {
        ExecutionResult::Success { reason, logs, output, .. } => {
            ExecutionResult::Success { reason, gas, logs, output }
        }
        ExecutionResult::Revert { logs, output, .. } => ExecutionResult::Revert { gas, logs, output },
        ExecutionResult::Halt { reason, logs, .. } => ExecutionResult::Halt { reason, gas, logs },
    }
}
