//! Nodes over real sockets, with real files.

use super::harness::*;
use crate::{
    Durability,
    sockets::{self, SocketsConfig},
};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

/// Addresses that were free a moment ago.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

#[test]
fn four_nodes_agree_over_loopback() {
    let (plan, world) = (Plan::new(&[&[1, 1, 1, 1]], 1000), World::default());
    let directory = tempfile::tempdir().unwrap();
    sockets::run(directory.path().to_path_buf(), 2, |root| async move {
        let addresses = free_addresses(4);
        let peers: BTreeMap<_, _> =
            (0..4).map(|index| (node(index), addresses[usize::from(index)])).collect();
        let mut networks = Vec::new();
        for index in 0..4 {
            let network = sockets::start(
                &root,
                SocketsConfig {
                    node_secret: node_secret(index),
                    listen: addresses[usize::from(index)],
                    peers: peers.clone(),
                    durability: Durability::Process,
                    max_message_bytes: MESSAGE_BYTES_MAX,
                },
            );
            assert_eq!(network.key(), node(index));
            let (handle, requests) = network.open(plan.config()).await;
            let owner = Owner { index, plan: plan.clone(), world: world.clone(), handle };
            tokio::spawn(owner.run(requests));
            networks.push(network);
        }
        let reached = async {
            while (0..4).any(|index| world.height(node(index)) < 5) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(60), reached).await;
        assert_eq!(world.book().failures, Vec::<String>::new());
        assert!(
            reached.is_ok(),
            "heights {:?}",
            (0..4).map(|index| world.height(node(index))).collect::<Vec<_>>()
        );
        world.assert_no_fork();
        assert!(networks[0].metrics().contains("finalized_height"));
    });
}
