//! What is recorded of a transaction: geth's built-in tracers.

use alloy_primitives::{Address, Log, U256};
use alloy_rpc_types_trace::geth::{
    CallConfig, GethDebugBuiltInTracerType as BuiltIn, GethDebugTracerConfig, GethDebugTracerType as Kind,
    GethDebugTracingOptions, GethTrace, mux::MuxConfig,
};
use revm::{
    Inspector,
    context::{BlockEnv, TxEnv, result::ResultAndState},
    context_interface::{ContextTr as _, context::ContextError},
    handler::FrameResult,
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, Interpreter},
};

use super::{
    TraceError,
    budget::{Budget, Stop},
    inspectors::{DebugInspector, DebugInspectorError, TracingInspectorConfig, TransactionContext},
    reading::Reading,
};
use crate::{
    executor::evm::ShardContext,
    state::{PendingState, StateError},
};

/// Longest part of an unknown tracer's name that is repeated, characters: it may be a program.
const NAME_MAX: usize = 64;

/// Why nothing can be traced like that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TracerError {
    /// None of the built-in ones.
    #[error(
        "tracer not found: `{name}` is none of callTracer, flatCallTracer, prestateTracer, 4byteTracer, muxTracer, noopTracer and erc7562Tracer, and JavaScript is not run here"
    )]
    Unknown {
        /// Its name, or the beginning of its program.
        name: String,
    },
    /// Its configuration says something that it does not know.
    #[error("invalid tracerConfig of {}", .tracer.as_str())]
    Config {
        /// Which one.
        tracer: Kind,
    },
}

/// Records what a call or transaction does, within a budget.
#[derive(Debug)]
pub struct Tracer {
    inspector: DebugInspector,
    budget: Budget,
}

impl Tracer {
    /// The tracer that the options describe; the one of single steps if they name none. It holds about `bytes_max` bytes
    /// at most, over all transactions that it traces, and ends soon after `stop` is used.
    pub fn new(options: GethDebugTracingOptions, bytes_max: usize, stop: Stop) -> Result<Self, TracerError> {
        let options = normal(options)?;
        let tracer = options.tracer.clone().unwrap_or_else(|| Kind::JsTracer(String::new()));
        let inspector = DebugInspector::new(options).map_err(|_| TracerError::Config { tracer })?;
        let budget = Budget::new(recorded(&inspector), bytes_max, stop);
        Ok(Self { inspector, budget })
    }

    /// Whether there can still be a trace.
    pub fn refused(&self) -> Result<(), TraceError> {
        self.budget.refused()
    }

    /// The trace of what was executed, before it is written to `state`.
    pub(super) fn finish(
        &mut self,
        context: TransactionContext,
        transaction: &TxEnv,
        block: &BlockEnv,
        executed: &ResultAndState,
        state: &mut PendingState<'_>,
    ) -> Result<GethTrace, TraceError> {
        let mut state = Reading::new(state);
        let trace = self
            .inspector
            .get_result(Some(context), transaction, block, executed, &mut state)
            .map_err(TraceError::from)?;
        self.inspector.fuse().map_err(|_| TraceError::Options)?;
        self.budget.next();
        Ok(trace)
    }

    /// Lets the execution end here if there is to be no trace.
    fn end_if_refused(&self, context: &mut ShardContext<'_>) -> bool {
        let Err(error) = self.refused() else { return false };
        if context.error().is_ok() {
            *context.error() = Err(ContextError::Custom(error.to_string()));
        }
        true
    }
}

/// Options that name a tracer there is, and of several tracers each with the configuration that it wants.
fn normal(mut options: GethDebugTracingOptions) -> Result<GethDebugTracingOptions, TracerError> {
    match &options.tracer {
        Some(tracer @ Kind::BuiltInTracer(BuiltIn::MuxTracer)) => {
            let config = std::mem::take(&mut options.tracer_config).into_mux_config();
            let config = config.map_err(|_| TracerError::Config { tracer: tracer.clone() })?;
            options.tracer_config = MuxConfig(config.0.into_iter().map(normal_part).collect()).into();
        }
        Some(Kind::JsTracer(name)) if !name.is_empty() => {
            return Err(TracerError::Unknown { name: name.chars().take(NAME_MAX).collect() });
        }
        _ => {}
    }
    Ok(options)
}

/// One of several tracers: those that can be configured may be left unconfigured, and the other way round.
fn normal_part((kind, config): (Kind, MuxPart)) -> (Kind, MuxPart) {
    let config = match &kind {
        Kind::BuiltInTracer(BuiltIn::FourByteTracer | BuiltIn::NoopTracer) => None,
        // An empty object: each reads it as its defaults.
        _ => Some(config.unwrap_or_else(|| CallConfig::default().into())),
    };
    (kind, config)
}

type MuxPart = Option<GethDebugTracerConfig>;

/// What a tracer holds until it is asked for its trace; `None` if that does not grow.
fn recorded(inspector: &DebugInspector) -> Option<TracingInspectorConfig> {
    match inspector {
        DebugInspector::FourByte(_) | DebugInspector::Noop(_) | DebugInspector::StateGasTracer(_) => None,
        DebugInspector::CallTracer(_, config) => Some(TracingInspectorConfig::from_geth_call_config(config)),
        DebugInspector::PreStateTracer(_, config) => {
            Some(TracingInspectorConfig::from_geth_prestate_config(config))
        }
        DebugInspector::FlatCallTracer(_) => Some(TracingInspectorConfig::default_parity()),
        DebugInspector::Mux(..) => Some(TracingInspectorConfig::default_parity().set_record_logs(true)),
        DebugInspector::Erc7562Tracer(_, config) => {
            Some(TracingInspectorConfig::from_geth_erc7562_config(config))
        }
        DebugInspector::Default(_, config) => Some(TracingInspectorConfig::from_geth_config(config)),
    }
}

impl From<DebugInspectorError<StateError>> for TraceError {
    fn from(error: DebugInspectorError<StateError>) -> Self {
        match error {
            DebugInspectorError::Database(error) => error.into(),
            _ => Self::Options,
        }
    }
}

impl<'a> Inspector<ShardContext<'a>> for Tracer {
    fn initialize_interp(&mut self, interpreter: &mut Interpreter, context: &mut ShardContext<'a>) {
        self.inspector.initialize_interp(interpreter, context);
    }

    fn step(&mut self, interpreter: &mut Interpreter, context: &mut ShardContext<'a>) {
        self.budget.step(interpreter);
        if self.end_if_refused(context) {
            interpreter.halt_fatal();
        } else {
            self.inspector.step(interpreter, context);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, context: &mut ShardContext<'a>) {
        self.inspector.step_end(interpreter, context);
    }

    fn log(&mut self, context: &mut ShardContext<'a>, log: Log) {
        self.budget.log(log.data.data.len());
        self.inspector.log(context, log);
    }

    fn log_full(&mut self, interpreter: &mut Interpreter, context: &mut ShardContext<'a>, log: Log) {
        self.budget.log(log.data.data.len());
        self.inspector.log_full(interpreter, context, log);
    }

    fn call(&mut self, context: &mut ShardContext<'a>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.budget.enter(inputs.input.len());
        self.inspector.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut ShardContext<'a>, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.budget.leave(outcome.output().len());
        self.inspector.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut ShardContext<'a>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.budget.enter(inputs.init_code().len());
        self.inspector.create(context, inputs)
    }

    fn create_end(
        &mut self,
        context: &mut ShardContext<'a>,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        self.budget.leave(outcome.output().len());
        self.inspector.create_end(context, inputs, outcome);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        Inspector::<ShardContext<'a>>::selfdestruct(&mut self.inspector, contract, target, value);
    }

    fn frame_start(&mut self, context: &mut ShardContext<'a>, input: &mut FrameInput) -> Option<FrameResult> {
        self.inspector.frame_start(context, input)
    }

    fn frame_end(&mut self, context: &mut ShardContext<'a>, input: &FrameInput, result: &mut FrameResult) {
        self.inspector.frame_end(context, input, result);
    }
}
