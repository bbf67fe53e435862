//! What a block sent to other chains, as its transaction receipts tell.

use alloy_primitives::Log;
use alloy_sol_types::SolEvent as _;
use primitives::{Chain, Lane, Receipt, ReceiptKind, ShardId};
use xshard::Outbox;

use super::{PORTAL, abi::IPortal};
use crate::receipt::TransactionReceipt;

/// The Portal's events do not add up: this node's software is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
    /// An event that does not decode.
    #[error("a Sent event of the Portal does not decode")]
    Event,
    /// A gap, or two sources.
    #[error(transparent)]
    Order(#[from] xshard::OutboxError),
}

/// The outbox of a block of `shard`, from its transaction receipts in order.
pub fn outbox(shard: ShardId, receipts: &[TransactionReceipt]) -> Result<Outbox, OutboxError> {
    let logs = receipts.iter().flat_map(TransactionReceipt::logs);
    let sent = logs.filter_map(|log| receipt_of(shard, log)).collect::<Result<Vec<_>, _>>()?;
    Ok(Outbox::new(sent)?)
}

/// The receipts that a transaction of `shard` has sent, as its events tell; those that do not decode are left out.
pub fn sent(shard: ShardId, logs: &[Log]) -> Vec<Receipt> {
    logs.iter().filter_map(|log| receipt_of(shard, log)?.ok()).collect()
}

/// The receipt that an event tells of, if it tells of one.
fn receipt_of(shard: ShardId, log: &Log) -> Option<Result<Receipt, OutboxError>> {
    let is_sent = log.address == PORTAL && log.topics().first() == Some(&IPortal::Sent::SIGNATURE_HASH);
    is_sent.then(|| {
        let event = IPortal::Sent::decode_log_data(&log.data).map_err(|_| OutboxError::Event)?;
        Ok(Receipt {
            lane: Lane { source: shard.into(), destination: Chain::from_code(event.shard) },
            sequence: event.sequence,
            kind: ReceiptKind::new(event.kind),
            sender: event.sender,
            value: event.value,
            gas: event.gas,
            deadline: event.deadline,
            payload: event.payload,
        })
    })
}

/// The event that tells of a receipt.
pub(crate) fn event(receipt: &Receipt) -> Log {
    let event = IPortal::Sent {
        id: receipt.id(),
        shard: receipt.lane.destination.code(),
        sender: receipt.sender,
        sequence: receipt.sequence,
        kind: receipt.kind.get(),
        value: receipt.value,
        gas: receipt.gas,
        deadline: receipt.deadline,
        payload: receipt.payload.clone(),
    };
    Log { address: PORTAL, data: event.encode_log_data() }
}
