//! One committee agrees.

use super::harness::*;
use crate::simulated::Link;
use std::time::Duration;

#[test]
fn four_nodes_agree_on_thirty_blocks() {
    let (plan, world) = (Plan::new(&[&[1, 1, 1, 1]], 1000), World::default());
    simulate(1, |root| async move {
        let _nodes = start(&root, LINK, 0..4, &plan, &world).await;
        world.reach(&root, 0..4, 30).await;
        world.assert_no_fork();
        assert_eq!(world.book().evidence, []);
        // Every block came at least an interval after the one below, and none of them late.
        let ms = root.now_ms();
        assert!((30 * INTERVAL_MS..36 * INTERVAL_MS).contains(&ms), "{ms} ms");
    });
}

#[test]
fn a_node_may_hold_several_seats() {
    let (plan, world) = (Plan::new(&[&[3, 1, 1, 1]], 1000), World::default());
    simulate(2, |root| async move {
        let _nodes = start(&root, LINK, 0..4, &plan, &world).await;
        world.reach(&root, 0..4, 15).await;
        world.assert_no_fork();
        let book = world.book();
        assert_eq!(book.evidence, []);
        // However many seats a node has, it verifies a block once, and its own blocks never.
        for (node, verified) in &book.verified {
            let mut once = verified.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), verified.len(), "node {node} verified a block twice");
        }
    });
}

#[test]
fn messages_may_be_lost_and_late() {
    let (plan, world) = (Plan::new(&[&[1, 2, 1, 1]], 1000), World::default());
    let link =
        Link { latency: Duration::from_millis(80), jitter: Duration::from_millis(60), lost_per_mille: 100 };
    simulate(3, |root| async move {
        let _nodes = start(&root, link, 0..4, &plan, &world).await;
        world.reach(&root, 0..4, 20).await;
        world.assert_no_fork();
        assert_eq!(world.book().evidence, []);
    });
}

#[test]
fn a_silent_third_does_not_stop_the_chain() {
    let (plan, world) = (Plan::new(&[&[1, 1, 1, 1]], 1000), World::default());
    simulate(4, |root| async move {
        let _nodes = start(&root, LINK, 0..3, &plan, &world).await;
        world.reach(&root, 0..3, 12).await;
        world.assert_no_fork();
    });
}
