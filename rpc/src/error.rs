//! What a JSON-RPC call answers when it cannot do what was asked, in geth's codes and texts.
//!
//! Tools match these texts (ethers turns "nonce too low" into its own error class), so a text here is
//! wire format: it changes only when geth's does.

mod portal;
mod revert;
mod simulation;

use alloy_primitives::{Address, B256, Bytes, U256};
use jsonrpsee::types::ErrorObjectOwned;

pub use portal::known_contract_errors;
pub use simulation::{SimulationError, SimulationReason};

/// Result of a JSON-RPC method.
pub type RpcResult<T> = Result<T, RpcError>;

/// The general code of a server that could not do it.
pub const SERVER_ERROR: i32 = -32000;
/// A call reverted; the error's data are the bytes it returned.
pub const REVERTED: i32 = 3;
/// The request is no JSON-RPC request.
pub const INVALID_REQUEST: i32 = -32600;
/// There is no such method here.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The arguments are not what the method takes.
pub const INVALID_PARAMS: i32 = -32602;
/// A fault of the node's own.
pub const INTERNAL: i32 = -32603;
/// The answer would be larger than the node gives.
pub const LIMIT_EXCEEDED: i32 = -32005;

/// The body of a request is no JSON.
pub const PARSE_ERROR: i32 = -32700;
/// A connection has as many subscriptions as it may have.
pub const TOO_MANY_SUBSCRIPTIONS: i32 = -32006;
/// A request is larger than the server takes.
pub const REQUEST_TOO_LARGE: i32 = -32007;
/// A response would be larger than the server gives.
pub const RESPONSE_TOO_LARGE: i32 = -32008;
/// A batch has more calls than the server takes.
pub const BATCH_TOO_LARGE: i32 = -32010;

/// The responses to a batch would be larger together than the server gives.
pub const BATCH_RESPONSE_TOO_LARGE: i32 = -32011;

/// Every code there is.
pub const CODES: [i32; 26] = [
    SERVER_ERROR,
    REVERTED,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    INVALID_PARAMS,
    INTERNAL,
    LIMIT_EXCEEDED,
    PARSE_ERROR,
    TOO_MANY_SUBSCRIPTIONS,
    REQUEST_TOO_LARGE,
    RESPONSE_TOO_LARGE,
    BATCH_TOO_LARGE,
    BATCH_RESPONSE_TOO_LARGE,
    SimulationReason::NonceTooLow.code(),
    SimulationReason::NonceTooHigh.code(),
    SimulationReason::FeeTooLow.code(),
    SimulationReason::IntrinsicGas.code(),
    SimulationReason::InsufficientFunds.code(),
    SimulationReason::BlockGasLimit.code(),
    SimulationReason::BlockNumber.code(),
    SimulationReason::BlockTimestamp.code(),
    SimulationReason::PrecompileToItself.code(),
    SimulationReason::PrecompileTaken.code(),
    SimulationReason::SenderNotEoa.code(),
    SimulationReason::InitCodeTooLarge.code(),
    SimulationReason::TooManyBlocks.code(),
];

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// Parameters must come by position.
    #[error("non-array args")]
    NotAnArray,
    /// A required argument is absent or `null`.
    #[error("missing value for required argument {index}")]
    MissingArgument {
        /// Its place, from zero.
        index: usize,
    },
    /// An argument cannot be read.
    #[error("invalid argument {index}: {detail}")]
    InvalidArgument {
        /// Its place, from zero.
        index: usize,
        /// What the decoder says.
        detail: String,
    },
    /// More arguments than the method takes.
    #[error("too many arguments, want at most {max}")]
    TooManyArguments {
        /// How many it takes.
        max: usize,
    },
    /// Arguments that can be read and make no sense together.
    #[error("{0}")]
    InvalidParams(String),
    /// There is no such method here.
    #[error("the method {method} does not exist/is not available")]
    MethodNotFound {
        /// Its name.
        method: String,
    },
    /// There is no such subscription here.
    #[error("no \"{kind}\" subscription in {namespace} namespace")]
    SubscriptionNotFound {
        /// What was asked for.
        kind: String,
        /// Where.
        namespace: &'static str,
    },
    /// Subscriptions need a connection that stays: WebSocket.
    #[error("notifications not supported")]
    NotificationsUnsupported,
    /// The transaction cannot enter the pool.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The calls cannot be simulated.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The call reverted.
    #[error("{}", revert::message(data))]
    Reverted {
        /// What it returned.
        data: Bytes,
    },
    /// The call ended in another exception of the EVM; the text is the EVM's.
    #[error("{0}")]
    Execution(String),
    /// No gas limit the caller may use lets the call succeed.
    #[error("gas required exceeds allowance ({allowance})")]
    GasAllowance {
        /// Most gas the sender can pay for, or the call may use.
        allowance: u64,
    },
    /// No key of that account is here: the node holds none.
    #[error("unknown account")]
    UnknownAccount,
    /// There is no filter of that id: never was, or it was not asked for in a while.
    #[error("filter not found")]
    FilterNotFound,
    /// No block of that number or hash is known.
    #[error("header not found")]
    HeaderNotFound,
    /// The block is known, its state is no longer (or not yet) kept.
    #[error("historical state not available: block {height}, kept are {oldest} to {newest}")]
    StateNotAvailable {
        /// Asked for.
        height: u64,
        /// Lowest height with state.
        oldest: u64,
        /// Highest height with state.
        newest: u64,
    },
    /// A range that ends before it begins.
    #[error("invalid block range params")]
    InvalidBlockRange,
    /// The answer would be longer than the server gives. The text is the server library's.
    #[error("Response is too big")]
    ResponseTooLarge {
        /// The longest it gives, bytes.
        bytes_max: usize,
    },
    /// More than one call may cost; says how to ask for less.
    #[error("{0}")]
    LimitExceeded(String),
    /// The node has no room for this call now.
    #[error("the node is busy: {0}")]
    Busy(&'static str),
    /// Any other refusal, in its own words.
    #[error("{0}")]
    Server(String),
    /// A fault of the node's own; its log says more.
    #[error("internal error: {0}")]
    Internal(String),
}

/// Why a transaction is refused at the door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Not an EIP-2718 transaction.
    #[error("rlp: {0}")]
    Malformed(String),
    /// A type that this chain does not take.
    #[error("transaction type not supported: type {found}, this chain takes legacy, 1, 2 and 4")]
    TypeNotSupported {
        /// Its EIP-2718 type.
        found: u8,
    },
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {found} want {expected}")]
    ChainId {
        /// The transaction's.
        found: u64,
        /// This shard's.
        expected: u64,
    },
    /// A legacy transaction without EIP-155.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    NotReplayProtected,
    /// No key made this signature.
    #[error("invalid sender")]
    InvalidSender,
    /// In the pool or in a block already.
    #[error("already known")]
    AlreadyKnown,
    /// The account has used this nonce.
    #[error("nonce too low: next nonce {expected}, tx nonce {found}")]
    NonceTooLow {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// Too far above the account's next nonce to be kept.
    #[error("nonce too high: next nonce {expected}, tx nonce {found}")]
    NonceTooHigh {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The account cannot pay for it.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}", cost.saturating_sub(*balance))]
    InsufficientFunds {
        /// What the account has.
        balance: U256,
        /// What the transaction may cost.
        cost: U256,
    },
    /// The pool wants a higher tip.
    #[error("transaction underpriced: gas tip cap {found}, minimum needed {expected}")]
    Underpriced {
        /// The transaction's.
        found: u128,
        /// The least.
        expected: u128,
    },
    /// Another transaction has this nonce, and this one does not pay enough more.
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    /// Below the base fee (only where it matters at once: calls).
    #[error(
        "max fee per gas less than block base fee: address {sender}, maxFeePerGas: {found}, baseFee: {expected}"
    )]
    FeeCapTooLow {
        /// Who pays.
        sender: Address,
        /// The transaction's cap.
        found: u128,
        /// The block's base fee.
        expected: u64,
    },
    /// EIP-1559 wants the cap at least as high as the tip.
    #[error(
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, maxFeePerGas: {cap}"
    )]
    TipAboveFeeCap {
        /// The tip.
        tip: u128,
        /// The cap.
        cap: u128,
    },
    /// Less gas than the transaction costs before it does anything.
    #[error("intrinsic gas too low: gas {found}, minimum needed {expected}")]
    IntrinsicGas {
        /// The transaction's.
        found: u64,
        /// The least.
        expected: u64,
    },
    /// No block can hold it.
    #[error("exceeds block gas limit: gas {found}, limit {limit}")]
    ExceedsBlockGasLimit {
        /// The transaction's.
        found: u64,
        /// A block's.
        limit: u64,
    },
    /// Too many bytes.
    #[error("oversized data: transaction size {found}, limit {limit}")]
    Oversized {
        /// Its size.
        found: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {found}, limit {limit}")]
    InitCodeTooLarge {
        /// Its size.
        found: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// EIP-7702 wants at least one authorization.
    #[error("EIP-7702 transaction with empty auth list")]
    EmptyAuthorizations,
    /// EIP-3607: the sender is a contract.
    #[error("sender not an eoa: address {sender}, codehash: {code_hash}")]
    SenderIsContract {
        /// The sender.
        sender: Address,
        /// Of its code.
        code_hash: B256,
    },
    /// Everything in the pool pays more.
    #[error("txpool is full")]
    PoolFull,
    /// One account holds as much of the pool as it may.
    #[error("account limit exceeded: {limit} transactions of {sender} are pooled")]
    AccountLimit {
        /// The account.
        sender: Address,
        /// Most it may have pooled.
        limit: usize,
    },
}

impl RpcError {
    /// The code on the wire.
    pub const fn code(&self) -> i32 {
        match self {
            Self::NotAnArray
            | Self::MissingArgument { .. }
            | Self::InvalidArgument { .. }
            | Self::TooManyArguments { .. }
            | Self::InvalidParams(_) => INVALID_PARAMS,
            Self::MethodNotFound { .. }
            | Self::SubscriptionNotFound { .. }
            | Self::NotificationsUnsupported => METHOD_NOT_FOUND,
            Self::Simulation(error) => error.reason.code(),
            Self::Reverted { .. } => REVERTED,
            Self::LimitExceeded(_) | Self::Busy(_) => LIMIT_EXCEEDED,
            Self::ResponseTooLarge { .. } => RESPONSE_TOO_LARGE,
            Self::Internal(_) => INTERNAL,
            Self::Transaction(_)
            | Self::Execution(_)
            | Self::GasAllowance { .. }
            | Self::UnknownAccount
            | Self::FilterNotFound
            | Self::HeaderNotFound
            | Self::StateNotAvailable { .. }
            | Self::InvalidBlockRange
            | Self::Server(_) => SERVER_ERROR,
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let data = match &error {
            RpcError::Reverted { data } => Some(data.to_string()),
            RpcError::ResponseTooLarge { bytes_max } => Some(format!("Exceeded max limit of {bytes_max}")),
            _ => None,
        };
        Self::owned(error.code(), error.to_string(), data)
    }
}

#[cfg(test)]
mod tests;
