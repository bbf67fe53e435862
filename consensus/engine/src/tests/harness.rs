//! Owners of chains for tests: they build empty beacon blocks, accept all that fit, and write down what they learn.

use crate::{
    Block, ChainConfig, ChainHandle, Durability, Network, Request, SeatSigner, Start, node_key_of,
    simulated::{self, Cluster, Link, Root},
};
use consensus::{authority::Authority, vote::signing_bytes};
use crypto::bls::SecretKey;
use primitives::{
    Address, B256, BeaconBlock, BeaconBody, BeaconHeader, Chain, Committee, Epoch, EpochEntry, EpochTable,
    Height, NodeKey, PublicKeyBytes, Seat, SignatureBytes, SignedVote, ValidatorIndex, View, Vote, VoteKind,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::mpsc;

pub(super) const GENESIS_HASH: B256 = B256::repeat_byte(0xa7);
pub(super) const MESSAGE_BYTES_MAX: u32 = 1 << 20;
pub(super) const INTERVAL_MS: u64 = 500;

/// Secret of the `index`th node.
pub(super) fn node_secret(index: u8) -> [u8; 32] {
    [index + 1; 32]
}

/// Identity of the `index`th node.
pub(crate) fn node(index: u8) -> NodeKey {
    node_key_of(&node_secret(index))
}

/// Secret of the `seat`th seat of the `index`th node.
pub(crate) fn seat_secret(index: u8, seat: u8) -> SecretKey {
    SecretKey::derive_master(&[[index; 16], [seat; 16]].concat()).unwrap()
}

/// A block that only its header tells from others.
pub(super) fn block(header: BeaconHeader) -> Block {
    let body = BeaconBody {
        randao_reveal: SignatureBytes::new([0; 96]),
        crosslinks: vec![],
        evidence: vec![],
        conflicts: vec![],
        consumptions: vec![],
        bundles: vec![],
    };
    let header = BeaconHeader { body_root: body.root(), ..header };
    Block::beacon(BeaconBlock { header, body })
}

pub(super) fn genesis() -> Block {
    block(BeaconHeader::default())
}

/// Who sits in which epoch.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Number of seats of each node, for each epoch.
    pub(super) epochs: Vec<Vec<u8>>,
    pub(super) heights_per_epoch: u64,
    pub(super) generation: u64,
    pub(super) first_epoch: u64,
    /// The block below the first epoch.
    pub(super) start: Start,
}

impl Plan {
    pub(super) fn new(epochs: &[&[u8]], heights_per_epoch: u64) -> Self {
        let epochs = epochs.iter().map(|seats| seats.to_vec()).collect();
        Self { epochs, heights_per_epoch, generation: 0, first_epoch: 0, start: Start::Genesis(genesis()) }
    }

    fn seats(&self, epoch: Epoch) -> Option<&Vec<u8>> {
        self.epochs.get(epoch.get().checked_sub(self.first_epoch)? as usize)
    }

    pub(super) fn committee(&self, epoch: Epoch) -> Option<Committee> {
        let seats = (0u8..).zip(self.seats(epoch)?).flat_map(|(index, seats)| {
            (0..*seats).map(move |seat| Seat {
                key: seat_secret(index, seat).public_key().to_bytes(),
                validator: ValidatorIndex::new(index.into()),
                node: node(index),
                fee_recipient: Address::ZERO,
            })
        });
        Committee::new(seats.collect())
    }

    pub(super) fn table(&self) -> EpochTable {
        let entries = (self.first_epoch..).take(self.epochs.len()).map(|epoch| EpochEntry {
            epoch: Epoch::new(epoch),
            first_height: self.first(Epoch::new(epoch)),
            committee_root: self.committee(Epoch::new(epoch)).unwrap().root(),
        });
        EpochTable::new(entries.collect()).unwrap()
    }

    /// First height of an epoch.
    pub(super) fn first(&self, epoch: Epoch) -> Height {
        let below = (epoch.get() - self.first_epoch) * self.heights_per_epoch;
        self.start.height().plus(1 + below)
    }

    pub(super) fn last(&self, epoch: Epoch) -> Height {
        self.first(epoch).plus(self.heights_per_epoch - 1)
    }

    fn epoch_of(&self, height: Height) -> Epoch {
        Epoch::new(self.first_epoch + (height.get() - self.start.height().get() - 1) / self.heights_per_epoch)
    }

    pub(super) fn config(&self) -> ChainConfig {
        ChainConfig {
            chain: Chain::Beacon,
            genesis_hash: GENESIS_HASH,
            interval_ms: INTERVAL_MS,
            drift_ms: 500,
            table: self.table(),
            heights_per_epoch: self.heights_per_epoch,
            body_bytes_max: 64 << 10,
            requests_max: 64,
            generation: self.generation,
            start: self.start.clone(),
        }
    }
}

/// All that owners wrote down; survives every crash.
#[derive(Clone, Default)]
pub(super) struct World(Arc<Mutex<Book>>);

#[derive(Default)]
pub(super) struct Book {
    /// By node and height; of the current generation.
    pub(super) certified: BTreeMap<NodeKey, BTreeMap<Height, Block>>,
    /// Certificates of their own that blocks came with.
    pub(super) certificates: BTreeMap<Height, primitives::Certificate>,
    pub(super) evidence: Vec<(NodeKey, SignedVote, SignedVote)>,
    /// What each seat signed.
    signed: BTreeMap<(PublicKeyBytes, Epoch, View, VoteKind), (View, B256)>,
    pub(super) failures: Vec<String>,
    pub(super) gossip: Vec<(NodeKey, NodeKey, Vec<u8>)>,
    /// Blocks that were asked to be verified, by node.
    pub(super) verified: BTreeMap<NodeKey, Vec<B256>>,
}

impl World {
    pub(super) fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }

    pub(super) fn height(&self, node: NodeKey) -> u64 {
        let book = self.book();
        book.certified
            .get(&node)
            .and_then(|blocks| blocks.last_key_value())
            .map_or(0, |(height, _)| height.get())
    }

    /// Waits until each of these nodes has certified a block at `height`.
    pub(super) async fn reach(&self, root: &Root, nodes: impl IntoIterator<Item = u8>, height: u64) {
        let deadline_ms = root.now_ms() + 60_000;
        for index in nodes {
            while self.height(node(index)) < height {
                root.sleep(Duration::from_millis(20)).await;
                assert!(self.book().failures.is_empty(), "{:?}", self.book().failures);
                let now = root.now_ms();
                assert!(
                    now < deadline_ms,
                    "node {index} is at height {} of {height}",
                    self.height(node(index))
                );
            }
        }
    }

    /// Panics unless all nodes agree, each without a gap, on blocks that follow one another.
    pub(super) fn assert_no_fork(&self) {
        let book = self.book();
        let mut chain: BTreeMap<Height, Block> = BTreeMap::new();
        for (node, blocks) in &book.certified {
            for (height, block) in blocks {
                let agreed = chain.entry(*height).or_insert_with(|| block.clone());
                assert_eq!(agreed.id(), block.id(), "node {node} has another block at height {height}");
            }
        }
        for (below, above) in chain.values().zip(chain.values().skip(1)) {
            assert_eq!(above.parent(), below.id(), "height {}", above.height());
            assert!(above.timestamp_ms() > below.timestamp_ms());
        }
    }
}

/// A seat that remembers, across restarts, what it signed, and refuses to contradict itself.
struct Signer {
    secret: SecretKey,
    world: World,
}

impl SeatSigner for Signer {
    fn key(&self) -> PublicKeyBytes {
        self.secret.public_key().to_bytes()
    }

    fn sign(&self, vote: &Vote) -> Option<SignatureBytes> {
        let key = (self.key(), vote.epoch, vote.view, vote.kind);
        let statement = (vote.parent_view, vote.id);
        let mut book = self.world.book();
        let before = *book.signed.entry(key).or_insert(statement);
        (before == statement).then(|| sign(&self.secret, vote))
    }
}

pub(super) fn sign(secret: &SecretKey, vote: &Vote) -> SignatureBytes {
    let namespace = consensus::namespace(GENESIS_HASH, vote.chain);
    secret.sign(&signing_bytes(&namespace, vote)).to_bytes()
}

/// The owner of the chain on one node.
pub(super) struct Owner {
    pub(super) index: u8,
    pub(super) plan: Plan,
    pub(super) world: World,
    pub(super) handle: ChainHandle,
}

impl Owner {
    fn seats(&self, epoch: Epoch) -> Vec<Arc<dyn SeatSigner>> {
        let seats =
            self.plan.seats(epoch).and_then(|seats| seats.get(usize::from(self.index)).copied()).unwrap_or(0);
        let signer = |seat| Signer { secret: seat_secret(self.index, seat), world: self.world.clone() };
        (0..seats).map(|seat| Arc::new(signer(seat)) as Arc<dyn SeatSigner>).collect()
    }

    fn enter(&self, epoch: Epoch, parent: Block) {
        if self.plan.committee(epoch).is_some() {
            self.handle.enter(epoch, parent, self.seats(epoch));
        }
    }

    /// Enters the epoch of the block above the last certified one.
    fn resume(&self) {
        for epoch in (self.plan.first_epoch..).take(self.plan.epochs.len()).map(Epoch::new) {
            self.handle.committee(epoch, self.plan.committee(epoch).unwrap());
        }
        let blocks = self.world.book().certified.get(&node(self.index)).cloned().unwrap_or_default();
        let last = blocks.last_key_value().map_or(self.plan.start.height(), |(height, _)| *height);
        let epoch = self.plan.epoch_of(last.next());
        let below = self.plan.first(epoch).previous().unwrap();
        let parent = blocks.get(&below).cloned().unwrap_or_else(|| self.plan.start.block().clone());
        assert_eq!(parent.height(), below);
        self.enter(epoch, parent);
    }

    pub(super) async fn run(self, mut requests: mpsc::Receiver<Request>) {
        self.resume();
        while let Some(request) = requests.recv().await {
            self.serve(request);
        }
    }

    fn serve(&self, request: Request) {
        let me = node(self.index);
        match request {
            Request::Propose { context, parent, now_ms, reply } => {
                let header = BeaconHeader {
                    epoch: context.epoch,
                    view: context.view,
                    parent_view: context.parent_view,
                    height: parent.height().next(),
                    parent: context.parent,
                    timestamp_ms: now_ms.max(parent.timestamp_ms() + 1),
                    proposer: ValidatorIndex::new(self.index.into()),
                    ..BeaconHeader::default()
                };
                let _ = reply.send(Some(block(header)));
            }
            Request::Verify { block, reply, .. } => {
                self.world.book().verified.entry(me).or_default().push(block.id());
                let _ = reply.send(true);
            }
            Request::Certified { block, certificate, acknowledge } => {
                self.certified(&block, certificate);
                acknowledge.acknowledge();
            }
            Request::Evidence { first, second } => self.world.book().evidence.push((me, first, second)),
            Request::Gossip { from, payload } => self.world.book().gossip.push((me, from, payload.to_vec())),
            Request::Tick { .. } => {}
            Request::Failed(error) => self.world.book().failures.push(error.to_string()),
        }
    }

    fn certified(&self, block: &Block, certificate: Option<primitives::Certificate>) {
        let height = block.height();
        if let Some(certificate) = certificate {
            let committee = self.plan.committee(certificate.epoch).unwrap();
            let authority =
                Authority::new(committee, Chain::Beacon, certificate.epoch, GENESIS_HASH).unwrap();
            authority.verify_certificate(&certificate).unwrap();
            assert_eq!(certificate.id, block.id());
            self.world.book().certificates.insert(height, certificate);
        }
        {
            let mut book = self.world.book();
            let blocks = book.certified.entry(node(self.index)).or_default();
            let next = blocks.last_key_value().map_or(self.plan.start.height(), |(height, _)| *height).next();
            assert!(height <= next, "height {height} was delivered where {next} is next");
            blocks.insert(height, block.clone());
        }
        let epoch = self.plan.epoch_of(height);
        if height == self.plan.last(epoch) {
            self.enter(epoch.next(), block.clone());
        }
        if height == self.plan.first(epoch).next()
            && let Some(before) = epoch.previous()
        {
            self.handle.leave(before);
        }
    }
}

/// Opens the chain on a node and starts its owner.
pub(super) async fn open(
    root: &Root,
    network: &Network,
    index: u8,
    plan: &Plan,
    world: &World,
) -> ChainHandle {
    let (handle, requests) = network.open(plan.config()).await;
    let owner = Owner { index, plan: plan.clone(), world: world.clone(), handle: handle.clone() };
    root.spawn(owner.run(requests));
    handle
}

pub(super) const LINK: Link =
    Link { latency: Duration::from_millis(10), jitter: Duration::from_millis(2), lost_per_mille: 0 };

/// Starts a cluster with these nodes, each running the chain.
pub(super) async fn start(
    root: &Root,
    link: Link,
    nodes: impl IntoIterator<Item = u8>,
    plan: &Plan,
    world: &World,
) -> (Cluster, BTreeMap<u8, Network>) {
    let cluster = Cluster::start(root, link, MESSAGE_BYTES_MAX);
    let mut networks = BTreeMap::new();
    for index in nodes {
        networks.insert(index, join(root, &cluster, index, plan, world).await);
    }
    (cluster, networks)
}

/// Starts one node, running the chain.
pub(super) async fn join(root: &Root, cluster: &Cluster, index: u8, plan: &Plan, world: &World) -> Network {
    let network = cluster.node(&node_secret(index), Durability::Power).await;
    open(root, &network, index, plan, world).await;
    network
}

/// Runs a simulation, naming its seed.
pub(super) fn simulate<F, Fut>(seed: u64, main: F) -> simulated::Checkpoint
where
    F: FnOnce(Root) -> Fut,
    Fut: Future<Output = ()>,
{
    println!("seed {seed}");
    simulated::run(seed, main).1
}

/// Two seats on each of two nodes.
pub(crate) fn two_nodes() -> Committee {
    Plan::new(&[&[2, 2]], 10).committee(Epoch::ZERO).unwrap()
}
