//! What a block takes in: first what the beacon chain has for it, then from other shards bundles in turn, within its gas,
//! while answers have room.

use std::collections::{BTreeMap, BTreeSet};

use consensus::{
    authority::{Authority, CommitteeSource, ruling_authority, verify_certificates},
    layout::verify_record,
};
use primitives::{
    AnchorRef, B256, BeaconDelivery, Bundle, Certificate, Chain, ChainSpec, Epoch, Height, InboxCursor, Lane,
    Receipt, RecordProof, ShardHeader, ShardId,
};
use std::sync::Arc;
use xshard::{Arrival, BundleError, Delivery, DeliveryError, beacon, bundle, flow, kind::is_answerable};

use super::BlockError;
use crate::{
    executor::BlockExecutor,
    portal::{gas, ledger},
};

/// Why a block may not take in what it does; its proposer is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboxError {
    /// Not in rising order, or one twice.
    #[error("other shards are in rising order: {found} follows {previous}")]
    Order {
        /// The one before.
        previous: ShardId,
        /// The one after.
        found: ShardId,
    },
    /// The shard itself is no other.
    #[error("shard {found} is this one")]
    Own {
        /// This shard.
        found: ShardId,
    },
    /// Not in the anchor's state.
    #[error("the record of shard {shard} is not in the anchor's state")]
    Record {
        /// Whose.
        shard: ShardId,
    },
    /// Not the cursors of its accepted header.
    #[error("the accepted header of shard {shard} has cursors {expected}, found {found}")]
    Cursors {
        /// Whose.
        shard: ShardId,
        /// In the record.
        expected: B256,
        /// Of the cursors.
        found: B256,
    },
    /// More than allowed.
    #[error("a block has at most {limit} bundles, found {found}")]
    TooManyBundles {
        /// The limit.
        limit: u32,
        /// How many.
        found: usize,
    },
    /// The block does not say who rules the source.
    #[error("there is a bundle of {source_chain}, but no record of it")]
    NoRecord {
        /// The source.
        source_chain: Chain,
    },
    /// Served before its turn.
    #[error("at height {height}, source {found} is served before {previous}")]
    Turn {
        /// The block's height.
        height: Height,
        /// Served first.
        previous: ShardId,
        /// Served after it.
        found: ShardId,
    },
    /// More than a block takes in.
    #[error("the inbox has {left} gas left, receipt {id} may take {found}")]
    Gas {
        /// The receipt.
        id: B256,
        /// What is left.
        left: u64,
        /// What it may take.
        found: u64,
    },
    /// An answer would have no room.
    #[error("lane {lane} has no room for the answer to receipt {id}")]
    NoAnswerRoom {
        /// The lane back.
        lane: Lane,
        /// The receipt.
        id: B256,
    },
    /// Of the beacon chain there is one state.
    #[error("a block has at most one delivery of the beacon chain, found {found}")]
    Deliveries {
        /// How many.
        found: usize,
    },
    /// Nothing new in it.
    #[error(
        "the delivery of the beacon chain brings no receipt and no acknowledgement beyond {acknowledged}"
    )]
    Stale {
        /// Receipts that the beacon chain was seen to have consumed.
        acknowledged: u64,
    },
    /// The delivery itself.
    #[error("delivery of the beacon chain: {0}")]
    Delivery(#[from] DeliveryError),
    /// The bundle itself.
    #[error("bundle of lane {lane}: {error}")]
    Bundle {
        /// Its lane.
        lane: Lane,
        /// What is wrong.
        error: BundleError,
    },
}

/// Other shards at the block's anchor, verified.
pub(super) type Others<'a> = BTreeMap<ShardId, &'a RecordProof>;

/// Verifies what a block says of other shards against its anchor.
pub(super) fn verify_others<'a>(
    shard: ShardId,
    anchor_state_root: B256,
    others: &'a [RecordProof],
) -> Result<Others<'a>, InboxError> {
    let mut verified = Others::new();
    for proof in others {
        let RecordProof { record, branch, cursors } = proof;
        let found = record.shard;
        if let Some((previous, _)) = verified.last_key_value().filter(|(previous, _)| **previous >= found) {
            return Err(InboxError::Order { previous: *previous, found });
        }
        if found == shard {
            return Err(InboxError::Own { found });
        }
        if !verify_record(anchor_state_root, record, branch) {
            return Err(InboxError::Record { shard: found });
        }
        let (expected, root) = (record.accepted.inbox_cursors_root, cursors.root());
        if expected != root || !cursors.is_well_formed() {
            return Err(InboxError::Cursors { shard: found, expected, found: root });
        }
        verified.insert(found, proof);
    }
    Ok(verified)
}

/// The inbox of one block.
pub(super) struct Inbox<'a> {
    spec: &'a ChainSpec,
    header: &'a ShardHeader,
    anchor_state_root: B256,
    others: &'a Others<'a>,
    gas_left: u64,
    previous: Option<ShardId>,
    arrivals: Vec<Arc<Arrival>>,
}

impl<'a> Inbox<'a> {
    pub(super) fn new(
        spec: &'a ChainSpec,
        header: &'a ShardHeader,
        anchor_state_root: B256,
        others: &'a Others<'a>,
    ) -> Self {
        let (gas_left, previous, arrivals) = (spec.inbox_gas_max, None, Vec::new());
        Self { spec, header, anchor_state_root, others, gas_left, previous, arrivals }
    }

    /// What was taken in so far, in order.
    pub(super) fn arrivals(&self) -> &[Arc<Arrival>] {
        &self.arrivals
    }

    /// What was taken in, in order.
    pub(super) fn into_arrivals(self) -> Vec<Arc<Arrival>> {
        self.arrivals
    }

    /// Of what the beacon chain has for this shard, what is new, unverified; `None` if nothing is.
    pub(super) fn news<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
        whole: &BeaconDelivery,
    ) -> Result<Option<BeaconDelivery>, BlockError> {
        let (next, acknowledged) = beacon_lane(executor)?;
        let Some(rest) = beacon::narrow_delivery(whole, next) else {
            return Err(InboxError::Delivery(DeliveryError::Range {
                first: next,
                count: whole.receipts.len(),
            })
            .into());
        };
        Ok((!rest.receipts.is_empty() || rest.lane.received > acknowledged).then_some(rest))
    }

    /// Takes in what the beacon chain has: how far it has consumed, and what it sends.
    pub(super) fn deliver<I>(
        &mut self,
        executor: &mut BlockExecutor<'_, I>,
        delivery: &BeaconDelivery,
    ) -> Result<(), BlockError> {
        let (next, acknowledged) = beacon_lane(executor)?;
        let arrivals = beacon::verify_delivery(delivery, self.header.shard, self.anchor_state_root, next)
            .map_err(InboxError::Delivery)?;
        let received = delivery.lane.received;
        if arrivals.is_empty() && received <= acknowledged {
            return Err(InboxError::Stale { acknowledged }.into());
        }
        executor.acknowledge(Chain::Beacon, received)?;
        let Some(last) = arrivals.last().map(|last| last.receipt.sequence) else { return Ok(()) };
        for arrival in arrivals {
            self.take_one(executor, arrival)?;
        }
        let AnchorRef { height, id } = self.header.anchor;
        let sequence = last.saturating_add(1);
        let (source, epoch) = (Chain::Beacon, Epoch::ZERO);
        ledger::set_cursor(executor.state(), &InboxCursor { source, height, id, epoch, sequence })?;
        Ok(())
    }

    /// Takes note of what other shards have consumed. Returns those that had news.
    pub(super) fn acknowledge<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
    ) -> Result<BTreeSet<ShardId>, BlockError> {
        let mut news = BTreeSet::new();
        for (shard, other) in self.others {
            let consumed = other.cursors.cursor(self.header.shard.into()).map_or(0, |cursor| cursor.sequence);
            let lane = ledger::outgoing(executor.state(), (*shard).into())?;
            if consumed > lane.acknowledged {
                executor.acknowledge((*shard).into(), consumed)?;
                news.insert(*shard);
            }
        }
        Ok(news)
    }

    /// Verifies the certificates of bundles in one batch.
    pub(super) fn verify_quorums(
        &self,
        bundles: &[Bundle],
        committees: &dyn CommitteeSource,
    ) -> Result<(), BlockError> {
        let mut pairs: Vec<(Arc<Authority>, &Certificate, Lane)> = Vec::new();
        for bundle in bundles {
            let certificate = &bundle.certified.certificate;
            if !pairs.iter().any(|(_, known, _)| *known == certificate) {
                pairs.push((self.authority(bundle, committees)?, certificate, bundle.lane));
            }
        }
        let batch: Vec<_> =
            pairs.iter().map(|(authority, certificate, _)| (&**authority, *certificate)).collect();
        verify_certificates(&batch).map_err(|errors| {
            let (place, error) = errors.into_iter().next().expect("a failed batch names a certificate");
            InboxError::Bundle { lane: pairs[place].2, error: error.into() }.into()
        })
    }

    fn authority(
        &self,
        bundle: &Bundle,
        committees: &dyn CommitteeSource,
    ) -> Result<Arc<Authority>, BlockError> {
        let source = bundle.lane.source;
        let table = &self.other(source)?.record.table;
        Ok(ruling_authority(committees, source, table, bundle.certified.certificate.epoch)?)
    }

    /// Takes in a bundle whose certificate was verified.
    pub(super) fn take<I>(
        &mut self,
        executor: &mut BlockExecutor<'_, I>,
        bundle: &Bundle,
    ) -> Result<(), BlockError> {
        self.check_turn(bundle)?;
        let delivery = self.verify(executor, bundle)?;
        for arrival in delivery.arrivals {
            self.take_one(executor, arrival)?;
        }
        ledger::set_cursor(executor.state(), &delivery.cursor)?;
        self.previous = bundle.lane.source.shard();
        Ok(())
    }

    fn take_one<I>(
        &mut self,
        executor: &mut BlockExecutor<'_, I>,
        arrival: Arrival,
    ) -> Result<(), BlockError> {
        self.check_room(executor, &arrival)?;
        self.gas_left -= cost(&arrival.receipt);
        executor.receive(&arrival)?;
        self.arrivals.push(Arc::new(arrival));
        Ok(())
    }

    /// Of a whole bundle, what there is room for now; `None` if nothing.
    pub(super) fn portion<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
        whole: &Bundle,
        bytes_left: usize,
    ) -> Result<Option<Bundle>, BlockError> {
        let cursor = ledger::cursor(executor.state(), whole.lane.source)?;
        let count = self.count(executor, whole, cursor.as_ref())?;
        let mut portion = bundle::narrow(whole, cursor.as_ref(), count);
        while let Some(bundle) = portion {
            if bundle.receipts.is_empty() {
                return Ok(None);
            }
            if ssz::Encode::ssz_bytes_len(&bundle) <= bytes_left {
                return Ok(Some(bundle));
            }
            portion = bundle::narrow(whole, cursor.as_ref(), bundle.receipts.len() / 2);
        }
        Ok(None)
    }

    /// Whether a whole bundle has receipts beyond what was taken in, so that nothing later of its lane can be.
    pub(super) fn has_more<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
        whole: &Bundle,
    ) -> Result<bool, BlockError> {
        let next = ledger::cursor(executor.state(), whole.lane.source)?.map_or(0, |cursor| cursor.sequence);
        Ok(whole.receipts.last().is_some_and(|last| last.sequence >= next))
    }

    /// How many of a whole bundle's receipts, from the cursor on, the inbox has gas and room for.
    fn count<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
        whole: &Bundle,
        cursor: Option<&InboxCursor>,
    ) -> Result<usize, BlockError> {
        let next = cursor.map_or(0, |cursor| cursor.sequence);
        let mut lane = ledger::outgoing(executor.state(), whole.lane.source)?;
        let (mut gas_left, mut count) = (self.gas_left, 0);
        for receipt in whole.receipts.iter().filter(|receipt| receipt.sequence >= next) {
            let Some(left) = gas_left.checked_sub(cost(receipt)) else { break };
            if is_answerable(receipt.kind) {
                if !lane.has_answer_room(self.spec.lane_capacity) {
                    break;
                }
                lane.sent += 1;
            }
            (gas_left, count) = (left, count + 1);
        }
        Ok(count)
    }

    /// The receipts that a bundle brings, verified but for the certificate.
    fn verify<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
        bundle: &Bundle,
    ) -> Result<Delivery, BlockError> {
        let lane = bundle.lane;
        let table = &self.other(lane.source)?.record.table;
        let cursor = ledger::cursor(executor.state(), lane.source)?;
        let source = bundle::Source { table, cursor };
        bundle::verify(bundle, self.header.shard.into(), &source)
            .map_err(|error| InboxError::Bundle { lane, error }.into())
    }

    /// Why a receipt does not fit any more, if it does not.
    fn check_room<I>(
        &self,
        executor: &mut BlockExecutor<'_, I>,
        arrival: &Arrival,
    ) -> Result<(), BlockError> {
        let (id, receipt) = (arrival.id, &arrival.receipt);
        let (left, found) = (self.gas_left, cost(receipt));
        if found > left {
            return Err(InboxError::Gas { id, left, found }.into());
        }
        let lane = Lane { source: receipt.lane.destination, destination: receipt.lane.source };
        if is_answerable(receipt.kind)
            && !ledger::outgoing(executor.state(), lane.destination)?.has_answer_room(self.spec.lane_capacity)
        {
            return Err(InboxError::NoAnswerRoom { lane, id }.into());
        }
        Ok(())
    }

    /// What the block says of a source.
    fn other(&self, source_chain: Chain) -> Result<&'a RecordProof, InboxError> {
        let other = source_chain.shard().and_then(|shard| self.others.get(&shard).copied());
        other.ok_or(InboxError::NoRecord { source_chain })
    }

    fn check_turn(&self, bundle: &Bundle) -> Result<(), InboxError> {
        let (Some(previous), Some(found)) = (self.previous, bundle.lane.source.shard()) else {
            return Ok(());
        };
        let height = self.header.height;
        let turn = |shard| flow::turn(shard, height.get(), self.spec.shards.len() as u32);
        if turn(found) < turn(previous) {
            return Err(InboxError::Turn { height, previous, found });
        }
        Ok(())
    }
}

/// The next receipt of the beacon chain, and how many it was seen to have consumed.
fn beacon_lane<I>(executor: &mut BlockExecutor<'_, I>) -> Result<(u64, u64), BlockError> {
    let next = ledger::cursor(executor.state(), Chain::Beacon)?.map_or(0, |cursor| cursor.sequence);
    Ok((next, ledger::outgoing(executor.state(), Chain::Beacon)?.acknowledged))
}

/// Gas that a receipt may take of the inbox: its own, and what taking it in costs.
fn cost(receipt: &Receipt) -> u64 {
    gas::arrival(receipt.payload.len(), receipt.gas)
}
