//! Value to an account without code, outside the interpreter.
//!
//! Gives bit for bit what the EVM gives, or declines: to code (also a delegation's), to precompiles, with data, with an
//! access list, with authorizations, and where a balance would overflow.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};

use super::{Environment, Outcome};
use crate::{
    account::Account,
    state::{PendingState, StateError},
    transaction::Transaction,
};

/// Precompiles have addresses below this.
const PRECOMPILES_END: u16 = 0x200;

/// Executes a checked transaction whose sender's account is `sender`. `None`, with nothing written, if it is for
/// the EVM.
pub(super) fn execute(
    transaction: &Transaction,
    sender: Account,
    state: &mut PendingState<'_>,
    environment: &Environment,
) -> Result<Option<Outcome>, StateError> {
    let Some(to) = destination(transaction) else { return Ok(None) };
    let recipient = state.account(&to)?.unwrap_or_default();
    if recipient.code_hash != KECCAK256_EMPTY {
        return Ok(None);
    }
    let envelope = transaction.envelope();
    let (value, base_fee) = (envelope.value(), u128::from(environment.base_fee));
    // Data and lists being empty, the intrinsic gas is all the gas there is to pay.
    let gas_used = transaction.intrinsic_gas().initial;
    let price = envelope.effective_gas_price(Some(environment.base_fee));
    let fee = U256::from(u128::from(gas_used).saturating_mul(price));
    let tip = U256::from(u128::from(gas_used).saturating_mul(price.saturating_sub(base_fee)));
    let coinbase = state.account(&environment.fee_recipient)?.unwrap_or_default();
    let overflows = recipient.balance.checked_add(value).is_none_or(|sum| sum.checked_add(tip).is_none())
        || coinbase.balance.checked_add(tip).is_none_or(|sum| sum.checked_add(value).is_none());
    let Some(left) = fee.checked_add(value).and_then(|spent| sender.balance.checked_sub(spent)) else {
        return Ok(None);
    };
    let Some(nonce) = sender.nonce.checked_add(1).filter(|_| !overflows) else { return Ok(None) };
    state.set_account(&transaction.sender(), Account { nonce, balance: left, ..sender })?;
    // One after another, because any two of the three may be the same account.
    credit(state, &to, value)?;
    credit(state, &environment.fee_recipient, tip)?;
    Ok(Some(Outcome { success: true, gas_used, logs: Vec::new() }))
}

/// Where the value goes, if that is all there is to the transaction.
fn destination(transaction: &Transaction) -> Option<Address> {
    let envelope = transaction.envelope();
    let is_plain = envelope.input().is_empty()
        && envelope.access_list().is_none_or(|list| list.is_empty())
        && transaction.authorizations().is_empty()
        && envelope.authorization_list().is_none();
    envelope.to().filter(|to| is_plain && !is_precompile(to))
}

/// Whether the address may be a precompile's, now or with the next Ethereum rules.
fn is_precompile(address: &Address) -> bool {
    let (high, low) = address.split_at(18);
    high.iter().all(|byte| *byte == 0) && u16::from_be_bytes([low[0], low[1]]) < PRECOMPILES_END
}

/// Adds to a balance. The sum was seen to fit before anything was written.
fn credit(state: &mut PendingState<'_>, address: &Address, wei: U256) -> Result<(), StateError> {
    let account = state.account(address)?.unwrap_or_default();
    let balance = account.balance.saturating_add(wei);
    state.set_account(address, Account { balance, ..account })
}
