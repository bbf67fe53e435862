//! Receipts between a shard and the beacon chain.
//!
//! To the beacon chain they go under accepted headers, which are never undone: no certificate and no continuity is
//! needed, only that the block is accepted and that the receipts are the lane's next ones. From it they come under the
//! state root of the anchor, which is finalized: the state has for each shard the receipts that the shard is not known
//! to have consumed.
//!
//! Rules: docs/spec/receipts.md#beacon-lanes

#[cfg(test)]
mod tests;

use crate::bundle::{Arrival, BundleError, Sent, check_receipts};
use crate::kind::Payload;
use crate::range;
use consensus::{history::verify_ancestor, layout::verify_lane};
use primitives::{
    AcceptedHeader, Address, B256, BeaconBundle, BeaconDelivery, BeaconLane, Chain, DELIVERY_RECEIPTS_MAX,
    Lane, Receipt, ShardId, U256,
};

/// Why a delivery is not what the beacon chain has for a shard; whoever offers it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Of another shard.
    #[error("the delivery is for shard {found}, this is shard {expected}")]
    Shard { expected: ShardId, found: ShardId },
    /// Not in the state.
    #[error("the lane of shard {shard} is not in the state of the anchor")]
    Lane { shard: ShardId },
    /// More than are taken at a time.
    #[error("a delivery has at most {limit} receipts, found {found}")]
    TooMany { limit: usize, found: usize },
    /// A receipt of another lane.
    #[error("expected receipts of lane {expected}, found one of {found}")]
    OtherLane { expected: Lane, found: Lane },
    /// Not the next one: consumed before, or one before it is missing.
    #[error("next sequence is {expected}, found {found}")]
    NotContiguous { expected: u64, found: u64 },
    /// Not the receipts that there are.
    #[error("the {count} receipts from sequence {first} on are not those that the lane has")]
    Range { first: u64, count: usize },
}

/// What the beacon chain sends to a shard: nobody in particular sends it, and no gas and no deadline come with it.
pub fn receipt(shard: ShardId, sequence: u64, value: U256, payload: &Payload) -> Receipt {
    Receipt {
        lane: lane_to(shard),
        sequence,
        kind: payload.kind(),
        sender: Address::ZERO,
        value,
        gas: 0,
        deadline: 0,
        payload: payload.encode(),
    }
}

/// The lane from the beacon chain to a shard.
pub const fn lane_to(shard: ShardId) -> Lane {
    Lane { source: Chain::Beacon, destination: Chain::Shard(shard) }
}

/// The lane to and from a shard, as a beacon state commits to it.
pub fn lane(shard: ShardId, received: u64, first_sequence: u64, pending: &[B256]) -> BeaconLane {
    BeaconLane { shard, received, first_sequence, count: pending.len() as u64, root: range::root(pending) }
}

/// What there is for a shard: the first of the receipts that wait, with their ids. `branch` leads from the lane to the
/// state root.
pub fn deliver<'a>(
    lane: BeaconLane,
    branch: Vec<B256>,
    pending: impl IntoIterator<Item = &'a Receipt>,
    ids: &[B256],
) -> BeaconDelivery {
    let receipts: Vec<Receipt> = pending.into_iter().take(DELIVERY_RECEIPTS_MAX).cloned().collect();
    let range_proof = range::prove(ids, 0, receipts.len()).unwrap_or_default();
    BeaconDelivery { lane, branch, receipts, range_proof }
}

/// Of a delivery from the lane's first receipt on, what is left from `next` on; it may be nothing but the lane. `None` if
/// its proof has not the nodes that it should.
pub fn narrow_delivery(whole: &BeaconDelivery, next: u64) -> Option<BeaconDelivery> {
    let BeaconDelivery { lane, branch, receipts, range_proof } = whole;
    let first = usize::try_from(next.saturating_sub(lane.first_sequence)).ok()?;
    let (mut receipts, mut proof) = (receipts.clone(), Vec::new());
    let left = receipts.split_off(first.min(receipts.len()));
    if !left.is_empty() {
        let ids: Vec<B256> = whole.receipts.iter().map(Receipt::id).collect();
        let part = first as u64..ids.len() as u64;
        proof = range::narrow(&ids, 0, part, lane.count, range_proof)?;
    }
    Some(BeaconDelivery { lane: *lane, branch: branch.clone(), receipts: left, range_proof: proof })
}

/// Verifies what the beacon chain has for `shard` against the state root of the anchor: the receipts from `next` on, at
/// most [`DELIVERY_RECEIPTS_MAX`]; it may be nothing but the lane.
pub fn verify_delivery(
    delivery: &BeaconDelivery,
    shard: ShardId,
    state_root: B256,
    next: u64,
) -> Result<Vec<Arrival>, DeliveryError> {
    let BeaconDelivery { lane, branch, receipts, range_proof } = delivery;
    if lane.shard != shard {
        return Err(DeliveryError::Shard { expected: shard, found: lane.shard });
    }
    if !verify_lane(state_root, lane, branch) {
        return Err(DeliveryError::Lane { shard });
    }
    if receipts.len() > DELIVERY_RECEIPTS_MAX {
        return Err(DeliveryError::TooMany { limit: DELIVERY_RECEIPTS_MAX, found: receipts.len() });
    }
    let own = lane_to(shard);
    for (receipt, expected) in receipts.iter().zip(next..) {
        if receipt.lane != own {
            return Err(DeliveryError::OtherLane { expected: own, found: receipt.lane });
        }
        if receipt.sequence != expected {
            return Err(DeliveryError::NotContiguous { expected, found: receipt.sequence });
        }
    }
    let ids: Vec<B256> = receipts.iter().map(Receipt::id).collect();
    let is_nothing = receipts.is_empty() && range_proof.is_empty();
    let root = next
        .checked_sub(lane.first_sequence)
        .and_then(|first| range::root_of(&ids, first, lane.count, range_proof));
    if !is_nothing && root != Some(lane.root) {
        return Err(DeliveryError::Range { first: next, count: receipts.len() });
    }
    let arrival = |(receipt, id): (&Receipt, B256)| Arrival { receipt: receipt.clone(), id };
    Ok(receipts.iter().zip(ids).map(arrival).collect())
}

/// Verifies what `shard` sent to the beacon chain under its accepted header: the lane's next receipts, from `next` on.
pub fn verify_bundle(
    bundle: &BeaconBundle,
    shard: ShardId,
    accepted: &AcceptedHeader,
    next: u64,
) -> Result<Vec<Arrival>, BundleError> {
    let BeaconBundle { header, ancestry, outbox, receipts, range_proof } = bundle;
    if header.shard != shard {
        return Err(BundleError::AncestorShard { expected: shard, found: header.shard });
    }
    let id = header.id();
    match &**ancestry {
        [] if id == accepted.id => {}
        [] => {
            let (height, expected) = (accepted.height, accepted.id);
            return Err(BundleError::OtherBranch { height, expected, found: id });
        }
        [proof] => verify_ancestor(accepted.history_root, accepted.height, header.height, id, proof)
            .map_err(BundleError::Ancestor)?,
        more => return Err(BundleError::Ancestors { found: more.len() }),
    }
    let lane = Lane { source: shard.into(), destination: Chain::Beacon };
    check_receipts(&Sent { lane: &lane, outbox, receipts, range_proof }, next, header)
}

/// What is left of a bundle from `next` on, at most `count` receipts. `None` if nothing is, or its proof has not the nodes
/// that it should.
pub fn narrow(bundle: &BeaconBundle, next: u64, count: usize) -> Option<BeaconBundle> {
    let BeaconBundle { outbox, receipts, range_proof, .. } = bundle;
    let start = receipts.first()?.sequence.checked_sub(outbox.leaf.first_sequence)?;
    let skipped = receipts.iter().take_while(|receipt| receipt.sequence < next).count();
    let left: Vec<Receipt> = receipts.iter().skip(skipped).take(count).cloned().collect();
    let first = start.checked_add(skipped as u64)?;
    let part = first..first.checked_add(left.len() as u64)?;
    let ids: Vec<B256> = receipts.iter().map(Receipt::id).collect();
    let range_proof = range::narrow(&ids, start, part, outbox.leaf.count, range_proof)?;
    Some(BeaconBundle { receipts: left, range_proof, ..bundle.clone() })
}
