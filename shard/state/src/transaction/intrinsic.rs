//! What a transaction costs before it does anything.
//!
//! Rules: yellow paper section 6.2, EIP-2028, EIP-2930, EIP-3860, EIP-7623, EIP-7702.

use alloy_consensus::Transaction;
use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;

/// Most gas one transaction may have (EIP-7825).
pub const TRANSACTION_GAS_MAX: u64 = MAX_TX_GAS_LIMIT_OSAKA;

/// Of every transaction.
const BASE: u64 = 21_000;
/// Of each data token; a zero byte is one, another byte four (EIP-2028).
const TOKEN: u64 = 4;
/// Of each data token, at least, whatever else the transaction does (EIP-7623).
const TOKEN_FLOOR: u64 = 10;
/// Of creating a contract.
const CREATE: u64 = 32_000;
/// Of each 32-byte word of initcode (EIP-3860).
const INITCODE_WORD: u64 = 2;
/// Of an address in the access list (EIP-2930).
const ACCESS_ADDRESS: u64 = 2_400;
/// Of a storage key in the access list (EIP-2930).
const ACCESS_KEY: u64 = 1_900;
/// Of an authorization (EIP-7702).
const AUTHORIZATION: u64 = 25_000;

/// Gas that a transaction must offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrinsicGas {
    /// Taken before execution.
    pub initial: u64,
    /// Least that is used in the end.
    pub floor: u64,
}

/// Computes it from the transaction alone. Its size being limited, nothing overflows.
pub fn intrinsic_gas(transaction: &impl Transaction) -> IntrinsicGas {
    let input = transaction.input();
    let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
    let tokens = zeros + 4 * (input.len() as u64 - zeros);
    let mut initial = BASE + TOKEN * tokens;
    if transaction.is_create() {
        initial += CREATE + INITCODE_WORD * input.len().div_ceil(32) as u64;
    }
    if let Some(list) = transaction.access_list() {
        let keys: usize = list.iter().map(|item| item.storage_keys.len()).sum();
        initial += ACCESS_ADDRESS * list.len() as u64 + ACCESS_KEY * keys as u64;
    }
    if let Some(list) = transaction.authorization_list() {
        initial += AUTHORIZATION * list.len() as u64;
    }
    IntrinsicGas { initial, floor: BASE + TOKEN_FLOOR * tokens }
}
