//! What becomes of a receipt to the beacon chain, stage by stage.

use crate::portal::{Patience, Sent};
use alloy_primitives::{B256, U64};
use alloy_sol_types::SolEvent as _;
use eyre::{bail, eyre};
use primitives::{Chain, Epoch, PORTAL, PublicKeyBytes, ShardId};
use rpc::beacon::{BeaconClient, ValidatorView};
use rpc::client::Client;
use rpc::view::ReceiptJourney;
use serde_json::{Value, json};
use shard_state::portal::abi::IPortal;
use std::time::{Duration, Instant};

/// A draw waits for the end of an epoch, a payout for that of the delay.
const PATIENCE: Patience = Patience { pause: Duration::from_millis(100), limit: Duration::from_secs(300) };

/// Who asks how far it is.
#[derive(Debug)]
pub(super) struct Watch {
    shard: Client,
    pub(super) beacon: BeaconClient,
    json: bool,
    start: Instant,
}

impl Watch {
    pub(super) fn new(shard: Client, beacon: BeaconClient, json: bool) -> Self {
        Self { shard, beacon, json, start: Instant::now() }
    }

    /// Waits until the transaction is in a certified block; the receipt that it sent.
    pub(super) async fn included(&self, sent: &Sent) -> eyre::Result<B256> {
        let id = PATIENCE.sent_receipt(&self.shard, sent).await?;
        self.tell("included", &json!({ "id": id }));
        Ok(id)
    }

    /// Waits until the beacon chain has registered a validator of this seat; its index.
    pub(super) async fn registered(&self, id: B256, seat: &PublicKeyBytes) -> eyre::Result<u64> {
        let ask = async || {
            self.fail_if_refused(id).await?;
            Ok(self.beacon.validator(&seat.to_string()).await?)
        };
        let view = PATIENCE.until("the validator was not registered", ask).await?;
        self.tell("registered", &json!({ "validator": view.index.0 }));
        Ok(view.index.0)
    }

    /// Waits until a shard's committee is drawn in which the validator has a seat.
    pub(super) async fn drawn(&self, index: u64) -> eyre::Result<()> {
        let ask = async || self.committee_with(index).await;
        let (chain, epoch) = PATIENCE.until("no committee with the validator was drawn", ask).await?;
        self.tell("drawn", &json!({ "chain": chain, "epoch": epoch }));
        Ok(())
    }

    async fn committee_with(&self, index: u64) -> eyre::Result<Option<(Chain, Epoch)>> {
        for shard in self.beacon.shards().await? {
            let chain = Chain::from(ShardId::new(u32::try_from(shard.shard.0)?));
            let epoch = Epoch::new(shard.drawn_epoch.0);
            let committee = self.beacon.committee_view(chain, epoch).await?;
            if committee.seats.iter().any(|seat| seat.validator.0 == index) {
                return Ok(Some((chain, epoch)));
            }
        }
        Ok(None)
    }

    /// Waits until the stake that ended is on its way back.
    pub(super) async fn exited(&self, id: B256, before: &ValidatorView) -> eyre::Result<()> {
        let index = before.index.0.to_string();
        let view = async || {
            let view = self.beacon.validator(&index).await?;
            view.ok_or_else(|| eyre!("validator {index} is not in the registry"))
        };
        let ended = async || {
            self.fail_if_refused(id).await?;
            let now = view().await?;
            Ok((now.validator.units < before.validator.units).then_some(()))
        };
        PATIENCE.until("the stake did not end", ended).await?;
        self.tell("exited", &json!({ "validator": before.index.0 }));
        let paid = async || {
            let now = view().await?;
            Ok((now.balance < before.balance).then_some(()))
        };
        PATIENCE.until("the stake was not paid out", paid).await?;
        self.tell("paid out", &json!({ "validator": before.index.0 }));
        Ok(())
    }

    /// The beacon chain's answer, if it has come, says that it refused.
    async fn fail_if_refused(&self, id: B256) -> eyre::Result<()> {
        let topics = json!([IPortal::Answered::SIGNATURE_HASH, id]);
        let latest: U64 = self.shard.call("eth_blockNumber", json!([])).await?;
        let from = U64::from(latest.to::<u64>().saturating_sub(1_000));
        let filter = json!({ "address": PORTAL, "topics": topics, "fromBlock": from });
        let logs: Vec<Value> = self.shard.call("eth_getLogs", (filter,)).await?;
        let Some(answer) = logs.first() else { return Ok(()) };
        // A consumed receipt is shown as the transaction of its id.
        let answer: B256 = serde_json::from_value(answer["transactionHash"].clone())?;
        let journey: Option<ReceiptJourney> = self.shard.call("atoll_getReceipt", (answer, false)).await?;
        let reason = journey.and_then(|journey| journey.refusal).unwrap_or_else(|| "it is too late".into());
        bail!("the beacon chain refused: {reason}; the value is back");
    }

    fn tell(&self, stage: &str, what: &Value) {
        let after_ms = self.start.elapsed().as_millis() as u64;
        if self.json {
            println!("{}", json!({ "stage": stage, "after_ms": after_ms, "detail": what }));
        } else {
            let detail = what.as_object().into_iter().flatten();
            let detail: Vec<String> = detail.map(|(name, value)| format!("{name} {value}")).collect();
            eprintln!("{stage:<10} {after_ms:>7} ms  {}", detail.join(", "));
        }
    }
}
