use super::*;
use crate::pool::PooledTransaction;
use crate::testing::{SHARD, short_spec};
use alloy_consensus::Transaction as _;
use alloy_eips::{BlockId, BlockNumberOrTag as Tag};
use alloy_primitives::{Address, Bytes, U256, bytes, keccak256};
use alloy_rpc_types_eth::{Filter, TransactionRequest, state::StateOverridesBuilder};
use alloy_serde::JsonStorageKey;
use futures::FutureExt as _;
use futures::StreamExt as _;
use rpc::RpcError;
use rpc::error::TransactionError;
use rpc::method::{
    AtollApi as _, BlockApi as _, ChainApi as _, ExecutionApi as _, FeeApi as _, FilterApi as _,
    StateApi as _, SubscriptionApi as _, TransactionApi as _, TxpoolApi as _, shard_methods,
};
use rpc::view::Syncing;
use shard_state::testing::{ETHER, GAS_PRICE, Sender, key};
use std::sync::atomic::Ordering;
use test_chain::TestChain;
use wire::Wire;

mod block;
mod execution;
mod fee;
mod filter;
mod fuzz;
mod receipts;
mod state;
mod subscription;
mod test_chain;
mod transaction;
mod txpool;
mod wire;

mod debug;
mod simulate;

/// Writes 42 to slot 0 and leaves a log with topic 7.
const EMITTER: Bytes = bytes!("602a5f5560075f5fa100");
/// Reverts with four bytes.
const REVERTER: Bytes = bytes!("63deadbeef5f526004601cfd");
/// As init code, returns the block's number.
const NUMBER: Bytes = bytes!("435f5260205ff3");
/// Jumps to where no jump may go.
const HALTER: Bytes = bytes!("600056");

fn served() -> (Arc<TestChain>, Arc<ShardApi>) {
    served_with(ApiConfig::default())
}

fn served_with(config: ApiConfig) -> (Arc<TestChain>, Arc<ShardApi>) {
    let chain = TestChain::new();
    let api = ShardApi::start(Arc::clone(&chain) as Arc<dyn Chain>, config);
    (chain, api)
}

fn transfer(from: u64, nonce: u64) -> PooledTransaction {
    Sender::new(SHARD).transfer(&key(from), nonce, receiver(), ETHER)
}

fn receiver() -> Address {
    Address::repeat_byte(0xee)
}

/// Init code of a contract with this code.
fn creating(code: &Bytes) -> Bytes {
    let length = u8::try_from(code.len()).expect("short");
    [&[0x60, length, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3], code.as_ref()].concat().into()
}

async fn send(api: &ShardApi, transaction: &PooledTransaction) -> B256 {
    api.send_raw_transaction(transaction.encoded().clone()).await.expect("taken")
}

/// Deploys a contract with the first key.
async fn deploy(chain: &TestChain, api: &ShardApi, code: &Bytes) -> Address {
    let nonce = api.transaction_count(key(0).address(), latest()).await.expect("known");
    let deployment = Sender::new(SHARD).transaction(&key(0), nonce, None, U256::ZERO, creating(code));
    send(api, &deployment).await;
    chain.seal();
    key(0).address().create(nonce)
}

fn latest() -> BlockId {
    Tag::Latest.into()
}

fn calling(to: Address) -> TransactionRequest {
    TransactionRequest::default().from(key(0).address()).to(to)
}

fn text<T: std::fmt::Debug>(outcome: RpcResult<T>) -> (i32, String) {
    let error = outcome.expect_err("refused");
    (error.code(), error.to_string())
}

/// Calls the emitter with the first key.
async fn emit(api: &ShardApi, emitter: Address) -> B256 {
    let nonce = api.transaction_count(key(0).address(), Tag::Pending.into()).await.expect("known");
    send(api, &Sender::new(SHARD).transaction(&key(0), nonce, Some(emitter), U256::ZERO, Bytes::new())).await
}
