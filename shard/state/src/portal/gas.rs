//! What the Portal's functions cost, gas.
//!
//! Whoever sends pays for both sides: for the event and the counter here, for taking the receipt in over there, and for
//! taking in the answer, if there may be one. Gas for calls is paid here unit for unit, at the price of gas here.

/// Reading something.
pub const READ: u64 = 2_600;
/// Sending: the lane's counter, the event, and the receipt's leaf.
pub const SEND: u64 = 12_000;
/// Taking a receipt in on the other side, or its answer here: as much as a transaction costs at least.
pub const ARRIVAL: u64 = 21_000;
/// A byte that travels: as much as a transaction's data.
pub const BYTE: u64 = 16;
/// Registering a seat: as much as the pairing that verifies its proof of possession costs a contract (EIP-2537).
pub const SEAT: u64 = 103_000;
/// A word of what it is called with: as much as copying it costs a contract.
pub const INPUT_WORD: u64 = 3;
/// Taking what is held.
pub const CLAIM: u64 = 16_000;

/// Reading so many bytes of input.
pub const fn input(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(32).saturating_mul(INPUT_WORD)
}

/// Sending a receipt with a payload of so many bytes, which may be answered `answers` times.
pub const fn send(payload_bytes: usize, answers: u64) -> u64 {
    let bytes = (payload_bytes as u64).saturating_mul(BYTE).saturating_mul(2);
    SEND.saturating_add(ARRIVAL.saturating_mul(1 + answers)).saturating_add(bytes)
}

/// Gas that a receipt may take of the block that consumes it: what its inbox is measured by.
pub const fn arrival(payload_bytes: usize, receipt_gas: u64) -> u64 {
    ARRIVAL.saturating_add((payload_bytes as u64).saturating_mul(BYTE)).saturating_add(receipt_gas)
}
