//! Receipts from other chains in the form of transactions, so that whatever lists, indexes, replays or shows a block's
//! transactions has them too.

use std::sync::Arc;

use alloy_consensus::{Signed, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use primitives::{Chain, Receipt, ShardBody, Verified};
use ssz::Encode as _;
use xshard::{Arrival, Payload};

use super::{IntrinsicGas, Origin, Transaction};
use crate::{
    atomic::ATOMIC,
    portal::{PORTAL, gas},
};

impl Transaction {
    /// A receipt in the form of a legacy transaction that pays nothing: its hash is the receipt's id, its nonce the
    /// number in its lane, its gas what it may take of its block, its signature zero. The caller vouches for the receipt.
    pub fn of_arrival(arrival: Arc<Arrival>) -> Verified<Self> {
        let Receipt { sequence: nonce, value, gas, .. } = arrival.receipt;
        let gas_limit = gas::arrival(arrival.receipt.payload.len(), gas);
        let (sender, to, input) = parties(&arrival.receipt);
        let to = TxKind::Call(to);
        let unsigned = TxLegacy { chain_id: None, nonce, gas_price: 0, gas_limit, to, value, input };
        let signature = Signature::new(U256::ZERO, U256::ZERO, false);
        Verified::assert(Self {
            envelope: Signed::new_unchecked(unsigned, signature, arrival.id).into(),
            encoded: arrival.receipt.as_ssz_bytes().into(),
            sender,
            intrinsic: IntrinsicGas { initial: 0, floor: 0 },
            authorizations: Vec::new(),
            origin: Origin::Arrival(arrival),
        })
    }
}

/// Who a receipt comes from as its destination sees it, whom it is for, and with what.
fn parties(receipt: &Receipt) -> (Address, Address, Bytes) {
    match Payload::decode(receipt.kind, &receipt.payload) {
        Ok(Payload::Transfer(transfer)) => (receipt.sender, transfer.to, Bytes::new()),
        Ok(Payload::Call(call)) => (call.caller(receipt.lane.source, receipt.sender), call.to, call.data),
        Ok(Payload::Answer(answer)) => (PORTAL, answer.to, answer.data),
        Ok(Payload::Prepare(_) | Payload::Commit(_) | Payload::Abort(_)) => {
            (ATOMIC, ATOMIC, receipt.payload.clone())
        }
        Ok(Payload::Withdrawal(withdrawal)) => (PORTAL, withdrawal.to, Bytes::new()),
        Ok(Payload::Deposit(_) | Payload::TopUp(_) | Payload::Exit(_)) | Err(_) => {
            (PORTAL, PORTAL, receipt.payload.clone())
        }
    }
}

/// The receipts that the body of a certified block brings, in order.
pub fn arrivals(body: &ShardBody) -> Vec<Arc<Arrival>> {
    let of_beacon = body.delivery.iter().flat_map(|delivery| &delivery.receipts);
    let receipts = of_beacon.chain(body.bundles.iter().flat_map(|bundle| &bundle.receipts));
    receipts.map(|receipt| Arc::new(Arrival { id: receipt.id(), receipt: receipt.clone() })).collect()
}

/// Hashes of what the body of a certified block has, in the form of transactions: of the receipts it brings, then of its
/// own transactions.
pub fn entry_hashes(body: &ShardBody) -> Vec<B256> {
    let arrivals = arrivals(body).into_iter().map(|arrival| arrival.id);
    arrivals.chain(body.transactions.iter().map(keccak256)).collect()
}

/// What the body of a certified block of `shard` says that other chains have consumed.
pub fn acknowledged(shard: primitives::ShardId, body: &ShardBody) -> Vec<(Chain, u64)> {
    let consumed = |other: &primitives::RecordProof| {
        let cursor = other.cursors.cursor(shard.into())?;
        Some((other.record.shard.into(), cursor.sequence))
    };
    let of_beacon = body.delivery.iter().map(|delivery| (Chain::Beacon, delivery.lane.received));
    of_beacon.chain(body.others.iter().filter_map(consumed)).collect()
}
