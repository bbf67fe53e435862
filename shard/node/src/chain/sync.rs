//! Getting accepted blocks from peers that the engine can no longer fetch.
//!
//! After an early end the engines of all nodes start above the floor, and keep nothing from below. A node that was not
//! there asks one peer after the other for what it lacks, and takes nothing but ancestors of the accepted header: each
//! answer proves its last block by the history of a finalized header, and the others by the chain of their ids.
//! Answers are gossiped, like all that nodes tell each other: there are few, and they are bounded in size and rate.

use super::{ChainFailure, ShardChain};
use crate::core::Input;
use crate::gossip::{Blocks, Message, Wanted};
use consensus::authority::Authority;
use consensus::history::verify_ancestor;
use primitives::{AcceptedHeader, Certificate, Height, NodeKey, ShardBlock};
use ssz::Encode as _;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bytes of blocks in one answer, unless a single block has more.
const ANSWER_BYTES: usize = 1 << 19;
/// Answers to others in the time between two ticks.
const ANSWERS_MAX: u32 = 2;
/// Ticks after which another peer is asked.
const PATIENCE_TICKS: u32 = 4;
/// Blocks that are taken back at a time to find the accepted chain again.
const STEP_BACK: u64 = 16;

/// What is lacking, and who was asked.
#[derive(Debug, Default)]
pub(super) struct Sync {
    /// Up to which height blocks, and at which height a certificate, are wanted.
    wanted: Option<Height>,
    /// Who was asked last, if an answer is still to come, and which accepted header is to prove it.
    asked: Option<(NodeKey, AcceptedHeader)>,
    /// How many peers were asked so far: whose turn it is.
    turn: usize,
    /// Ticks since.
    waited: u32,
    /// Answers given to others since the last tick.
    answers: u32,
}

impl Sync {
    /// Wants blocks up to `height`, and that one's certificate.
    pub(super) fn want(&mut self, height: Height) {
        self.wanted = Some(height);
    }

    /// Wants nothing any more.
    pub(super) fn done(&mut self) {
        (self.wanted, self.asked) = (None, None);
    }
}

/// Why an answer is of no use; whoever sent it is at fault.
#[derive(Debug, thiserror::Error)]
enum AnswerError {
    #[error("it brings no block")]
    Empty,
    #[error("its blocks do not follow one another")]
    NotChained,
    #[error("it is proven against height {found}, accepted is {expected}")]
    OtherAccepted { expected: Height, found: Height },
    #[error("the block at height {height} is not the accepted one")]
    NotAccepted { height: Height },
    #[error(transparent)]
    History(#[from] consensus::history::HistoryError),
}

impl ShardChain {
    /// Asks for what is lacking, and another peer if one does not answer.
    pub(super) fn sync_again(&mut self) {
        self.sync.answers = 0;
        self.sync.waited = self.sync.waited.saturating_add(1);
        if self.sync.asked.is_none() || self.sync.waited >= PATIENCE_TICKS {
            self.ask_for_blocks();
        }
    }

    fn ask_for_blocks(&mut self) {
        let Some(to) = self.sync.wanted else { return };
        let view = self.views.borrow().clone();
        let Some(record) = view.as_ref().and_then(|view| view.record(self.shard)) else { return };
        let seats = record
            .table
            .entries()
            .iter()
            .filter_map(|entry| view.as_ref()?.committee(self.shard, entry.epoch));
        let nodes: BTreeSet<NodeKey> =
            seats.flat_map(|committee| committee.seats().iter().map(|seat| seat.node)).collect();
        let peers: Vec<_> = nodes.into_iter().filter(|node| *node != self.network.key()).collect();
        let Some(of) = (!peers.is_empty()).then(|| peers[self.sync.turn % peers.len()]) else { return };
        // At the floor itself only its certificate is lacking.
        let from = self.core.head().height.next().min(to);
        let wanted = Wanted { of, from, to, accepted: record.accepted.height };
        tracing::debug!(shard = %self.shard, %from, %to, %of, "asking a peer for blocks");
        self.sync.turn = self.sync.turn.wrapping_add(1);
        (self.sync.asked, self.sync.waited) = (Some((of, record.accepted)), 0);
        self.engine.gossip(Message::Wanted(wanted).encode().0);
    }

    /// Answers a peer that lacks blocks, if it asked this node.
    pub(super) fn give_blocks(&mut self, from: NodeKey, wanted: Wanted) -> Result<(), ChainFailure> {
        let is_ours = wanted.of == self.network.key() && self.sync.answers < ANSWERS_MAX;
        if !is_ours || wanted.accepted > self.core.head().height || wanted.to > wanted.accepted {
            return Ok(());
        }
        let (mut blocks, mut bytes, mut height) = (Vec::new(), 0, wanted.from);
        while height <= wanted.to {
            let Some(block) = self.reader.block(height)? else { break };
            bytes += block.ssz_bytes_len();
            if !blocks.is_empty() && bytes > ANSWER_BYTES.min(self.genesis.spec.body_bytes_max as usize) {
                break;
            }
            blocks.push(block);
            height = height.next();
        }
        let Some(last) = blocks.last().map(|block: &ShardBlock| block.header.height) else { return Ok(()) };
        // The accepted header needs no proof of itself; that of its parent stands in for it.
        let leaf = if last < wanted.accepted { Some(last) } else { last.previous() };
        let Some(leaf) = leaf else { return Ok(()) };
        let Ok(proof) = self.reader.history_proof(leaf, wanted.accepted) else { return Ok(()) };
        let certificate = self.reader.certificate(last)?.into_iter().collect();
        self.sync.answers += 1;
        let answer = Blocks { to: from, accepted: wanted.accepted, blocks, proof, certificate };
        self.engine.gossip(Message::Blocks(Box::new(answer)).encode().0);
        Ok(())
    }

    /// Takes an answer to what this node asked.
    pub(super) async fn take_blocks(&mut self, from: NodeKey, answer: Blocks) -> Result<(), ChainFailure> {
        let Some((_, accepted)) =
            self.sync.asked.filter(|(of, _)| answer.to == self.network.key() && *of == from)
        else {
            return Ok(());
        };
        self.sync.asked = None;
        if let Err(error) = verify_answer(&answer, &accepted) {
            self.metrics.dropped();
            tracing::warn!(%error, shard = %self.shard, %from, "a peer's blocks are of no use");
            return Ok(());
        }
        let Blocks { blocks, certificate, .. } = answer;
        let (before, last) = (self.core.head_id(), blocks.last().map(|last| last.header.clone()));
        self.sync_blocks(blocks).await?;
        let mut progressed = self.core.head_id() != before;
        if let (Some(certificate), Some(last)) = (certificate.into_iter().next(), last)
            && certificate.id == last.id()
            && self.is_certificate(&certificate)
            && self.reader.id(last.height)? == Some(certificate.id)
        {
            self.store.add_certificate(last.height, &certificate)?;
            self.reader = self.store.reader()?;
            progressed = true;
        }
        if progressed {
            // Whoever gave what was wanted is asked again.
            self.sync.turn = self.sync.turn.wrapping_sub(1);
        }
        // Perhaps nothing is lacking any more.
        self.sync.wanted = None;
        Box::pin(self.see()).await?;
        if progressed {
            self.ask_for_blocks();
        }
        Ok(())
    }

    /// Moves the head over blocks that are ancestors of the accepted header.
    async fn sync_blocks(&mut self, blocks: Vec<ShardBlock>) -> Result<(), ChainFailure> {
        for block in blocks {
            let head = self.core.head();
            if block.header.height <= head.height {
                continue;
            }
            if block.header.height != head.height.next() {
                return Ok(());
            }
            if block.header.parent != self.core.head_id() {
                return self.step_back(self.core.head().height).await;
            }
            let (token, block) = (self.token(), Arc::new(block));
            Box::pin(self.step(Input::Certified { token, block, certificate: None })).await?;
        }
        Ok(())
    }

    /// Takes back some blocks at `height` and below that are not those that were accepted.
    pub(super) async fn step_back(&mut self, height: Height) -> Result<(), ChainFailure> {
        let stored = self.store.generation()?.map_or(Height::ZERO, |generation| generation.floor);
        let head = self.core.head().height;
        let target =
            Height::new(head.min(height).get().saturating_sub(STEP_BACK)).max(stored).max(self.agreed);
        tracing::warn!(shard = %self.shard, %head, %target, "blocks were void before, going back");
        let undone = self.store.rewind_to(target)?;
        let mut more = Vec::new();
        let generation = self.core.generation();
        self.went_back(target, undone, generation, &mut more)?;
        Box::pin(self.execute(more)).await
    }

    /// Whether a certificate is by a quorum of a committee that is known.
    fn is_certificate(&self, certificate: &Certificate) -> bool {
        let view = self.views.borrow().clone();
        let committee = view.and_then(|view| view.committee(self.shard, certificate.epoch).cloned());
        let Some(committee) = committee else { return false };
        let hash = self.genesis.hash();
        let authority = Authority::new((*committee).clone(), self.shard.into(), certificate.epoch, hash);
        authority.is_ok_and(|authority| authority.verify_certificate(certificate).is_ok())
    }
}

/// Verifies that the blocks are ancestors of the accepted header, or end with it.
fn verify_answer(answer: &Blocks, header: &AcceptedHeader) -> Result<(), AnswerError> {
    let Blocks { accepted, blocks, proof, .. } = answer;
    let last = blocks.last().ok_or(AnswerError::Empty)?;
    let follows = |pair: &[ShardBlock]| {
        pair[1].header.parent == pair[0].header.id() && pair[1].header.height == pair[0].header.height.next()
    };
    let has_body = |block: &ShardBlock| block.body.root() == block.header.data_root;
    if !blocks.windows(2).all(follows) || !blocks.iter().all(has_body) {
        return Err(AnswerError::NotChained);
    }
    if header.height != *accepted {
        return Err(AnswerError::OtherAccepted { expected: header.height, found: *accepted });
    }
    let (height, id) = (last.header.height, last.header.id());
    if height == header.height {
        return if id == header.id { Ok(()) } else { Err(AnswerError::NotAccepted { height }) };
    }
    Ok(verify_ancestor(header.history_root, header.height, height, id, proof)?)
}

#[cfg(test)]
mod tests;
