//! One chain on one node: its archive, its part in epochs, and the owner of its state.

use crate::{
    Block, ChainConfig, EngineError, Request, SeatSigner, Start,
    application::{Owner, now_ms},
    archive::{self, Archive, Surroundings},
    bans::Bans,
    block::BlockLimits,
    chain_network::{Audience, Heard},
    delivery,
    directory::Directory,
    durability::Runtime,
    epoch::{self, Common, Ended, Voters},
    epochs::Epochs,
    gossip,
    handle::Command,
    lines::Lines,
    network::Opened,
    node_key::{NodeId, node_key},
    pace::Boundaries,
    partitions::Partitions,
    scheme::{SeatScheme, certificate_of},
    watch::Evidence,
};
use bytes::Bytes;
use commonware_consensus::{
    Reporter as _,
    marshal::{max_payload_size, standard::Standard},
    simplex::types::Activity,
    types::{Epocher as _, Round},
};
use commonware_p2p::{
    Receiver, Recipients, Sender,
    utils::mux::{SubSender, prefixed},
};
use commonware_parallel::Sequential;
use commonware_utils::vec::NonEmptyVec;
use primitives::{Certificate, Committee, Epoch, Height, SEATS_MAX};
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// The node a chain runs on.
pub(crate) struct Home<S: Sender<PublicKey = NodeId>> {
    pub(crate) me: NodeId,
    pub(crate) lines: Lines<S>,
    pub(crate) peers: Audience,
}

/// A node that votes in an epoch this one is not in.
pub(crate) type Ahead = (Epoch, NodeId);

/// What a running chain consists of.
struct Running<E, S: Sender<PublicKey = NodeId>> {
    context: E,
    common: Common<S>,
    voters: BTreeMap<Epoch, Voters>,
    /// The last epoch that was left: neither it nor any before it is entered again.
    left: Option<Epoch>,
    audience: Audience,
    ended: mpsc::UnboundedSender<Ended>,
    /// When a peer was last asked for what it is ahead.
    asked_ms: u64,
}

/// Runs the chain until its owner closes it or it fails.
pub(crate) async fn run<E, S>(
    context: E,
    home: Home<S>,
    config: ChainConfig,
    opened: Opened,
    mut ahead: mpsc::Receiver<Ahead>,
) -> Result<(), EngineError>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let Opened { mut commands, gossip: mut outgoing, requests } = opened;
    let (ended, mut voters_ended) = mpsc::unbounded_channel();
    let (mut running, mut archive) = open(context, home, &config, &requests, ended).await?;
    let mut gossip = running.common.gossip.clone();
    loop {
        tokio::select! {
            biased;
            () = requests.closed() => return Ok(()),
            result = &mut archive => return Err(EngineError::Archive {
                chain: config.chain,
                reason: result.err().map_or_else(|| "a delivered block was dropped".to_owned(), |error| error.to_string()),
            }),
            Some(Ended { epoch, seat, error }) = voters_ended.recv() => {
                if running.voters.contains_key(&epoch) {
                    return Err(EngineError::Seat { chain: config.chain, epoch, seat, reason: error });
                }
            }
            command = commands.recv() => match command {
                None | Some(Command::Close) => return Ok(()),
                Some(command) => running.obey(command).await?,
            },
            Some((epoch, node)) = ahead.recv() => running.catch_up(epoch, &node).await,
            Some(payload) = outgoing.recv() => send_gossip(&mut gossip, &payload, running.common.lines.message_bytes_max),
        }
    }
}

/// The task of a chain's archive.
type ArchiveTask = std::pin::Pin<Box<dyn Future<Output = Result<(), commonware_runtime::Error>> + Send>>;

/// Opens the archive and starts everything but voters.
async fn open<E, S>(
    context: E,
    home: Home<S>,
    config: &ChainConfig,
    requests: &mpsc::Sender<Request>,
    ended: mpsc::UnboundedSender<Ended>,
) -> Result<(Running<E, S>, ArchiveTask), EngineError>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let chain = config.chain;
    let refuse = |reason: String| EngineError::Open { chain, reason };
    let around = surroundings(&home, config).map_err(refuse)?;
    around.partitions.claim(&context).await.map_err(|error| refuse(error.to_string()))?;
    let lines = home.lines.chain(&context, chain).await;
    let [backfill, broadcast, (gossip, news)] =
        lines.ok_or_else(|| refuse("the network is closed".to_owned()))?;
    let (deliver, delivered) = delivery::channel();
    let opened = archive::open(&context, config, &around, backfill, broadcast, deliver).await;
    let (archive, task) = opened.map_err(|error| refuse(error.to_string()))?;
    let boundaries = Boundaries::default();
    let deliver = delivery::run(
        delivered,
        archive.clone(),
        around.epochs.clone(),
        boundaries.clone(),
        config.start.height(),
        requests.clone(),
    );
    context.child("deliver").spawn(move |_| deliver);
    let listen = listen(
        context.child("verify"),
        Heard::new(news, around.bans.clone()),
        around.bans.clone(),
        around.directory.clone(),
        archive.clone(),
        requests.clone(),
    );
    context.child("listen").spawn(move |_| listen);
    let (ticks, every) = (requests.clone(), Duration::from_millis((config.interval_ms / 2).max(1)));
    context.child("tick").spawn(move |clock| tick(clock, every, ticks));
    let audience = around.audience.clone();
    let common = common(home, config, around, requests, (archive, boundaries, gossip));
    let running =
        Running { context, common, voters: BTreeMap::new(), left: None, audience, ended, asked_ms: 0 };
    Ok((running, Box::pin(task.abort_on_drop().join())))
}

/// What the archive needs to know, or why its messages would not pass through the network.
fn surroundings<S: Sender<PublicKey = NodeId>>(
    home: &Home<S>,
    config: &ChainConfig,
) -> Result<Surroundings, String> {
    let limits = BlockLimits { chain: config.chain, body_bytes_max: config.body_bytes_max };
    let needed = prefixed(max_payload_size::<Standard<Block>, SeatScheme>(SEATS_MAX as u32, &limits));
    let allowed = home.lines.message_bytes_max;
    if needed > allowed {
        return Err(format!("messages of {needed} bytes are needed, {allowed} are allowed"));
    }
    let directory = Directory::new(config.genesis_hash, config.chain, home.me.clone());
    if let Start::Floor { certificate, committee, .. } = &config.start {
        directory.add(certificate.epoch, committee.clone());
    }
    Ok(Surroundings {
        me: home.me.clone(),
        limits,
        directory,
        epochs: Epochs::new(&config.table, config.heights_per_epoch),
        bans: Bans::new(home.me.clone()),
        audience: Audience::default(),
        partitions: Partitions::new(config.chain, config.generation),
        cache: archive::page_cache(),
    })
}

/// What all epochs share once the archive is open.
fn common<S: Sender<PublicKey = NodeId>>(
    home: Home<S>,
    config: &ChainConfig,
    around: Surroundings,
    requests: &mpsc::Sender<Request>,
    (archive, boundaries, gossip): (Archive, Boundaries, SubSender<S>),
) -> Common<S> {
    let Surroundings { limits, directory, epochs, bans, partitions, cache, .. } = around;
    let owner = Owner::new(requests.clone(), directory.clone(), limits, config.interval_ms, config.drift_ms);
    Common {
        chain: config.chain,
        me: home.me,
        interval: Duration::from_millis(config.interval_ms),
        lines: home.lines,
        directory,
        epochs,
        bans,
        archive,
        owner,
        evidence: Evidence::new(config.chain, requests.clone()),
        boundaries,
        peers: home.peers,
        gossip,
        partitions,
        cache,
    }
}

impl<E: Runtime, S: Sender<PublicKey = NodeId>> Running<E, S> {
    async fn obey(&mut self, command: Command) -> Result<(), EngineError> {
        match command {
            Command::Table(table) => self.common.epochs.learn(&table),
            Command::Committee(epoch, committee) => self.committee(epoch, committee).await?,
            Command::Enter { epoch, parent, seats } => self.enter(epoch, &parent, seats).await?,
            Command::Leave(epoch) => self.leave(epoch).await?,
            Command::Block(height, reply) => {
                let archive = self.common.archive.clone();
                self.context.child("read").spawn(move |_| read(archive, height, reply));
            }
            Command::Prune(height) => {
                self.common.archive.prune(commonware_consensus::types::Height::new(height.get()));
            }
            Command::Close => {}
        }
        Ok(())
    }

    async fn committee(&mut self, epoch: Epoch, committee: Committee) -> Result<(), EngineError> {
        let refuse = |reason: String| EngineError::Enter { chain: self.common.chain, epoch, reason };
        let noted = self.common.partitions.note_epoch(&self.context, epoch).await;
        noted.map_err(|error| refuse(error.to_string()))?;
        if !self.common.directory.add(epoch, committee) {
            return Err(refuse("its committee is empty, not in order, or has a key that is none".to_owned()));
        }
        self.address();
        Ok(())
    }

    /// Addresses blocks to the committees of all epochs from the first one this node is in.
    fn address(&self) {
        if let Some(first) = self.voters.keys().next() {
            self.audience.set(self.common.directory.nodes_from(*first));
        }
    }

    async fn enter(
        &mut self,
        epoch: Epoch,
        parent: &Block,
        seats: Vec<Arc<dyn SeatSigner>>,
    ) -> Result<(), EngineError> {
        if self.voters.contains_key(&epoch) || self.left.is_some_and(|left| epoch <= left) {
            tracing::warn!(chain = %self.common.chain, %epoch, "already entered or left, not entered again");
            return Ok(());
        }
        let first = self.common.epochs.first(commonware_consensus::types::Epoch::new(epoch.get()));
        let below = first.map(|first| first.get().saturating_sub(1));
        if below != Some(parent.height().get()) {
            let reason =
                format!("its first height is {first:?}, but its parent has height {}", parent.height());
            return Err(EngineError::Enter { chain: self.common.chain, epoch, reason });
        }
        let voters = epoch::start(&self.context, &self.common, epoch, parent, seats, &self.ended).await?;
        self.voters.insert(epoch, voters);
        self.address();
        Ok(())
    }

    async fn leave(&mut self, epoch: Epoch) -> Result<(), EngineError> {
        let later = self.voters.split_off(&epoch.next());
        for (_, voters) in std::mem::replace(&mut self.voters, later) {
            voters.stop().await;
        }
        self.left = self.left.max(Some(epoch));
        self.address();
        let forgotten = self.common.partitions.forget_votes(&self.context, epoch).await;
        forgotten
            .map_err(|error| EngineError::Archive { chain: self.common.chain, reason: error.to_string() })
    }

    /// Asks a node that votes in a later epoch for the last block of the epoch this one is still in.
    async fn catch_up(&mut self, epoch: Epoch, node: &NodeId) {
        let now = now_ms(&self.context);
        let interval = u64::try_from(self.common.interval.as_millis()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.asked_ms) < interval || self.common.bans.contains(node) {
            return;
        }
        let Some(seat) = self.common.directory.seat_at(node) else { return };
        self.asked_ms = now;
        let processed = self.common.archive.get_processed().await;
        let next = processed
            .map_or(commonware_consensus::types::Height::zero(), |processed| processed.height())
            .next();
        if let Some(ours) = self.common.epochs.containing(next)
            && ours.epoch().get() < epoch.get()
        {
            self.common.archive.hint_finalized(ours.last(), NonEmptyVec::new(seat));
        }
    }
}

async fn read(
    archive: Archive,
    height: Height,
    reply: oneshot::Sender<Option<(Block, Option<Certificate>)>>,
) {
    let height = commonware_consensus::types::Height::new(height.get());
    let Some(block) = archive.get_block(height).await else {
        let _ = reply.send(None);
        return;
    };
    let finalization = archive.get_finalization(height).await;
    let block = block.inner().clone();
    let certificate =
        finalization.as_ref().map(certificate_of).filter(|certificate| certificate.id == block.id());
    let _ = reply.send(Some((block, certificate)));
}

fn send_gossip<S: Sender<PublicKey = NodeId>>(gossip: &mut SubSender<S>, payload: &Bytes, bytes_max: usize) {
    let message = gossip::application(payload);
    if prefixed(message.len()) > bytes_max {
        tracing::error!(bytes = message.len(), bytes_max, "gossip larger than a message may be, dropped");
        return;
    }
    gossip.send(Recipients::All, message, false);
}

/// Tells the time, as long as there is someone to tell.
async fn tick<E: Runtime>(clock: E, every: Duration, requests: mpsc::Sender<Request>) {
    while !requests.is_closed() {
        clock.sleep(every).await;
        // A full channel needs no tick: its owner is busy and will look at the clock of what waits there.
        let _ = requests.try_send(Request::Tick { now_ms: now_ms(&clock) });
    }
}

/// Takes gossip in: the application's own, and certificates of what others finalized.
async fn listen<E, R>(
    mut rng: E,
    mut receiver: R,
    bans: Bans,
    directory: Directory,
    mut archive: Archive,
    requests: mpsc::Sender<Request>,
) where
    E: Runtime,
    R: Receiver<PublicKey = NodeId>,
{
    let mut newest = Round::zero();
    while let Ok((node, message)) = receiver.recv().await {
        match gossip::read(Bytes::from(message)) {
            Some(gossip::Message::Application(payload)) => {
                let from = node_key(&node);
                if requests.try_send(Request::Gossip { from, payload }).is_err() {
                    tracing::debug!(%from, "owner is busy, gossip dropped");
                }
            }
            Some(gossip::Message::News(finalization)) => {
                let round = finalization.proposal.round;
                let committee = directory.committee(Epoch::new(round.epoch().get()));
                let Some((scheme, _)) = committee.filter(|_| round > newest) else { continue };
                if finalization.verify(&mut rng, &*scheme, &Sequential) {
                    newest = round;
                    archive.report(Activity::Finalization(finalization));
                } else {
                    tracing::warn!(%node, "news with an invalid certificate: node banned");
                    bans.ban(node);
                }
            }
            None => {
                tracing::warn!(%node, "unreadable gossip: node banned");
                bans.ban(node);
            }
        }
    }
}
