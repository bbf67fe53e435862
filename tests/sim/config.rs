//! What a simulated network is like.

use engine::simulated::Link;
use primitives::ChainSpec;
use std::{num::NonZeroU64, time::Duration};

/// Links as between machines of one region.
pub(crate) const CALM: Link =
    Link { latency: Duration::from_millis(15), jitter: Duration::from_millis(5), lost_per_mille: 0 };

/// Links that lose every twentieth message, and of which some are late by several hundred milliseconds.
pub(crate) const ROUGH: Link =
    Link { latency: Duration::from_millis(90), jitter: Duration::from_millis(70), lost_per_mille: 50 };

/// The network of one simulation.
#[derive(Clone, Debug)]
pub(crate) struct WorldConfig {
    /// Units of each validator.
    pub(crate) stakes: Vec<u32>,
    /// Validators without stake, each with a key for one unit.
    pub(crate) newcomers: u32,
    pub(crate) spec: ChainSpec,
    /// Whether shard nodes run; otherwise the shards exist, and stand still.
    pub(crate) runs_shards: bool,
    /// Every link, unless a scenario changes it.
    pub(crate) link: Link,
    /// Who is expected to be slashed.
    pub(crate) guilty: Option<usize>,
}

impl WorldConfig {
    /// Five validators, of whom any one may fail; a beacon chain and `shards` shards, all with short epochs.
    pub(crate) fn new(shards: usize) -> Self {
        let mut spec = ChainSpec::preset("local").expect("a preset is valid");
        let count = |number| NonZeroU64::new(number).expect("not zero");
        spec.shards.truncate(shards.max(1));
        spec.seats_target = 16;
        spec.beacon_epoch_heights = count(8);
        spec.shard_epoch_heights = count(12);
        spec.stall_heights = count(if shards == 0 { 1 << 40 } else { 20 });
        let (stakes, runs_shards) = (vec![2, 2, 1, 1, 1], shards > 0);
        Self { stakes, newcomers: 0, spec, runs_shards, link: CALM, guilty: None }
    }
}
