//! Nodes outside the committee follow, and hear what the application says.

use super::harness::*;
use bytes::Bytes;
use primitives::Height;
use std::time::Duration;

#[test]
fn a_node_without_seats_follows_and_serves_blocks() {
    let (plan, world) = (Plan::new(&[&[1, 1, 1, 1, 0]], 1000), World::default());
    simulate(51, |root| async move {
        let (cluster, _nodes) = start(&root, LINK, 0..4, &plan, &world).await;
        world.reach(&root, 0..4, 6).await;
        let network = cluster.node(&node_secret(4), crate::Durability::Process).await;
        let handle = open(&root, &network, 4, &plan, &world).await;
        world.reach(&root, [4], 10).await;
        world.assert_no_fork();
        let (block, _) = handle.block(Height::new(7)).await.unwrap();
        assert_eq!(block, world.book().certified[&node(0)][&Height::new(7)]);
        assert!(handle.block(Height::new(1000)).await.is_none());
        handle.gossip(Bytes::from_static(b"heard"));
        root.sleep(Duration::from_millis(200)).await;
        let mut heard = world.book().gossip.clone();
        heard.sort();
        let mut all: Vec<_> = (0..4).map(|index| (node(index), node(4), b"heard".to_vec())).collect();
        all.sort();
        assert_eq!(heard, all);
        handle.close();
    });
}
