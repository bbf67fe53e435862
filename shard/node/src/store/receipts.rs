//! The stored form of a block's transaction receipts.
//!
//! For each: gas used (8 bytes, big-endian) ‖ 0, or 1 and the address of the contract created ‖ length of the
//! EIP-2718 encoding (4 bytes, big-endian) ‖ that encoding.

use alloy_consensus::ReceiptEnvelope;
use alloy_eips::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, Bytes};
use shard_state::receipt::TransactionReceipt;

/// Bytes that are no list of receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored transaction receipts do not decode")]
pub struct ReceiptsError;

pub(super) fn encode(receipts: &[TransactionReceipt]) -> Bytes {
    let mut out = Vec::new();
    for receipt in receipts {
        out.extend_from_slice(&receipt.gas_used.to_be_bytes());
        match receipt.contract_address {
            None => out.push(0),
            Some(address) => {
                out.push(1);
                out.extend_from_slice(address.as_slice());
            }
        }
        let encoded = receipt.envelope.encoded_2718();
        let length = u32::try_from(encoded.len())
            .expect("a receipt is bounded by the gas of a block, far below 4 GiB");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&encoded);
    }
    out.into()
}

pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<TransactionReceipt>, ReceiptsError> {
    let mut receipts = Vec::new();
    while !bytes.is_empty() {
        let gas_used = u64::from_be_bytes(take(&mut bytes)?);
        let contract_address = match take::<1>(&mut bytes)? {
            [0] => None,
            [1] => Some(Address::from(take::<20>(&mut bytes)?)),
            _ => return Err(ReceiptsError),
        };
        let length = u32::from_be_bytes(take(&mut bytes)?) as usize;
        let (encoded, rest) = bytes.split_at_checked(length).ok_or(ReceiptsError)?;
        let envelope = ReceiptEnvelope::decode_2718_exact(encoded).map_err(|_| ReceiptsError)?;
        receipts.push(TransactionReceipt { envelope, gas_used, contract_address });
        bytes = rest;
    }
    Ok(receipts)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], ReceiptsError> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(ReceiptsError)?;
    *bytes = rest;
    Ok(*taken)
}
