//! What a development chain lets its owner do: `evm_`, `anvil_` and `hardhat_`, and sending from accounts whose keys it
//! holds.
//!
//! A node of a network serves none of it: [`dev_methods`] is for a chain of one process, for the tests of contracts and
//! tools. Names and arguments are anvil's and Hardhat's; where these differ, it is said beside the method.

use super::add_method;
use crate::{RpcError, argument::Arguments, error::RpcResult};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_serde::JsonStorageKey;
use jsonrpsee::{RpcModule, server::Methods};
use serde::{Deserialize, Serialize};
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
    let mut module = RpcModule::from_arc(dev);
    add_accounts(&mut module);
    add_time(&mut module);
    add_blocks(&mut module);
    add_state(&mut module);
    let mut shard = {
        let mut all = RpcModule::new(());
        all.merge(shard).expect("nothing was there before");
        all
    };
    // A node of a network has no accounts; this one has.
    for name in module.method_names() {
        shard.remove_method(name);
    }
    module.merge(shard).expect("what both serve was removed from one");
    module.into()
}

/// Most blocks that one call makes.
const BLOCKS_MAX: u64 = 100_000;

fn add_accounts<D: DevApi>(module: &mut RpcModule<D>) {
    add(module, &["eth_accounts"], none, |dev, ()| async move { Ok(dev.accounts()) });
    add(
        module,
        &["eth_sendTransaction"],
        |a| a.required(),
        |dev, request| async move { dev.send_transaction(request).await },
    );
    add(
        module,
        &["anvil_impersonateAccount", "hardhat_impersonateAccount"],
        |a| a.required(),
        |dev, address| async move { done(dev.impersonate(address).await) },
    );
    add(
        module,
        &["anvil_stopImpersonatingAccount", "hardhat_stopImpersonatingAccount"],
        |a| a.required(),
        |dev, address| async move { done(dev.stop_impersonating(address).await) },
    );
}

fn add_time<D: DevApi>(module: &mut RpcModule<D>) {
    add(
        module,
        &["evm_increaseTime", "anvil_increaseTime"],
        |a| Ok(a.required::<Count>()?.0),
        |dev, seconds| async move { dev.increase_time(seconds).await },
    );
    add(
        module,
        &["evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"],
        |a| Ok(a.required::<Count>()?.0),
        |dev, timestamp| async move { done(dev.set_next_block_timestamp(timestamp).await) },
    );
}

fn add_blocks<D: DevApi>(module: &mut RpcModule<D>) {
    add(module, &["evm_snapshot", "anvil_snapshot"], none, |dev, ()| async move {
        Ok(U64::from(dev.snapshot().await?))
    });
    add(
        module,
        &["evm_revert", "anvil_revert"],
        |a| Ok(a.required::<Count>()?.0),
        |dev, snapshot| async move { dev.revert(snapshot).await },
    );
    add(module, &["evm_mine"], read_mine, |dev, (blocks, timestamp)| async move {
        dev.mine(blocks, None, timestamp).await.map(|()| "0x0")
    });
    add(module, &["anvil_mine", "hardhat_mine"], read_mine_many, |dev, (blocks, seconds)| async move {
        done(dev.mine(blocks, seconds, None).await)
    });
    add(
        module,
        &["anvil_getAutomine", "hardhat_getAutomine"],
        none,
        |dev, ()| async move { Ok(dev.automine()) },
    );
    add(
        module,
        &["evm_setAutomine", "anvil_setAutomine"],
        |a| a.required(),
        |dev, automine| async move { done(dev.set_automine(automine).await) },
    );
    // Hardhat's `evm_` method takes milliseconds, anvil's own takes seconds.
    add(
        module,
        &["evm_setIntervalMining"],
        |a| Ok(a.required::<Count>()?.0),
        |dev, milliseconds| async move { done(dev.set_interval(milliseconds).await) },
    );
    add(
        module,
        &["anvil_setIntervalMining"],
        |a| Ok(a.required::<Count>()?.0.saturating_mul(1_000)),
        |dev, milliseconds| async move { done(dev.set_interval(milliseconds).await) },
    );
}

fn add_state<D: DevApi>(module: &mut RpcModule<D>) {
    add(
        module,
        &["anvil_setBalance", "hardhat_setBalance"],
        |a| Ok((a.required()?, a.required()?)),
        |dev, (address, balance)| async move { done(dev.set_balance(address, balance).await) },
    );
    add(
        module,
        &["anvil_setCode", "hardhat_setCode"],
        |a| Ok((a.required()?, a.required()?)),
        |dev, (address, code)| async move { done(dev.set_code(address, code).await) },
    );
    add(
        module,
        &["anvil_setNonce", "hardhat_setNonce"],
        |a| Ok((a.required()?, a.required::<Count>()?.0)),
        |dev, (address, nonce)| async move { done(dev.set_nonce(address, nonce).await) },
    );
    add(
        module,
        &["anvil_setStorageAt", "hardhat_setStorageAt"],
        |a| Ok((a.required()?, a.required::<JsonStorageKey>()?, a.required::<JsonStorageKey>()?)),
        |dev, (address, slot, value)| async move {
            done(dev.set_storage_at(address, slot.as_b256(), value.as_b256()).await)
        },
    );
}

/// Adds one method under each of its names.
fn add<D, Read, Args, Call, Answer, Out>(
    module: &mut RpcModule<D>,
    names: &[&'static str],
    read: Read,
    call: Call,
) where
    D: DevApi,
    Read: Fn(&mut Arguments<'_>) -> RpcResult<Args> + Clone + Send + Sync + 'static,
    Args: Send,
    Call: Fn(Arc<D>, Args) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = RpcResult<Out>> + Send,
    Out: Serialize + Clone + 'static,
{
    for name in names {
        add_method(module, name, read.clone(), call.clone());
    }
}

fn none(_: &mut Arguments<'_>) -> RpcResult<()> {
    Ok(())
}

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

fn read_mine(arguments: &mut Arguments<'_>) -> RpcResult<(u64, Option<u64>)> {
    let (blocks, timestamp) = match arguments.optional()? {
        None => (None, None),
        Some(Mine::At(timestamp)) => (None, Some(timestamp)),
        Some(Mine::Blocks { blocks, timestamp }) => (blocks, timestamp),
    };
    Ok((bounded(blocks)?, timestamp.map(|timestamp| timestamp.0)))
}

fn read_mine_many(arguments: &mut Arguments<'_>) -> RpcResult<(u64, Option<u64>)> {
    let blocks = bounded(arguments.optional()?)?;
    Ok((blocks, arguments.optional::<Count>()?.map(|seconds| seconds.0)))
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
