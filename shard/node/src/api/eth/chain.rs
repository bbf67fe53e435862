//! Which chain this is, and how far the node has come on it.

use crate::api::ShardApi;
use rpc::error::RpcResult;
use rpc::method::ChainApi;
use rpc::view::Syncing;

/// Heights that a node may lack while the newest block is still on its way.
const IN_FLIGHT: u64 = 2;

impl ChainApi for ShardApi {
    fn chain_id(&self) -> u64 {
        self.chain.snapshot().chain_id()
    }

    async fn block_number(&self) -> RpcResult<u64> {
        Ok(self.chain.snapshot().height().get())
    }

    async fn syncing(&self) -> RpcResult<Syncing> {
        let (current, highest) = (self.chain.snapshot().height(), self.chain.highest());
        if highest.above(current) <= IN_FLIGHT {
            return Ok(Syncing::DONE);
        }
        Ok(Syncing::running(self.chain.starting().get(), current.get(), highest.get()))
    }
}
