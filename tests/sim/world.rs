//! A simulated network at work: who runs, who is linked to whom, and how long to wait for what.

use crate::{
    config::WorldConfig,
    estate::{Estate, beacon_secret, shard_secret},
    oracles,
    runtime::NodeRuntime,
};
use beacon_node::{BeaconHandle, BeaconNode, Certified, Parts, Status, store::BeaconStore};
use engine::{
    Durability, Network, node_key_of,
    simulated::{self, Checkpoint, Cluster, Link, Root, byzantine::Misconduct},
};
use primitives::{Chain, Height};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use storage::Store;

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

/// The running network.
pub(crate) struct World {
    pub(crate) root: Root,
    pub(crate) estate: Arc<Estate>,
    beacon_cluster: Cluster,
    shard_cluster: Cluster,
    /// Those that run.
    pub(crate) validators: BTreeMap<usize, Validator>,
    /// Who breaks the rules, from its next start on.
    conducts: BTreeMap<usize, Arc<dyn Misconduct>>,
}

/// How often conditions are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Time in which the tasks of a crashed node come to their end.
const GRACE: Duration = Duration::from_millis(20);

impl World {
    fn new(root: Root, estate: Arc<Estate>) -> Self {
        let Estate { config, .. } = &*estate;
        let bytes_max = config.spec.body_bytes_max + (1 << 20);
        let cluster = || Cluster::start(&root, config.link, bytes_max);
        let (beacon_cluster, shard_cluster) = (cluster(), cluster());
        Self {
            root,
            estate,
            beacon_cluster,
            shard_cluster,
            validators: BTreeMap::new(),
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
        self.validators.insert(validator, Validator { runtime, networks: vec![network], beacon });
    }

    async fn network(&self, cluster: &Cluster, validator: usize, secret: &[u8; 32]) -> Network {
        match self.conducts.get(&validator) {
            Some(conduct) => cluster.byzantine_node(secret, Durability::Power, Arc::clone(conduct)).await,
            None => cluster.node(secret, Durability::Power).await,
        }
    }

    async fn start_beacon(&self, validator: usize, runtime: &Arc<NodeRuntime>, network: Network) -> BeaconHandle {
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
        let (published, found) = (self.estate.book.published(validator, Chain::Beacon), handle.snapshot().height());
        assert!(found >= published, "validator {validator} published beacon height {published} and came back at {found}");
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

    /// Ends a validator's nodes where they stand; its disks lose what was not synced.
    pub(crate) async fn crash(&mut self, validator: usize) {
        let Some(running) = self.validators.remove(&validator) else { return };
        self.estate.crash(validator);
        running.runtime.crash();
        running.networks.into_iter().for_each(Network::close);
        drop(running.beacon);
        self.root.sleep(GRACE).await;
    }

    /// Puts every link between the validators of different groups out of order.
    pub(crate) async fn partition(&self, groups: &[&[usize]]) {
        for (place, group) in groups.iter().enumerate() {
            for other in &groups[place + 1..] {
                for (one, other) in group.iter().flat_map(|one| other.iter().map(move |other| (*one, *other))) {
                    self.beacon_cluster.cut(key(beacon_secret(one)), key(beacon_secret(other))).await;
                    self.shard_cluster.cut(key(shard_secret(one)), key(shard_secret(other))).await;
                }
            }
        }
    }

    /// Replaces every link.
    pub(crate) async fn relink(&self, link: Link) {
        let validators = self.estate.validators();
        for (one, other) in (0..validators).flat_map(|one| (one + 1..validators).map(move |other| (one, other))) {
            self.beacon_cluster.link(key(beacon_secret(one)), key(beacon_secret(other)), link).await;
            self.shard_cluster.link(key(shard_secret(one)), key(shard_secret(other)), link).await;
        }
    }

    /// Puts every link in its first order.
    pub(crate) async fn heal(&self) {
        self.relink(self.estate.config.link).await;
    }

    /// The newest beacon height of a running validator.
    pub(crate) fn beacon_height(&self, validator: usize) -> Height {
        self.validators.get(&validator).map_or(Height::ZERO, |running| running.beacon.snapshot().height())
    }

    /// The lowest and the highest beacon height among the running validators.
    pub(crate) fn beacon_heights(&self) -> (u64, u64) {
        let heights = || self.validators.keys().map(|validator| self.beacon_height(*validator).get());
        (heights().min().unwrap_or(0), heights().max().unwrap_or(0))
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
            let state = || self.validators.keys().map(|v| (*v, self.beacon_height(*v).get())).collect::<Vec<_>>();
            assert!(self.root.now_ms() < deadline, "{what}: not within {limit:?}; beacon heights {:?}", state());
            self.root.sleep(GLANCE).await;
        }
        self.assert_sound();
    }

    /// Waits until every running validator has certified `blocks` more beacon blocks than any had before.
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
    }
}

fn key(secret: [u8; 32]) -> primitives::NodeKey {
    node_key_of(&secret)
}
