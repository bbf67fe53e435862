//! A call of the Portal by an account of a shard.

use crate::testnet::Endpoint;
use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use crypto::secp256k1::SecretKey;
use eyre::{WrapErr as _, eyre};
use primitives::{PORTAL, ShardId};
use rpc::client::Client;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// Somebody who sends from a shard.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) client: Client,
    chain_id: u64,
    shard: ShardId,
    key: SecretKey,
}

/// A transaction that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) hash: B256,
    /// When, milliseconds since the Unix epoch.
    pub(crate) at_ms: u64,
}

impl Sending {
    pub(crate) fn new(source: &Endpoint, key: B256) -> eyre::Result<Self> {
        let key = SecretKey::from_bytes(&key.0).map_err(|error| eyre!("the key: {error}"))?;
        Ok(Self { client: Client::new(&*source.http)?, chain_id: source.chain_id, shard: source.shard, key })
    }

    /// Who sends.
    pub(crate) fn sender(&self) -> Address {
        self.key.address()
    }

    /// Where it sends from.
    pub(crate) const fn shard(&self) -> ShardId {
        self.shard
    }

    /// Calls the Portal.
    pub(crate) async fn call(&self, value: U256, input: Bytes) -> eyre::Result<Sent> {
        let (client, from) = (&self.client, self.sender());
        let request = json!({ "from": from, "to": PORTAL, "value": value, "input": input });
        let gas: U64 = client.call("eth_estimateGas", (request,)).await.wrap_err("it cannot be sent")?;
        let nonce: U64 = client.call("eth_getTransactionCount", (from, "pending")).await?;
        let price: U256 = client.call("eth_gasPrice", json!([])).await?;
        let tip: U256 = client.call("eth_maxPriorityFeePerGas", json!([])).await?;
        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: nonce.to(),
            gas_limit: gas.to(),
            max_fee_per_gas: (price * U256::from(2)).saturating_to(),
            max_priority_fee_per_gas: tip.saturating_to(),
            to: TxKind::Call(PORTAL),
            value,
            access_list: Default::default(),
            input,
        };
        let signature = self.key.sign(&transaction.signature_hash());
        let raw: Bytes = TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into();
        let at_ms = now_ms();
        let hash = client.call("eth_sendRawTransaction", (raw,)).await?;
        Ok(Sent { hash, at_ms })
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
