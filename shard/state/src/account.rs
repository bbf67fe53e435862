//! An account as the state trie commits to it, and the change of one account.
//!
//! Rules: Ethereum yellow paper, section 4.1; EIP-161 for which accounts do not exist.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};

/// Everything an account is, apart from its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created, by the account.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Keccak-256 of the code; [`KECCAK256_EMPTY`] for an account without code.
    pub code_hash: B256,
}

impl Account {
    /// Whether the account does not exist by EIP-161: no nonce, no balance, no code.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: KECCAK256_EMPTY }
    }
}

/// What became of one account: its new value, and the storage slots that differ.
///
/// The inverse change carries the old account and the old values of the same slots; when the storage was
/// cleared, the old values of every slot it had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The account changed.
    pub address: Address,
    /// The account afterwards. `None`, and an account that is empty by EIP-161, is removed with its storage.
    pub account: Option<Account>,
    /// Slots (not hashed) and their values afterwards; zero deletes the slot.
    pub storage: Vec<(B256, U256)>,
    /// Whether the storage was emptied before `storage` was written.
    pub storage_cleared: bool,
}
