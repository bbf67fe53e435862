//! Transactions: Ethereum's, decoded, checked without state, their senders recovered in batches.
//!
//! Holds of every `Verified<Transaction>`: it is of a supported type, signed for this shard's chain id, within the
//! size limit, offers its intrinsic gas and no more than a transaction may have, and its sender is the signer
//! ([`impersonate`], which a development chain calls, says otherwise, and so do receipts in the form of transactions). What
//! depends on the state is checked when it is included.
//!
//! - [`decode`], [`recover`]: the two halves of [`verify_batch`]
//! - [`intrinsic_gas`]: what a transaction costs before it does anything
//!
//! Rules: EIP-2718, EIP-155, EIP-2930, EIP-1559, EIP-7702, EIP-3860, EIP-7623, EIP-7825.

mod arrival;
mod decode;
mod error;
mod intrinsic;
mod recover;
#[cfg(test)]
mod tests;

use alloy_consensus::{Transaction as _, TxEnvelope, transaction::Recovered};
use alloy_eips::eip7702::RecoveredAuthorization;
use alloy_primitives::{Address, B256, Bytes, U256};

pub use arrival::{acknowledged, arrivals, entry_hashes};
pub use decode::{Unrecovered, decode};
pub use error::TransactionError;
pub use intrinsic::{IntrinsicGas, TRANSACTION_GAS_MAX, intrinsic_gas};
pub use recover::{impersonate, recover, recover_authorizations, verify_batch};

use primitives::{ChainSpec, ShardId};
use std::sync::Arc;
use xshard::Arrival;

use crate::rules::Rules;

/// What a transaction is checked against without looking at the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionLimits {
    /// The shard's EVM chain id.
    pub chain_id: u64,
    /// Most bytes of an encoded transaction.
    pub bytes_max: u32,
    /// Gas limit of a block.
    pub gas_limit: u64,
    rules: Rules,
}

impl TransactionLimits {
    /// Those of a shard.
    pub const fn new(spec: &ChainSpec, shard: ShardId) -> Self {
        Self {
            chain_id: spec.evm_chain_id(shard),
            bytes_max: spec.transaction_bytes_max,
            gas_limit: spec.gas_limit,
            rules: Rules::SHARD,
        }
    }

    /// By rules of the caller's choice, and whatever is encoded: for tests that are written for one of Ethereum's forks.
    pub const fn under(rules: Rules, chain_id: u64, gas_limit: u64) -> Self {
        Self { chain_id, bytes_max: u32::MAX, gas_limit, rules }
    }
}

/// A transaction whose sender is known.
#[derive(Clone, Debug)]
pub struct Transaction {
    envelope: TxEnvelope,
    encoded: Bytes,
    sender: Address,
    intrinsic: IntrinsicGas,
    authorizations: Vec<RecoveredAuthorization>,
    origin: Origin,
}

/// Who says that the sender sent it.
#[derive(Clone, Debug)]
enum Origin {
    /// Its signature.
    Signed,
    /// The owner of a development chain.
    Impersonated,
    /// The chain that a receipt comes from.
    Arrival(Arc<Arrival>),
}

impl Transaction {
    /// The transaction as alloy has it: never of type 3.
    pub const fn envelope(&self) -> &TxEnvelope {
        &self.envelope
    }

    /// The form that blocks carry, EIP-2718.
    pub const fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// Keccak-256 of the encoded form; for a receipt the same, which is its id.
    pub fn hash(&self) -> B256 {
        *self.envelope.hash()
    }

    /// Who signed it.
    pub const fn sender(&self) -> Address {
        self.sender
    }

    /// Whether its sender was said by the owner of a development chain and not proven by a signature.
    pub const fn is_impersonated(&self) -> bool {
        matches!(self.origin, Origin::Impersonated)
    }

    /// The receipt from another chain that has the form of this transaction, if it is none itself.
    pub const fn arrival(&self) -> Option<&Arc<Arrival>> {
        match &self.origin {
            Origin::Arrival(arrival) => Some(arrival),
            Origin::Signed | Origin::Impersonated => None,
        }
    }

    /// What it costs before it does anything.
    pub const fn intrinsic_gas(&self) -> IntrinsicGas {
        self.intrinsic
    }

    /// EIP-7702 authorizations with their signers; one whose signature is wrong is kept, and has none.
    pub fn authorizations(&self) -> &[RecoveredAuthorization] {
        &self.authorizations
    }

    /// Most wei it can take from its sender: value and all of its gas at the highest price. `None` if that is more
    /// than anyone can have.
    pub fn cost_max(&self) -> Option<U256> {
        cost_max(&self.envelope)
    }

    /// Alloy's pair of transaction and signer, as its RPC types take it.
    pub fn to_recovered(&self) -> Recovered<TxEnvelope> {
        Recovered::new_unchecked(self.envelope.clone(), self.sender)
    }
}

/// The bound that balances are checked against; gas is priced in 128 bits as in the EVM.
fn cost_max(envelope: &TxEnvelope) -> Option<U256> {
    let gas = u128::from(envelope.gas_limit()).checked_mul(envelope.max_fee_per_gas())?;
    U256::from(gas).checked_add(envelope.value())
}
