//! Calls that are short enough to be made where they are asked for, between other work.
//!
//! How long a call takes is known only when it is over. So it is made watched, and given up as soon as it does more than
//! a short call: it can then be made again where it may take its time. What it sees is all the same either way: it has
//! the gas it was given, and the watcher's bounds are no limits of the EVM.

use alloy_primitives::{Address, U256};
use revm::{
    Inspector,
    bytecode::opcode,
    interpreter::{
        CallInputs, CallOutcome as FrameOutcome, CreateInputs, CreateOutcome, Interpreter,
        interpreter_types::Jumps as _,
    },
};

use super::{
    CallError, CallOutcome, CallRequest, Environment,
    call::{outcome, ready, refusal},
    evm::ShardContext,
    precompiles::is_precompile,
};
use crate::state::FlatState;

/// What the instructions of a short call weigh at most, together.
const WEIGHT_MAX: u32 = 20_000;
/// What an instruction weighs that may read an account and its code, or run a precompile.
const ACCOUNT_WEIGHT: u32 = 500;
/// What one weighs that may read a slot.
const SLOT_WEIGHT: u32 = 50;
/// Most gas that a frame of a short call uses, with the frames below it: it bounds what single instructions do.
const GAS_MAX: u64 = 60_000;
/// Most frames of a short call that are open at once.
const DEPTH_MAX: u32 = 6;
/// Most bytes that are given to a short call, or hashed at once in it.
const BYTES_MAX: usize = 8 * 1_024;
/// The last of the precompiles whose work is small where their gas is: ECRECOVER, SHA256, RIPEMD160, IDENTITY.
const LAST_SMALL_PRECOMPILE: u8 = 4;

/// Executes a request as [`call`](super::call()) does, or does not: `None` if that takes longer than a short call, or
/// might.
pub fn call_briefly(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<Option<CallOutcome>, CallError> {
    let is_plain = request.to.is_some()
        && request.input.len() <= BYTES_MAX
        && request.access_list.is_empty()
        && request.authorizations.is_empty();
    if !is_plain {
        return Ok(None);
    }
    let (evm, transaction) = ready(state, environment, request, gas_max)?;
    let mut evm = evm.with_inspector(Watch { weight_left: WEIGHT_MAX, depth: 0 });
    let executed = evm.inspect(transaction);
    let (watch, ..) = evm.parts();
    if watch.is_over() {
        return Ok(None);
    }
    match executed {
        Ok(executed) => Ok(Some(outcome(executed.result))),
        Err(error) => Err(refusal(error, environment, request)),
    }
}

/// Weighs what a call does.
#[derive(Debug)]
struct Watch {
    /// What the call may still do; none left once it is given up.
    weight_left: u32,
    depth: u32,
}

impl Watch {
    const fn is_over(&self) -> bool {
        self.weight_left == 0
    }

    const fn give_up(&mut self) {
        self.weight_left = 0;
    }
}

/// What an instruction weighs that is not for a short call: all there is.
const TOO_MUCH: u32 = WEIGHT_MAX;

/// What each instruction weighs.
const WEIGHTS: [u32; 256] = {
    let mut weights = [1; 256];
    weights[opcode::SLOAD as usize] = SLOT_WEIGHT;
    weights[opcode::SSTORE as usize] = SLOT_WEIGHT;
    let accounts = [
        opcode::BALANCE,
        opcode::EXTCODESIZE,
        opcode::EXTCODECOPY,
        opcode::EXTCODEHASH,
        opcode::CALL,
        opcode::CALLCODE,
        opcode::DELEGATECALL,
        opcode::STATICCALL,
    ];
    let mut index = 0;
    while index < accounts.len() {
        weights[accounts[index] as usize] = ACCOUNT_WEIGHT;
        index += 1;
    }
    weights[opcode::CREATE as usize] = TOO_MUCH;
    weights[opcode::CREATE2 as usize] = TOO_MUCH;
    weights[opcode::SELFDESTRUCT as usize] = TOO_MUCH;
    weights
};

/// What the next instruction weighs.
fn weight(interpreter: &Interpreter) -> u32 {
    let instruction = interpreter.bytecode.opcode();
    if instruction == opcode::KECCAK256 {
        let length = interpreter.stack.peek(1).unwrap_or_default();
        return if length > U256::from(BYTES_MAX) { TOO_MUCH } else { 1 };
    }
    WEIGHTS[usize::from(instruction)]
}

/// Whether there may be more work in running it than its gas tells.
fn is_large_precompile(address: &Address) -> bool {
    is_precompile(address) && *address > Address::with_last_byte(LAST_SMALL_PRECOMPILE)
}

impl<'a> Inspector<ShardContext<'a>> for Watch {
    fn step(&mut self, interpreter: &mut Interpreter, _: &mut ShardContext<'a>) {
        self.weight_left = self.weight_left.saturating_sub(weight(interpreter));
        if interpreter.gas.total_gas_spent() > GAS_MAX {
            self.give_up();
        }
        if self.is_over() {
            // Whatever becomes of it now, its result is not used.
            interpreter.halt_oog();
        }
    }

    fn call(&mut self, _: &mut ShardContext<'a>, inputs: &mut CallInputs) -> Option<FrameOutcome> {
        self.depth += 1;
        if self.depth > DEPTH_MAX || is_large_precompile(&inputs.bytecode_address) {
            self.give_up();
        }
        let offset = inputs.return_memory_offset.clone();
        self.is_over().then(|| FrameOutcome::new_oog(inputs.gas_limit, offset, inputs.reservoir))
    }

    fn call_end(&mut self, _: &mut ShardContext<'a>, _: &CallInputs, _: &mut FrameOutcome) {
        self.depth -= 1;
    }

    fn create(&mut self, _: &mut ShardContext<'a>, _: &mut CreateInputs) -> Option<CreateOutcome> {
        self.give_up();
        None
    }
}

#[cfg(test)]
mod tests;
