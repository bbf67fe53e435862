//! What happens, as it happens.

use crate::api::{ShardApi, events};
use alloy_rpc_types_eth::Filter;
use futures::stream::BoxStream;
use rpc::error::RpcResult;
use rpc::method::SubscriptionApi;
use rpc::view::{Header, Log, Pooled, ReceiptJourney, SyncNotice};
use std::sync::Arc;

impl SubscriptionApi for ShardApi {
    fn new_heads(&self) -> RpcResult<BoxStream<'static, Header>> {
        Ok(events::heads(self.chain.events()))
    }

    fn new_logs(&self, filter: Filter) -> RpcResult<BoxStream<'static, Log>> {
        Ok(events::logs(self.chain.events(), filter))
    }

    fn new_pending_transactions(&self, full: bool) -> RpcResult<BoxStream<'static, Pooled>> {
        Ok(events::pooled(self.chain.pooled_events(), full))
    }

    fn receipts(&self) -> RpcResult<BoxStream<'static, ReceiptJourney>> {
        Ok(events::receipts(Arc::clone(&self.chain)))
    }

    fn sync_notices(&self) -> RpcResult<BoxStream<'static, SyncNotice>> {
        Ok(events::sync_notices(Arc::clone(&self.chain)))
    }
}
