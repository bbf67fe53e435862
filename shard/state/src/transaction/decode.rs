//! From bytes to a transaction that is right in everything but, perhaps, its signature.

use alloy_consensus::{
    Signed, Transaction as _, TxEnvelope, TxLegacy, Typed2718 as _, transaction::RlpEcdsaDecodableTx as _,
};
use alloy_eips::{Decodable2718 as _, Encodable2718 as _, eip2718::Eip2718Error};
use alloy_primitives::{B256, Bytes, keccak256};
use revm::primitives::eip3860::MAX_INITCODE_SIZE;

use super::{IntrinsicGas, TransactionError, TransactionLimits, cost_max, intrinsic_gas};

/// A decoded transaction, checked in everything but its signature.
#[derive(Clone, Debug)]
pub struct Unrecovered {
    pub(super) envelope: TxEnvelope,
    pub(super) encoded: Bytes,
    pub(super) intrinsic: IntrinsicGas,
}

impl Unrecovered {
    /// Keccak-256 of the encoded form.
    pub fn hash(&self) -> B256 {
        *self.envelope.hash()
    }
}

/// Decodes a transaction and checks all that takes neither state nor cryptography beyond a hash.
pub fn decode(encoded: Bytes, limits: &TransactionLimits) -> Result<Unrecovered, TransactionError> {
    if encoded.len() > limits.bytes_max as usize {
        return Err(TransactionError::Oversized { limit: limits.bytes_max, found: encoded.len() });
    }
    let envelope = decode_envelope(&encoded)?;
    let kind = envelope.ty();
    if !limits.rules.have_transaction_type(kind) {
        return Err(TransactionError::TypeNotSupported { found: kind });
    }
    match envelope.chain_id() {
        None => return Err(TransactionError::Unprotected),
        Some(found) if found != limits.chain_id => {
            return Err(TransactionError::ChainId { expected: limits.chain_id, found });
        }
        Some(_) => {}
    }
    let intrinsic = intrinsic_gas(&envelope);
    check_fields(&envelope, intrinsic, limits)?;
    Ok(Unrecovered { envelope, encoded, intrinsic })
}

fn decode_envelope(encoded: &[u8]) -> Result<TxEnvelope, TransactionError> {
    let envelope = match encoded.first() {
        None => return Err(TransactionError::Empty),
        Some(1 | 2 | 4) => decode_typed(encoded)?,
        Some(0x80..) => decode_legacy(encoded).map_err(TransactionError::Rlp)?,
        Some(found) => return Err(TransactionError::TypeNotSupported { found: *found }),
    };
    // One transaction has one encoding, or it would have two hashes.
    if envelope.encode_2718_len() != encoded.len() {
        return Err(TransactionError::Rlp(alloy_rlp::Error::UnexpectedLength));
    }
    Ok(envelope)
}

fn decode_typed(encoded: &[u8]) -> Result<TxEnvelope, TransactionError> {
    TxEnvelope::decode_2718_exact(encoded).map_err(|error| match error {
        Eip2718Error::RlpError(error) => TransactionError::Rlp(error),
        Eip2718Error::UnexpectedType(found) => TransactionError::TypeNotSupported { found },
        _ => TransactionError::Rlp(alloy_rlp::Error::Custom("not a transaction")),
    })
}

/// Alloy hashes a legacy transaction by encoding it again; the bytes are at hand.
fn decode_legacy(encoded: &[u8]) -> alloy_rlp::Result<TxEnvelope> {
    let mut rest = encoded;
    let (transaction, signature) = TxLegacy::rlp_decode_with_signature(&mut rest)?;
    if !rest.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    Ok(Signed::new_unchecked(transaction, signature, keccak256(encoded)).into())
}

fn check_fields(
    envelope: &TxEnvelope,
    intrinsic: IntrinsicGas,
    limits: &TransactionLimits,
) -> Result<(), TransactionError> {
    let gas = envelope.gas_limit();
    if envelope.nonce() == u64::MAX {
        return Err(TransactionError::NonceMax);
    }
    if envelope.is_create() && envelope.input().len() > MAX_INITCODE_SIZE {
        let found = envelope.input().len();
        return Err(TransactionError::InitcodeSize { limit: MAX_INITCODE_SIZE, found });
    }
    if gas > limits.gas_limit {
        return Err(TransactionError::BlockGasLimit { limit: limits.gas_limit, found: gas });
    }
    let limit = limits.rules.transaction_gas_max();
    if gas > limit {
        return Err(TransactionError::GasLimitTooHigh { limit, found: gas });
    }
    let fee = envelope.max_fee_per_gas();
    if let Some(tip) = envelope.max_priority_fee_per_gas().filter(|tip| *tip > fee) {
        return Err(TransactionError::TipAboveFee { tip, fee });
    }
    if envelope.authorization_list().is_some_and(<[_]>::is_empty) {
        return Err(TransactionError::NoAuthorizations);
    }
    if gas < intrinsic.initial {
        return Err(TransactionError::IntrinsicGas { needed: intrinsic.initial, found: gas });
    }
    if gas < intrinsic.floor && limits.rules.have_data_floor() {
        return Err(TransactionError::FloorDataGas { needed: intrinsic.floor, found: gas });
    }
    cost_max(envelope).map(drop).ok_or(TransactionError::CostOverflow)
}
