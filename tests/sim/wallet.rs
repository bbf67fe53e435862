//! Users: funded accounts that send value to each other.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{TxKind, keccak256};
use alloy_sol_types::SolCall as _;
use crypto::secp256k1::SecretKey;
use primitives::{Address, Allocation, Bytes, U256};
use shard_state::portal::{PORTAL, abi::IPortal};

/// Funded accounts on every shard that send value to each other.
pub(crate) const ACCOUNTS: u64 = 6;
/// Funded accounts after those, who do what a scenario wants.
const OTHERS: u64 = 6;

/// An account that stakes, and sends nothing else.
pub(crate) const STAKER: u64 = ACCOUNTS;

/// A million ether for each account.
pub(crate) fn allocations() -> Vec<Allocation> {
    let balance = U256::from(10).pow(U256::from(24));
    (0..ACCOUNTS + OTHERS).map(|number| Allocation { address: address(number), balance }).collect()
}

/// The key of an account.
fn key(number: u64) -> SecretKey {
    let bytes = keccak256(number.to_be_bytes());
    SecretKey::from_bytes(&bytes.0).expect("a hash is in range but for one chance in 2^127")
}

/// The address of an account.
pub(crate) fn address(number: u64) -> Address {
    key(number).address()
}

/// A signed transaction of account `from` that sends a receipt to another shard: even nonces transfer one ether to the
/// next account there, odd ones call an account without code, which bounces.
pub(crate) fn send(chain_id: u64, shard: u32, from: u64, nonce: u64) -> Bytes {
    let to = address((from + 1) % ACCOUNTS);
    let input = if nonce.is_multiple_of(2) {
        IPortal::transferCall { shard, to }.abi_encode()
    } else {
        IPortal::callCall { shard, to, data: Bytes::from_static(&[1]), gas: 50_000, deadline: 0 }.abi_encode()
    };
    sign(from, transaction(chain_id, nonce, 200_000, PORTAL, input.into()))
}

/// A signed call of the Portal by the account that stakes.
pub(crate) fn stake(chain_id: u64, nonce: u64, value: U256, input: Bytes) -> Bytes {
    sign(STAKER, TxEip1559 { value, ..transaction(chain_id, nonce, 2_000_000, PORTAL, input) })
}

/// A signed transfer of one ether from account `from` to the next one.
pub(crate) fn transfer(chain_id: u64, from: u64, nonce: u64) -> Bytes {
    let to = address((from + 1) % ACCOUNTS);
    sign(from, transaction(chain_id, nonce, 21_000, to, Bytes::new()))
}

/// A signed call of a contract by account `from`.
pub(crate) fn call(chain_id: u64, from: u64, nonce: u64, to: Address, gas: u64, input: Bytes) -> Bytes {
    sign(from, TxEip1559 { value: U256::ZERO, ..transaction(chain_id, nonce, gas, to, input) })
}

/// A transaction that brings one ether.
fn transaction(chain_id: u64, nonce: u64, gas_limit: u64, to: Address, input: Bytes) -> TxEip1559 {
    TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(to),
        value: U256::from(10).pow(U256::from(18)),
        access_list: Default::default(),
        input,
    }
}

fn sign(from: u64, transaction: TxEip1559) -> Bytes {
    let signature = key(from).sign(&transaction.signature_hash());
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
}
