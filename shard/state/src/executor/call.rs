//! Executing a request that nobody signed, without writing: `eth_call`.

use std::collections::BTreeMap;

use alloy_eips::{eip2930::AccessList, eip7702::RecoveredAuthorization};
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256};
use revm::{
    context::{
        TxEnv,
        result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction, OutOfGasError},
    },
    context_interface::either::Either,
};

use super::{Environment, ExecuteError, PrecompileChanges, evm::Evm};
use crate::state::{FlatState, PendingState, StateError};

/// A transaction as RPC callers describe it; what is left out is chosen for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRequest {
    /// The sender; needs no signature, and may be a contract.
    pub from: Address,
    /// The destination; none creates a contract.
    pub to: Option<Address>,
    /// Most gas; if none, as much as is allowed.
    pub gas: Option<u64>,
    /// Most paid per gas, wei. If zero, nothing is paid and BASEFEE is zero, as in geth.
    pub gas_price: u128,
    /// Most paid per gas to the proposer, wei; none for requests of the older types.
    pub priority_fee: Option<u128>,
    /// Wei sent.
    pub value: U256,
    /// Data, or the code that creates the contract.
    pub input: Bytes,
    /// Addresses and slots that are warm.
    pub access_list: AccessList,
    /// Code that accounts take from others (EIP-7702), with the signers; with any, it is a transaction of type 4.
    pub authorizations: Vec<RecoveredAuthorization>,
    /// Precompiles that it believes to be elsewhere.
    pub precompiles: PrecompileChanges,
    /// Ids of blocks, by height, that it believes to be others: what BLOCKHASH gives where it gives anything.
    pub block_hashes: BTreeMap<u64, B256>,
}

/// What a call led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// It succeeded.
    Success {
        /// What it returned; a created contract's code.
        output: Bytes,
        /// Gas used, after refunds.
        gas_used: u64,
        /// Gas used, before refunds.
        gas_spent: u64,
        /// Events.
        logs: Vec<Log>,
    },
    /// It reverted.
    Revert {
        /// What it returned.
        output: Bytes,
        /// Gas used.
        gas_used: u64,
    },
    /// It ran into an error and used all of its gas.
    Halt {
        /// The error; [`halt_text`] gives geth's text.
        reason: HaltReason,
        /// Gas used.
        gas_used: u64,
    },
}

impl CallOutcome {
    /// Gas used, after refunds.
    pub const fn gas_used(&self) -> u64 {
        match self {
            Self::Success { gas_used, .. } | Self::Revert { gas_used, .. } | Self::Halt { gas_used, .. } => {
                *gas_used
            }
        }
    }

    /// Events, in order; none if it failed.
    pub fn logs(&self) -> &[Log] {
        match self {
            Self::Success { logs, .. } => logs,
            Self::Revert { .. } | Self::Halt { .. } => &[],
        }
    }
}

/// Why a call could not be made. Texts are geth's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The sender cannot pay.
    #[error("insufficient funds for gas * price + value: address {sender} have {found} want {needed}")]
    InsufficientFunds {
        /// Who sends.
        sender: Address,
        /// What it may cost.
        needed: U256,
        /// What there is.
        found: U256,
    },
    /// Offers more to the proposer than in all.
    #[error(
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, maxFeePerGas: {fee}"
    )]
    TipAboveFee {
        /// The priority fee.
        tip: u128,
        /// The fee.
        fee: u128,
    },
    /// Offers less than the base fee.
    #[error("max fee per gas less than block base fee: maxFeePerGas: {found}, baseFee: {base_fee}")]
    FeeTooLow {
        /// The block's base fee.
        base_fee: u64,
        /// The most it pays.
        found: u128,
    },
    /// Less gas than it takes to begin.
    #[error("intrinsic gas too low: gas {found}, minimum needed {needed}")]
    IntrinsicGas {
        /// What it takes.
        needed: u64,
        /// The gas allowed.
        found: u64,
    },
    /// EIP-7702 authorizations with a creation.
    #[error("EIP-7702 transaction cannot be used to create contract (sender {sender})")]
    Authorizing {
        /// Who sends.
        sender: Address,
    },
    /// Too much code to create a contract with.
    #[error("max initcode size exceeded")]
    InitcodeSize,
    /// Estimating: no gas within the allowance is enough.
    #[error("gas required exceeds allowance ({allowance})")]
    GasAllowance {
        /// The most that may be used.
        allowance: u64,
    },
    /// Estimating: it reverts, whatever the gas.
    #[error("execution reverted")]
    Reverted {
        /// What it returned.
        output: Bytes,
    },
    /// Estimating: it runs into an error that more gas does not cure.
    #[error("{}", halt_text(.reason))]
    Halted {
        /// The error.
        reason: HaltReason,
    },
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The EVM failed in itself.
    #[error(transparent)]
    Execute(ExecuteError),
}

/// Executes a request on a state, as if at the end of the block that led to it. At most `gas_max` gas is used.
pub fn call(
    state: &dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<CallOutcome, CallError> {
    let (mut evm, transaction) = ready(state, environment, request, gas_max)?;
    match evm.transact(transaction) {
        Ok(result) => Ok(outcome(result)),
        Err(error) => Err(refusal(error, environment, request)),
    }
}

/// An EVM that takes requests, and the request as it takes it.
pub(super) fn ready<'a>(
    state: &'a dyn FlatState,
    environment: &Environment,
    request: &CallRequest,
    gas_max: u64,
) -> Result<(Evm<'a>, TxEnv), CallError> {
    if request.to.is_none() && !request.authorizations.is_empty() {
        return Err(CallError::Authorizing { sender: request.from });
    }
    let gas = request.gas.unwrap_or(gas_max).min(gas_max);
    let mut config = environment.config();
    config.disable_nonce_check = true;
    config.disable_eip3607 = true;
    config.tx_chain_id_check = false;
    config.tx_gas_limit_cap = Some(u64::MAX);
    let mut block = environment.block();
    block.gas_limit = block.gas_limit.max(gas);
    if request.gas_price == 0 {
        block.basefee = 0;
    }
    let state = PendingState::new(state).with_block_hashes(request.block_hashes.clone());
    let evm = Evm::new(state, config, block, environment.portal);
    Ok((evm.with_precompiles(request.precompiles.clone()), environment_of(request, gas)))
}

/// What geth says of a call that halted.
pub fn halt_text(reason: &HaltReason) -> &'static str {
    match reason {
        HaltReason::OutOfGas(OutOfGasError::InvalidOperand) => "gas uint64 overflow",
        HaltReason::OutOfGas(_) => "out of gas",
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "invalid opcode",
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID",
        HaltReason::InvalidJump => "invalid jump destination",
        HaltReason::StackUnderflow => "stack underflow",
        HaltReason::StackOverflow => "stack limit reached 1024 (1023)",
        HaltReason::OutOfOffset => "return data out of bounds",
        HaltReason::CreateCollision => "contract address collision",
        HaltReason::PrecompileError | HaltReason::PrecompileErrorWithContext(_) => "precompile failed",
        HaltReason::NonceOverflow => "nonce uint64 overflow",
        HaltReason::CreateContractSizeLimit => "max code size exceeded",
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded",
        HaltReason::OverflowPayment | HaltReason::OutOfFunds => "insufficient balance for transfer",
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection"
        }
        HaltReason::CallTooDeep => "max call depth exceeded",
    }
}

pub(super) fn environment_of(request: &CallRequest, gas: u64) -> TxEnv {
    let tx_type = match (request.priority_fee, request.access_list.is_empty()) {
        _ if !request.authorizations.is_empty() => 4,
        (Some(_), _) => 2,
        (None, false) => 1,
        (None, true) => 0,
    };
    TxEnv {
        tx_type,
        caller: request.from,
        gas_limit: gas,
        gas_price: request.gas_price,
        kind: request.to.map_or(TxKind::Create, TxKind::Call),
        value: request.value,
        data: request.input.clone(),
        nonce: 0,
        chain_id: None,
        access_list: request.access_list.clone(),
        gas_priority_fee: request.priority_fee,
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: request.authorizations.iter().cloned().map(Either::Right).collect(),
    }
}

pub(super) fn outcome(result: ExecutionResult) -> CallOutcome {
    let (gas_used, gas_spent) = (result.tx_gas_used(), result.gas().total_gas_spent());
    match result {
        ExecutionResult::Success { logs, output, .. } => {
            CallOutcome::Success { output: output.into_data(), gas_used, gas_spent, logs }
        }
        ExecutionResult::Revert { output, .. } => CallOutcome::Revert { output, gas_used },
        ExecutionResult::Halt { reason, .. } => CallOutcome::Halt { reason, gas_used },
    }
}

/// Names what the EVM refused before it began.
pub(super) fn refusal(error: ExecuteError, environment: &Environment, request: &CallRequest) -> CallError {
    let ExecuteError::Evm(refused) = &error else {
        return match error {
            ExecuteError::State(error) => CallError::State(error),
            other => CallError::Execute(other),
        };
    };
    let EVMError::Transaction(refused) = &**refused else { return CallError::Execute(error) };
    match refused {
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            CallError::InsufficientFunds { sender: request.from, needed: **fee, found: **balance }
        }
        InvalidTransaction::OverflowPaymentInTransaction => {
            CallError::InsufficientFunds { sender: request.from, needed: U256::MAX, found: U256::ZERO }
        }
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => {
            CallError::TipAboveFee { tip: request.priority_fee.unwrap_or_default(), fee: request.gas_price }
        }
        InvalidTransaction::GasPriceLessThanBasefee => {
            CallError::FeeTooLow { base_fee: environment.base_fee, found: request.gas_price }
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            CallError::IntrinsicGas { needed: *initial_gas, found: *gas_limit }
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            CallError::IntrinsicGas { needed: *gas_floor, found: *gas_limit }
        }
        InvalidTransaction::CreateInitCodeSizeLimit => CallError::InitcodeSize,
        _ => CallError::Execute(error),
    }
}
