//! Real nodes on the deterministic runtime: simulated links, disks and time.

use super::*;
use crate::core::CandidateError;
use crate::testing::{EPOCH_HEIGHTS, Shard, World, node_secret};
use crate::{Status, SubmitError};
use consensus::light::LightClient;
use engine::simulated::{self, Cluster, Link, Root};
use primitives::{CrosslinkOffer, ShardId, Unverified};
use service::runtime::{BoxFuture, Runtime};
use storage::MemoryDisk;
use validator::Protection;

const LINK: Link =
    Link { latency: Duration::from_millis(10), jitter: Duration::from_millis(3), lost_per_mille: 0 };
const MESSAGE_BYTES_MAX: u32 = 5 << 20;

#[derive(Debug)]
struct Simulated(Root);

impl Runtime for Simulated {
    fn spawn(&self, _: &'static str, task: BoxFuture<()>) {
        self.0.spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(self.0.sleep(duration))
    }

    fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }
}

/// A validator's machine: what survives when its node does not.
struct Machine {
    index: u8,
    disk: MemoryDisk,
    signer: Signer,
}

impl Machine {
    fn all(world: &World) -> Vec<Self> {
        let machines = (1..).zip(&world.secrets).map(|(index, secrets)| Self {
            index,
            disk: MemoryDisk::new(),
            signer: Signer::new(secrets.clone(), world.hash(), Protection::in_memory()),
        });
        machines.collect()
    }

    async fn start(&self, root: &Root, cluster: &Cluster, world: &World) -> BeaconHandle {
        let network = cluster.node(&node_secret(self.index), engine::Durability::Power).await;
        let config = BeaconStore::config(storage::Durability::Power);
        let parts = Parts {
            genesis: world.genesis.clone(),
            store: Store::memory(&self.disk, config).expect("the disk is free"),
            network,
            signer: Some(self.signer.clone()),
            runtime: Arc::new(Simulated(root.child())),
        };
        BeaconNode::start(parts).await.expect("a whole chain")
    }
}

async fn start_all(root: &Root, cluster: &Cluster, world: &World, machines: &[Machine]) -> Vec<BeaconHandle> {
    let mut nodes = Vec::new();
    for machine in machines {
        nodes.push(machine.start(root, cluster, world).await);
    }
    nodes
}

async fn reach(nodes: &[BeaconHandle], height: u64) {
    for node in nodes {
        assert!(node.reached(Height::new(height)).await, "{:?}", node.status());
    }
}

/// Every node has the same block at every height.
fn assert_agreement(nodes: &[BeaconHandle], height: u64) {
    for height in (0..=height).map(Height::new) {
        let ids: Vec<_> = nodes.iter().map(|node| node.store().id(height).expect("readable")).collect();
        assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "height {height}: {ids:?}");
    }
}

/// Four validators of unequal stake finalize twenty blocks, through several epochs, at the wanted pace.
#[test]
fn four_nodes_finalize_twenty_blocks() {
    let world = World::new(&[3, 2, 1, 1]);
    let ((), _) = simulated::run(1, |root| async move {
        let cluster = Cluster::start(&root, LINK, MESSAGE_BYTES_MAX);
        let nodes = start_all(&root, &cluster, &world, &Machine::all(&world)).await;
        let started = root.now_ms();
        reach(&nodes, 20).await;
        let took = root.now_ms() - started;
        assert!((19_000..30_000).contains(&took), "twenty heights took {took} ms");
        assert_agreement(&nodes, 20);
        assert!(nodes[0].snapshot().header().epoch.get() >= 20 / EPOCH_HEIGHTS);
        let page = nodes[0].metrics();
        assert!(page.contains("beacon_head_slot 2"), "{page}");
        for node in &nodes {
            node.stop().await;
            assert!(matches!(node.status(), Status::Stopped));
        }
    });
}

/// A crosslink that one node is offered enters a block, whoever proposes it; one that is wrong is refused.
#[test]
fn offered_crosslink_is_accepted_by_the_network() {
    let world = World::new(&[1, 1, 1, 1]);
    let ((), _) = simulated::run(2, |root| async move {
        let cluster = Cluster::start(&root, LINK, MESSAGE_BYTES_MAX);
        let nodes = start_all(&root, &cluster, &world, &Machine::all(&world)).await;
        reach(&nodes, 2).await;
        let mut shard = Shard::new();
        (0..3).for_each(|_| shard.grow());
        let snapshot = nodes[1].snapshot();
        let committee = &snapshot.committees[&(Chain::from(ShardId::new(0)), Epoch::ZERO)];
        let crosslink = shard.crosslink(&world, snapshot.state(), committee, 3);
        let offer = CrosslinkOffer { crosslink, ancestries: Vec::new(), bundles: Vec::new() };
        let mut forged = offer.clone();
        forged.crosslink.certificate.view = forged.crosslink.certificate.view.next();
        let refused = nodes[1].submit_crosslink(Unverified::new(forged)).await;
        assert!(matches!(refused, Err(SubmitError::Refused(CandidateError::Certificate(_)))), "{refused:?}");
        assert_eq!(nodes[1].submit_crosslink(Unverified::new(offer)).await, Ok(Taken::New));
        let height = nodes[1].snapshot().height().plus(3);
        for node in &nodes {
            assert!(node.reached(height).await);
            let accepted = node.snapshot().state().shard(ShardId::new(0)).expect("there is one").accepted;
            assert_eq!(accepted.id, shard.headers[3].id());
        }
    });
}

/// A follower that knows the genesis file only follows the chain as it grows.
#[test]
fn follower_follows_by_light_updates() {
    let world = World::new(&[2, 1, 1]);
    let ((), _) = simulated::run(3, |root| async move {
        let cluster = Cluster::start(&root, LINK, MESSAGE_BYTES_MAX);
        let nodes = start_all(&root, &cluster, &world, &Machine::all(&world)).await;
        let Bootstrap { header, beacon_table, committees } = nodes[0].bootstrap().clone();
        let mut client = LightClient::new(world.hash(), header, beacon_table, committees).expect("a genesis");
        while client.header().height < Height::new(EPOCH_HEIGHTS * 3) {
            let height = client.header().height;
            let update =
                nodes[0].light_update_after(height, Duration::from_secs(10)).await.expect("readable");
            client.update(Unverified::new(update.expect("the chain grows"))).expect("certified");
            for (chain, epoch, _) in client.missing() {
                let drawn = nodes[0].committee(chain, epoch).expect("readable").expect("drawn");
                client.committee(chain, epoch, Unverified::new(drawn.committee)).expect("as named");
            }
        }
        // Nothing comes for a height that is far away.
        let none = nodes[0].light_update_after(Height::new(10_000), Duration::from_millis(100)).await;
        assert_eq!(none.expect("readable"), None);
    });
}

/// All nodes lose power at once and go on from what they had committed.
#[test]
fn all_nodes_restart_after_a_power_cut() {
    let world = World::new(&[1, 1, 1, 1]);
    let machines = Machine::all(&world);
    let (before, checkpoint) = simulated::run(4, |root| {
        let (world, machines) = (&world, &machines);
        async move {
            let cluster = Cluster::start(&root, LINK, MESSAGE_BYTES_MAX);
            let nodes = start_all(&root, &cluster, world, machines).await;
            reach(&nodes, 6).await;
            nodes.iter().map(|node| (node.snapshot().height(), node.snapshot().id())).collect::<Vec<_>>()
        }
    });
    for (seed, machine) in (0..).zip(&machines) {
        machine.disk.crash(seed);
    }
    let ((), _) = simulated::recover(checkpoint, |root| async move {
        let cluster = Cluster::start(&root, LINK, MESSAGE_BYTES_MAX);
        let nodes = start_all(&root, &cluster, &world, &machines).await;
        for (node, (height, id)) in nodes.iter().zip(&before) {
            assert!(node.snapshot().height() >= *height);
            assert_eq!(node.store().id(*height).expect("readable"), Some(*id));
        }
        reach(&nodes, 12).await;
        assert_agreement(&nodes, 12);
    });
}

/// A node whose database is gone takes what the engine still has, and goes on.
#[test]
fn lost_database_is_caught_up_from_the_engine() {
    let world = World::new(&[1, 1, 1, 1]);
    let ((), _) = simulated::run(5, |root| async move {
        let cluster = Cluster::start(&root, LINK, MESSAGE_BYTES_MAX);
        let mut machines = Machine::all(&world);
        let mut nodes = start_all(&root, &cluster, &world, &machines).await;
        reach(&nodes, 6).await;
        let lost = nodes.pop().expect("four nodes");
        lost.stop().await;
        lost.network().clone().close();
        drop(lost);
        reach(&nodes, 9).await;
        machines[3].disk = MemoryDisk::new();
        nodes.push(machines[3].start(&root, &cluster, &world).await);
        reach(&nodes, 14).await;
        assert_agreement(&nodes, 14);
    });
}
