//! What becomes of a receipt, stage by stage.

use super::sending::{Sending, Sent, now_ms};
use crate::testnet::Endpoint;
use alloy_primitives::B256;
use eyre::{bail, eyre};
use primitives::PORTAL;
use rpc::client::Client;
use rpc::view::{Passage, ReceiptJourney};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Between two questions.
const POLL: Duration = Duration::from_millis(15);
/// How long a stage may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where an event has the receipt's id.
const ID_TOPIC: usize = 1;

/// Who asks how far a receipt is.
#[derive(Debug)]
pub(super) struct Watch {
    source: Client,
    destination: Client,
    json: bool,
}

/// A receipt in a block of its source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Included {
    id: B256,
    sent_ms: u64,
    proposed_ms: u64,
    certified_ms: Option<u64>,
}

/// When a receipt passed each stage, milliseconds since its block was proposed; `included_ms` since it was sent.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Times {
    id: B256,
    included_ms: u64,
    certified_ms: Option<u64>,
    verified_ms: Option<u64>,
    credited_ms: Option<u64>,
    finalized_ms: Option<u64>,
}

impl Watch {
    pub(super) fn start(sending: &Sending, destination: &Endpoint, json: bool) -> eyre::Result<Self> {
        let destination = Client::new(&*destination.http)?;
        Ok(Self { source: sending.client.clone(), destination, json })
    }

    /// Waits until the transaction is in a certified block.
    pub(super) async fn included(&self, sent: &Sent) -> eyre::Result<Included> {
        let receipt = self
            .until("the transaction was not included", async || {
                let receipt: Value = self.source.call("eth_getTransactionReceipt", (sent.hash,)).await?;
                Ok((!receipt.is_null()).then_some(receipt))
            })
            .await?;
        if receipt["status"] != "0x1" {
            bail!("transaction {} was included and failed: see `cast run`", sent.hash);
        }
        let logs = receipt["logs"].as_array().cloned().unwrap_or_default();
        let portal = json!(PORTAL);
        let event = logs.into_iter().find(|log| log["address"] == portal);
        let id = event.and_then(|event| serde_json::from_value(event["topics"][ID_TOPIC].clone()).ok());
        let id = id.ok_or_else(|| eyre!("transaction {} sent no receipt", sent.hash))?;
        let passage = self.passage(&self.source, id, |journey| journey.sent).await?;
        let Passage { proposed_ms, certified_ms, .. } = passage;
        let included = Included { id, sent_ms: sent.at_ms, proposed_ms, certified_ms };
        self.tell("included", id, included.times().included_ms);
        Ok(included)
    }

    /// Waits until the receipt is credited and recorded by a finalized beacon block.
    pub(super) async fn arrival(&mut self, included: Included) -> eyre::Result<Times> {
        let Included { id, proposed_ms, .. } = included;
        let since = |time: u64| time.saturating_sub(proposed_ms);
        let mut times = included.times();
        self.tell_at("certified", id, times.certified_ms);
        let arrived = self.passage(&self.destination, id, |journey| journey.consumed).await?;
        times.verified_ms = arrived.verified_ms.map(since);
        times.credited_ms = Some(since(arrived.certified_ms.unwrap_or_else(now_ms)));
        self.tell_at("verified", id, times.verified_ms);
        self.tell_at(if arrived.success { "credited" } else { "bounced" }, id, times.credited_ms);
        let finalized = |journey: ReceiptJourney| journey.consumed.filter(|passage| passage.finalized);
        self.passage(&self.destination, id, finalized).await?;
        times.finalized_ms = Some(since(now_ms()));
        self.tell_at("finalized", id, times.finalized_ms);
        Ok(times)
    }

    async fn passage(
        &self,
        client: &Client,
        id: B256,
        of: impl Fn(ReceiptJourney) -> Option<Passage>,
    ) -> eyre::Result<Passage> {
        self.until("the receipt did not come on", async || {
            let journey: Option<ReceiptJourney> = client.call("atoll_getReceipt", (id,)).await?;
            Ok(journey.and_then(&of))
        })
        .await
    }

    async fn until<T>(&self, what: &str, ask: impl AsyncFn() -> eyre::Result<Option<T>>) -> eyre::Result<T> {
        let start = Instant::now();
        loop {
            if let Some(found) = ask().await? {
                return Ok(found);
            }
            if start.elapsed() > PATIENCE {
                bail!(
                    "{what} within {} s; `atoll testnet status` shows how far the chains are",
                    PATIENCE.as_secs()
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn tell_at(&self, stage: &str, id: B256, after_ms: Option<u64>) {
        if let Some(after_ms) = after_ms {
            self.tell(stage, id, after_ms);
        }
    }

    fn tell(&self, stage: &str, id: B256, after_ms: u64) {
        if self.json {
            println!("{}", json!({ "stage": stage, "id": id, "after_ms": after_ms }));
        } else {
            eprintln!("{stage:<10} {after_ms:>6} ms");
        }
    }
}

impl Included {
    fn times(self) -> Times {
        let Self { id, sent_ms, proposed_ms, certified_ms } = self;
        Times {
            id,
            included_ms: proposed_ms.saturating_sub(sent_ms),
            certified_ms: certified_ms.map(|time| time.saturating_sub(proposed_ms)),
            ..Times::default()
        }
    }
}

impl Times {
    /// Those of a receipt that nobody watches further.
    pub(super) fn included(included: Included) -> Self {
        included.times()
    }

    /// The result: all times, or the id alone for people, who were told the times already.
    pub(super) fn print(&self, json: bool) {
        if json {
            println!("{}", json!(self));
        } else {
            println!("{}", self.id);
        }
    }
}
