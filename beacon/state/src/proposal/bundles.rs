//! Choosing bundles: of each shard the longest run of next receipts that a block has room for.
//!
//! The room is shared in turn, the shard first whose id is the height modulo the number of shards; the block consumes by
//! rising id, with the very code that judges it, which is where a lane's room for answers ends a run.
//!
//! Rules: docs/spec/beacon-state.md#receipts

use crate::event::Event;
use crate::operation::receipts::{Intake, Limits, check_room};
use crate::state::BeaconState;
use primitives::{B256, BeaconBundle, ChainSpec, Receipt, ShardId};
use ssz::Encode as _;
use std::collections::BTreeMap;
use xshard::{Arrival, beacon, flow};

/// Bytes that an element of variable size takes beside its own.
const OFFSET_BYTES: usize = 4;
/// Most bytes of a range's proof: two siblings at each of 64 levels.
const RANGE_PROOF_BYTES_MAX: usize = 2 * 64 * 32;

/// Knows what shards sent. Not trusted: what does not verify is as good as nothing.
pub trait BundleSource {
    /// Bundles of `shard`, in any order, that may be proven under its header with the id `accepted`.
    fn bundles(&self, shard: ShardId, accepted: &B256) -> Vec<BeaconBundle>;
}

/// A run of receipts, and what it brings.
type Portion = (BeaconBundle, Vec<Arrival>);

/// Chooses the bundles of a block with this timestamp and so many bytes of room, above the state that all else in the
/// block leads to, and consumes them.
pub(super) fn consume_bundles(
    spec: &ChainSpec,
    timestamp_ms: u64,
    state: &mut BeaconState,
    room: usize,
    source: &dyn BundleSource,
    events: &mut Vec<Event>,
) -> Vec<BeaconBundle> {
    let mut allotment = Allotment { state, limits: Limits::new(spec, timestamp_ms), room };
    let mut by_shard = BTreeMap::<ShardId, Vec<Portion>>::new();
    for shard in in_turn(state) {
        if check_room(spec, state, shard).is_ok() {
            by_shard.insert(shard, allotment.portions(shard, source));
        }
    }
    let (mut intake, mut chosen) = (Intake::new(spec, timestamp_ms), Vec::new());
    for (shard, portions) in by_shard {
        for (bundle, arrivals) in portions {
            match intake.consume(state, shard, &arrivals, events) {
                Ok(()) => chosen.push(bundle),
                Err(stopped) => {
                    // Its proof was verified: whatever was consumed of it is in the body.
                    chosen.extend(beacon::narrow(&bundle, 0, stopped.consumed));
                    break;
                }
            }
        }
    }
    chosen
}

/// Every shard, in the order in which the block's room is shared.
fn in_turn(state: &BeaconState) -> Vec<ShardId> {
    let mut shards: Vec<_> = state.lanes().map(|lane| lane.shard()).collect();
    let count = u32::try_from(shards.len()).unwrap_or(u32::MAX);
    shards.sort_by_key(|shard| flow::turn(*shard, state.height().get(), count));
    shards
}

/// What is left of a block's room.
struct Allotment<'a> {
    state: &'a BeaconState,
    limits: Limits<'a>,
    room: usize,
}

impl Allotment<'_> {
    /// The next receipts of `shard`, as far as they are offered and there is room.
    fn portions(&mut self, shard: ShardId, source: &dyn BundleSource) -> Vec<Portion> {
        let (Some(lane), Some(record)) = (self.state.lane(shard), self.state.shard(shard)) else {
            return Vec::new();
        };
        let offered = source.bundles(shard, &record.accepted.id);
        let (mut next, mut portions) = (lane.received(), Vec::new());
        loop {
            let verified = |bundle: &BeaconBundle| {
                let rest = beacon::narrow(bundle, next, usize::MAX).filter(|_| covers(bundle, next))?;
                let arrivals = beacon::verify_bundle(&rest, shard, &record.accepted, next).ok()?;
                Some((rest, arrivals))
            };
            let Some((rest, mut arrivals)) = offered.iter().find_map(verified) else { return portions };
            let count = self.take(shard, &rest);
            let is_whole = count == arrivals.len();
            arrivals.truncate(count);
            let portion = if is_whole { Some(rest) } else { beacon::narrow(&rest, next, count) };
            portions.extend(portion.map(|bundle| (bundle, arrivals)));
            if !is_whole {
                return portions;
            }
            next = next.saturating_add(count as u64);
        }
    }

    /// How many of a bundle's receipts there is room for; it is taken.
    fn take(&mut self, shard: ShardId, bundle: &BeaconBundle) -> usize {
        let receipts: usize = bundle.receipts.iter().map(bytes_of).sum();
        let proven = receipts + 32 * bundle.range_proof.len();
        let beside = OFFSET_BYTES + RANGE_PROOF_BYTES_MAX + bundle.ssz_bytes_len().saturating_sub(proven);
        let Some(mut room) = self.room.checked_sub(beside) else { return 0 };
        let mut count = 0;
        for receipt in &bundle.receipts {
            let Some(left) = room.checked_sub(bytes_of(receipt)) else { break };
            if self.limits.take(shard, receipt).is_err() {
                break;
            }
            (room, count) = (left, count + 1);
        }
        if count > 0 {
            self.room = room;
        }
        count
    }
}

/// Whether the receipt of this sequence is among those of the bundle.
fn covers(bundle: &BeaconBundle, sequence: u64) -> bool {
    let (first, last) = (bundle.receipts.first(), bundle.receipts.last());
    first.is_some_and(|first| first.sequence <= sequence)
        && last.is_some_and(|last| last.sequence >= sequence)
}

/// Bytes that a receipt takes in a list.
fn bytes_of(receipt: &Receipt) -> usize {
    OFFSET_BYTES + receipt.ssz_bytes_len()
}
