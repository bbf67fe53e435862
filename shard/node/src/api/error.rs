//! What this node's errors are to a caller of its RPC.

use crate::handle::{QueryError, SubmitError};
use crate::pool::PoolError;
use crate::store::ReadError;
use rpc::RpcError;
use rpc::error::{SimulationReason, TransactionError as Refused};
use shard_state::{
    chain::ProofError,
    executor::{CallError, ExecuteError, InclusionError, SimulateError, TraceError, halt_text},
    state::StateError,
    transaction::TransactionError,
};
use storage::StorageError;

/// A fault of this node's own: its log says more than its caller is told.
pub(super) fn internal(error: &dyn std::error::Error) -> RpcError {
    tracing::error!(%error, "a request could not be answered");
    RpcError::Internal(error.to_string())
}

pub(super) fn storage(error: StorageError) -> RpcError {
    internal(&error)
}

pub(super) fn state(error: StateError) -> RpcError {
    internal(&error)
}

pub(super) fn read(error: ReadError) -> RpcError {
    match error {
        ReadError::NotAvailable { oldest, newest, found } => {
            RpcError::StateNotAvailable { height: found.get(), oldest: oldest.get(), newest: newest.get() }
        }
        error => internal(&error),
    }
}

pub(super) fn query(error: QueryError) -> RpcError {
    match error {
        QueryError::Proof(ProofError::NotAvailable { oldest, newest, found }) => {
            RpcError::StateNotAvailable { height: found.get(), oldest: oldest.get(), newest: newest.get() }
        }
        QueryError::Proof(ProofError::State(error)) => state(error),
        QueryError::Stopped => RpcError::Server(error.to_string()),
    }
}

pub(crate) fn submit(error: SubmitError) -> RpcError {
    match error {
        SubmitError::Transaction(error) => transaction(error),
        SubmitError::Pool(error) => pool(error),
        SubmitError::Busy => RpcError::Busy("too many transactions are being verified, try again"),
        SubmitError::Stopped => RpcError::Server(error.to_string()),
    }
}

pub(super) fn call(error: CallError) -> RpcError {
    match error {
        CallError::GasAllowance { allowance } => RpcError::GasAllowance { allowance },
        CallError::Reverted { output } => RpcError::Reverted { data: output },
        CallError::Halted { reason } => RpcError::Execution(halt_text(&reason).to_owned()),
        CallError::State(error) => state(error),
        CallError::Execute(error) => internal(&error),
        refused => RpcError::Server(refused.to_string()),
    }
}

/// A certified block does not execute again as it did.
pub(super) fn execute(error: ExecuteError) -> RpcError {
    internal(&error)
}

pub(super) fn trace(error: TraceError) -> RpcError {
    match error {
        TraceError::TooLarge { .. } => RpcError::LimitExceeded(error.to_string()),
        TraceError::Stopped | TraceError::Tracer(_) => RpcError::Server(error.to_string()),
        TraceError::Call(error) => call(error),
        TraceError::Execute(error) => execute(error),
        TraceError::Options => internal(&error),
    }
}

/// Why a call cannot be a transaction of a simulated block.
pub(super) fn simulate(error: SimulateError) -> RpcError {
    use SimulationReason as Reason;
    let reason = match &error {
        SimulateError::Inclusion(InclusionError::NonceTooLow { .. }) => Reason::NonceTooLow,
        SimulateError::Inclusion(InclusionError::NonceTooHigh { .. }) => Reason::NonceTooHigh,
        SimulateError::Inclusion(InclusionError::SenderNotEoa { .. }) => Reason::SenderNotEoa,
        SimulateError::Inclusion(InclusionError::GasLimitReached { .. }) => {
            return Reason::BlockGasLimit.because(format!("block {error}")).into();
        }
        SimulateError::Inclusion(InclusionError::InsufficientFunds { .. })
        | SimulateError::Call(CallError::InsufficientFunds { .. }) => Reason::InsufficientFunds,
        SimulateError::Inclusion(InclusionError::FeeTooLow { .. })
        | SimulateError::Call(CallError::FeeTooLow { .. }) => Reason::FeeTooLow,
        SimulateError::Call(CallError::IntrinsicGas { .. }) => Reason::IntrinsicGas,
        SimulateError::Call(CallError::InitcodeSize) => Reason::InitCodeTooLarge,
        SimulateError::Call(CallError::TipAboveFee { .. }) => {
            return RpcError::InvalidParams(error.to_string());
        }
        SimulateError::Call(error) => return call(error.clone()),
    };
    reason.because(error).into()
}

/// Why a transaction can never be included.
fn transaction(error: TransactionError) -> RpcError {
    let refused = match error {
        TransactionError::Oversized { limit, found } => Refused::Oversized { found, limit: limit as usize },
        TransactionError::TypeNotSupported { found } => Refused::TypeNotSupported { found },
        TransactionError::Rlp(error) => Refused::Malformed(error.to_string()),
        TransactionError::Unprotected => Refused::NotReplayProtected,
        TransactionError::ChainId { expected, found } => Refused::ChainId { found, expected },
        TransactionError::InvalidSender(_) => Refused::InvalidSender,
        TransactionError::IntrinsicGas { needed, found } => Refused::IntrinsicGas { found, expected: needed },
        TransactionError::BlockGasLimit { limit, found } => Refused::ExceedsBlockGasLimit { found, limit },
        TransactionError::InitcodeSize { limit, found } => Refused::InitCodeTooLarge { found, limit },
        TransactionError::TipAboveFee { tip, fee } => Refused::TipAboveFeeCap { tip, cap: fee },
        TransactionError::NoAuthorizations => Refused::EmptyAuthorizations,
        error @ (TransactionError::Empty
        | TransactionError::FloorDataGas { .. }
        | TransactionError::GasLimitTooHigh { .. }
        | TransactionError::NonceMax
        | TransactionError::CostOverflow) => return RpcError::Server(error.to_string()),
    };
    refused.into()
}

/// Why the pool does not take a transaction now.
fn pool(error: PoolError) -> RpcError {
    let refused = match error {
        PoolError::AlreadyKnown => Refused::AlreadyKnown,
        PoolError::NonceTooLow { expected, found } => Refused::NonceTooLow { expected, found },
        PoolError::NonceTooHigh { expected, found } => Refused::NonceTooHigh { expected, found },
        PoolError::InsufficientFunds { balance, cost } => Refused::InsufficientFunds { balance, cost },
        PoolError::Underpriced { found, expected } => Refused::Underpriced { found, expected },
        PoolError::ReplacementUnderpriced => Refused::ReplacementUnderpriced,
        PoolError::Full => Refused::PoolFull,
        PoolError::AccountLimit { .. } => return RpcError::Server(error.to_string()),
    };
    refused.into()
}
