//! What becomes of a receipt, stage by stage.

use crate::portal::{Patience, Sending, Sent, now_ms};
use crate::testnet::Endpoint;
use alloy_primitives::B256;
use rpc::client::Client;
use rpc::view::{Passage, ReceiptJourney};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// A stage takes less than a second or two.
const PATIENCE: Patience = Patience { pause: Duration::from_millis(15), limit: Duration::from_secs(60) };

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
        let id = PATIENCE.sent_receipt(&self.source, sent).await?;
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
        let ask = async || {
            let journey: Option<ReceiptJourney> = client.call("atoll_getReceipt", (id, false)).await?;
            Ok(journey.and_then(&of))
        };
        PATIENCE.until("the receipt did not come on", ask).await
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
