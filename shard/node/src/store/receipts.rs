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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{Eip658Value, Receipt, TxType};
    use alloy_primitives::{B256, Log};

    fn receipts() -> Vec<TransactionReceipt> {
        let receipt = |kind, success: bool, cumulative_gas_used, logs| {
            let receipt = Receipt { status: Eip658Value::Eip658(success), cumulative_gas_used, logs };
            ReceiptEnvelope::from_typed(kind, receipt.with_bloom())
        };
        let log = Log::new_unchecked(
            Address::repeat_byte(1),
            vec![B256::repeat_byte(2)],
            Bytes::from_static(b"data"),
        );
        vec![
            TransactionReceipt {
                envelope: receipt(TxType::Legacy, true, 21_000, Vec::new()),
                gas_used: 21_000,
                contract_address: None,
            },
            TransactionReceipt {
                envelope: receipt(TxType::Eip1559, false, 80_000, vec![log]),
                gas_used: 59_000,
                contract_address: Some(Address::repeat_byte(3)),
            },
        ]
    }

    /// Receipts of every kind read back as they were written; so does none.
    #[test]
    fn receipts_read_back_as_they_were_written() {
        assert_eq!(decode(&encode(&receipts())), Ok(receipts()));
        assert_eq!(decode(&encode(&[])), Ok(Vec::new()));
    }

    /// Bytes that end in the middle are no receipts.
    #[test]
    fn cut_receipts_are_refused() {
        let encoded = encode(&receipts());
        let first = encode(&receipts()[..1]).len();
        for length in (1..encoded.len()).filter(|length| *length != first) {
            assert_eq!(decode(&encoded[..length]), Err(ReceiptsError), "{length} bytes");
        }
    }
}
