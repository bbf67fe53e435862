//! What transactions pay.

use crate::{
    error::RpcResult,
    method::{methods, signature::Percentiles},
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U128};
use alloy_rpc_types_eth::FeeHistory;
use std::future::Future;

/// What a unit of blob gas costs: the least, as a shard takes no blobs; contracts read the same.
const BLOB_BASE_FEE: U64 = U64::ONE;

/// What transactions pay.
pub trait FeeApi: Send + Sync + 'static {
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
}

methods! {
    FeeApi;

    /// A gas price for legacy transactions that enters the next blocks, wei.
    eth_gasPrice() -> "quantity" = |api| Ok(U128::from(api.gas_price().await?));

    /// A tip that enters the next blocks, wei per gas.
    eth_maxPriorityFeePerGas() -> "quantity" = |api| Ok(U128::from(api.max_priority_fee_per_gas().await?));

    /// Base fee of a blob: always the least, as a shard takes no blobs.
    eth_blobBaseFee() -> "quantity" = |_api| Ok(BLOB_BASE_FEE);

    /// Base fees, fullness and tips at percentiles of up to so many blocks, the last of which is named.
    eth_feeHistory(blocks: U64, newest: BlockNumberOrTag, percentiles: Percentiles) -> "fee history"
        = |api| api.fee_history(blocks.to(), newest, percentiles.0).await;
}
