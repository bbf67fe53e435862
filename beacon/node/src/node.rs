//! The running node: feeds the core what happens, and does what it says.
//!
//! Written against channels, [`SharedRuntime`] and [`Network`] only, so that simulations run exactly this.

#[cfg(test)]
mod tests;

use crate::core::{BeaconCore, CandidateError, Commit, Effect, Fault, Input, Taken, Token};
use crate::handle::{Answer, BeaconHandle, Bootstrap, Certified, Command, Shared, Status};
use crate::store::{BeaconStore, OpenError};
use beacon_state::Event;
use engine::{Acknowledge, Block, ChainConfig, ChainHandle, Context, EngineError, Network, Request, Start};
use primitives::{BeaconBlock, Certificate, Chain, Committee, Epoch, EpochTable, Genesis, Height};
use service::{runtime::SharedRuntime, seat::seats_in};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::{StorageError, Store};
use tokio::sync::{mpsc, oneshot};
use validator::Signer;

/// Requests of the engine that may wait.
const REQUESTS_MAX: usize = 64;
/// Submissions that may wait; more are told that the node is busy.
const COMMANDS_MAX: usize = 256;
/// Time between attempts to write to a full disk.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(1);

/// What a beacon node is made of.
#[derive(Debug)]
pub struct Parts {
    /// The network's genesis file, verified.
    pub genesis: Genesis,
    /// Its database, opened with [`BeaconStore::config`].
    pub store: Store,
    /// Its connections.
    pub network: Network,
    /// Its seats; without, it only follows.
    pub signer: Option<Signer>,
    /// Tasks and time.
    pub runtime: SharedRuntime,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The chain on disk cannot be taken up.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The chain on disk contradicts itself.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a node cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was certified does not fit what is on disk.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine ended without a word.
    #[error("the consensus engine of the beacon chain ended")]
    EngineGone,
}

/// Starts beacon nodes.
#[derive(Debug)]
pub struct BeaconNode;

impl BeaconNode {
    /// Takes up the chain on disk and joins the network.
    pub async fn start(parts: Parts) -> Result<BeaconHandle, StartError> {
        let Parts { genesis, store, network, signer, runtime } = parts;
        let (bootstrap, first) = beginning(&genesis)?;
        let (store, resume) = BeaconStore::open(store, &genesis)?;
        let mut effects = Vec::new();
        let core = BeaconCore::new(genesis.spec.clone(), resume, &mut effects);
        let mut snapshot = None;
        for effect in &effects {
            match effect {
                Effect::Halt(fault) => return Err(fault.clone().into()),
                Effect::Publish(published) => snapshot = Some(Arc::clone(published)),
                _ => {}
            }
        }
        let snapshot = snapshot.expect("a new core publishes where it starts");

        let table = snapshot.state().beacon_table().clone();
        let (chain, requests) = network.open(chain_config(&genesis, table, first)).await;
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let shared = Shared::new(genesis, bootstrap, snapshot, store, network, runtime.clone());
        let shared = Arc::new(shared);
        let driver = Driver {
            core,
            chain,
            signer,
            shared: Arc::clone(&shared),
            replies: BTreeMap::new(),
            next_token: 0,
            committed: None,
        };
        runtime.spawn("beacon chain", Box::pin(driver.run(effects, requests, commands)));
        Ok(BeaconHandle { shared, commands: sender })
    }
}

/// Where followers, and the engine, begin.
fn beginning(genesis: &Genesis) -> Result<(Bootstrap, Block), StartError> {
    let (chain, events) = beacon_state::genesis(genesis).map_err(OpenError::from)?;
    let committees = events.into_iter().filter_map(|event| match event {
        Event::Drawn { chain: Chain::Beacon, committee, .. } => Some(committee),
        _ => None,
    });
    let bootstrap = Bootstrap {
        header: chain.header().clone(),
        beacon_table: chain.state().beacon_table().clone(),
        committees: committees.collect(),
    };
    Ok((bootstrap, Block::beacon(crate::store::genesis_block(&chain))))
}

fn chain_config(genesis: &Genesis, table: EpochTable, first: Block) -> ChainConfig {
    let spec = &genesis.spec;
    ChainConfig {
        chain: Chain::Beacon,
        genesis_hash: genesis.hash(),
        interval_ms: spec.interval_ms(Chain::Beacon),
        drift_ms: spec.drift_ms,
        table,
        heights_per_epoch: spec.epoch_heights(Chain::Beacon),
        body_bytes_max: spec.body_bytes_max as usize,
        requests_max: REQUESTS_MAX,
        // The beacon chain never undoes anything.
        generation: 0,
        start: Start::Genesis(first),
    }
}

/// Who waits for an answer.
#[derive(Debug)]
enum Reply {
    Propose(oneshot::Sender<Option<Block>>),
    Verify(oneshot::Sender<bool>),
    Acknowledge(Acknowledge),
    Submit(Answer),
}

/// The task that owns the core.
struct Driver {
    core: BeaconCore,
    chain: ChainHandle,
    signer: Option<Signer>,
    shared: Arc<Shared>,
    replies: BTreeMap<Token, Reply>,
    next_token: u64,
    /// What the last commit did, until its snapshot is published.
    committed: Option<Vec<Event>>,
}

impl Driver {
    async fn run(
        mut self,
        effects: Vec<Effect>,
        mut requests: mpsc::Receiver<Request>,
        mut commands: mpsc::Receiver<Command>,
    ) {
        let outcome = match self.execute(effects).await {
            Ok(()) => self.follow(&mut requests, &mut commands).await,
            failed => failed,
        };
        let status = match outcome {
            Ok(()) => Status::Stopped,
            Err(failure) => {
                tracing::error!(%failure, "beacon node stopped");
                Status::Failed(Arc::new(failure))
            }
        };
        self.chain.close();
        self.shared.status.send_replace(status);
    }

    /// Takes requests and commands until told to stop.
    async fn follow(
        &mut self,
        requests: &mut mpsc::Receiver<Request>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(), Failure> {
        loop {
            // The engine goes first; the order is fixed so that simulations replay.
            tokio::select! {
                biased;
                request = requests.recv() => self.take(request.ok_or(Failure::EngineGone)?).await?,
                command = commands.recv() => match command {
                    Some(Command::Crosslink(offer, answer)) => {
                        let token = self.expect(Reply::Submit(answer));
                        self.step(Input::Crosslink { token, offer }).await?;
                    }
                    Some(Command::Evidence(evidence, answer)) => {
                        let token = self.expect(Reply::Submit(answer));
                        self.step(Input::Evidence { token, evidence }).await?;
                    }
                    Some(Command::Conflict(conflict, answer)) => {
                        let token = self.expect(Reply::Submit(answer));
                        self.step(Input::Conflict { token, conflict }).await?;
                    }
                    Some(Command::Stop) | None => return Ok(()),
                },
            }
        }
    }

    async fn take(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Propose { context, parent, now_ms, reply } => {
                self.propose(context, &parent, now_ms, reply).await
            }
            Request::Verify { context, parent, block, reply, .. } => {
                let (Some(parent), Some(block)) = (parent.as_beacon(), block.as_beacon()) else {
                    return Ok(());
                };
                self.shared.highest.fetch_max(block.header.height.get(), Ordering::Relaxed);
                let (parent, block) = (Arc::clone(parent), Arc::clone(block));
                let token = self.expect(Reply::Verify(reply));
                self.step(Input::Verify { token, context, parent, block }).await
            }
            Request::Certified { block, certificate, acknowledge } => {
                self.certified(&block, certificate, acknowledge).await
            }
            Request::Evidence { first, second } => {
                tracing::warn!(chain = %first.vote.chain, epoch = %first.vote.epoch, seat = first.seat, "equivocation");
                self.step(Input::Equivocation { first, second }).await
            }
            Request::Gossip { from, payload } => self.step(Input::Gossip { from, payload }).await,
            // The beacon chain waits for blocks, never for time.
            Request::Tick { .. } => Ok(()),
            Request::Failed(error) => Err(error.into()),
        }
    }

    async fn propose(
        &mut self,
        context: Context,
        parent: &Block,
        now_ms: u64,
        reply: oneshot::Sender<Option<Block>>,
    ) -> Result<(), Failure> {
        let seat = self.signer.as_ref().and_then(|signer| signer.seat(&context.leader_key));
        // Not our seat, or not our chain: dropping the reply leaves the view without a block.
        let (Some(seat), Some(parent)) = (seat, parent.as_beacon()) else { return Ok(()) };
        let reveal = seat.sign_reveal(context.epoch, parent.header.height.next());
        let parent = Arc::clone(parent);
        let token = self.expect(Reply::Propose(reply));
        self.step(Input::Propose { token, context, parent, now_ms, reveal }).await
    }

    async fn certified(
        &mut self,
        block: &Block,
        certificate: Option<Certificate>,
        acknowledge: Acknowledge,
    ) -> Result<(), Failure> {
        let Some(beacon) = block.as_beacon().map(Arc::clone) else { return Ok(()) };
        self.catch_up(block.height()).await?;
        let token = self.expect(Reply::Acknowledge(acknowledge));
        self.step(Input::Certified { token, block: beacon, certificate }).await
    }

    /// Asks the engine for certified blocks below `height` that our disk has lost: after a power cut it may
    /// be behind the engine's.
    async fn catch_up(&mut self, height: Height) -> Result<(), Failure> {
        loop {
            let next = self.core.head().header().height.next();
            if next >= height {
                return Ok(());
            }
            tracing::warn!(missing = %next, delivered = %height, "database is behind the engine, catching up");
            let fetched = self.chain.block(next).await;
            let Some((block, certificate)) =
                fetched.and_then(|(block, certificate)| Some((Arc::clone(block.as_beacon()?), certificate)))
            else {
                return Err(Fault::Gap { expected: next, found: height }.into());
            };
            let token = self.token();
            self.step(Input::Certified { token, block, certificate }).await?;
        }
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

    async fn step(&mut self, input: Input) -> Result<(), Failure> {
        let mut effects = Vec::new();
        self.core.step(input, &mut effects);
        self.execute(effects).await?;
        self.shared.metrics.sizes(self.core.sizes());
        Ok(())
    }

    async fn execute(&mut self, effects: Vec<Effect>) -> Result<(), Failure> {
        for effect in effects {
            match effect {
                Effect::Commit(commit) => self.commit(*commit).await?,
                Effect::Compare { token, height, id } => self.compare(token, height, id)?,
                Effect::Halt(fault) => return Err(fault.into()),
                Effect::Publish(snapshot) => self.publish(snapshot),
                Effect::Table(table) => self.chain.table(table),
                Effect::Committee(epoch, committee) => self.chain.committee(epoch, (*committee).clone()),
                Effect::Enter { epoch, parent, committee } => self.enter(epoch, parent, &committee),
                Effect::Leave(epoch) => self.chain.leave(epoch),
                Effect::Gossip(payload) => self.chain.gossip(payload),
                Effect::Dropped { from, error } => {
                    self.shared.metrics.dropped();
                    tracing::debug!(%from, %error, "message of a peer dropped");
                }
                Effect::Acknowledge(token) => self.acknowledge(token),
                Effect::Proposal { token, outcome } => self.answer_proposal(token, outcome),
                Effect::Verdict { token, outcome } => self.answer_verdict(token, outcome),
                Effect::Submitted { token, outcome } => self.answer_submission(token, outcome),
                Effect::Abandon(token) => drop(self.replies.remove(&token)),
            }
        }
        Ok(())
    }

    /// Writes a certified block; waits as long as the disk is full.
    async fn commit(&mut self, commit: Commit) -> Result<(), Failure> {
        while let Err(error) = self.shared.store.commit(&commit) {
            if !matches!(error, StorageError::Full { .. }) {
                return Err(error.into());
            }
            tracing::error!(%error, height = %commit.block.header.height, "waiting for space on the disk");
            self.shared.runtime.sleep(FULL_DISK_PAUSE).await;
        }
        self.committed = Some(commit.events);
        Ok(())
    }

    fn compare(&mut self, token: Token, height: Height, id: primitives::B256) -> Result<(), Failure> {
        match self.shared.store.id(height)? {
            Some(expected) if expected != id => {
                Err(Fault::OtherBranch { height, expected, found: id }.into())
            }
            _ => {
                self.acknowledge(token);
                Ok(())
            }
        }
    }

    fn publish(&mut self, snapshot: Arc<crate::Snapshot>) {
        let before = self.shared.snapshot.swap(Arc::clone(&snapshot));
        let height = snapshot.height();
        if let Some(events) = self.committed.take() {
            let interval_ms = snapshot.header().timestamp_ms.saturating_sub(before.header().timestamp_ms);
            self.shared.metrics.certified(&snapshot, &events, interval_ms);
            tracing::info!(%height, id = %snapshot.id(), epoch = %snapshot.header().epoch, "block certified");
            report(&events);
            // Nobody listening is fine.
            let _ = self.shared.events.send(Certified { snapshot, events });
        }
        self.shared.head.send_replace(height);
    }

    fn enter(&self, epoch: Epoch, parent: Arc<BeaconBlock>, committee: &Committee) {
        let seats = seats_in(self.signer.as_ref(), committee);
        tracing::info!(%epoch, seats = seats.len(), of = committee.len(), "epoch entered");
        self.chain.enter(epoch, Block::beacon(parent), seats);
    }

    fn acknowledge(&mut self, token: Token) {
        if let Some(Reply::Acknowledge(acknowledge)) = self.replies.remove(&token) {
            acknowledge.acknowledge();
        }
    }

    fn answer_proposal(&mut self, token: Token, outcome: Result<Arc<BeaconBlock>, beacon_state::BlockError>) {
        if let Some(Reply::Propose(reply)) = self.replies.remove(&token) {
            let block = outcome.inspect_err(|error| tracing::warn!(%error, "no block proposed")).ok();
            if block.is_some() {
                self.shared.metrics.proposed();
            }
            // The engine may have gone on to the next view.
            let _ = reply.send(block.map(Block::beacon));
        }
    }

    fn answer_verdict(&mut self, token: Token, outcome: Result<(), beacon_state::BlockError>) {
        if let Some(Reply::Verify(reply)) = self.replies.remove(&token) {
            if let Err(error) = &outcome {
                self.shared.metrics.rejected();
                tracing::warn!(%error, "proposed block is invalid");
            }
            let _ = reply.send(outcome.is_ok());
        }
    }

    fn answer_submission(&mut self, token: Token, outcome: Result<Taken, CandidateError>) {
        if let Some(Reply::Submit(answer)) = self.replies.remove(&token) {
            if outcome.is_err() {
                self.shared.metrics.refused();
            }
            let _ = answer.send(outcome);
        }
    }
}

/// Logs what an operator wants to see.
fn report(events: &[Event]) {
    for event in events {
        match event {
            Event::Accepted { shard, height, id } => {
                tracing::debug!(%shard, %height, %id, "crosslink accepted")
            }
            Event::EarlyEnd { shard, epoch, successor, last, cause } => {
                tracing::warn!(%shard, ended = %epoch, %successor, last = %last.height, ?cause, "epoch ended early");
            }
            Event::Slashed { validator, units, chain, epoch, view } => {
                tracing::warn!(%validator, units, %chain, %epoch, %view, "validator slashed");
            }
            Event::Registered { validator, units } => {
                tracing::info!(%validator, units, "validator registered");
            }
            Event::ToppedUp { validator, units } => tracing::info!(%validator, units, "units registered"),
            Event::Exited { validator, units, withdrawable_at } => {
                tracing::info!(%validator, units, %withdrawable_at, "units left");
            }
            Event::Refused { shard, sequence, id, rejection } => {
                tracing::debug!(%shard, sequence, %id, %rejection, "receipt refused");
            }
            Event::Withdrawn { validator, units, shard, to, value } => {
                tracing::info!(%validator, units, %shard, %to, %value, "stake paid out");
            }
            Event::Drawn { chain, epoch, first_height, committee } => {
                tracing::debug!(%chain, %epoch, %first_height, seats = committee.len(), "committee drawn");
            }
        }
    }
}
