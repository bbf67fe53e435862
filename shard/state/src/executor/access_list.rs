//! The addresses and slots that a request touches: `eth_createAccessList`, found as geth finds it.
//!
//! What a call touches may depend on the gas it has left, and so on the list itself. Therefore it is executed with the
//! list that was found until the list stays the same.

use alloy_eips::eip2930::AccessList;
use revm_inspectors::access_list::AccessListInspector;

use super::{CallError, CallOutcome, CallRequest, Environment, call};
use crate::state::FlatState;

/// Executions after which a list that still changes is taken as it is. Each execution only adds to it, so this is never
/// met but by code that counts its gas to that end.
const ROUNDS_MAX: u32 = 16;

/// What a request touches, and what it does with that at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessListed {
    /// All that it touches but sender, destination, authorities and precompiles, whose addresses are warm anyway.
    pub access_list: AccessList,
    /// What the request led to with this list.
    pub outcome: CallOutcome,
}

/// Finds the access list of a request on a state, as if at the end of the block that led to it. At most `gas_max` gas is
/// used, each time that it is executed.
pub fn create_access_list(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<AccessListed, CallError> {
    let mut request = request.clone();
    for _ in 1..ROUNDS_MAX {
        let found = touched(state, environment, &request, gas_max)?;
        if found.access_list == request.access_list {
            return Ok(found);
        }
        request.access_list = found.access_list;
    }
    touched(state, environment, &request, gas_max)
}

/// One execution: what it touched together with what the request lists already.
fn touched(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<AccessListed, CallError> {
    let (evm, transaction) = call::ready(state, environment, request, gas_max)?;
    let mut evm = evm.with_inspector(AccessListInspector::new(request.access_list.clone()));
    let executed = evm.inspect(transaction).map_err(|error| call::refusal(error, environment, request))?;
    let (inspector, ..) = evm.parts();
    Ok(AccessListed { access_list: inspector.access_list(), outcome: call::outcome(executed.result) })
}
