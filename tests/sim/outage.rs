//! A shard that makes no blocks while others send to it.

use crate::{
    config::WorldConfig,
    receipts::{everything_arrives, most_in_flight, refusals},
    seeds,
    world::Simulation,
};
use engine::{Block, simulated::byzantine::Misconduct};
use primitives::ShardId;
use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The shard that is down.
const DOWN: ShardId = ShardId::new(2);
/// Those that go on.
const UP: [ShardId; 2] = [ShardId::ZERO, ShardId::new(1)];
/// Receipts that may be under way on a lane.
const CAPACITY: u64 = 6;

/// While the shard is down, nobody proposes a block of it that others accept.
#[derive(Default)]
struct Outage(AtomicBool);

impl Misconduct for Outage {
    fn proposal(&self, block: Block) -> Block {
        match block.as_shard().filter(|block| block.header.shard == DOWN && self.0.load(Ordering::Relaxed)) {
            Some(honest) => {
                let mut useless = (**honest).clone();
                useless.header.gas_used += 1;
                Block::shard(useless)
            }
            None => block,
        }
    }
}

#[test]
fn a_shard_that_is_down_stops_nobody_and_gets_everything_once_it_is_back() {
    seeds::each([97], outage);
}

pub(crate) fn outage(seed: u64) {
    let mut config = WorldConfig::new(3);
    config.spec.lane_capacity = CAPACITY;
    config.spec.stall_heights = NonZeroU64::new(1 << 20).expect("not zero");
    let outage = Arc::new(Outage::default());
    Simulation::new(seed, config).run(async |world| {
        for validator in 0..world.estate.validators() {
            world.corrupt(validator, outage.clone());
        }
        world.start_all().await;
        world.advance(4, Duration::from_secs(20)).await;
        let refused = refusals(world);
        outage.0.store(true, Ordering::Relaxed);
        world.pass(Duration::from_secs(2)).await;
        let (stood, before) = (world.shard_heights(DOWN).0, UP.map(|shard| world.shard_heights(shard).0));
        world.pass(Duration::from_secs(20)).await;
        assert_eq!(world.shard_heights(DOWN).0, stood, "the shard is down");
        for (shard, before) in UP.into_iter().zip(before) {
            let made = world.shard_heights(shard).0 - before;
            assert!(made >= 30, "shard {shard} made {made} blocks in 20 s");
            world.assert_steady_shard(shard);
        }
        // What the sources hold for it is bounded, and whoever sends more is told.
        assert_eq!(most_in_flight(world), CAPACITY);
        assert!(refusals(world) > refused + 5, "senders go on trying");

        outage.0.store(false, Ordering::Relaxed);
        everything_arrives(world, Duration::from_secs(20)).await;
        world.advance(6, Duration::from_secs(30)).await;
    });
}
