//! Asking until something has happened.

use super::Sent;
use alloy_primitives::B256;
use alloy_sol_types::SolEvent as _;
use eyre::{bail, eyre};
use rpc::client::Client;
use serde_json::{Value, json};
use shard_state::portal::abi::IPortal;
use std::time::{Duration, Instant};

/// How often is asked, and how long a stage may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Between two questions.
    pub(crate) pause: Duration,
    /// In all.
    pub(crate) limit: Duration,
}

impl Patience {
    /// Asks until there is an answer; `what` says what did not happen if there is none.
    pub(crate) async fn until<T>(
        self,
        what: &str,
        ask: impl AsyncFn() -> eyre::Result<Option<T>>,
    ) -> eyre::Result<T> {
        let start = Instant::now();
        loop {
            if let Some(found) = ask().await? {
                return Ok(found);
            }
            if start.elapsed() > self.limit {
                bail!(
                    "{what} within {} s; `atoll testnet status` shows how far the chains are",
                    self.limit.as_secs()
                );
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Waits until a transaction is in a certified block; the receipt that it sent.
    pub(crate) async fn sent_receipt(self, client: &Client, sent: &Sent) -> eyre::Result<B256> {
        let hash = sent.hash;
        let included = async || {
            let receipt: Value = client.call("eth_getTransactionReceipt", (hash,)).await?;
            Ok((!receipt.is_null()).then_some(receipt))
        };
        let receipt = self.until("the transaction was not included", included).await?;
        if receipt["status"] != "0x1" {
            bail!("transaction {hash} was included and failed: see `cast run`");
        }
        let logs = receipt["logs"].as_array().cloned().unwrap_or_default();
        let event = logs.into_iter().find(|log| log["topics"][0] == json!(IPortal::Sent::SIGNATURE_HASH));
        let id = event.and_then(|event| serde_json::from_value(event["topics"][1].clone()).ok());
        id.ok_or_else(|| eyre!("transaction {hash} sent no receipt"))
    }
}
