//! What the owner of a development chain may do, as its RPC asks for it.

use super::accounts::{ACCOUNTS, key_of};
use super::chain::{DevChain, now_ms};
use super::core::{DevCore, DevError};
use crate::api::{Chain as _, ShardApi, submit_error};
use alloy_consensus::{SignableTransaction as _, TxEnvelope, TypedTransaction};
use alloy_eips::{BlockId, Encodable2718 as _};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_rpc_types_eth::TransactionRequest;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::{ChainApi as _, DevApi, ExecutionApi as _, FeeApi as _, StateApi as _};
use std::sync::Arc;
use std::time::Duration;

/// Seconds between blocks that are made at once, where nothing else is said.
const SECONDS_BETWEEN_BLOCKS: u64 = 1;

/// The owner of a development chain.
#[derive(Debug)]
pub(super) struct DevOwner {
    chain: DevChain,
    api: Arc<ShardApi>,
}

impl DevOwner {
    pub(super) const fn new(chain: DevChain, api: Arc<ShardApi>) -> Self {
        Self { chain, api }
    }

    /// Works on the chain; what it refuses is the caller's to hear.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DevCore) -> Result<T, DevError> + Send + 'static,
    ) -> RpcResult<T> {
        self.chain.work(work).await.and_then(|outcome| outcome).map_err(refused)
    }

    /// Fills in what a request leaves out.
    async fn complete(&self, mut request: TransactionRequest, from: Address) -> RpcResult<TypedTransaction> {
        let chain_id = self.api.chain_id();
        if let Some(found) = request.chain_id.replace(chain_id).filter(|found| *found != chain_id) {
            let text = format!("chainId does not match node's (have={found}, want={chain_id})");
            return Err(RpcError::Server(text));
        }
        request.to.get_or_insert(TxKind::Create);
        request.value.get_or_insert_default();
        if request.nonce.is_none() {
            request.nonce = Some(self.api.transaction_count(from, BlockId::pending()).await?);
        }
        if request.gas_price.is_none() && request.max_fee_per_gas.is_none() {
            let tip = match request.max_priority_fee_per_gas {
                Some(tip) => tip,
                None => self.api.max_priority_fee_per_gas().await?,
            };
            let base_fee = u128::from(self.chain.snapshot().next_base_fee());
            request.max_fee_per_gas = Some(base_fee.saturating_mul(2).saturating_add(tip));
        }
        if let Some(fee) = request.max_fee_per_gas {
            let tip = request.max_priority_fee_per_gas.unwrap_or(fee);
            request.max_priority_fee_per_gas = Some(tip.min(fee));
        }
        if request.gas.is_none() {
            let gas = self.api.estimate_gas(unpriced(&request), BlockId::pending(), None).await?;
            request.gas = Some(gas);
        }
        request.build_typed_tx().map_err(|_| RpcError::Server("the fields given make no transaction".into()))
    }
}

impl DevApi for DevOwner {
    fn accounts(&self) -> Vec<Address> {
        ACCOUNTS.iter().map(|(address, _)| *address).collect()
    }

    async fn send_transaction(&self, request: TransactionRequest) -> RpcResult<B256> {
        let Some(from) = request.from else {
            return Err(RpcError::InvalidParams("from: the account to send from is missing".into()));
        };
        let key = key_of(&from);
        if key.is_none() && !self.chain.look(|core| core.is_impersonated(&from)) {
            return Err(RpcError::Server("unknown account".into()));
        }
        let unsigned = self.complete(request, from).await?;
        let sent = match key {
            Some(key) => {
                let signature = key.sign(&unsigned.signature_hash());
                self.chain.submit(encoded(unsigned, signature)).await
            }
            None => self.chain.submit_as(from, encoded(unsigned, stand_in(from))).await,
        };
        sent.map_err(submit_error)
    }

    async fn snapshot(&self) -> RpcResult<u64> {
        self.work(|core| Ok(core.mark())).await
    }

    async fn revert(&self, snapshot: u64) -> RpcResult<bool> {
        self.work(move |core| core.revert(snapshot)).await
    }

    async fn mine(&self, blocks: u64, seconds: Option<u64>, timestamp: Option<u64>) -> RpcResult<()> {
        let seconds = seconds.unwrap_or(SECONDS_BETWEEN_BLOCKS);
        let mine = move |core: &mut DevCore| {
            timestamp.map_or(Ok(()), |timestamp| core.set_next_timestamp(timestamp))?;
            core.mine(blocks, seconds, now_ms())
        };
        self.work(mine).await
    }

    async fn increase_time(&self, seconds: u64) -> RpcResult<u64> {
        self.work(move |core| Ok(core.increase_time(seconds))).await
    }

    async fn set_next_block_timestamp(&self, timestamp: u64) -> RpcResult<()> {
        self.work(move |core| core.set_next_timestamp(timestamp)).await
    }

    fn automine(&self) -> bool {
        self.chain.look(DevCore::automine)
    }

    async fn set_automine(&self, automine: bool) -> RpcResult<()> {
        self.work(move |core| core.set_automine(automine, now_ms())).await
    }

    async fn set_interval(&self, milliseconds: u64) -> RpcResult<()> {
        let interval = Some(milliseconds).filter(|time| *time > 0).map(Duration::from_millis);
        self.chain.set_interval(interval);
        Ok(())
    }

    async fn set_balance(&self, address: Address, balance: U256) -> RpcResult<()> {
        self.work(move |core| core.set_balance(address, balance)).await
    }

    async fn set_code(&self, address: Address, code: Bytes) -> RpcResult<()> {
        self.work(move |core| core.set_code(address, code)).await
    }

    async fn set_nonce(&self, address: Address, nonce: u64) -> RpcResult<()> {
        self.work(move |core| core.set_nonce(address, nonce)).await
    }

    async fn set_storage_at(&self, address: Address, slot: B256, value: B256) -> RpcResult<()> {
        self.work(move |core| core.set_storage(address, slot, value.into())).await
    }

    async fn impersonate(&self, address: Address) -> RpcResult<()> {
        let impersonate = move |core: &mut DevCore| {
            core.impersonate(address);
            Ok(())
        };
        self.work(impersonate).await
    }

    async fn stop_impersonating(&self, address: Address) -> RpcResult<()> {
        let stop = move |core: &mut DevCore| {
            core.stop_impersonating(&address);
            Ok(())
        };
        self.work(stop).await
    }
}

/// The request as it is estimated: what it may cost says nothing about the gas it needs.
fn unpriced(request: &TransactionRequest) -> TransactionRequest {
    TransactionRequest {
        gas_price: None,
        max_fee_per_gas: None,
        max_priority_fee_per_gas: None,
        authorization_list: None,
        ..request.clone()
    }
}

fn encoded(unsigned: TypedTransaction, signature: Signature) -> Bytes {
    TxEnvelope::from(unsigned.into_signed(signature)).encoded_2718().into()
}

/// Stands where a signature would, and differs between senders as signatures do.
fn stand_in(sender: Address) -> Signature {
    Signature::new(U256::from_be_slice(sender.as_slice()), U256::ONE, false)
}

fn refused(error: DevError) -> RpcError {
    match error {
        DevError::Timestamp { .. } | DevError::NoAccount { .. } | DevError::MalformedCode { .. } => {
            RpcError::InvalidParams(error.to_string())
        }
        other => RpcError::Internal(other.to_string()),
    }
}
