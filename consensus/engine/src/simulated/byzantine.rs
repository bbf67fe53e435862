//! Nodes that break the rules, for simulations.
//!
//! Such a node runs the real engine and the real owner of its chains. Between the two, and beside the engine's own
//! votes, a [`Misconduct`] has its way: everything it does goes over the wire as any peer could send it.

use crate::{
    Block, ChainConfig, Network, Request, SeatSigner,
    block::digest_of,
    handle::Command as ChainCommand,
    lines::number,
    network::{Command, Opened},
    node_key::NodeId,
    scheme::SeatScheme,
};
use bytes::{BufMut as _, Bytes, BytesMut};
use commonware_codec::{Copying, DecodeExt as _, Encode as _, varint::UInt};
use commonware_consensus::{
    simplex::types::{Finalize, Notarize, Proposal, Vote as WireVote},
    types::{self, Round},
};
use commonware_cryptography::certificate::{Attestation, Scheme};
use commonware_p2p::{Recipients, Sender};
use commonware_runtime::{Spawner as _, Supervisor as _, deterministic};
use commonware_utils::Participant;
use parking_lot::Mutex;
use primitives::{Chain, Committee, Epoch, PublicKeyBytes, SignatureBytes, Vote, VoteKind};
use std::{collections::BTreeMap, fmt, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// What a node does that an honest one does not.
pub trait Misconduct: Send + Sync + 'static {
    /// What is proposed in place of `block`, which the node's owner built.
    fn proposal(&self, block: Block) -> Block {
        block
    }

    /// What is gossiped in place of `message`, which the node's owner wanted to tell everybody.
    fn gossip(&self, message: Bytes) -> Vec<Bytes> {
        vec![message]
    }

    /// What seat `key` says beside `vote`, with its signature: sent to every peer. Nullifications are not sent.
    fn second_vote(&self, key: &PublicKeyBytes, vote: &Vote) -> Option<(Vote, SignatureBytes)> {
        let _ = (key, vote);
        None
    }
}

/// A network as the node's owners see it, behind which `conduct` has its way; `votes` sends on the vote channel.
pub(super) fn corrupt<S>(
    context: &deterministic::Context,
    network: Network,
    conduct: Arc<dyn Misconduct>,
    votes: S,
) -> Network
where
    S: Sender<PublicKey = NodeId>,
{
    let (commands, mut receiver) = mpsc::unbounded_channel();
    let outer = Network { key: network.key, commands, metrics: network.metrics.clone() };
    context.child("byzantine").spawn(move |context| async move {
        while let Some(command) = receiver.recv().await {
            let command = match command {
                Command::Open { config, chain } => open(&context, config, chain, &conduct, &votes),
                command => command,
            };
            if network.commands.send(command).is_err() {
                return;
            }
        }
    });
    outer
}

/// Opens a chain with a relay on each of its channels.
fn open<S>(
    context: &deterministic::Context,
    config: ChainConfig,
    outer: Opened,
    conduct: &Arc<dyn Misconduct>,
    votes: &S,
) -> Command
where
    S: Sender<PublicKey = NodeId>,
{
    let Opened { commands: outer_commands, gossip: outer_gossip, requests: outer_requests } = outer;
    let (inner_commands, commands) = mpsc::unbounded_channel();
    let (inner_gossip, gossip) = mpsc::channel(outer_gossip.max_capacity());
    let (requests, inner_requests) = mpsc::channel(config.requests_max.max(1));
    let face = Face { chain: config.chain, conduct: conduct.clone(), votes: votes.clone() };
    context.child("commands").spawn(move |_| relay_commands(outer_commands, inner_commands, face));
    let relayer = conduct.clone();
    context.child("gossip").spawn(move |_| relay_gossip(outer_gossip, inner_gossip, relayer));
    let conduct = conduct.clone();
    context
        .child("requests")
        .spawn(move |context| relay_requests(context, inner_requests, outer_requests, conduct));
    Command::Open { config, chain: Opened { commands, gossip, requests } }
}

async fn relay_gossip(
    mut outer: mpsc::Receiver<Bytes>,
    inner: mpsc::Sender<Bytes>,
    conduct: Arc<dyn Misconduct>,
) {
    while let Some(message) = outer.recv().await {
        for message in conduct.gossip(message) {
            if inner.send(message).await.is_err() {
                return;
            }
        }
    }
}

async fn relay_requests(
    context: deterministic::Context,
    mut inner: mpsc::Receiver<Request>,
    outer: mpsc::Sender<Request>,
    conduct: Arc<dyn Misconduct>,
) {
    while let Some(request) = inner.recv().await {
        let request = match request {
            Request::Propose { context: view, parent, now_ms, reply } => {
                let (honest, answer) = oneshot::channel::<Option<Block>>();
                let conduct = conduct.clone();
                context.child("proposal").spawn(move |_| async move {
                    if let Ok(block) = answer.await {
                        // The engine may have gone on to the next view.
                        let _ = reply.send(block.map(|block| conduct.proposal(block)));
                    }
                });
                Request::Propose { context: view, parent, now_ms, reply: honest }
            }
            request => request,
        };
        if outer.send(request).await.is_err() {
            return;
        }
    }
}

/// What the seats of one chain have in common.
#[derive(Clone)]
struct Face<S> {
    chain: Chain,
    conduct: Arc<dyn Misconduct>,
    votes: S,
}

async fn relay_commands<S>(
    mut outer: mpsc::UnboundedReceiver<ChainCommand>,
    inner: mpsc::UnboundedSender<ChainCommand>,
    face: Face<S>,
) where
    S: Sender<PublicKey = NodeId>,
{
    let mut committees: BTreeMap<Epoch, Committee> = BTreeMap::new();
    while let Some(command) = outer.recv().await {
        let command = match command {
            ChainCommand::Committee(epoch, committee) => {
                committees.insert(epoch, committee.clone());
                ChainCommand::Committee(epoch, committee)
            }
            ChainCommand::Enter { epoch, parent, seats } => {
                let committee = committees.get(&epoch);
                let seats = seats.into_iter().map(|seat| face.two_faced(committee, seat));
                ChainCommand::Enter { epoch, parent, seats: seats.collect() }
            }
            command => command,
        };
        if inner.send(command).is_err() {
            return;
        }
    }
}

impl<S: Sender<PublicKey = NodeId>> Face<S> {
    fn two_faced(&self, committee: Option<&Committee>, seat: Arc<dyn SeatSigner>) -> Arc<dyn SeatSigner> {
        match committee.and_then(|committee| committee.index_of(&seat.key())) {
            Some(index) => Arc::new(TwoFaced { honest: seat, index, face: Mutex::new(self.clone()) }),
            None => seat,
        }
    }
}

/// A seat that votes as its engine wants, and once more.
struct TwoFaced<S> {
    honest: Arc<dyn SeatSigner>,
    index: u32,
    face: Mutex<Face<S>>,
}

impl<S> fmt::Debug for TwoFaced<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TwoFaced({})", self.index)
    }
}

impl<S: Sender<PublicKey = NodeId>> SeatSigner for TwoFaced<S> {
    fn key(&self) -> PublicKeyBytes {
        self.honest.key()
    }

    fn sign(&self, vote: &Vote) -> Option<SignatureBytes> {
        let signature = self.honest.sign(vote)?;
        let mut face = self.face.lock();
        let second = face.conduct.second_vote(&self.honest.key(), vote);
        if let Some(message) =
            second.and_then(|(vote, signature)| message(face.chain, self.index, &vote, &signature))
        {
            face.votes.send(Recipients::All, message, true);
        }
        Some(signature)
    }
}

/// A vote as it travels between nodes; `None` for one that cannot.
fn message(chain: Chain, seat: u32, vote: &Vote, signature: &SignatureBytes) -> Option<Bytes> {
    let round = Round::new(types::Epoch::new(vote.epoch.get()), types::View::new(vote.view.get()));
    let proposal = Proposal::new(round, types::View::new(vote.parent_view.get()), digest_of(vote.id));
    let signature = <SeatScheme as Scheme>::Signature::decode(Copying(signature.as_slice())).ok()?;
    let attestation =
        Attestation::<SeatScheme> { signer: Participant::new(seat), signature: signature.into() };
    let wire = match vote.kind {
        VoteKind::Notarize => WireVote::Notarize(Notarize { proposal, attestation }),
        VoteKind::Finalize => WireVote::Finalize(Finalize { proposal, attestation }),
        VoteKind::Nullify => return None,
    };
    let line = number(chain, u32::try_from(vote.epoch.get()).ok()?);
    let mut bytes = BytesMut::new();
    bytes.put(UInt(line).encode());
    bytes.put_u16(u16::try_from(seat).ok()?);
    bytes.put_u16(0);
    bytes.put(wire.encode());
    Some(bytes.freeze())
}
