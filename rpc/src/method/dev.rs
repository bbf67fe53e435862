//! What a development chain lets its owner do: `evm_`, `anvil_` and `hardhat_`, and sending from accounts whose keys it
//! holds.
//!
//! A node of a network serves none of it: [`dev_methods`] is for a chain of one process, for the tests of contracts and
//! tools. Names and arguments are anvil's and Hardhat's; where these differ, it is said beside the method.

use super::{methods, signature::kinds};
use crate::{
    RpcError,
    error::RpcResult,
    methods::{Gathering, Methods},
};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_serde::JsonStorageKey;
use serde::Deserialize;
use std::{future::Future, sync::Arc};

/// What the owner of a development chain may do.
pub trait DevApi: Send + Sync + 'static {
    /// Accounts that transactions can be sent from without a signature.
    fn accounts(&self) -> Vec<Address>;

    /// Signs and sends a transaction from one of [`Self::accounts`], with what is left out filled in.
    fn send_transaction(&self, request: TransactionRequest) -> impl Future<Output = RpcResult<B256>> + Send;

    /// Notes blocks, state, pool and clock; answers the note's number.
    fn snapshot(&self) -> impl Future<Output = RpcResult<u64>> + Send;

    /// Goes back to a note, which is used up by it, as are all later ones; false if there is no such note.
    fn revert(&self, snapshot: u64) -> impl Future<Output = RpcResult<bool>> + Send;

    /// Makes blocks, `seconds` apart, or as far apart as the clock says; the first at `timestamp`, if given.
    fn mine(
        &self,
        blocks: u64,
        seconds: Option<u64>,
        timestamp: Option<u64>,
    ) -> impl Future<Output = RpcResult<()>> + Send;

    /// Moves the clock ahead; answers by how many seconds in all.
    fn increase_time(&self, seconds: u64) -> impl Future<Output = RpcResult<u64>> + Send;

    /// Sets the next block's timestamp, seconds; the clock goes on from there.
    fn set_next_block_timestamp(&self, timestamp: u64) -> impl Future<Output = RpcResult<()>> + Send;

    /// Whether there is a block as soon as there is a transaction.
    fn automine(&self) -> bool;

    /// Chooses that.
    fn set_automine(&self, automine: bool) -> impl Future<Output = RpcResult<()>> + Send;

    /// Makes a block each time so many milliseconds have passed; zero ends that.
    fn set_interval(&self, milliseconds: u64) -> impl Future<Output = RpcResult<()>> + Send;

    /// Sets an account's balance, wei.
    fn set_balance(&self, address: Address, balance: U256) -> impl Future<Output = RpcResult<()>> + Send;

    /// Sets an account's code.
    fn set_code(&self, address: Address, code: Bytes) -> impl Future<Output = RpcResult<()>> + Send;

    /// Sets an account's nonce.
    fn set_nonce(&self, address: Address, nonce: u64) -> impl Future<Output = RpcResult<()>> + Send;

    /// Sets one word of an account's storage.
    fn set_storage_at(
        &self,
        address: Address,
        slot: B256,
        value: B256,
    ) -> impl Future<Output = RpcResult<()>> + Send;

    /// Lets transactions be sent from an account without its key.
    fn impersonate(&self, address: Address) -> impl Future<Output = RpcResult<()>> + Send;

    /// Ends that.
    fn stop_impersonating(&self, address: Address) -> impl Future<Output = RpcResult<()>> + Send;
}

/// Every method of a development chain: those that `shard` serves, and its owner's, served by `dev`.
pub fn dev_methods<D: DevApi>(shard: Methods, dev: Arc<D>) -> Methods {
    let mut methods = Gathering::new(dev);
    add(&mut methods);
    // A node of a network has no accounts; this one has.
    methods.finish().before(shard)
}

methods! {
    DevApi;

    /// Accounts that transactions can be sent from without a signature.
    eth_accounts() -> "list of addresses" = |dev| Ok(dev.accounts());

    /// Signs a transaction from one of these accounts, or from one that is impersonated, and sends it; what is left
    /// out is filled in.
    eth_sendTransaction(request: TransactionRequest) -> "hash" = |dev| dev.send_transaction(request).await;

    /// Lets transactions be sent from an account without its key.
    anvil_impersonateAccount | hardhat_impersonateAccount(address: Address) -> "true"
        = |dev| done(dev.impersonate(address).await);

    /// Ends that.
    anvil_stopImpersonatingAccount | hardhat_stopImpersonatingAccount(address: Address) -> "true"
        = |dev| done(dev.stop_impersonating(address).await);

    /// Moves the clock ahead; gives by how many seconds in all.
    evm_increaseTime | anvil_increaseTime(seconds: Count) -> "number" = |dev| dev.increase_time(seconds.0).await;

    /// Sets the next block's timestamp; the clock goes on from there.
    evm_setNextBlockTimestamp | anvil_setNextBlockTimestamp(timestamp: Count) -> "true"
        = |dev| done(dev.set_next_block_timestamp(timestamp.0).await);

    /// Notes blocks, state, pool and clock.
    evm_snapshot | anvil_snapshot() -> "quantity" = |dev| Ok(U64::from(dev.snapshot().await?));

    /// Goes back to a note, which is used up by it, as are all later ones; `false` if there is no such note.
    evm_revert | anvil_revert(snapshot: Count) -> "boolean" = |dev| dev.revert(snapshot.0).await;

    /// Makes a block, or as many as the object says.
    evm_mine(block: Option<Mine>) -> "`0x0`" = |dev| {
        let (blocks, timestamp) = Mine::parts(block);
        dev.mine(bounded(blocks)?, None, timestamp).await.map(|()| "0x0")
    };

    /// Makes blocks, so many seconds apart.
    anvil_mine | hardhat_mine(blocks: Option<Count>, seconds: Option<Count>) -> "true"
        = |dev| done(dev.mine(bounded(blocks)?, seconds.map(|seconds| seconds.0), None).await);

    /// Whether there is a block as soon as there is a transaction.
    anvil_getAutomine | hardhat_getAutomine() -> "boolean" = |dev| Ok(dev.automine());

    /// Chooses that.
    evm_setAutomine | anvil_setAutomine(automine: bool) -> "true" = |dev| done(dev.set_automine(automine).await);

    /// Makes a block each time so many milliseconds have passed; zero ends that.
    evm_setIntervalMining(milliseconds: Count) -> "true" = |dev| done(dev.set_interval(milliseconds.0).await);

    /// The same, in seconds.
    anvil_setIntervalMining(seconds: Count) -> "true"
        = |dev| done(dev.set_interval(seconds.0.saturating_mul(1_000)).await);

    /// Sets an account's balance, wei.
    anvil_setBalance | hardhat_setBalance(address: Address, balance: U256) -> "true"
        = |dev| done(dev.set_balance(address, balance).await);

    /// Sets an account's code.
    anvil_setCode | hardhat_setCode(address: Address, code: Bytes) -> "true"
        = |dev| done(dev.set_code(address, code).await);

    /// Sets an account's nonce.
    anvil_setNonce | hardhat_setNonce(address: Address, nonce: Count) -> "true"
        = |dev| done(dev.set_nonce(address, nonce.0).await);

    /// Sets one word of an account's storage.
    anvil_setStorageAt | hardhat_setStorageAt(address: Address, slot: JsonStorageKey, value: JsonStorageKey) -> "true"
        = |dev| done(dev.set_storage_at(address, slot.as_b256(), value.as_b256()).await);
}

/// Most blocks that one call makes.
const BLOCKS_MAX: u64 = 100_000;

/// What Hardhat answers where there is nothing to say.
fn done(outcome: RpcResult<()>) -> RpcResult<bool> {
    outcome.map(|()| true)
}

/// A number as tools write it here: a JSON number, or a string in hexadecimal or decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "CountForm")]
struct Count(u64);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of 64 bits, or a string of one")]
enum CountForm {
    Number(u64),
    Text(U256),
}

impl TryFrom<CountForm> for Count {
    type Error = alloy_primitives::ruint::FromUintError<u64>;

    fn try_from(form: CountForm) -> Result<Self, Self::Error> {
        match form {
            CountForm::Number(number) => Ok(Self(number)),
            CountForm::Text(number) => number.try_into().map(Self),
        }
    }
}

/// When `evm_mine`'s block is, and how many there are.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a timestamp, or an object with `timestamp` and `blocks`")]
enum Mine {
    At(Count),
    Blocks { blocks: Option<Count>, timestamp: Option<Count> },
}

impl Mine {
    /// How many blocks, and when the first is.
    fn parts(block: Option<Self>) -> (Option<Count>, Option<u64>) {
        let (blocks, timestamp) = match block {
            None => (None, None),
            Some(Self::At(timestamp)) => (None, Some(timestamp)),
            Some(Self::Blocks { blocks, timestamp }) => (blocks, timestamp),
        };
        (blocks, timestamp.map(|timestamp| timestamp.0))
    }
}

kinds! {
    Count: "number";
    Mine: "timestamp or blocks";
}

fn bounded(blocks: Option<Count>) -> RpcResult<u64> {
    match blocks.map_or(1, |blocks| blocks.0) {
        blocks if blocks > BLOCKS_MAX => Err(RpcError::InvalidParams(format!(
            "at most {BLOCKS_MAX} blocks are made at once, not {blocks}"
        ))),
        blocks => Ok(blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Option<u64> {
        serde_json::from_str::<Count>(text).ok().map(|count| count.0)
    }

    #[test]
    fn a_number_may_be_written_in_each_way_that_tools_write_it() {
        assert_eq!(["60", "\"60\"", "\"0x3c\""].map(count), [Some(60); 3]);
    }

    #[test]
    fn a_number_beyond_64_bits_is_refused() {
        assert_eq!(["-1", "\"0x10000000000000000\"", "\"soon\"", "1.5"].map(count), [None; 4]);
    }
}
