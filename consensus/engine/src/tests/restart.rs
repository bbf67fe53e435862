//! Nodes crash and come back.

use super::harness::*;
use crate::simulated;

#[test]
fn one_node_crashes_and_comes_back() {
    let (plan, world) = (Plan::new(&[&[1, 1, 1, 1]], 1000), World::default());
    simulate(21, |root| async move {
        let (cluster, mut nodes) = start(&root, LINK, 0..4, &plan, &world).await;
        world.reach(&root, 0..4, 5).await;
        nodes.remove(&0).unwrap().close();
        world.reach(&root, 1..4, 12).await;
        let before = world.height(node(0));
        assert!(before < 8);
        nodes.insert(0, join(&root, &cluster, 0, &plan, &world).await);
        world.reach(&root, 0..4, 20).await;
        world.assert_no_fork();
        assert_eq!(world.book().evidence, []);
    });
}

#[test]
fn all_nodes_lose_power_at_once() {
    let (plan, world) = (Plan::new(&[&[2, 1, 1, 1], &[1, 1, 1, 1]], 8), World::default());
    let mut checkpoint = simulate(22, |root| {
        let (plan, world) = (plan.clone(), world.clone());
        async move {
            let _nodes = start(&root, LINK, 0..4, &plan, &world).await;
            world.reach(&root, 0..4, 5).await;
        }
    });
    for height in [9, 14] {
        let (plan, world) = (plan.clone(), world.clone());
        checkpoint = simulated::recover(checkpoint, |root| async move {
            let _nodes = start(&root, LINK, 0..4, &plan, &world).await;
            world.reach(&root, 0..4, height).await;
            world.assert_no_fork();
            assert_eq!(world.book().evidence, []);
        })
        .1;
    }
}
