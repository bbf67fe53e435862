//! One committee follows another.

use super::harness::*;
use crate::simulated::Link;
use primitives::Epoch;
use std::time::Duration;

#[test]
fn committees_follow_one_another_and_a_latecomer_joins() {
    let epochs: &[&[u8]] =
        &[&[1, 1, 1, 1, 0, 0], &[0, 1, 1, 1, 1, 0], &[0, 0, 1, 1, 1, 1], &[1, 1, 1, 1, 0, 0]];
    let (plan, world) = (Plan::new(epochs, 6), World::default());
    simulate(11, |root| async move {
        let (cluster, _nodes) = start(&root, LINK, 0..5, &plan, &world).await;
        world.reach(&root, 0..5, plan.first(Epoch::new(1)).get() + 1).await;
        let _late = join(&root, &cluster, 5, &plan, &world).await;
        world.reach(&root, 0..6, plan.last(Epoch::new(2)).get() + 3).await;
        world.assert_no_fork();
        let book = world.book();
        assert_eq!(book.evidence, []);
        // The last block of an epoch always has a certificate of its own.
        for epoch in (0..3).map(Epoch::new) {
            assert_eq!(book.certificates[&plan.last(epoch)].epoch, epoch);
        }
    });
}

/// Whoever has not been heard of yet when an epoch begins is late, not silent.
#[test]
fn no_view_is_lost_when_an_epoch_begins() {
    let epochs: &[&[u8]] = &[&[2, 2, 1, 1, 1][..]; 6];
    let (plan, world) = (Plan::new(epochs, 6), World::default());
    let link =
        Link { latency: Duration::from_millis(15), jitter: Duration::from_millis(8), lost_per_mille: 0 };
    simulate(12, |root| async move {
        let _nodes = start(&root, link, 0..5, &plan, &world).await;
        world.reach(&root, 0..5, 34).await;
        let book = world.book();
        let blocks = &book.certified[&node(0)];
        for (below, above) in blocks.values().zip(blocks.values().skip(1)) {
            let gap = above.timestamp_ms() - below.timestamp_ms();
            assert!(gap < 2 * INTERVAL_MS, "{gap} ms below height {}", above.height());
        }
    });
}
