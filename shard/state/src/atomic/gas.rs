//! What the Atomic's functions cost, gas.
//!
//! Who opens a bundle pays for all of it: for what is written here, for sending and taking in each prepare, its answer and
//! its decision, and for what these may use where they arrive. That is not given back, so those receipts bring their gas at
//! no price. Calls of tokens that a transaction makes cost it what they use.

use crate::portal::gas::{BYTE, send};

/// Reading something.
pub const READ: u64 = 2_600;
/// A slot that is written.
pub const SLOT: u64 = 22_100;
/// A leg of a bundle that is hashed.
pub const LEG: u64 = 500;
/// Moving the native coin: as much as a call with value costs at most.
pub const NATIVE: u64 = 34_000;
/// An event.
pub const EVENT: u64 = 2_500;
/// Deciding.
pub const DECIDE: u64 = 4 * READ + 2 * EVENT;
/// Opening: the bundle's slots and its event.
pub const OPEN: u64 = 3 * SLOT + 2 * EVENT;
/// Taking into escrow, but for the calls of the token.
pub const ESCROW: u64 = 4 * SLOT + EVENT;
/// Going on after a call of a token.
pub const STEP: u64 = READ + EVENT;
/// What is left for paying out a token, whatever the token does with it.
pub const PAYOUT: u64 = 100_000;
/// What must be there before: a call passes on 63/64, and has a price itself.
pub const PAYOUT_READY: u64 = PAYOUT + PAYOUT / 32 + 5_000;

/// Bytes of a revert reason that go back to the coordinator.
pub const REASON_BYTES_MAX: usize = 260;

/// A prepare may use so much at its shard: with a token, for two balances and the transfer too.
pub const fn prepare(is_token: bool) -> u64 {
    let own = ESCROW + NATIVE + 4 * READ + PROGRAM;
    if is_token { own + 150_000 } else { own }
}

/// An answer may use so much at the coordinator, where it decides: so many native coins and tokens are paid out.
pub const fn decision(natives: u64, tokens: u64) -> u64 {
    DECIDE + PROGRAM + NATIVE.saturating_mul(natives) + (PAYOUT_READY + 4 * STEP).saturating_mul(tokens)
}

/// A decision may use so much at its shard: it pays out one leg, of which a token takes more.
pub const SETTLE: u64 = decision(0, 1);

/// Price of a leg on another shard, whose prepare has so many bytes, and whose answer may use so much gas here.
pub const fn remote_leg(prepare_bytes: usize, is_token: bool, answer_gas: u64) -> u64 {
    let reason = REASON_BYTES_MAX as u64 * BYTE;
    let there = send(prepare_bytes, 1) + reason + prepare(is_token);
    let back = answer_gas.saturating_add(2 * SLOT);
    there.saturating_add(back).saturating_add(send(DECISION_BYTES, 0) + SETTLE)
}

/// Bytes of a decision's payload.
const DECISION_BYTES: usize = 33;
/// What the program around the Atomic's functions uses.
const PROGRAM: u64 = 10_000;

const _: () = assert!(SETTLE > decision(1, 0), "a token takes more than the native coin");
