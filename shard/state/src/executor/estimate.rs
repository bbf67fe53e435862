//! The least gas a request needs: `eth_estimateGas`, found as geth finds it.
//!
//! Gas used is no answer: a call passes on at most 63/64 of what is left, and refunds come after all is spent. So it is
//! searched for between what was used and what is allowed. Success alone is no answer either: a contract may catch that
//! what it called ran out of gas, and succeed without having done what it was asked for.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, Log, U256};
use revm::context::result::HaltReason;

use super::{CallError, CallOutcome, CallRequest, Environment, call};
use crate::{state::FlatState, transaction::TRANSACTION_GAS_MAX};

/// Gas of a transfer that runs no code.
const TRANSFER_GAS: u64 = 21_000;
/// What a call with value adds to the callee's gas.
const CALL_STIPEND: u64 = 2_300;
/// The search ends when the bounds differ by less than this many thousandths, as in geth.
const ERROR_PERMILLE: u64 = 15;

/// Least gas limit, within geth's tolerance, with which the request succeeds. At most `gas_max`.
pub fn estimate_gas(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<u64, CallError> {
    let allowance = allowance(state, environment, request, gas_max)?;
    let attempt = |gas: u64| {
        let request = CallRequest { gas: Some(gas), ..request.clone() };
        match call(state, environment, &request, gas) {
            Err(CallError::IntrinsicGas { .. }) => Ok(None),
            other => other.map(Some),
        }
    };
    if is_transfer(state, request)? && matches!(attempt(TRANSFER_GAS)?, Some(CallOutcome::Success { .. })) {
        return Ok(TRANSFER_GAS);
    }
    let unlimited = attempt(allowance)?;
    let (gas_used, gas_spent, wanted) = match &unlimited {
        Some(CallOutcome::Success { gas_used, gas_spent, output, logs }) => {
            (*gas_used, *gas_spent, Deed::new(output, logs))
        }
        Some(CallOutcome::Revert { output, .. }) => {
            return Err(CallError::Reverted { output: output.clone() });
        }
        Some(CallOutcome::Halt { reason: HaltReason::OutOfGas(_), .. }) | None => {
            return Err(CallError::GasAllowance { allowance });
        }
        Some(CallOutcome::Halt { reason, .. }) => return Err(CallError::Halted { reason: reason.clone() }),
    };
    let suffices = |gas: u64| {
        Ok::<_, CallError>(match attempt(gas)? {
            Some(CallOutcome::Success { output, logs, .. }) => wanted.is_done_by(&Deed::new(&output, &logs)),
            _ => false,
        })
    };
    let (mut low, mut high) = (gas_used.saturating_sub(1), allowance);
    // A first guess that is right for most requests.
    let guess = gas_spent.saturating_add(CALL_STIPEND).saturating_mul(64) / 63;
    if guess < high {
        if suffices(guess)? { high = guess } else { low = guess }
    }
    while low + 1 < high && (high - low).saturating_mul(1_000) >= high.saturating_mul(ERROR_PERMILLE) {
        // Most requests need little more than they use, so the search starts low.
        let middle = (low + (high - low) / 2).min(low.saturating_mul(2).max(low + 1));
        if suffices(middle)? { high = middle } else { low = middle }
    }
    Ok(high)
}

/// What shows of what a successful request did.
#[derive(Debug)]
struct Deed {
    /// What it returned first, if that can be an answer of yes or no.
    answer: Option<bool>,
    /// Who left which events, in order; their data may depend on the gas there is.
    events: Vec<(Address, Option<B256>)>,
}

impl Deed {
    fn new(output: &[u8], logs: &[Log]) -> Self {
        let answer = output.first_chunk::<32>().and_then(|word| match U256::from_be_bytes(*word) {
            U256::ZERO => Some(false),
            U256::ONE => Some(true),
            _ => None,
        });
        let events = logs.iter().map(|log| (log.address, log.topics().first().copied())).collect();
        Self { answer, events }
    }

    /// Whether an attempt did this, with less gas.
    fn is_done_by(&self, attempt: &Self) -> bool {
        let denied = self.answer == Some(true) && attempt.answer == Some(false);
        !denied && self.events == attempt.events
    }
}

/// The most gas the request may use: what is asked for, what a transaction may have, what its sender can pay.
fn allowance(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<u64, CallError> {
    let limit = request.gas.filter(|gas| *gas >= TRANSFER_GAS).unwrap_or(environment.gas_limit);
    let limit = limit.min(TRANSACTION_GAS_MAX).min(gas_max);
    if request.gas_price == 0 {
        return Ok(limit);
    }
    let balance = state.account(&request.from)?.unwrap_or_default().balance;
    let Some(left) = balance.checked_sub(request.value) else {
        return Err(CallError::InsufficientFunds {
            sender: request.from,
            needed: request.value,
            found: balance,
        });
    };
    let payable = left / U256::from(request.gas_price);
    Ok(u64::try_from(payable).map_or(limit, |payable| payable.min(limit)))
}

/// Whether the request only moves value, so that one attempt with the known price settles it.
fn is_transfer(state: &dyn FlatState, request: &CallRequest) -> Result<bool, CallError> {
    let bare =
        request.input.is_empty() && request.access_list.is_empty() && request.authorizations.is_empty();
    let Some(to) = request.to.filter(|_| bare) else {
        return Ok(false);
    };
    Ok(state.account(&to)?.unwrap_or_default().code_hash == KECCAK256_EMPTY)
}
