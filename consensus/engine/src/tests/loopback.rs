//! Nodes over real sockets, with real files.

use super::harness::*;
use crate::{
    Durability,
    sockets::{self, SocketsConfig},
};
use std::{
    collections::BTreeMap,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Addresses that were free a moment ago.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

/// Strangers at the door of `address` until told to stop: silence, text, zeros, huge lengths, half a greeting.
fn pester(address: SocketAddr, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u32> {
    const GREETINGS: [&[u8]; 5] =
        [b"", b"GET / HTTP/1.1\r\n\r\n", &[0; 4096], &[0xff; 65_536], &[0x20, 1, 2, 3]];
    std::thread::spawn(move || {
        let (mut silent, mut attempts) = (Vec::new(), 0);
        while !stop.load(Ordering::Relaxed) {
            for greeting in GREETINGS {
                attempts += 1;
                // Being refused, or hung up on, is what a stranger must expect.
                let Ok(mut stream) = TcpStream::connect(address) else { continue };
                let _ = stream.write_all(greeting);
                silent.push(stream);
            }
            silent.truncate(64);
            std::thread::sleep(Duration::from_millis(10));
        }
        attempts
    })
}

/// Four nodes over sockets, with strangers at the door of two of them.
#[test]
fn nodes_agree_over_loopback_whoever_else_knocks() {
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
        let stop = Arc::new(AtomicBool::new(false));
        let strangers = [0, 1].map(|index| pester(addresses[index], stop.clone()));
        let reached = async {
            while (0..4).any(|index| world.height(node(index)) < 5) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(60), reached).await;
        stop.store(true, Ordering::Relaxed);
        for stranger in strangers {
            assert!(stranger.join().unwrap() > 0);
        }
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
