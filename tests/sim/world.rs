//! A simulated network at work: who runs, who is linked to whom, and how long to wait for what.

use crate::{
    config::WorldConfig,
    estate::{Estate, beacon_secret, shard_secret},
    link::{Lag, SimulatedLink},
    oracles,
    runtime::NodeRuntime,
    traffic,
};
use beacon_node::{BeaconHandle, BeaconNode, Certified, Parts, Status, store::BeaconStore};
use engine::{
    Durability, Network, node_key_of,
    simulated::{self, Checkpoint, Cluster, Link, Root, byzantine::Misconduct},
};
use parking_lot::Mutex;
use primitives::{Chain, Height, ShardId};
use shard_node::{
    ChainEvent, ChainHandle, NodeConfig, ShardNode, ShardNodeHandle, node, pool::PoolLimits,
    store::ShardStore,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use storage::Store;
use tokio::sync::broadcast::error::RecvError;

/// A network whose power may be cut between phases.
pub(crate) struct Simulation {
    estate: Arc<Estate>,
    checkpoint: Option<Checkpoint>,
}

impl Simulation {
    pub(crate) fn new(seed: u64, config: WorldConfig) -> Self {
        Self { estate: Arc::new(Estate::new(seed, config)), checkpoint: None }
    }

    /// Starts all validators, runs `scenario`, checks every oracle, and cuts the power.
    pub(crate) fn phase<T>(&mut self, scenario: impl AsyncFnOnce(&mut World) -> T) -> T {
        self.run(async |world| {
            world.start_all().await;
            scenario(world).await
        })
    }

    /// As [`Self::phase`], but `scenario` starts the validators.
    pub(crate) fn run<T>(&mut self, scenario: impl AsyncFnOnce(&mut World) -> T) -> T {
        let estate = Arc::clone(&self.estate);
        let main = async move |root: Root| {
            let mut world = World::new(root, estate);
            world.root.spawn(traffic::flow(
                world.root.child(),
                Arc::clone(&world.estate),
                world.shards.clone(),
            ));
            let outcome = scenario(&mut world).await;
            oracles::check(&world);
            (0..world.estate.validators()).for_each(|validator| world.estate.crash(validator));
            outcome
        };
        let (outcome, checkpoint) = match self.checkpoint.take() {
            None => simulated::run(self.estate.seed, main),
            Some(checkpoint) => simulated::recover(checkpoint, main),
        };
        self.checkpoint = Some(checkpoint);
        outcome
    }
}

/// One validator's running nodes.
pub(crate) struct Validator {
    runtime: Arc<NodeRuntime>,
    networks: Vec<Network>,
    pub(crate) beacon: BeaconHandle,
}

/// The shard nodes that run, by validator.
pub(crate) type Shards = Arc<Mutex<BTreeMap<usize, ShardNodeHandle>>>;

/// The running network.
pub(crate) struct World {
    pub(crate) root: Root,
    pub(crate) estate: Arc<Estate>,
    beacon_cluster: Cluster,
    shard_cluster: Cluster,
    /// Those that run.
    pub(crate) validators: BTreeMap<usize, Validator>,
    pub(crate) shards: Shards,
    /// Between the two nodes of each validator.
    pub(crate) lags: Vec<Lag>,
    /// Who breaks the rules, from its next start on.
    conducts: BTreeMap<usize, Arc<dyn Misconduct>>,
}

/// Between the two nodes of a validator, unless a scenario changes it.
const LAG: Duration = Duration::from_millis(3);
/// Blocks whose state stays readable.
const HISTORY: u64 = 1000;
/// How often conditions are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Time between the failure of a validator's disks and its crash.
const POWERLESS: Duration = Duration::from_secs(2);
/// Time in which the tasks of a crashed node come to their end.
const GRACE: Duration = Duration::from_millis(20);

impl World {
    fn new(root: Root, estate: Arc<Estate>) -> Self {
        let Estate { config, .. } = &*estate;
        let bytes_max = config.spec.body_bytes_max + (1 << 20);
        let cluster = || Cluster::start(&root, config.link, bytes_max);
        let (beacon_cluster, shard_cluster) = (cluster(), cluster());
        let lags = (0..estate.validators()).map(|_| Lag::new(LAG)).collect();
        Self {
            root,
            estate,
            beacon_cluster,
            shard_cluster,
            validators: BTreeMap::new(),
            shards: Shards::default(),
            lags,
            conducts: BTreeMap::new(),
        }
    }

    /// Makes a validator break the rules from its next start on.
    pub(crate) fn corrupt(&mut self, validator: usize, conduct: Arc<dyn Misconduct>) {
        self.conducts.insert(validator, conduct);
    }

    /// Starts every validator.
    pub(crate) async fn start_all(&mut self) {
        for validator in 0..self.estate.validators() {
            self.start(validator).await;
        }
    }

    /// Starts a validator on what its disks hold.
    pub(crate) async fn start(&mut self, validator: usize) {
        let runtime = Arc::new(NodeRuntime::new(&self.root));
        let network = self.network(&self.beacon_cluster, validator, &beacon_secret(validator)).await;
        let beacon = self.start_beacon(validator, &runtime, network.clone()).await;
        let mut networks = vec![network];
        if self.estate.config.runs_shards {
            let network = self.network(&self.shard_cluster, validator, &shard_secret(validator)).await;
            let node = self.start_shards(validator, &runtime, network.clone(), beacon.clone()).await;
            self.shards.lock().insert(validator, node);
            networks.push(network);
        }
        self.validators.insert(validator, Validator { runtime, networks, beacon });
    }

    async fn network(&self, cluster: &Cluster, validator: usize, secret: &[u8; 32]) -> Network {
        match self.conducts.get(&validator) {
            Some(conduct) => cluster.byzantine_node(secret, Durability::Power, Arc::clone(conduct)).await,
            None => cluster.node(secret, Durability::Power).await,
        }
    }

    async fn start_beacon(
        &self,
        validator: usize,
        runtime: &Arc<NodeRuntime>,
        network: Network,
    ) -> BeaconHandle {
        let disk = self.estate.disk(validator, Chain::Beacon);
        let store = Store::memory(&disk, BeaconStore::config(storage::Durability::Power));
        let parts = Parts {
            genesis: self.estate.genesis.clone(),
            store: store.expect("a disk that crashed opens again"),
            network,
            signer: Some(self.estate.signers[validator].clone()),
            runtime: runtime.clone(),
        };
        let handle = BeaconNode::start(parts).await.expect("a node starts on what it left behind");
        let (published, found) =
            (self.estate.book.published(validator, Chain::Beacon), handle.snapshot().height());
        assert!(
            found >= published,
            "validator {validator} published beacon height {published} and came back at {found}"
        );
        let (estate, mut events) = (Arc::clone(&self.estate), handle.events());
        self.root.spawn(async move {
            while let Ok(Certified { snapshot, events }) = events.recv().await {
                let header = snapshot.header();
                estate.book.certified(validator, Chain::Beacon, header.epoch, header.height, snapshot.id());
                estate.book.events(estate.config.guilty, &events);
            }
        });
        handle
    }

    async fn start_shards(
        &self,
        validator: usize,
        runtime: &Arc<NodeRuntime>,
        network: Network,
        beacon: BeaconHandle,
    ) -> ShardNodeHandle {
        let estate = Arc::clone(&self.estate);
        let config = || ShardStore::config(storage::Durability::Power, HISTORY);
        let parts = node::Parts {
            genesis: self.estate.genesis.clone(),
            stores: Arc::new(move |shard| Store::memory(&estate.disk(validator, shard.into()), config())),
            network,
            signer: Some(self.estate.signers[validator].clone()),
            link: Arc::new(SimulatedLink {
                beacon,
                runtime: runtime.clone(),
                lag: self.lags[validator].clone(),
            }),
            runtime: runtime.clone(),
            config: NodeConfig { history_blocks: HISTORY, pool: PoolLimits::default() },
        };
        let handle = ShardNode::start(parts).await.expect("the genesis file draws committees");
        let (root, estate, mut chains) =
            (self.root.child(), Arc::clone(&self.estate), handle.chains_changing());
        self.root.spawn(async move {
            let mut known = BTreeSet::new();
            while chains.changed().await.is_ok() {
                let now = Arc::clone(&chains.borrow_and_update());
                for (shard, chain) in now.iter().filter(|(shard, _)| !known.contains(*shard)) {
                    let head = chain.snapshot().height();
                    let published = estate.book.published(validator, Chain::from(*shard));
                    if head < published {
                        let what = format!("validator {validator} published height {published} of shard {shard} and came back at {head}");
                        estate.book.violation(what);
                    }
                    root.spawn(watch(validator, chain.clone(), Arc::clone(&estate)));
                }
                known = now.keys().copied().collect();
            }
        });
        handle
    }

    /// Lets the power of a validator's disks fail after so many more writes, in the middle of whatever that is, and
    /// crashes the validator soon after.
    pub(crate) async fn crash_in_commit(&mut self, validator: usize, writes: u64) {
        self.estate.power_off_after(validator, writes);
        self.root.sleep(POWERLESS).await;
        self.crash(validator).await;
    }

    /// Ends a validator's nodes where they stand; its disks lose what was not synced.
    pub(crate) async fn crash(&mut self, validator: usize) {
        let Some(running) = self.validators.remove(&validator) else { return };
        self.estate.crash(validator);
        running.runtime.crash();
        running.networks.into_iter().for_each(Network::close);
        drop(running.beacon);
        self.shards.lock().remove(&validator);
        self.root.sleep(GRACE).await;
    }

    /// Puts every link between the validators of different groups out of order.
    pub(crate) async fn partition(&self, groups: &[&[usize]]) {
        for (place, group) in groups.iter().enumerate() {
            for other in &groups[place + 1..] {
                for (one, other) in group.iter().flat_map(|one| other.iter().map(move |other| (*one, *other)))
                {
                    self.beacon_cluster.cut(key(beacon_secret(one)), key(beacon_secret(other))).await;
                    self.shard_cluster.cut(key(shard_secret(one)), key(shard_secret(other))).await;
                }
            }
        }
    }

    /// Replaces every link.
    pub(crate) async fn relink(&self, link: Link) {
        let validators = self.estate.validators();
        for (one, other) in
            (0..validators).flat_map(|one| (one + 1..validators).map(move |other| (one, other)))
        {
            self.beacon_cluster.link(key(beacon_secret(one)), key(beacon_secret(other)), link).await;
            self.shard_cluster.link(key(shard_secret(one)), key(shard_secret(other)), link).await;
        }
    }

    /// Puts every link in its first order.
    pub(crate) async fn heal(&self) {
        self.relink(self.estate.config.link).await;
    }

    /// The running validators that keep to the rules: those that others do not shut out.
    pub(crate) fn honest(&self) -> impl Iterator<Item = usize> + '_ {
        self.validators.keys().copied().filter(|validator| self.estate.config.guilty != Some(*validator))
    }

    /// The newest beacon height of a running validator.
    pub(crate) fn beacon_height(&self, validator: usize) -> Height {
        self.validators.get(&validator).map_or(Height::ZERO, |running| running.beacon.snapshot().height())
    }

    /// The lowest and the highest beacon height among the running validators.
    pub(crate) fn beacon_heights(&self) -> (u64, u64) {
        let heights = || self.honest().map(|validator| self.beacon_height(validator).get());
        (heights().min().unwrap_or(0), heights().max().unwrap_or(0))
    }

    /// A running validator's part in a shard.
    pub(crate) fn chain(&self, validator: usize, shard: ShardId) -> Option<ChainHandle> {
        self.shards.lock().get(&validator)?.chain(shard)
    }

    /// Sum of a counter or gauge over the shards of a running validator's shard node.
    pub(crate) fn shard_metric(&self, validator: usize, name: &str) -> u64 {
        let nodes = self.shards.lock();
        metric(&nodes.get(&validator).map(ShardNodeHandle::metrics).unwrap_or_default(), name)
    }

    /// A counter or gauge of a running validator's beacon node.
    pub(crate) fn beacon_metric(&self, validator: usize, name: &str) -> u64 {
        metric(&self.validators.get(&validator).map(|node| node.beacon.metrics()).unwrap_or_default(), name)
    }

    /// The highest certified, and the lowest finalized height of a shard among those who run it.
    pub(crate) fn shard_heights(&self, shard: ShardId) -> (u64, u64) {
        let heights = self.honest().filter_map(|validator| {
            let snapshot = self.chain(validator, shard)?.snapshot();
            Some((snapshot.height().get(), snapshot.finalized.get()))
        });
        let heights: Vec<_> = heights.collect();
        let certified = heights.iter().map(|(certified, _)| *certified).max();
        let finalized = heights.iter().map(|(_, finalized)| *finalized).min();
        (certified.unwrap_or(0), finalized.unwrap_or(0))
    }

    /// Waits until all who run a shard have `blocks` more finalized blocks than any had certified before, for every
    /// shard; and until the beacon chain has advanced a little everywhere.
    pub(crate) async fn advance(&self, blocks: u64, limit: Duration) {
        let goals: Vec<_> =
            self.estate.shards().map(|shard| (shard, self.shard_heights(shard).0 + blocks)).collect();
        let beacon = self.beacon_heights().1 + blocks / 3;
        let what = format!("beacon height {beacon} everywhere and finalized heights {goals:?}");
        self.until(limit, &what, |world| {
            let mut goals = goals.iter();
            world.beacon_heights().0 >= beacon
                && goals.all(|(shard, goal)| world.shard_heights(*shard).1 >= *goal)
        })
        .await;
    }

    /// Panics if two blocks of a chain lie further apart than twice the chain's interval.
    pub(crate) fn assert_steady(&self) {
        let store = self.validators.values().next().expect("somebody runs").beacon.store();
        let beacon =
            (1..=store.head().get()).map(|height| store.header(Height::new(height)).expect("readable"));
        let stamps = beacon.map(|header| header.expect("kept").timestamp_ms).collect();
        self.assert_steady_chain(Chain::Beacon, stamps);
        self.estate.shards().for_each(|shard| self.assert_steady_shard(shard));
    }

    /// Panics if two blocks of a shard lie further apart than twice its interval.
    pub(crate) fn assert_steady_shard(&self, shard: ShardId) {
        let chain = self.validators.keys().find_map(|validator| self.chain(*validator, shard));
        let snapshot = chain.expect("somebody runs the shard").snapshot();
        let heights = (1..=snapshot.height().get()).map(Height::new);
        let headers = heights.map(|height| snapshot.reader.header(height).expect("readable").expect("kept"));
        self.assert_steady_chain(shard.into(), headers.map(|header| header.timestamp_ms).collect());
    }

    fn assert_steady_chain(&self, chain: Chain, stamps: Vec<u64>) {
        let gap_max = 2 * self.estate.genesis.spec.interval_ms(chain);
        for (pair, height) in stamps.windows(2).zip(2..) {
            assert!(
                pair[1] - pair[0] <= gap_max,
                "{} ms below height {height} of {chain}",
                pair[1] - pair[0]
            );
        }
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        self.root.sleep(time).await;
        self.assert_sound();
    }

    /// Waits until `reached`, for at most `limit`.
    pub(crate) async fn until(&self, limit: Duration, what: &str, reached: impl Fn(&Self) -> bool) {
        let deadline = self.root.now_ms() + u64::try_from(limit.as_millis()).expect("short");
        while !reached(self) {
            self.assert_sound();
            let state =
                || self.validators.keys().map(|v| (*v, self.beacon_height(*v).get())).collect::<Vec<_>>();
            let shards = || self.estate.shards().map(|shard| self.describe(shard)).collect::<String>();
            assert!(
                self.root.now_ms() < deadline,
                "{what}: not within {limit:?}; beacon heights {:?}{}",
                state(),
                shards()
            );
            self.root.sleep(GLANCE).await;
        }
        self.assert_sound();
    }

    /// Waits until every honest validator has certified `blocks` more beacon blocks than any had before.
    pub(crate) async fn advance_beacon(&self, blocks: u64, limit: Duration) {
        let goal = self.beacon_heights().1 + blocks;
        let what = format!("every validator at beacon height {goal}");
        self.until(limit, &what, |world| world.beacon_heights().0 >= goal).await;
    }

    /// Panics if anything happened that never may.
    fn assert_sound(&self) {
        let violations = self.estate.book.violations();
        assert!(violations.is_empty(), "{violations:#?}");
        for (validator, running) in &self.validators {
            if let Status::Failed(failure) = running.beacon.status() {
                panic!("beacon node of validator {validator} failed: {failure}");
            }
        }
        for (validator, node) in self.shards.lock().iter() {
            if let node::Status::Failed(failure) = node.status() {
                panic!("shard node of validator {validator} failed: {failure}");
            }
        }
    }

    /// Where everybody is on a shard: (certified, finalized).
    fn describe(&self, shard: ShardId) -> String {
        let nodes = self.shards.lock();
        let heights = nodes.iter().filter_map(|(validator, node)| {
            let snapshot = node.chain(shard)?.snapshot();
            Some((*validator, snapshot.height().get(), snapshot.finalized.get()))
        });
        format!("; shard {shard}: {:?}", heights.collect::<Vec<_>>())
    }
}

/// Sum of all lines of one metric on a Prometheus page.
fn metric(page: &str, name: &str) -> u64 {
    let lines = page.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Writes down what a node says of one chain.
async fn watch(validator: usize, chain: ChainHandle, estate: Arc<Estate>) {
    let (shard, mut events) = (Chain::from(chain.shard()), chain.events());
    drop(chain);
    loop {
        match events.recv().await {
            Ok(ChainEvent::Certified(block)) => {
                let header = &block.header;
                estate.book.certified(validator, shard, header.epoch, header.height, block.id);
            }
            Ok(ChainEvent::Undone(undone)) => {
                let below = undone.block.header.height.previous().unwrap_or_default();
                estate.book.undone(validator, shard, below);
            }
            Ok(ChainEvent::Finalized(_)) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn key(secret: [u8; 32]) -> primitives::NodeKey {
    node_key_of(&secret)
}
