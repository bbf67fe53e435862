//! What a shard node counts. Every name begins with `atoll_`; shards are told apart by the label `shard`.

use primitives::{Chain, Height, ShardHeader, ShardId};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};
use service::metrics::{Encoder, Page, gauge};

/// Upper ends of the histogram of block intervals, milliseconds.
const INTERVALS_MS: [f64; 11] = [100., 250., 400., 450., 500., 550., 600., 750., 1_000., 2_000., 5_000.];
/// Upper ends of the histograms of receipts' latencies, milliseconds.
const LATENCIES_MS: [f64; 11] = [100., 250., 400., 500., 600., 750., 1_000., 1_500., 2_000., 5_000., 30_000.];
/// Upper ends of the histograms of times spent, milliseconds.
const TIMES_MS: [f64; 10] = [1., 2., 5., 10., 20., 50., 100., 200., 500., 1_000.];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ShardLabel {
    shard: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    source: u32,
    destination: u32,
}

/// A histogram for each lane.
type LaneHistograms = Family<LaneLabel, Histogram, fn() -> Histogram>;

/// A histogram for each shard.
type Histograms = Family<ShardLabel, Histogram, fn() -> Histogram>;

/// All counters of one node; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    page: Encoder,
    height: Family<ShardLabel, Gauge>,
    finalized: Family<ShardLabel, Gauge>,
    epoch: Family<ShardLabel, Gauge>,
    gas: Family<ShardLabel, Counter>,
    transactions: Family<ShardLabel, Counter>,
    base_fee: Family<ShardLabel, Gauge>,
    pool: Family<ShardLabel, Gauge>,
    pool_bytes: Family<ShardLabel, Gauge>,
    waiting: Family<ShardLabel, Gauge>,
    interval_ms: Histograms,
    execution_ms: Histograms,
    commit_ms: Histograms,
    crosslinks: Family<ShardLabel, Counter>,
    proposals: Family<ShardLabel, Counter>,
    rejections: Family<ShardLabel, Counter>,
    early_ends: Family<ShardLabel, Counter>,
    gossip_dropped: Family<ShardLabel, Counter>,
    lane_sent: Family<LaneLabel, Counter>,
    lane_consumed: Family<LaneLabel, Counter>,
    lane_in_flight: Family<LaneLabel, Gauge>,
    lane_latency_ms: LaneHistograms,
    bundles_from_peers: Family<ShardLabel, Counter>,
    beacon_height: Gauge,
    beacon_failures: Counter,
}

/// The counters of one shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardMetrics {
    metrics: Metrics,
    label: ShardLabel,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut page = Page::default();
        let times = || Histograms::new_with_constructor(|| Histogram::new(TIMES_MS));
        let intervals = Histograms::new_with_constructor(|| Histogram::new(INTERVALS_MS));
        Self {
            height: page.plain("atoll_shard_head_height", "Height of the newest certified block"),
            finalized: page.plain("atoll_shard_finalized_height", "Height the beacon chain has accepted"),
            epoch: page.plain("atoll_shard_epoch", "Epoch of the newest certified block"),
            gas: page.plain("atoll_shard_gas_used", "Gas of certified blocks"),
            transactions: page.plain("atoll_shard_transactions", "Transactions in certified blocks"),
            base_fee: page.plain("atoll_shard_base_fee_wei", "Base fee of the newest certified block"),
            pool: page.plain("atoll_shard_pool_transactions", "Transactions that wait for a block"),
            pool_bytes: page.plain("atoll_shard_pool_bytes", "Bytes of the waiting transactions"),
            waiting: page
                .plain("atoll_shard_waiting_requests", "Requests that wait for a state or an anchor"),
            interval_ms: page.add(
                "atoll_shard_block_interval_ms",
                "Time between certified blocks' timestamps",
                intervals,
            ),
            execution_ms: page.add("atoll_shard_execution_ms", "Time to build or judge a block", times()),
            commit_ms: page.add("atoll_shard_commit_ms", "Time to write a certified block", times()),
            crosslinks: page
                .plain("atoll_shard_crosslinks_submitted", "Crosslinks offered to the beacon chain"),
            proposals: page.plain("atoll_shard_proposals", "Blocks proposed by this node"),
            rejections: page.plain("atoll_shard_blocks_rejected", "Proposed blocks found invalid"),
            early_ends: page.plain("atoll_shard_early_ends", "Epochs ended early"),
            gossip_dropped: page.plain("atoll_shard_gossip_dropped", "Messages of peers that were of no use"),
            lane_sent: page.plain("atoll_lane_sent", "Receipts sent to another shard"),
            lane_consumed: page.plain("atoll_lane_consumed", "Receipts of another shard consumed"),
            lane_in_flight: page
                .plain("atoll_lane_in_flight", "Receipts that may still be under way, as the source knows"),
            lane_latency_ms: page.add(
                "atoll_lane_latency_ms",
                "Time from the proposal of the block that sent a receipt to the certificate of the one that consumed it",
                LaneHistograms::new_with_constructor(|| Histogram::new(LATENCIES_MS)),
            ),
            bundles_from_peers: page
                .plain("atoll_shard_bundles_from_peers", "Bundles of other shards that peers sent"),
            beacon_height: page.plain("atoll_beacon_followed_height", "Newest beacon header verified"),
            beacon_failures: page.plain("atoll_beacon_link_failures", "Failed requests to the beacon node"),
            page: page.finish(),
        }
    }

    /// The page, followed by that of `others` if it is not empty.
    pub fn encode(&self, others: &str) -> String {
        self.page.encode(others)
    }

    pub(crate) fn shard(&self, shard: ShardId) -> ShardMetrics {
        ShardMetrics { metrics: self.clone(), label: ShardLabel { shard: shard.get() } }
    }

    pub(crate) fn beacon_height(&self, height: Height) {
        self.beacon_height.set(gauge(height.get()));
    }

    pub(crate) fn beacon_failed(&self) {
        self.beacon_failures.inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ShardMetrics {
    /// A block was certified; `interval_ms` is the time since the one below.
    pub(crate) fn certified(&self, header: &ShardHeader, transactions: usize, interval_ms: u64) {
        let Self { metrics, label } = self;
        metrics.interval_ms.get_or_create(label).observe(interval_ms as f64);
        metrics.gas.get_or_create(label).inc_by(header.gas_used);
        metrics.transactions.get_or_create(label).inc_by(transactions as u64);
        self.head(header);
    }

    pub(crate) fn head(&self, header: &ShardHeader) {
        let Self { metrics, label } = self;
        metrics.height.get_or_create(label).set(gauge(header.height.get()));
        metrics.epoch.get_or_create(label).set(gauge(header.epoch.get()));
        metrics.base_fee.get_or_create(label).set(gauge(header.base_fee));
    }

    pub(crate) fn finalized(&self, height: Height) {
        self.metrics.finalized.get_or_create(&self.label).set(gauge(height.get()));
    }

    pub(crate) fn sizes(&self, sizes: crate::core::Sizes) {
        let Self { metrics, label } = self;
        metrics.pool.get_or_create(label).set(gauge(sizes.transactions as u64));
        metrics.pool_bytes.get_or_create(label).set(gauge(sizes.bytes as u64));
        metrics.waiting.get_or_create(label).set(gauge(sizes.waiting as u64));
    }

    pub(crate) fn executed(&self, ms: f64) {
        self.metrics.execution_ms.get_or_create(&self.label).observe(ms);
    }

    pub(crate) fn committed(&self, ms: f64) {
        self.metrics.commit_ms.get_or_create(&self.label).observe(ms);
    }

    /// So many bundles came from a peer.
    pub(crate) fn bundles_came(&self, bundles: usize) {
        self.metrics.bundles_from_peers.get_or_create(&self.label).inc_by(bundles as u64);
    }

    /// So many receipts were sent to a chain.
    pub(crate) fn sent(&self, destination: Chain, receipts: usize) {
        self.metrics.lane_sent.get_or_create(&self.lane_to(destination)).inc_by(receipts as u64);
    }

    /// So many receipts to a chain may be under way.
    pub(crate) fn in_flight(&self, destination: Chain, receipts: u64) {
        self.metrics.lane_in_flight.get_or_create(&self.lane_to(destination)).set(gauge(receipts));
    }

    /// So many receipts of a chain were consumed, so long after they were sent.
    pub(crate) fn consumed(&self, source: Chain, receipts: usize, latency_ms: u64) {
        let label = LaneLabel { source: source.code(), destination: self.label.shard };
        self.metrics.lane_consumed.get_or_create(&label).inc_by(receipts as u64);
        let latency = self.metrics.lane_latency_ms.get_or_create(&label);
        (0..receipts).for_each(|_| latency.observe(latency_ms as f64));
    }

    fn lane_to(&self, destination: Chain) -> LaneLabel {
        LaneLabel { source: self.label.shard, destination: destination.code() }
    }

    pub(crate) fn crosslink(&self) {
        self.metrics.crosslinks.get_or_create(&self.label).inc();
    }

    pub(crate) fn proposed(&self) {
        self.metrics.proposals.get_or_create(&self.label).inc();
    }

    pub(crate) fn rejected(&self) {
        self.metrics.rejections.get_or_create(&self.label).inc();
    }

    pub(crate) fn ended_early(&self) {
        self.metrics.early_ends.get_or_create(&self.label).inc();
    }

    pub(crate) fn dropped(&self) {
        self.metrics.gossip_dropped.get_or_create(&self.label).inc();
    }
}
