//! What a beacon node counts.
//!
//! Names are EIP-2159's where it has one (a slot is a height here); the others begin with `atoll_`.

use crate::{Snapshot, core::PoolSizes};
use beacon_state::{BeaconState, Event};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};
use service::metrics::{Encoder, Page, gauge};

/// Upper ends of the histogram of block intervals, milliseconds.
const INTERVALS_MS: [f64; 11] =
    [250., 500., 750., 900., 1_000., 1_100., 1_250., 1_500., 2_000., 4_000., 10_000.];

/// Names a shard.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ShardLabel {
    shard: u32,
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    page: Encoder,
    head_height: Gauge,
    finalized_epoch: Gauge,
    justified_epoch: Gauge,
    active_validators: Gauge,
    staked_units: Gauge,
    exiting_units: Gauge,
    burned_units: Gauge,
    deposited_units: Gauge,
    withdrawn_units: Gauge,
    receipts_consumed: Family<ShardLabel, Gauge>,
    receipts_sent: Family<ShardLabel, Gauge>,
    receipts_pending: Family<ShardLabel, Gauge>,
    receipts_refused: Family<ShardLabel, Counter>,
    interval_ms: Histogram,
    crosslinks: Family<ShardLabel, Counter>,
    crosslink_delay: Family<ShardLabel, Gauge>,
    early_ends: Family<ShardLabel, Counter>,
    slashings: Counter,
    crosslink_pool: Gauge,
    evidence_pool: Gauge,
    conflict_pool: Gauge,
    waiting: Gauge,
    proposals: Counter,
    rejections: Counter,
    gossip_dropped: Counter,
    refused: Counter,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut page = Page::default();
        Self {
            head_height: page.plain("beacon_head_slot", "Height of the newest certified block"),
            finalized_epoch: page.plain("beacon_finalized_epoch", "Epoch of the newest finalized block"),
            justified_epoch: page
                .plain("beacon_current_justified_epoch", "The same: a certificate justifies and finalizes"),
            active_validators: page
                .plain("beacon_current_active_validators", "Validators with stake that is drawn"),
            staked_units: page.plain("atoll_staked_units", "Units that take part in draws"),
            exiting_units: page
                .plain("atoll_exiting_units", "Units that left the draws and are neither paid nor burned"),
            burned_units: page.plain("atoll_burned_units", "Units that offences cost"),
            deposited_units: page.plain("atoll_deposited_units", "Units registered since genesis"),
            withdrawn_units: page.plain("atoll_withdrawn_units", "Units paid out"),
            receipts_consumed: page
                .plain("atoll_beacon_receipts_consumed", "Receipts of the shard that were consumed"),
            receipts_sent: page.plain("atoll_beacon_receipts_sent", "Receipts sent to the shard"),
            receipts_pending: page.plain(
                "atoll_beacon_receipts_pending",
                "Receipts that the shard is not known to have consumed",
            ),
            receipts_refused: page.plain(
                "atoll_beacon_receipts_refused",
                "Receipts of the shard that were not done as they ask",
            ),
            interval_ms: page.add(
                "atoll_beacon_block_interval_milliseconds",
                "Difference of the timestamps of successive certified blocks",
                Histogram::new(INTERVALS_MS),
            ),
            crosslinks: page.plain("atoll_crosslinks", "Crosslinks accepted"),
            crosslink_delay: page
                .plain("atoll_crosslink_delay_heights", "Beacon heights since the shard's last crosslink"),
            early_ends: page.plain("atoll_early_ends", "Epochs ended early"),
            slashings: page.plain("atoll_slashings", "Offences punished"),
            crosslink_pool: page.plain("atoll_crosslink_pool", "Crosslinks that wait"),
            evidence_pool: page.plain("atoll_evidence_pool", "Pieces of evidence that wait"),
            conflict_pool: page.plain("atoll_conflict_pool", "Conflicting certificates that wait"),
            waiting: page.plain("atoll_waiting_requests", "Requests that wait for a parent's state"),
            proposals: page.plain("atoll_proposals", "Blocks proposed by this node"),
            rejections: page.plain("atoll_blocks_rejected", "Proposed blocks found invalid"),
            gossip_dropped: page.plain("atoll_gossip_dropped", "Messages of peers that were of no use"),
            refused: page.plain("atoll_submissions_refused", "Crosslinks, evidence and conflicts refused"),
            page: page.finish(),
        }
    }

    /// The page, followed by that of `others` if it is not empty.
    pub fn encode(&self, others: &str) -> String {
        self.page.encode(others)
    }

    /// A block was certified; `interval_ms` is the time since the one below.
    pub(crate) fn certified(&self, snapshot: &Snapshot, events: &[Event], interval_ms: u64) {
        self.interval_ms.observe(interval_ms as f64);
        for event in events {
            match event {
                Event::Accepted { shard, .. } => {
                    self.crosslinks.get_or_create(&ShardLabel { shard: shard.get() }).inc();
                }
                Event::EarlyEnd { shard, .. } => {
                    self.early_ends.get_or_create(&ShardLabel { shard: shard.get() }).inc();
                }
                Event::Slashed { .. } => {
                    self.slashings.inc();
                }
                Event::Refused { shard, .. } => {
                    self.receipts_refused.get_or_create(&ShardLabel { shard: shard.get() }).inc();
                }
                Event::Registered { .. }
                | Event::ToppedUp { .. }
                | Event::Exited { .. }
                | Event::Withdrawn { .. }
                | Event::Drawn { .. } => {}
            }
        }
        self.state(snapshot.state());
        let epoch = gauge(snapshot.header().epoch.get());
        self.finalized_epoch.set(epoch);
        self.justified_epoch.set(epoch);
    }

    fn state(&self, state: &BeaconState) {
        self.head_height.set(gauge(state.height().get()));
        let stake = state.stake();
        self.staked_units.set(gauge(stake.staked_units));
        self.exiting_units.set(gauge(stake.exiting_units));
        self.burned_units.set(gauge(stake.burned_units));
        self.deposited_units.set(gauge(stake.deposited_units));
        self.withdrawn_units.set(gauge(stake.withdrawn_units));
        for lane in state.lanes() {
            let label = ShardLabel { shard: lane.shard().get() };
            self.receipts_consumed.get_or_create(&label).set(gauge(lane.received()));
            self.receipts_sent.get_or_create(&label).set(gauge(lane.next_sequence()));
            self.receipts_pending.get_or_create(&label).set(gauge(lane.pending().len() as u64));
        }
        let active = state.validators().filter(|validator| !validator.units().is_empty()).count();
        self.active_validators.set(gauge(active as u64));
        for record in state.shards() {
            let delay = state.height().above(record.accepted.accepted_at);
            self.crosslink_delay.get_or_create(&ShardLabel { shard: record.shard.get() }).set(gauge(delay));
        }
    }

    pub(crate) fn sizes(&self, sizes: PoolSizes) {
        self.crosslink_pool.set(gauge(sizes.crosslinks as u64));
        self.evidence_pool.set(gauge(sizes.evidence as u64));
        self.conflict_pool.set(gauge(sizes.conflicts as u64));
        self.waiting.set(gauge(sizes.waiting as u64));
    }

    pub(crate) fn proposed(&self) {
        self.proposals.inc();
    }

    pub(crate) fn rejected(&self) {
        self.rejections.inc();
    }

    pub(crate) fn dropped(&self) {
        self.gossip_dropped.inc();
    }

    pub(crate) fn refused(&self) {
        self.refused.inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
