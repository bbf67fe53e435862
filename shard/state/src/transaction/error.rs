//! Why a transaction can never be included.

use crypto::secp256k1::RecoverError;

/// Why a transaction can never be included in this shard; the sender is at fault. Texts that tools match on are geth's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// No bytes.
    #[error("typed transaction too short")]
    Empty,
    /// Too many bytes.
    #[error("oversized data: transaction size {found}, limit {limit}")]
    Oversized {
        /// Most there may be.
        limit: u32,
        /// How many there are.
        found: usize,
    },
    /// A type that shards do not have; type 3 carries blobs, which only the beacon chain will.
    #[error("transaction type not supported: {found}, a shard takes types 0, 1, 2 and 4")]
    TypeNotSupported {
        /// The type.
        found: u8,
    },
    /// Not the encoding of a transaction.
    #[error("rlp: {0}")]
    Rlp(alloy_rlp::Error),
    /// A legacy signature that would be valid on every chain.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {found} want {expected}")]
    ChainId {
        /// The shard's.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The signature has no signer.
    #[error("invalid sender: {0}")]
    InvalidSender(RecoverError),
    /// Less gas than it takes to begin.
    #[error("intrinsic gas too low: gas {found}, minimum needed {needed}")]
    IntrinsicGas {
        /// What it takes.
        needed: u64,
        /// The transaction's gas limit.
        found: u64,
    },
    /// Less gas than its data costs at least (EIP-7623).
    #[error("insufficient gas for floor data gas cost: gas {found}, minimum needed {needed}")]
    FloorDataGas {
        /// What it takes.
        needed: u64,
        /// The transaction's gas limit.
        found: u64,
    },
    /// More gas than a transaction may have (EIP-7825).
    #[error("transaction gas limit too high (cap: {limit}, tx: {found})")]
    GasLimitTooHigh {
        /// Most there may be.
        limit: u64,
        /// The transaction's gas limit.
        found: u64,
    },
    /// More gas than a block has.
    #[error("exceeds block gas limit: block {limit}, transaction {found}")]
    BlockGasLimit {
        /// The block's.
        limit: u64,
        /// The transaction's.
        found: u64,
    },
    /// Too much code to create a contract with (EIP-3860).
    #[error("max initcode size exceeded: code size {found}, limit {limit}")]
    InitcodeSize {
        /// Most bytes.
        limit: usize,
        /// Bytes there are.
        found: usize,
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
    /// The nonce could not be incremented.
    #[error("nonce has max value")]
    NonceMax,
    /// Nobody can have so much.
    #[error("insufficient funds for gas * price + value: the cost exceeds 256 bits")]
    CostOverflow,
    /// An EIP-7702 transaction that authorizes nothing.
    #[error("EIP-7702 transaction with empty auth list")]
    NoAuthorizations,
}
