//! What transactions pay.

use crate::api::fees::{self, HISTORY_BLOCKS_MAX, History, REWARD_BLOCKS_MAX};
use crate::api::position::{Position, pending_block};
use crate::api::record::BlockRecord;
use crate::api::{ShardApi, error};
use alloy_eips::BlockNumberOrTag;
use alloy_rpc_types_eth::FeeHistory;
use primitives::Height;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::FeeApi;
use std::sync::Arc;

impl FeeApi for ShardApi {
    async fn gas_price(&self) -> RpcResult<u128> {
        let base_fee = self.chain.snapshot().next_base_fee();
        Ok(self.max_priority_fee_per_gas().await?.saturating_add(base_fee.into()))
    }

    async fn max_priority_fee_per_gas(&self) -> RpcResult<u128> {
        let snapshot = self.chain.snapshot();
        let head = snapshot.id();
        if let Some((_, tip)) = self.tip.lock().filter(|(id, _)| *id == head) {
            return Ok(tip);
        }
        let recent = Arc::clone(&self.recent);
        let tip = self.reads.run(move || {
            let mut busy = Vec::new();
            let newest = snapshot.height().get();
            for height in newest.saturating_sub(fees::BLOCKS_LOOKED_AT - 1)..=newest {
                let header = snapshot.reader.header(Height::new(height)).map_err(error::storage)?;
                if header.is_some_and(|header| fees::is_busy(&header)) {
                    busy.extend(recent.record(&snapshot, Height::new(height))?);
                }
            }
            fees::suggested_tip(&busy)
        });
        let tip = tip.await?;
        *self.tip.lock() = Some((head, tip));
        Ok(tip)
    }

    async fn fee_history(
        &self,
        blocks: u64,
        newest: BlockNumberOrTag,
        percentiles: Vec<f64>,
    ) -> RpcResult<FeeHistory> {
        if blocks == 0 {
            return Ok(FeeHistory::default());
        }
        let snapshot = self.chain.snapshot();
        let head = snapshot.height().get();
        let (newest, pending) = match Position::by_number(&snapshot, newest) {
            Some(Position::At(height)) => (height.get(), false),
            Some(Position::Pending) => (head.saturating_add(1), true),
            None => {
                let found = newest.as_number().unwrap_or_default();
                let text = format!("request beyond head block: requested {found}, head {head}");
                return Err(RpcError::Server(text));
            }
        };
        let blocks_max = if percentiles.is_empty() { HISTORY_BLOCKS_MAX } else { REWARD_BLOCKS_MAX };
        let oldest = newest.saturating_sub(blocks.min(blocks_max) - 1);
        let certified = oldest..=newest.min(head);
        let recent = Arc::clone(&self.recent);
        self.reads
            .run(move || {
                let with_rewards = !percentiles.is_empty();
                let mut history = History::new(oldest, percentiles);
                for height in certified.map(Height::new) {
                    if with_rewards {
                        let block = recent.record(&snapshot, height)?.ok_or(RpcError::HeaderNotFound)?;
                        history.add(&block, &snapshot.spec)?;
                    } else {
                        let header = snapshot.reader.header(height).map_err(error::storage)?;
                        history.add_header(&header.ok_or(RpcError::HeaderNotFound)?, &snapshot.spec);
                    }
                }
                if pending {
                    history.add(&BlockRecord::Executed(pending_block(&snapshot)), &snapshot.spec)?;
                }
                Ok(history.finish())
            })
            .await
    }
}
