//! How much a trace may hold, and how it is called off.
//!
//! Gas bounds what executes, not what is recorded of it: a step costs three gas and may be recorded with all of the
//! stack and memory. So what is about to be recorded is weighed first, in bytes as it is held; an estimate, for which
//! it is enough that it grows with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use alloy_primitives::{Address, U256};
use revm::{
    bytecode::opcode,
    interpreter::{
        Interpreter,
        interpreter_types::{InputsTr as _, Jumps as _, ReturnData as _},
    },
};

use super::{
    TraceError,
    inspectors::{
        StackSnapshotType, TracingInspectorConfig,
        types::{CallTraceNode, CallTraceStep},
    },
};

const CALL_BYTES: usize = size_of::<CallTraceNode>();
const STEP_BYTES: usize = size_of::<CallTraceStep>();
const WORD_BYTES: usize = 32;
/// A slot and its value.
const SLOT_BYTES: usize = 2 * WORD_BYTES;

/// Calls off what carries a clone of it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Calls it off; it ends at the next instruction.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was called off.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a trace may still hold.
#[derive(Debug)]
pub(super) struct Budget {
    /// What is recorded; nothing that grows if none.
    recorded: Option<TracingInspectorConfig>,
    limit: usize,
    left: usize,
    steps: u64,
    /// Slots that were touched, since a step that touches one is recorded with all before it.
    slots: BTreeMap<Address, BTreeSet<U256>>,
    stop: Stop,
    exceeded: bool,
}

impl Budget {
    pub(super) fn new(recorded: Option<TracingInspectorConfig>, limit: usize, stop: Stop) -> Self {
        let slots = BTreeMap::new();
        Self { recorded, limit, left: limit, steps: 0, slots, stop, exceeded: false }
    }

    /// Prepares for the next transaction, whose trace is held beside those before.
    pub(super) fn next(&mut self) {
        self.steps = 0;
        self.slots.clear();
    }

    /// Why nothing more may be recorded, if so.
    pub(super) fn refused(&self) -> Result<(), TraceError> {
        if self.exceeded {
            return Err(TraceError::TooLarge { limit: self.limit });
        }
        if self.stop.is_stopped() {
            return Err(TraceError::Stopped);
        }
        Ok(())
    }

    /// Weighs the step that comes next.
    pub(super) fn step(&mut self, interpreter: &Interpreter) {
        let Some(recorded) = self.recorded.filter(|recorded| recorded.record_steps) else { return };
        if recorded.step_limit.is_some_and(|limit| self.steps >= limit.get()) {
            return;
        }
        self.steps += 1;
        let mut bytes = STEP_BYTES;
        if recorded.record_stack_snapshots != StackSnapshotType::None {
            bytes += interpreter.stack.len() * WORD_BYTES;
        }
        if recorded.record_memory_snapshots {
            bytes += interpreter.memory.len();
        }
        if recorded.record_returndata_snapshots {
            bytes += interpreter.return_data.buffer().len();
        }
        let touches = matches!(interpreter.bytecode.opcode(), opcode::SLOAD | opcode::SSTORE);
        if recorded.record_state_diff
            && touches
            && let Ok(slot) = interpreter.stack.peek(0)
        {
            let slots = self.slots.entry(interpreter.input.target_address()).or_default();
            slots.insert(slot);
            bytes += slots.len() * SLOT_BYTES;
        }
        self.take(bytes);
    }

    /// Weighs a call or a creation that begins with so much data.
    pub(super) fn enter(&mut self, input: usize) {
        if let Some(recorded) = self.recorded {
            self.take(CALL_BYTES + if recorded.record_inputs { input } else { 0 });
        }
    }

    /// Weighs what a call or a creation returns.
    pub(super) fn leave(&mut self, output: usize) {
        if self.recorded.is_some() {
            self.take(output);
        }
    }

    /// Weighs the data of a log.
    pub(super) fn log(&mut self, data: usize) {
        if self.recorded.is_some_and(|recorded| recorded.record_logs) {
            self.take(data);
        }
    }

    fn take(&mut self, bytes: usize) {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.exceeded = true,
        }
    }
}
