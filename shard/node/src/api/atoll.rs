//! The `atoll_` namespace: receipts between shards.

use super::error::{internal, read, storage};
use super::{Chain, ShardApi};
use crate::journeys::Times;
use crate::snapshot::Snapshot;
use alloy_primitives::B256;
use primitives::{Chain as ChainId, Height, Receipt, ShardHeader, ShardId};
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::AtollApi;
use rpc::view::{BundleView, InclusionView, LaneView, Passage, ReceiptJourney};
use shard_state::block::Executed;
use shard_state::{
    atomic::ATOMIC,
    journey,
    portal::{lanes, outbox},
    transaction::entry_hashes,
};
use ssz::Encode as _;
use std::sync::Arc;
use xshard::{Outbox, Payload, bundle};

impl AtollApi for ShardApi {
    async fn receipt(&self, id: B256, proofs: bool) -> RpcResult<Option<ReceiptJourney>> {
        let (snapshot, chain) = (self.chain.snapshot(), Arc::clone(&self.chain));
        let answer = move || {
            let journey = known(&snapshot, &*chain, id)?;
            journey.map(|journey| if proofs { proven(&snapshot, journey) } else { Ok(journey) }).transpose()
        };
        self.reads.run(answer).await
    }

    async fn lane(&self, shard: u64) -> RpcResult<LaneView> {
        let snapshot = self.chain.snapshot();
        let spec = &snapshot.spec;
        let (here, shards) = (snapshot.shard(), spec.shards.len() as u32);
        let all = lanes(snapshot.view.state(), here, shards).map_err(|error| internal(&error))?;
        let lane = all.into_iter().find(|lane| u64::from(lane.chain.code()) == shard);
        let lane = lane.ok_or_else(|| {
            RpcError::InvalidParams(format!(
                "shard {here} has lanes to shards 0 to {} and to the beacon chain ({}), not to {shard}",
                shards - 1,
                ChainId::Beacon.code()
            ))
        })?;
        Ok(LaneView {
            shard: lane.chain.code(),
            sent: lane.outgoing.sent,
            acknowledged: lane.outgoing.acknowledged,
            in_flight: lane.outgoing.in_flight(),
            capacity: spec.lane_capacity,
            received: lane.incoming.map_or(0, |cursor| cursor.sequence),
            consumed_height: lane.incoming.map(|cursor| cursor.height.get()),
            consumed_hash: lane.incoming.map(|cursor| cursor.id),
        })
    }

    async fn bundle(&self, id: B256) -> RpcResult<Option<BundleView>> {
        let snapshot = self.chain.snapshot();
        self.reads.run(move || proof(&snapshot, id)).await
    }

    async fn inclusion(&self, hash: B256, accepted: Option<u64>) -> RpcResult<Option<InclusionView>> {
        let snapshot = self.chain.snapshot();
        let accepted = accepted.map_or(snapshot.finalized, Height::new);
        if accepted > snapshot.finalized {
            return Err(RpcError::InvalidParams(format!(
                "height {accepted} is not accepted yet, the newest that is is {}",
                snapshot.finalized
            )));
        }
        self.reads.run(move || inclusion(&snapshot, hash, accepted)).await
    }
}

/// All that this shard knows of a receipt.
fn known(snapshot: &Snapshot, chain: &dyn Chain, id: B256) -> RpcResult<Option<ReceiptJourney>> {
    let (sent, consumed) = (sent(snapshot, chain, id)?, consumed(snapshot, chain, id)?);
    let receipt = sent.as_ref().map(|(receipt, _)| receipt);
    let Some(receipt) = receipt.or(consumed.as_ref().map(|(receipt, ..)| receipt)).cloned() else {
        return Ok(None);
    };
    let answer = consumed.as_ref().and_then(|(_, _, answer)| *answer);
    let (sent, consumed) = (sent.map(|(_, passage)| passage), consumed.map(|(_, passage, _)| passage));
    Ok(Some(view(id, &receipt, sent, consumed, answer)))
}

/// A journey with proofs of what is finalized.
fn proven(snapshot: &Snapshot, mut journey: ReceiptJourney) -> RpcResult<ReceiptJourney> {
    for passage in [&mut journey.sent, &mut journey.consumed].into_iter().flatten() {
        passage.proof = inclusion(snapshot, passage.transaction_hash, snapshot.finalized)?;
    }
    Ok(journey)
}

/// Every receipt that a block took in or sent, in the order of its transactions.
pub(super) fn journeys(block: &Executed, finalized: Height, chain: &dyn Chain) -> Vec<ReceiptJourney> {
    let passage = |id: &B256, transaction_hash, success| {
        passage(&block.header, block.id, finalized, chain.receipt_times(id), transaction_hash, success)
    };
    let mut journeys = Vec::new();
    for (transaction, outcome) in block.transactions.iter().zip(&block.receipts) {
        // A block was executed with this very outbox: it can be read.
        let sent = outbox(block.header.shard, std::slice::from_ref(outcome)).unwrap_or_default();
        if let Some(arrival) = transaction.arrival() {
            let consumed = passage(&arrival.id, arrival.id, outcome.success());
            journeys.push(view(
                arrival.id,
                &arrival.receipt,
                None,
                Some(consumed),
                answer_to(arrival.id, &sent),
            ));
        }
        for (id, receipt) in sent.receipts() {
            journeys.push(view(id, receipt, Some(passage(&id, transaction.hash(), true)), None, None));
        }
    }
    journeys
}

fn view(
    id: B256,
    receipt: &Receipt,
    sent: Option<Passage>,
    consumed: Option<Passage>,
    answer: Option<B256>,
) -> ReceiptJourney {
    let payload = Payload::decode(receipt.kind, &receipt.payload);
    let refusal = payload.as_ref().ok().and_then(Payload::refusal).map(|refusal| refusal.to_string());
    let (kind, to) = match payload {
        Ok(Payload::Transfer(transfer)) => ("transfer", Some(transfer.to)),
        Ok(Payload::Call(call)) => ("call", Some(call.to)),
        Ok(Payload::Answer(answer)) => ("answer", Some(answer.to)),
        Ok(Payload::Deposit(_)) => ("deposit", None),
        Ok(Payload::TopUp(_)) => ("top-up", None),
        Ok(Payload::Exit(_)) => ("exit", None),
        Ok(Payload::Withdrawal(withdrawal)) => ("withdrawal", Some(withdrawal.to)),
        Ok(Payload::Prepare(_)) => ("prepare", Some(ATOMIC)),
        Ok(Payload::Commit(_)) => ("commit", Some(ATOMIC)),
        Ok(Payload::Abort(_)) => ("abort", Some(ATOMIC)),
        Err(_) => ("unknown", None),
    };
    ReceiptJourney {
        id,
        source: receipt.lane.source.code(),
        destination: receipt.lane.destination.code(),
        sequence: receipt.sequence,
        kind: kind.to_owned(),
        sender: receipt.sender,
        to,
        value: receipt.value,
        gas: receipt.gas,
        deadline: receipt.deadline,
        sent,
        consumed,
        answer,
        refusal,
    }
}

/// The receipt among those sent that answers `id`.
fn answer_to(id: B256, sent: &Outbox) -> Option<B256> {
    let answers = |receipt: &Receipt| match Payload::decode(receipt.kind, &receipt.payload) {
        Ok(Payload::Answer(answer)) => answer.id == id,
        _ => false,
    };
    sent.receipts().find(|(_, receipt)| answers(receipt)).map(|(answer, _)| answer)
}

/// A receipt that this shard sent, and where.
fn sent(snapshot: &Snapshot, chain: &dyn Chain, id: B256) -> RpcResult<Option<(Receipt, Passage)>> {
    let reader = &snapshot.reader;
    let Some((height, receipt)) = reader.sent_receipt(&id).map_err(read)? else { return Ok(None) };
    let Some(block) = reader.block(height).map_err(storage)? else { return Ok(None) };
    let receipts = reader.receipts(height).map_err(read)?.unwrap_or_default();
    let sender = receipts.iter().position(|receipt| {
        let sent = outbox(snapshot.shard(), std::slice::from_ref(receipt));
        sent.is_ok_and(|sent| sent.receipts().any(|(sent, _)| sent == id))
    });
    let hashes = entry_hashes(&block.body);
    let transaction_hash = sender.and_then(|index| hashes.get(index).copied()).unwrap_or_default();
    let times = chain.receipt_times(&id);
    let passage =
        passage(&block.header, block.header.id(), snapshot.finalized, times, transaction_hash, true);
    Ok(Some((receipt, passage)))
}

/// A receipt that this shard consumed, where, and what it was answered with.
type Consumed = (Receipt, Passage, Option<B256>);

fn consumed(snapshot: &Snapshot, chain: &dyn Chain, id: B256) -> RpcResult<Option<Consumed>> {
    let reader = &snapshot.reader;
    let Some(location) = reader.location(&id).map_err(storage)? else { return Ok(None) };
    let Some(block) = reader.block(location.height).map_err(storage)? else { return Ok(None) };
    let arrivals = shard_state::transaction::arrivals(&block.body);
    let Some(arrival) = arrivals.get(location.index as usize).filter(|arrival| arrival.id == id) else {
        return Ok(None);
    };
    let receipts = reader.receipts(location.height).map_err(read)?.unwrap_or_default();
    let outcome = receipts.get(location.index as usize);
    let sent = outcome.and_then(|outcome| outbox(snapshot.shard(), std::slice::from_ref(outcome)).ok());
    let answer = sent.and_then(|sent| answer_to(id, &sent));
    let success = outcome.is_some_and(|outcome| outcome.success());
    let times = chain.receipt_times(&id);
    let passage = passage(&block.header, block.header.id(), snapshot.finalized, times, id, success);
    Ok(Some((arrival.receipt.clone(), passage, answer)))
}

fn passage(
    header: &ShardHeader,
    block_hash: B256,
    finalized: Height,
    times: Times,
    transaction_hash: B256,
    success: bool,
) -> Passage {
    Passage {
        block_number: header.height.get(),
        block_hash,
        transaction_hash,
        success,
        proposed_ms: header.timestamp_ms,
        verified_ms: times.verified_ms,
        certified_ms: times.certified_ms,
        finalized: header.height <= finalized,
        proof: None,
    }
}

/// Proof of a transaction under the accepted header at a height.
fn inclusion(snapshot: &Snapshot, hash: B256, accepted: Height) -> RpcResult<Option<InclusionView>> {
    let reader = &snapshot.reader;
    let Some(location) = reader.location(&hash).map_err(storage)? else { return Ok(None) };
    let height = location.height;
    if height > accepted {
        return Ok(None);
    }
    let Some(block) = reader.block(height).map_err(storage)? else { return Ok(None) };
    let Some(outcomes) = reader.receipts(height).map_err(read)? else { return Ok(None) };
    let history = (height < accepted).then(|| reader.history_proof(height, accepted));
    let history = history.transpose().map_err(|error| internal(&error))?;
    let hashes = entry_hashes(&block.body);
    let Some(inclusion) = journey::prove(block.header, history, &hashes, &outcomes, location.index) else {
        return Ok(None);
    };
    let inclusion = inclusion.as_ssz_bytes().into();
    let (block_number, accepted_number) = (height.get(), accepted.get());
    Ok(Some(InclusionView { hash, block_number, accepted_number, inclusion }))
}

/// A bundle with one receipt that this shard sent.
fn proof(snapshot: &Snapshot, id: B256) -> RpcResult<Option<BundleView>> {
    let reader = &snapshot.reader;
    let Some((height, receipt)) = reader.sent_receipt(&id).map_err(read)? else { return Ok(None) };
    let bundles = reader.bundles(receipt.lane.destination, receipt.sequence, 1).map_err(read)?;
    let Some(whole) = bundles.first() else { return Ok(None) };
    let cursor = primitives::InboxCursor {
        source: ChainId::from(ShardId::new(receipt.lane.source.code())),
        height,
        id: Default::default(),
        epoch: Default::default(),
        sequence: receipt.sequence,
    };
    let Some(bundle) = bundle::narrow(whole, Some(&cursor), 1) else { return Ok(None) };
    Ok(Some(BundleView {
        id,
        block_number: height.get(),
        certified_number: bundle.certified.header.height.get(),
        bundle: bundle.as_ssz_bytes().into(),
    }))
}

#[cfg(test)]
mod tests {
    use alloy_sol_types::SolInterface as _;
    use shard_state::{atomic::abi::IAtomic::IAtomicErrors, portal::abi::IPortal::IPortalErrors};
    use std::collections::BTreeSet;

    /// The RPC names the errors of native contracts to tools that do not know their interfaces.
    #[test]
    fn every_error_of_the_portal_and_the_atomic_is_known_to_the_rpc() {
        let declared: BTreeSet<[u8; 4]> =
            IPortalErrors::selectors().chain(IAtomicErrors::selectors()).collect();
        let known: BTreeSet<[u8; 4]> =
            rpc::error::known_contract_errors().map(|(_, selector)| selector).collect();
        assert_eq!(known, declared);
    }
}
