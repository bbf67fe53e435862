//! `eth_`: reading the chain, executing against it, sending to it, listening to it.

use super::{add_method, nothing};
use crate::{
    argument::Arguments,
    error::{RpcError, RpcResult},
    subscription,
    view::{Block, Header, Log, Syncing, Transaction, TransactionReceipt},
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy_rpc_types_eth::{
    BlockOverrides, EIP1186AccountProofResponse, FeeHistory, Filter, TransactionRequest, state::StateOverride,
};
use alloy_serde::JsonStorageKey;
use futures::stream::BoxStream;
use jsonrpsee::RpcModule;
use std::future::Future;

/// What a shard node answers in the `eth_` namespace.
///
/// A block that is not known is `None` where geth answers `null`, and [`RpcError::HeaderNotFound`] where
/// state is read. An implementation may write each method as an `async fn`.
pub trait EthApi: Send + Sync + 'static {
    /// What transactions must be signed for.
    fn chain_id(&self) -> u64;

    /// Height of the latest certified block.
    fn block_number(&self) -> impl Future<Output = RpcResult<u64>> + Send;

    /// Whether the node still catches up.
    fn syncing(&self) -> impl Future<Output = RpcResult<Syncing>> + Send;

    /// A legacy gas price that enters the next blocks, wei.
    fn gas_price(&self) -> impl Future<Output = RpcResult<u128>> + Send;

    /// A tip that enters the next blocks, wei.
    fn max_priority_fee_per_gas(&self) -> impl Future<Output = RpcResult<u128>> + Send;

    /// Base fees, fullness and tips of up to `blocks` blocks that end at `newest`; percentiles are 0 to 100,
    /// ascending.
    fn fee_history(
        &self,
        blocks: u64,
        newest: BlockNumberOrTag,
        percentiles: Vec<f64>,
    ) -> impl Future<Output = RpcResult<FeeHistory>> + Send;

    /// Wei that an account has.
    fn balance(&self, address: Address, block: BlockId) -> impl Future<Output = RpcResult<U256>> + Send;

    /// Next nonce of an account; at `pending`, after the pool's transactions.
    fn transaction_count(
        &self,
        address: Address,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<u64>> + Send;

    /// Code of an account.
    fn code(&self, address: Address, block: BlockId) -> impl Future<Output = RpcResult<Bytes>> + Send;

    /// One word of an account's storage.
    fn storage_at(
        &self,
        address: Address,
        slot: B256,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<B256>> + Send;

    /// EIP-1186: an account and words of its storage, proven against the state root. The answer repeats each key
    /// as it was given.
    fn proof(
        &self,
        address: Address,
        keys: Vec<JsonStorageKey>,
        block: BlockId,
    ) -> impl Future<Output = RpcResult<EIP1186AccountProofResponse>> + Send;

    /// Executes without effect; answers what the call returns.
    fn call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
        header: Option<BlockOverrides>,
    ) -> impl Future<Output = RpcResult<Bytes>> + Send;

    /// The least gas limit with which the transaction succeeds.
    fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
    ) -> impl Future<Output = RpcResult<u64>> + Send;

    /// Takes an EIP-2718 encoded transaction into the pool; answers its hash.
    fn send_raw_transaction(&self, transaction: Bytes) -> impl Future<Output = RpcResult<B256>> + Send;

    /// A transaction of a block, or of the pool.
    fn transaction(&self, hash: B256) -> impl Future<Output = RpcResult<Option<Transaction>>> + Send;

    /// What came of a transaction, once it is in a certified block.
    fn transaction_receipt(
        &self,
        hash: B256,
    ) -> impl Future<Output = RpcResult<Option<TransactionReceipt>>> + Send;

    /// A block; `full` is with transactions instead of their hashes.
    fn block_by_number(
        &self,
        block: BlockNumberOrTag,
        full: bool,
    ) -> impl Future<Output = RpcResult<Option<Block>>> + Send;

    /// A block; `full` is with transactions instead of their hashes.
    fn block_by_hash(&self, hash: B256, full: bool) -> impl Future<Output = RpcResult<Option<Block>>> + Send;

    /// Logs that match, in order.
    fn logs(&self, filter: Filter) -> impl Future<Output = RpcResult<Vec<Log>>> + Send;

    /// Headers as they are certified. The stream's buffer is bounded; it ends where it would skip.
    fn new_heads(&self) -> RpcResult<BoxStream<'static, Header>>;

    /// Logs as their blocks are certified, and again with `removed` should their block be undone. The stream's
    /// buffer is bounded; it ends where it would skip.
    fn new_logs(&self, filter: Filter) -> RpcResult<BoxStream<'static, Log>>;
}

pub(super) fn add<A: EthApi>(module: &mut RpcModule<A>) {
    add_chain(module);
    add_state(module);
    add_execution(module);
    add_blocks(module);
    subscription::add(module);
}

fn add_chain<A: EthApi>(module: &mut RpcModule<A>) {
    add_method(module, "eth_chainId", nothing, |api, ()| async move { Ok(U64::from(api.chain_id())) });
    add_method(module, "eth_blockNumber", nothing, |api, ()| async move {
        Ok(U64::from(api.block_number().await?))
    });
    add_method(module, "eth_syncing", nothing, |api, ()| async move { api.syncing().await });
    add_method(module, "eth_accounts", nothing, |_, ()| async move { Ok(Vec::<Address>::new()) });
    add_method(
        module,
        "eth_gasPrice",
        nothing,
        |api, ()| async move { Ok(U128::from(api.gas_price().await?)) },
    );
    add_method(module, "eth_maxPriorityFeePerGas", nothing, |api, ()| async move {
        Ok(U128::from(api.max_priority_fee_per_gas().await?))
    });
    add_method(module, "eth_feeHistory", read_fee_history, |api, (blocks, newest, percentiles)| async move {
        api.fee_history(blocks, newest, percentiles).await
    });
}

fn add_state<A: EthApi>(module: &mut RpcModule<A>) {
    add_method(
        module,
        "eth_getBalance",
        |a| Ok((a.required()?, block(a)?)),
        |api, (address, block)| async move { api.balance(address, block).await },
    );
    add_method(
        module,
        "eth_getTransactionCount",
        |a| Ok((a.required()?, block(a)?)),
        |api, (address, block)| async move { Ok(U64::from(api.transaction_count(address, block).await?)) },
    );
    add_method(
        module,
        "eth_getCode",
        |a| Ok((a.required()?, block(a)?)),
        |api, (address, block)| async move { api.code(address, block).await },
    );
    add_method(
        module,
        "eth_getStorageAt",
        |a| Ok((a.required()?, a.required::<JsonStorageKey>()?, block(a)?)),
        |api, (address, slot, block)| async move { api.storage_at(address, slot.as_b256(), block).await },
    );
    add_method(
        module,
        "eth_getProof",
        |a| Ok((a.required()?, a.required()?, block(a)?)),
        |api, (address, keys, block)| async move { api.proof(address, keys, block).await },
    );
}

fn add_execution<A: EthApi>(module: &mut RpcModule<A>) {
    add_method(
        module,
        "eth_call",
        |a| Ok((a.required()?, block(a)?, a.optional()?, a.optional()?)),
        |api, (request, block, state, header)| async move { api.call(request, block, state, header).await },
    );
    add_method(
        module,
        "eth_estimateGas",
        |a| Ok((a.required()?, block(a)?, a.optional()?)),
        |api, (request, block, state)| async move {
            Ok(U64::from(api.estimate_gas(request, block, state).await?))
        },
    );
    add_method(
        module,
        "eth_sendRawTransaction",
        |a| a.required(),
        |api, transaction| async move { api.send_raw_transaction(transaction).await },
    );
}

fn add_blocks<A: EthApi>(module: &mut RpcModule<A>) {
    add_method(
        module,
        "eth_getTransactionByHash",
        |a| a.required(),
        |api, hash| async move { api.transaction(hash).await },
    );
    add_method(
        module,
        "eth_getTransactionReceipt",
        |a| a.required(),
        |api, hash| async move { api.transaction_receipt(hash).await },
    );
    add_method(
        module,
        "eth_getBlockByNumber",
        |a| Ok((a.required()?, a.optional()?.unwrap_or(false))),
        |api, (block, full)| async move { api.block_by_number(block, full).await },
    );
    add_method(
        module,
        "eth_getBlockByHash",
        |a| Ok((a.required()?, a.optional()?.unwrap_or(false))),
        |api, (hash, full)| async move { api.block_by_hash(hash, full).await },
    );
    add_method(module, "eth_getLogs", |a| a.required(), |api, filter| async move { api.logs(filter).await });
}

/// The next argument as a block; `latest` where it is left out.
fn block(arguments: &mut Arguments<'_>) -> Result<BlockId, RpcError> {
    Ok(arguments.optional()?.unwrap_or_default())
}

/// Most percentiles in one request, as in geth.
const PERCENTILES_MAX: usize = 100;

fn read_fee_history(arguments: &mut Arguments<'_>) -> RpcResult<(u64, BlockNumberOrTag, Vec<f64>)> {
    let blocks: U64 = arguments.required()?;
    let newest = arguments.required()?;
    let percentiles: Vec<f64> = arguments.optional()?.unwrap_or_default();
    if percentiles.len() > PERCENTILES_MAX {
        return Err(RpcError::InvalidParams(format!(
            "invalid reward percentile: over the query limit {PERCENTILES_MAX}"
        )));
    }
    let mut floor = 0.0;
    for (index, percentile) in percentiles.iter().enumerate() {
        if !(floor..=100.0).contains(percentile) {
            return Err(RpcError::InvalidParams(format!(
                "invalid reward percentile: #{index}: {percentile}"
            )));
        }
        floor = *percentile;
    }
    Ok((blocks.to(), newest, percentiles))
}
