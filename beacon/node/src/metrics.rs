//! What a beacon node counts.
//!
//! Names are EIP-2159's where it has one (a slot is a height here); the others begin with `atoll_`.

use crate::{Snapshot, core::PoolSizes};
use beacon_state::{BeaconState, Event};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::sync::Arc;

/// Upper ends of the histogram of block intervals, milliseconds.
const INTERVALS_MS: [f64; 11] =
    [250., 500., 750., 900., 1_000., 1_100., 1_250., 1_500., 2_000., 4_000., 10_000.];
/// Line that ends a page of the OpenMetrics text format.
const END: &str = "# EOF\n";

/// Names a shard.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ShardLabel {
    shard: u32,
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    head_height: Gauge,
    finalized_epoch: Gauge,
    justified_epoch: Gauge,
    active_validators: Gauge,
    staked_units: Gauge,
    burned_units: Gauge,
    interval_ms: Histogram,
    crosslinks: Family<ShardLabel, Counter>,
    crosslink_delay: Family<ShardLabel, Gauge>,
    early_ends: Family<ShardLabel, Counter>,
    slashings: Counter,
    crosslink_pool: Gauge,
    evidence_pool: Gauge,
    waiting: Gauge,
    proposals: Counter,
    rejections: Counter,
    gossip_dropped: Counter,
    refused: Counter,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut page = Page(Registry::default());
        Self {
            head_height: page.add(
                "beacon_head_slot",
                "Height of the newest certified block",
                Gauge::default(),
            ),
            finalized_epoch: page.add(
                "beacon_finalized_epoch",
                "Epoch of the newest finalized block",
                Gauge::default(),
            ),
            justified_epoch: page.add(
                "beacon_current_justified_epoch",
                "The same: a certificate justifies and finalizes",
                Gauge::default(),
            ),
            active_validators: page.add(
                "beacon_current_active_validators",
                "Validators with stake that is drawn",
                Gauge::default(),
            ),
            staked_units: page.add("atoll_staked_units", "Units that take part in draws", Gauge::default()),
            burned_units: page.add("atoll_burned_units", "Units that offences cost", Gauge::default()),
            interval_ms: page.add(
                "atoll_beacon_block_interval_milliseconds",
                "Difference of the timestamps of successive certified blocks",
                Histogram::new(INTERVALS_MS),
            ),
            crosslinks: page.add("atoll_crosslinks", "Crosslinks accepted", Family::default()),
            crosslink_delay: page.add(
                "atoll_crosslink_delay_heights",
                "Beacon heights since the shard's last crosslink",
                Family::default(),
            ),
            early_ends: page.add("atoll_early_ends", "Epochs ended early", Family::default()),
            slashings: page.add("atoll_slashings", "Offences punished", Counter::default()),
            crosslink_pool: page.add("atoll_crosslink_pool", "Crosslinks that wait", Gauge::default()),
            evidence_pool: page.add("atoll_evidence_pool", "Pieces of evidence that wait", Gauge::default()),
            waiting: page.add(
                "atoll_waiting_requests",
                "Requests that wait for a parent's state",
                Gauge::default(),
            ),
            proposals: page.add("atoll_proposals", "Blocks proposed by this node", Counter::default()),
            rejections: page.add(
                "atoll_blocks_rejected",
                "Proposed blocks found invalid",
                Counter::default(),
            ),
            gossip_dropped: page.add(
                "atoll_gossip_dropped",
                "Messages of peers that were of no use",
                Counter::default(),
            ),
            refused: page.add(
                "atoll_submissions_refused",
                "Crosslinks and evidence refused",
                Counter::default(),
            ),
            registry: Arc::new(page.0),
        }
    }

    /// The page, followed by that of `others` if it is not empty.
    pub fn encode(&self, others: &str) -> String {
        let mut page = String::new();
        if text::encode(&mut page, &self.registry).is_err() {
            // Writing to a string does not fail.
            tracing::error!("metrics cannot be encoded");
        }
        if !others.is_empty() {
            page.truncate(page.strip_suffix(END).map_or(page.len(), str::len));
            page.push_str(others);
        }
        page
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
                Event::Drawn { .. } => {}
            }
        }
        self.state(snapshot.state());
        let epoch = gauge(snapshot.header().epoch.get());
        self.finalized_epoch.set(epoch);
        self.justified_epoch.set(epoch);
    }

    fn state(&self, state: &BeaconState) {
        self.head_height.set(gauge(state.height().get()));
        self.staked_units.set(gauge(state.stake().staked_units));
        self.burned_units.set(gauge(state.stake().burned_units));
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

struct Page(Registry);

impl Page {
    fn add<M>(&mut self, name: &'static str, help: &'static str, metric: M) -> M
    where
        M: Clone + prometheus_client::registry::Metric,
    {
        self.0.register(name, help, metric.clone());
        metric
    }
}

/// Gauges are signed.
fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pages become one, which ends once.
    #[test]
    fn pages_are_joined_under_one_end() {
        let metrics = Metrics::new();
        metrics.dropped();
        let page = metrics.encode("# TYPE engine_views counter\nengine_views_total 7\n# EOF\n");
        assert!(page.contains("atoll_gossip_dropped_total 1\n"), "{page}");
        assert!(page.ends_with("engine_views_total 7\n# EOF\n"), "{page}");
        assert_eq!(page.matches("# EOF").count(), 1);
        assert_eq!(metrics.encode("").matches("# EOF").count(), 1);
    }
}
