//! One running shard chain: feeds its core what happens, and does what it says.
//!
//! Written against channels, [`SharedRuntime`] and [`Network`] only, so that simulations run exactly this.

mod bypassed;
mod early_end;
mod effects;
mod exchange;
mod sync;

use crate::core::{Effect, Fault, Input, ShardCore, Token};
use crate::follower::Views;
use crate::gossip::Message;
use crate::handle::{ChainHandle, Command, PooledOf, Shared};
use crate::ingress::{Ingress, SUBMISSIONS_MAX, Submission};
use crate::link::BeaconLink;
use crate::metrics::ShardMetrics;
use crate::node::Served;
use crate::offers::{Offer, Offers};
use crate::pool::{Inserted, PoolError, PoolLimits};
use crate::snapshot::Snapshot;
use crate::store::{OpenError, Reader, RewindError, ShardStore};
use engine::{Acknowledge, Block, ChainConfig, Context, EngineError, Network, Request, Start};
use exchange::Exchange;
use primitives::{
    B256, Certificate, Chain, Epoch, EpochEntry, EpochTable, Genesis, Height, NodeKey, ShardId,
};
use service::runtime::SharedRuntime;
use shard_state::transaction::TransactionLimits;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use storage::{StorageError, Store};
use sync::Sync;
use tokio::sync::{mpsc, oneshot};
use validator::Signer;

/// Requests of the engine that may wait.
const REQUESTS_MAX: usize = 64;
/// Commands that may wait.
const COMMANDS_MAX: usize = 1024;

/// From so many transactions on, a block or a batch is work that must not hold other tasks up.
const HEAVY_MIN: usize = 128;

/// What a chain is made of.
#[derive(Debug)]
pub(crate) struct ChainParts {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) shard: ShardId,
    pub(crate) store: Store,
    pub(crate) history_blocks: u64,
    pub(crate) pool: PoolLimits,
    pub(crate) network: Network,
    pub(crate) signer: Option<Signer>,
    pub(crate) link: Arc<dyn BeaconLink>,
    pub(crate) views: Views,
    /// The shards on this node.
    pub(crate) served: Served,
    pub(crate) runtime: SharedRuntime,
    pub(crate) metrics: ShardMetrics,
}

/// Why a chain cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ChainFailure {
    /// What was certified does not fit what is on disk.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The chain on disk cannot be taken up.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Blocks could not be taken back.
    #[error(transparent)]
    Rewind(#[from] RewindError),
    /// What was taken back does not lead to the block it should.
    #[error("the state does not go back to the block that the beacon chain accepted: {0}")]
    State(#[from] shard_state::chain::RewindError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine ended without a word.
    #[error("the consensus engine of the shard ended")]
    EngineGone,
}

/// Who waits for an answer.
#[derive(Debug)]
enum Reply {
    Propose(oneshot::Sender<Option<Block>>),
    Verify(oneshot::Sender<bool>),
    Acknowledge(Acknowledge),
    Insert(oneshot::Sender<Vec<Result<Inserted, PoolError>>>),
}

/// The task that owns a chain.
pub(crate) struct ShardChain {
    genesis: Arc<Genesis>,
    shard: ShardId,
    core: ShardCore,
    store: ShardStore,
    reader: Reader,
    engine: engine::ChainHandle,
    requests: mpsc::Receiver<Request>,
    network: Network,
    signer: Option<Signer>,
    views: Views,
    served: Served,
    runtime: SharedRuntime,
    metrics: ShardMetrics,
    shared: Arc<Shared>,
    ingress: mpsc::Sender<Submission>,
    offers: mpsc::Sender<Offer>,
    replies: BTreeMap<Token, Reply>,
    next_token: u64,
    sync: Sync,
    exchange: Exchange,
    /// Highest accepted height at which this node was seen to have the accepted header: never taken back.
    agreed: Height,
    /// Whether the beacon chain accepted another branch than the one here.
    is_bypassed: bool,
}

impl ShardChain {
    /// Takes up the chain on disk and opens its engine.
    pub(crate) async fn open(
        parts: ChainParts,
    ) -> Result<(ChainHandle, Self, mpsc::Receiver<Command>), ChainFailure> {
        let ChainParts {
            genesis,
            shard,
            history_blocks,
            network,
            signer,
            views,
            served,
            runtime,
            metrics,
            ..
        } = parts;
        let (store, resume) = ShardStore::open(parts.store, &genesis, shard, history_blocks)?;
        let seats: BTreeSet<_> = signer.iter().flat_map(|signer| signer.keys().copied()).collect();
        let core = ShardCore::new(resume, parts.pool, seats);
        let reader = store.reader()?;
        let shared = Arc::new(Shared::new(snapshot(&core, &genesis, reader.clone())));
        metrics.head(core.head());
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (ingress, submissions) = mpsc::channel(SUBMISSIONS_MAX);
        let limits = TransactionLimits::new(&genesis.spec, shard);
        let verifier = Ingress { limits, submissions, chain: commands.clone(), runtime: runtime.clone() };
        runtime.spawn("shard ingress", Box::pin(verifier.run()));
        let offers = Offers::start(parts.link, &runtime);
        let config = chain_config(&genesis, shard, &store)?;
        let (engine, requests) = network.open(config).await;
        let handle = ChainHandle { shared: Arc::clone(&shared), commands, ingress: ingress.clone() };
        let chain = Self {
            genesis,
            shard,
            core,
            store,
            reader,
            engine,
            requests,
            network,
            signer,
            views,
            served,
            runtime,
            metrics,
            shared,
            ingress,
            offers,
            replies: BTreeMap::new(),
            next_token: 0,
            sync: Sync::default(),
            exchange: Exchange::default(),
            agreed: Height::ZERO,
            is_bypassed: false,
        };
        Ok((handle, chain, receiver))
    }

    /// Runs until told to stop, or nothing more can be done.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Result<(), ChainFailure> {
        let outcome = self.follow(&mut commands).await;
        self.engine.close();
        outcome
    }

    async fn follow(&mut self, commands: &mut mpsc::Receiver<Command>) -> Result<(), ChainFailure> {
        self.see().await?;
        loop {
            // The order is fixed so that simulations replay.
            tokio::select! {
                biased;
                changed = self.views.changed() => match changed {
                    Ok(()) => self.see().await?,
                    Err(_) => return Ok(()),
                },
                request = self.requests.recv() => self.take(request.ok_or(ChainFailure::EngineGone)?).await?,
                command = commands.recv() => match command {
                    Some(Command::Stop) | None => return Ok(()),
                    Some(command) => self.obey(command).await?,
                },
            }
        }
    }

    /// Takes the newest view of the beacon chain.
    async fn see(&mut self) -> Result<(), ChainFailure> {
        let view = self.views.borrow_and_update().clone();
        match view {
            Some(view) => self.step(Input::Beacon(view)).await,
            None => Ok(()),
        }
    }

    async fn take(&mut self, request: Request) -> Result<(), ChainFailure> {
        match request {
            Request::Propose { context, parent, now_ms, reply } => {
                self.propose(context, &parent, now_ms, reply).await
            }
            Request::Verify { context, parent, block, reply, .. } => {
                let (Some(parent), Some(block)) = (parent.as_shard(), block.as_shard()) else {
                    return Ok(());
                };
                let (parent, block) = (Arc::clone(parent), Arc::clone(block));
                self.shared.highest.fetch_max(block.header.height.get(), Ordering::Relaxed);
                let token = self.expect(Reply::Verify(reply));
                self.timed(Input::Verify { token, context, parent, block }).await
            }
            Request::Certified { block, certificate, acknowledge } => {
                self.certified(&block, certificate, acknowledge).await
            }
            Request::Evidence { first, second } => {
                tracing::warn!(chain = %first.vote.chain, epoch = %first.vote.epoch, seat = first.seat, "equivocation");
                self.step(Input::Equivocation { first, second }).await
            }
            Request::Gossip { from, payload } => self.hear(from, &payload).await,
            Request::Tick { now_ms } => {
                self.sync_again();
                self.collect_all().await?;
                self.step(Input::Tick { now_ms }).await
            }
            Request::Failed(error) => Err(error.into()),
        }
    }

    /// Takes a peer's message.
    async fn hear(&mut self, from: NodeKey, payload: &[u8]) -> Result<(), ChainFailure> {
        match Message::decode(payload, self.genesis.spec.body_bytes_max as usize) {
            Ok(Message::Transactions(transactions)) => {
                if self.ingress.try_send(Submission { transactions, reply: None }).is_err() {
                    tracing::debug!(%from, "too many transactions wait, a peer's are dropped");
                }
                Ok(())
            }
            Ok(Message::Wanted(wanted)) => self.give_blocks(from, wanted),
            Ok(Message::Blocks(blocks)) => self.take_blocks(from, *blocks).await,
            Ok(Message::ReceiptsWanted(wanted)) => {
                self.give_receipts(from, &wanted);
                Ok(())
            }
            Ok(Message::Receipts(receipts)) => self.take_receipts(*receipts).await,
            Err(error) => {
                self.metrics.dropped();
                tracing::debug!(%from, %error, "message of a peer dropped");
                Ok(())
            }
        }
    }

    async fn propose(
        &mut self,
        context: Context,
        parent: &Block,
        now_ms: u64,
        reply: oneshot::Sender<Option<Block>>,
    ) -> Result<(), ChainFailure> {
        let Some(parent) = parent.as_shard().map(Arc::clone) else { return Ok(()) };
        let token = self.expect(Reply::Propose(reply));
        self.timed(Input::Propose { token, context, parent, now_ms }).await
    }

    async fn certified(
        &mut self,
        block: &Block,
        certificate: Option<Certificate>,
        acknowledge: Acknowledge,
    ) -> Result<(), ChainFailure> {
        let Some(shard) = block.as_shard().map(Arc::clone) else { return Ok(()) };
        if self.is_bypassed {
            self.hold(acknowledge);
            return Ok(());
        }
        self.catch_up(block.height()).await?;
        let token = self.expect(Reply::Acknowledge(acknowledge));
        self.step(Input::Certified { token, block: shard, certificate }).await
    }

    /// Asks the engine for certified blocks below `height` that our disk has lost: after a power cut it may be behind
    /// the engine's.
    async fn catch_up(&mut self, height: Height) -> Result<(), ChainFailure> {
        loop {
            let next = self.core.head().height.next();
            if next >= height {
                return Ok(());
            }
            tracing::warn!(shard = %self.shard, missing = %next, delivered = %height, "database is behind the engine, catching up");
            let fetched = self.engine.block(next).await;
            let Some((block, certificate)) =
                fetched.and_then(|(block, certificate)| Some((Arc::clone(block.as_shard()?), certificate)))
            else {
                return Err(Fault::Gap { expected: next, found: height }.into());
            };
            let token = self.token();
            self.step(Input::Certified { token, block, certificate }).await?;
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), ChainFailure> {
        // Whoever asked may have gone; that is theirs.
        match command {
            Command::Insert(transactions, reply) => {
                let token = self.expect(Reply::Insert(reply));
                self.step(Input::Transactions { token, transactions }).await?;
            }
            Command::Collect(source) => self.collect(source).await?,
            Command::Gossip(payload) => self.engine.gossip(payload.0),
            Command::Lookup(hash, reply) => drop(reply.send(self.core.pool().lookup(&hash).cloned())),
            Command::NonceAfter(sender, reply) => drop(reply.send(self.core.pool().nonce_after(&sender))),
            Command::Content(reply) => {
                let content = self.core.pool().content();
                let content =
                    content.map(|(sender, pending, queued)| PooledOf::new(*sender, pending, queued));
                drop(reply.send(content.collect()));
            }
            Command::ContentOf(sender, reply) => {
                let (pending, queued) = self.core.pool().content_of(&sender);
                drop(reply.send(PooledOf::new(sender, pending, queued)));
            }
            Command::Counts(reply) => drop(reply.send(self.core.pool().counts())),
            Command::Proof { address, slots, height, reply } => {
                drop(reply.send(self.core.proof(&address, &slots, height)));
            }
            Command::Stop => {}
        }
        Ok(())
    }

    fn token(&mut self) -> Token {
        self.next_token = self.next_token.wrapping_add(1);
        Token(self.next_token)
    }

    fn expect(&mut self, reply: Reply) -> Token {
        let token = self.token();
        self.replies.insert(token, reply);
        token
    }

    /// A step that may execute a block.
    async fn timed(&mut self, input: Input) -> Result<(), ChainFailure> {
        let start = Instant::now();
        let effects = self.react(input);
        self.metrics.executed(start.elapsed().as_secs_f64() * 1e3);
        self.execute(effects).await
    }

    async fn step(&mut self, input: Input) -> Result<(), ChainFailure> {
        let effects = self.react(input);
        self.execute(effects).await
    }

    /// Lets the core react. What takes long is done where it holds nobody up.
    fn react(&mut self, input: Input) -> Vec<Effect> {
        let transactions = match &input {
            Input::Propose { .. } => self.core.pool().len(),
            Input::Verify { block, .. } | Input::Certified { block, .. } => block.body.transactions.len(),
            Input::Transactions { transactions, .. } => transactions.len(),
            _ => 0,
        };
        let mut effects = Vec::new();
        if transactions < HEAVY_MIN {
            self.core.step(input, &mut effects);
            return effects;
        }
        let (core, mut input) = (&mut self.core, Some(input));
        self.runtime.work(&mut || {
            if let Some(input) = input.take() {
                core.step(input, &mut effects);
            }
        });
        effects
    }
}

/// What readers see when a chain is taken up.
fn snapshot(core: &ShardCore, genesis: &Genesis, reader: Reader) -> Snapshot {
    let head = core.published();
    let spec = Arc::new(genesis.spec.clone());
    Snapshot { spec, view: head.view, finalized: head.finalized, pending: head.pending, reader }
}

/// The engine's configuration for the generation that the store is at.
fn chain_config(genesis: &Genesis, shard: ShardId, store: &ShardStore) -> Result<ChainConfig, ChainFailure> {
    let (spec, chain) = (&genesis.spec, Chain::from(shard));
    let reader = store.reader()?;
    let generation = store.generation()?;
    let floor = generation.as_ref().map_or(Height::ZERO, |generation| generation.floor);
    let missing = |what| OpenError::Missing { what, height: floor };
    let block = Block::shard(reader.block(floor)?.ok_or_else(|| missing("block"))?);
    let start = match &generation {
        Some(generation) if floor > Height::ZERO => Start::Floor {
            block,
            certificate: reader.certificate(floor)?.ok_or_else(|| missing("certificate"))?,
            committee: generation.committee.clone(),
        },
        _ => Start::Genesis(block),
    };
    Ok(ChainConfig {
        chain,
        genesis_hash: genesis.hash(),
        interval_ms: spec.interval_ms(chain),
        drift_ms: spec.drift_ms,
        heights_per_epoch: spec.epoch_heights(chain),
        body_bytes_max: spec.body_bytes_max as usize,
        requests_max: REQUESTS_MAX,
        generation: generation.as_ref().map_or(0, |generation| generation.early_ends),
        table: generation.map_or_else(first_table, |generation| generation.table),
        start,
    })
}

/// Before any early end every epoch has the fixed length, so the first one's place says all.
fn first_table() -> EpochTable {
    let entry = EpochEntry { epoch: Epoch::ZERO, first_height: Height::ZERO, committee_root: B256::ZERO };
    EpochTable::new(vec![entry]).expect("one entry is in order")
}
