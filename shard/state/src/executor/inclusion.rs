//! Whether a transaction may be included at this place of this block.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};

use super::Environment;
use crate::{
    account::Account,
    state::{PendingState, StateError},
    transaction::Transaction,
};

/// Why a transaction may not be included here; perhaps elsewhere. Texts are geth's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// It was included before, or another one of that nonce.
    #[error("nonce too low: address {sender}, tx: {found} state: {expected}")]
    NonceTooLow {
        /// Who sent it.
        sender: Address,
        /// The account's nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// One before it is missing.
    #[error("nonce too high: address {sender}, tx: {found} state: {expected}")]
    NonceTooHigh {
        /// Who sent it.
        sender: Address,
        /// The account's nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The sender is a contract (EIP-3607).
    #[error("sender not an eoa: address {sender}, codehash: {code_hash}")]
    SenderNotEoa {
        /// Who sent it.
        sender: Address,
        /// Of its code.
        code_hash: B256,
    },
    /// It offers less than the base fee.
    #[error(
        "max fee per gas less than block base fee: address {sender}, maxFeePerGas: {found}, baseFee: {base_fee}"
    )]
    FeeTooLow {
        /// Who sent it.
        sender: Address,
        /// The block's base fee.
        base_fee: u64,
        /// The most it pays.
        found: u128,
    },
    /// The sender cannot pay for it.
    #[error("insufficient funds for gas * price + value: address {sender} have {found} want {needed}")]
    InsufficientFunds {
        /// Who sent it.
        sender: Address,
        /// What it may cost.
        needed: U256,
        /// What there is.
        found: U256,
    },
    /// The block is full.
    #[error("gas limit reached: {found} wanted, {left} left")]
    GasLimitReached {
        /// What the block has left.
        left: u64,
        /// The transaction's gas limit.
        found: u64,
    },
}

/// Checks a transaction against the state it would run on, and gives its sender's account.
pub(super) fn check(
    transaction: &Transaction,
    state: &mut PendingState<'_>,
    environment: &Environment,
    gas_left: u64,
) -> Result<Result<Account, InclusionError>, StateError> {
    let sender = state.account(&transaction.sender())?.unwrap_or_default();
    let is_contract = !transaction.is_impersonated()
        && sender.code_hash != KECCAK256_EMPTY
        && !state.bytecode(&sender.code_hash)?.is_eip7702();
    Ok(check_inclusion(transaction, &sender, is_contract, environment.base_fee, gas_left).map(|()| sender))
}

/// Checks a transaction against its sender's account, the base fee and the gas that a block has left.
pub fn check_inclusion(
    transaction: &Transaction,
    account: &Account,
    is_contract: bool,
    base_fee: u64,
    gas_left: u64,
) -> Result<(), InclusionError> {
    let sender = transaction.sender();
    let envelope = transaction.envelope();
    let (expected, found) = (account.nonce, envelope.nonce());
    if found < expected {
        return Err(InclusionError::NonceTooLow { sender, expected, found });
    }
    if found > expected {
        return Err(InclusionError::NonceTooHigh { sender, expected, found });
    }
    if is_contract {
        return Err(InclusionError::SenderNotEoa { sender, code_hash: account.code_hash });
    }
    if envelope.max_fee_per_gas() < u128::from(base_fee) {
        return Err(InclusionError::FeeTooLow { sender, base_fee, found: envelope.max_fee_per_gas() });
    }
    let needed = transaction.cost_max().unwrap_or(U256::MAX);
    if needed > account.balance {
        return Err(InclusionError::InsufficientFunds { sender, needed, found: account.balance });
    }
    if envelope.gas_limit() > gas_left {
        return Err(InclusionError::GasLimitReached { left: gas_left, found: envelope.gas_limit() });
    }
    Ok(())
}
