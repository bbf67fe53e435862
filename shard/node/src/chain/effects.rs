//! Doing what the core says.

use super::{ChainFailure, HEAVY_MIN, Reply, ShardChain};
use crate::core::{Effect, Fault, Head, Input, Refusal, Token};
use crate::handle::ChainEvent;
use crate::offers::Offer;
use crate::pool::{Inserted, PoolError, PooledTransaction};
use crate::snapshot::Snapshot;
use crate::store::{Commit, OpenError, ReadError};
use engine::Block;
use primitives::{
    ANCESTRIES_MAX, B256, Certificate, Chain, Committee, Crosslink, CrosslinkOffer, Epoch, Height,
    ShardBlock, ShardHeader,
};
use service::seat::seats_in;
use shard_state::{block::Executed, portal::lanes, state::FlatState};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use storage::StorageError;

/// Time between attempts to write to a full disk.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(1);

impl ShardChain {
    /// Does what the core says, and what it says to what came of that.
    pub(super) async fn execute(&mut self, effects: Vec<Effect>) -> Result<(), ChainFailure> {
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            let mut more = Vec::new();
            self.perform(effect, &mut more).await?;
            queue.extend(more);
        }
        self.metrics.sizes(self.core.sizes());
        Ok(())
    }

    async fn perform(&mut self, effect: Effect, more: &mut Vec<Effect>) -> Result<(), ChainFailure> {
        match effect {
            Effect::Commit(commit) => self.commit(&commit).await?,
            Effect::Compare { token, height, id } => {
                self.require_id(height, id)?;
                self.acknowledge(token);
            }
            Effect::Halt(fault) => return Err(fault.into()),
            Effect::Publish(head) => self.publish(*head),
            Effect::Finalized { height, id } => self.finalized(height, id).await?,
            Effect::Committee(epoch, committee) => self.engine.committee(epoch, (*committee).clone()),
            Effect::Enter { epoch, below, committee } => self.enter(epoch, below, &committee)?,
            Effect::Leave(epoch) => self.engine.leave(epoch),
            Effect::Crosslink { header, certificate, accepted } => self.offer(header, certificate, accepted),
            Effect::FindCertificate(height) => self.find_certificate(height, more).await?,
            Effect::Arrived(ids) => self.shared.journeys.verified(ids, self.runtime.now_ms()),
            Effect::BundleRefused { lane, error } => {
                self.metrics.dropped();
                tracing::warn!(%lane, %error, "receipts of another shard refused");
            }
            Effect::Evidence(evidence) => self.hand_in(Offer::Evidence(evidence)),
            Effect::EarlyEnd(end) => self.end_early(end, more).await?,
            Effect::Acknowledge(token) => self.acknowledge(token),
            Effect::Proposal { token, outcome } => self.answer_proposal(token, outcome),
            Effect::Verdict { token, outcome } => self.answer_verdict(token, outcome),
            Effect::Pooled { token, outcomes } => {
                self.announce(&outcomes);
                if let Some(Reply::Insert(reply)) = self.replies.remove(&token) {
                    let _ = reply.send(outcomes);
                }
            }
            Effect::Abandon(token) => drop(self.replies.remove(&token)),
        }
        Ok(())
    }

    /// Writes a certified block; waits as long as the disk is full.
    async fn commit(&mut self, commit: &Commit) -> Result<(), ChainFailure> {
        let start = Instant::now();
        while let Err(error) = self.write(commit) {
            if !matches!(error, StorageError::Full { .. }) {
                return Err(error.into());
            }
            tracing::error!(%error, shard = %self.shard, height = %commit.block.header.height, "waiting for space on the disk");
            self.runtime.sleep(FULL_DISK_PAUSE).await;
        }
        self.metrics.committed(start.elapsed().as_secs_f64() * 1e3);
        self.count_receipts(commit);
        self.reread(commit.id)
    }

    /// Measures how full the lanes are that a block changed.
    fn measure_lanes(&self, executed: &Executed, state: &dyn FlatState) {
        if executed.outbox.is_empty() && executed.acknowledged.is_empty() {
            return;
        }
        let shards = self.genesis.spec.shards.len() as u32;
        for lane in lanes(state, self.shard, shards).into_iter().flatten() {
            self.metrics.in_flight(lane.chain, lane.outgoing.in_flight());
        }
    }

    /// Counts what a certified block sent and consumed.
    fn count_receipts(&self, commit: &Commit) {
        for (destination, receipts) in commit.outbox.lanes() {
            self.metrics.sent(destination, receipts.len());
        }
        let now_ms = self.runtime.now_ms();
        for delivery in &commit.block.body.delivery {
            let latency_ms = now_ms.saturating_sub(commit.block.body.anchor.header.timestamp_ms);
            self.metrics.consumed(Chain::Beacon, delivery.receipts.len(), latency_ms);
        }
        for bundle in &commit.block.body.bundles {
            let header =
                bundle.ancestor.first().map_or(&bundle.certified.header, |ancestor| &ancestor.header);
            let latency_ms = now_ms.saturating_sub(header.timestamp_ms);
            self.metrics.consumed(bundle.lane.source, bundle.receipts.len(), latency_ms);
        }
    }

    fn write(&self, commit: &Commit) -> Result<(), StorageError> {
        if commit.transactions.len() < HEAVY_MIN {
            return self.store.commit(commit);
        }
        let mut outcome = Ok(());
        self.runtime.work(&mut || outcome = self.store.commit(commit));
        outcome
    }

    /// Lets core and readers read what the store has now.
    pub(super) fn reread(&mut self, id: B256) -> Result<(), ChainFailure> {
        self.reader = self.store.reader()?;
        if let Err(error) = self.core.rebase(id, Arc::new(self.reader.state())) {
            tracing::debug!(%error, "the state below stays where it is");
        }
        Ok(())
    }

    pub(super) fn publish(&mut self, head: Head) {
        let Head { view, pending, finalized, certified } = head;
        if let Some(executed) = &certified {
            self.measure_lanes(executed, view.state());
        }
        let finalized = match self.is_bypassed {
            true => finalized.min(self.shared.snapshot.load().finalized),
            false => finalized,
        };
        let spec = Arc::clone(&self.shared.spec);
        let snapshot = Snapshot { spec, view, finalized, pending, reader: self.reader.clone() };
        let before = self.shared.snapshot.swap(Arc::new(snapshot));
        if let Some(executed) = certified {
            let header = &executed.header;
            let interval_ms = header.timestamp_ms.saturating_sub(before.header().timestamp_ms);
            self.metrics.certified(header, executed.transactions.len(), interval_ms);
            tracing::info!(
                shard = %self.shard, height = %header.height, id = %executed.id, epoch = %header.epoch,
                transactions = executed.transactions.len(), "block certified"
            );
            let now_ms = self.runtime.now_ms();
            let ids = executed.outbox.receipts().map(|(id, _)| id);
            let ids = ids.chain(executed.arrivals.iter().map(|arrival| arrival.id));
            self.shared.journeys.certified(ids, now_ms);
            self.tell_destinations(&executed.outbox);
            self.tell(ChainEvent::Certified(executed));
        }
    }

    async fn finalized(&mut self, height: Height, id: B256) -> Result<(), ChainFailure> {
        let head = self.core.head().height;
        if self.is_bypassed || (height <= head && self.reader.id(height)?.is_some_and(|ours| ours != id)) {
            return self.bypass(height, id).await;
        }
        if height <= head {
            self.agreed = height;
        }
        let finalized = height.min(head);
        self.metrics.finalized(finalized);
        self.tell(ChainEvent::Finalized(finalized));
        Ok(())
    }

    /// Tells whoever listens; nobody listening is fine.
    pub(super) fn tell(&self, event: ChainEvent) {
        let _ = self.shared.events.send(event);
    }

    /// Tells whoever listens of transactions that a block can take since.
    fn announce(&self, outcomes: &[Result<Inserted, PoolError>]) {
        let promoted = outcomes.iter().flatten().flat_map(|inserted| inserted.promoted.iter().cloned());
        let promoted: Arc<[PooledTransaction]> = promoted.collect();
        if !promoted.is_empty() {
            let _ = self.shared.pooled.send(promoted);
        }
    }

    fn require_id(&self, height: Height, found: B256) -> Result<(), ChainFailure> {
        match self.reader.id(height)? {
            Some(expected) if expected != found => Err(Fault::OtherBranch { height, expected, found }.into()),
            _ => Ok(()),
        }
    }

    fn enter(&self, epoch: Epoch, below: Height, committee: &Committee) -> Result<(), ChainFailure> {
        let parent = self.reader.block(below)?.ok_or(OpenError::Missing { what: "block", height: below })?;
        let seats = seats_in(self.signer.as_ref(), committee);
        tracing::info!(shard = %self.shard, %epoch, seats = seats.len(), of = committee.len(), "epoch entered");
        self.engine.enter(epoch, Block::shard(parent), seats);
        let nodes: BTreeSet<_> = committee.seats().iter().map(|seat| seat.node).collect();
        let others = nodes.iter().filter(|node| **node != self.network.key()).count();
        self.shared.peers.store(others as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Proves that a header follows from the accepted one, and offers it.
    pub(super) fn offer(&self, header: ShardHeader, certificate: Certificate, accepted: Height) {
        match self.crosslink(&header, certificate, accepted) {
            Ok(offer) => {
                self.metrics.crosslink();
                self.hand_in(Offer::Crosslink(Box::new(offer)));
            }
            Err(error) => {
                tracing::warn!(%error, shard = %self.shard, height = %header.height, "no crosslink")
            }
        }
    }

    /// A crosslink, with what lets those be accepted who consumed from headers below it.
    fn crosslink(
        &self,
        header: &ShardHeader,
        certificate: Certificate,
        accepted: Height,
    ) -> Result<CrosslinkOffer, ReadError> {
        let history = self.reader.history_proof(accepted, header.height)?;
        let cursors = self.reader.cursors(header.height)?;
        let senders = self.reader.sending_heights_below(header.height, ANCESTRIES_MAX)?;
        let ancestries = senders.into_iter().map(|sender| self.reader.history_proof(sender, header.height));
        let ancestries = ancestries.collect::<Result<_, _>>()?;
        let bundles = self.reader.beacon_bundles(self.received_by_beacon(), header.height)?;
        let crosslink =
            Crosslink { header: header.clone(), certificate, history, cursors, sources: Vec::new() };
        Ok(CrosslinkOffer { crosslink, ancestries, bundles })
    }

    /// How many of this shard's receipts the beacon chain is known to have consumed.
    fn received_by_beacon(&self) -> u64 {
        let view = self.views.borrow();
        let delivery = view.as_ref().and_then(|view| view.delivery(self.shard));
        delivery.map_or(0, |delivery| delivery.lane.received)
    }

    fn hand_in(&self, offer: Offer) {
        if self.offers.try_send(offer).is_err() {
            tracing::debug!(shard = %self.shard, "too many offers wait, the newest is dropped");
        }
    }

    /// Looks whether the engine has got the certificate of a block that was written without.
    async fn find_certificate(&mut self, height: Height, more: &mut Vec<Effect>) -> Result<(), ChainFailure> {
        if let Some(certificate) = self.certificate(height).await?
            && let Some(header) = self.reader.header(height)?
        {
            self.core.step(Input::Certificate { header, certificate }, more);
        }
        Ok(())
    }

    /// The own certificate of a certified block, from the store or else from the engine.
    pub(super) async fn certificate(&mut self, height: Height) -> Result<Option<Certificate>, ChainFailure> {
        if let Some(certificate) = self.reader.certificate(height)? {
            return Ok(Some(certificate));
        }
        let found = self.engine.block(height).await;
        let Some((block, Some(certificate))) = found else { return Ok(None) };
        if self.reader.id(height)? != Some(block.id()) {
            return Ok(None);
        }
        self.store.add_certificate(height, &certificate)?;
        self.reader = self.store.reader()?;
        Ok(Some(certificate))
    }

    fn acknowledge(&mut self, token: Token) {
        if let Some(Reply::Acknowledge(acknowledge)) = self.replies.remove(&token) {
            acknowledge.acknowledge();
        }
    }

    fn answer_proposal(&mut self, token: Token, outcome: Result<Arc<ShardBlock>, Refusal>) {
        if let Some(Reply::Propose(reply)) = self.replies.remove(&token) {
            let shard = self.shard;
            let block = outcome.inspect_err(|error| tracing::warn!(%error, %shard, "no block proposed")).ok();
            if block.is_some() {
                self.metrics.proposed();
            }
            // The engine may have gone on to the next view.
            let _ = reply.send(block.map(Block::shard));
        }
    }

    fn answer_verdict(&mut self, token: Token, outcome: Result<(), Refusal>) {
        if let Some(Reply::Verify(reply)) = self.replies.remove(&token) {
            if let Err(error) = &outcome {
                self.metrics.rejected();
                tracing::warn!(%error, shard = %self.shard, "proposed block is invalid");
            }
            let _ = reply.send(outcome.is_ok());
        }
    }
}
