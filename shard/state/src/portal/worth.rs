//! Where the money is: what a receipt under way is worth, and what a block burns.
//!
//! Over all chains, balances + claims + worth under way + burned = issued, after every block.

use alloy_primitives::U256;
use primitives::Receipt;
use xshard::Payload;

use super::gas;
use crate::{block::Executed, receipt::TransactionReceipt};

/// What a receipt brings: its value, and the gas that was paid for, at the price that was paid. Wei.
pub fn worth(receipt: &Receipt) -> U256 {
    receipt.value.saturating_add(prepaid(receipt))
}

/// What a block burned, wei: the base fee of its transactions' gas, less what of it travels on with receipts, and the gas
/// that receipts brought and used.
pub fn burned(executed: &Executed) -> U256 {
    let (arrivals, transactions) = executed.receipts.split_at(executed.arrivals.len());
    let base_fee = U256::from(executed.header.base_fee);
    let fees =
        transactions.iter().fold(U256::ZERO, |sum, receipt| sum + U256::from(receipt.gas_used) * base_fee);
    let used = executed
        .arrivals
        .iter()
        .zip(arrivals)
        .fold(fees, |sum, (arrival, outcome)| sum + used(&arrival.receipt, outcome));
    let sent = executed.outbox.receipts().map(|(_, receipt)| receipt);
    let calls = sent.filter(|receipt| matches!(read(receipt), Some(Payload::Call(_))));
    used - calls.fold(U256::ZERO, |sum, receipt| sum + prepaid(receipt))
}

/// Gas that travels with a receipt, at the price that was paid for it.
fn prepaid(receipt: &Receipt) -> U256 {
    let (gas, price) = match read(receipt) {
        Some(Payload::Call(call)) => (receipt.gas.saturating_add(call.callback_gas), call.gas_price),
        Some(Payload::Answer(answer)) => (receipt.gas, answer.gas_price),
        // What a bundle's receipts use was burned when it was opened.
        _ => (0, 0),
    };
    U256::from(gas) * U256::from(price)
}

/// What a receipt that was taken in used of its gas, at the price that was paid for it.
fn used(receipt: &Receipt, outcome: &TransactionReceipt) -> U256 {
    let gas = outcome.gas_used.saturating_sub(gas::arrival(receipt.payload.len(), 0));
    let price = match read(receipt) {
        Some(Payload::Call(call)) => call.gas_price,
        Some(Payload::Answer(answer)) => answer.gas_price,
        _ => 0,
    };
    U256::from(gas) * U256::from(price)
}

fn read(receipt: &Receipt) -> Option<Payload> {
    Payload::decode(receipt.kind, &receipt.payload).ok()
}
