//! Which chain this is, and how far the node has come on it.

use crate::api::{ShardApi, error, events};
use primitives::Height;
use rpc::error::RpcResult;
use rpc::method::ChainApi;
use rpc::view::{EthConfig, Syncing, chain_config};

impl ChainApi for ShardApi {
    fn chain_id(&self) -> u64 {
        self.chain.snapshot().chain_id()
    }

    async fn block_number(&self) -> RpcResult<u64> {
        Ok(self.chain.snapshot().height().get())
    }

    async fn config(&self) -> RpcResult<EthConfig> {
        let snapshot = self.chain.snapshot();
        let genesis = snapshot.reader.id(Height::ZERO).map_err(error::storage)?.unwrap_or_default();
        Ok(chain_config(snapshot.chain_id(), genesis))
    }

    async fn syncing(&self) -> RpcResult<Syncing> {
        Ok(events::syncing(&*self.chain))
    }
}
