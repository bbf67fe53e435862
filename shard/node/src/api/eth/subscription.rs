//! What happens, as it happens.

use crate::api::{ShardApi, events};
use alloy_rpc_types_eth::Filter;
use futures::stream::BoxStream;
use rpc::error::RpcResult;
use rpc::method::SubscriptionApi;
use rpc::view::{Header, Log};

impl SubscriptionApi for ShardApi {
    fn new_heads(&self) -> RpcResult<BoxStream<'static, Header>> {
        Ok(events::heads(self.chain.events()))
    }

    fn new_logs(&self, filter: Filter) -> RpcResult<BoxStream<'static, Log>> {
        Ok(events::logs(self.chain.events(), filter))
    }
}
