//! What shards send each other, on its way from chain to chain.
//!
//! A source tells the shards that it sent something to as soon as the block is certified. Where this node serves both, the
//! destination takes it from the source's store; one of the nodes that do so hands it on to those of the destination's
//! committee that do not serve the source. Whoever was told nothing asks with every tick: the store of a chain next to
//! it, or a peer. A source keeps what it sent, so nothing is lost if nobody is there to take it.

use super::{ChainFailure, ShardChain};
use crate::core::Input;
use crate::gossip::{Message, Receipts, ReceiptsWanted};
use crate::handle::{ChainHandle, Command};
use primitives::{Bundle, NodeKey, ShardId};
use ssz::Encode as _;
use std::collections::BTreeSet;
use xshard::Outbox;

/// Blocks of a source that are taken at a time.
const BUNDLES_MAX: usize = 16;
/// Bytes of bundles in one message, unless a single one has more.
const MESSAGE_BYTES: usize = 1 << 19;
/// Answers to peers in the time between two ticks.
const ANSWERS_MAX: u32 = 8;

/// Whom to ask next, and how many were answered.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    turn: usize,
    answers: u32,
}

impl ShardChain {
    /// Tells the shards of a certified block that it sent something to.
    pub(super) fn tell_destinations(&self, outbox: &Outbox) {
        let served = self.served.borrow();
        for (destination, _) in outbox.lanes() {
            if let Some(chain) = destination.shard().and_then(|shard| served.get(&shard)) {
                // Full means busy: the next tick asks again.
                let _ = chain.commands.try_send(Command::Collect(self.shard));
            }
        }
    }

    /// Takes what every other shard has sent, or asks for it.
    pub(super) async fn collect_all(&mut self) -> Result<(), ChainFailure> {
        self.exchange.answers = 0;
        self.exchange.turn = self.exchange.turn.wrapping_add(1);
        let (shard, shards) = (self.shard, self.genesis.spec.shards.len() as u32);
        for source in (0..shards).map(ShardId::new).filter(|source| *source != shard) {
            if self.neighbor(source).is_some() {
                self.collect(source).await?;
            } else {
                self.ask_for_receipts(source);
            }
        }
        Ok(())
    }

    /// Takes what the chain next to this one has sent.
    pub(super) async fn collect(&mut self, source: ShardId) -> Result<(), ChainFailure> {
        let (Some(chain), Some(from)) = (self.neighbor(source), self.core.wanted(source)) else {
            return Ok(());
        };
        let reader = chain.snapshot().reader.clone();
        match reader.bundles(self.shard.into(), from, BUNDLES_MAX) {
            Ok(bundles) if bundles.is_empty() => Ok(()),
            Ok(bundles) => {
                self.hand_on(source, &bundles);
                self.step(Input::Bundles { bundles, certified: true }).await
            }
            Err(error) => {
                tracing::warn!(%error, shard = %self.shard, %source, "receipts of another shard cannot be read");
                Ok(())
            }
        }
    }

    /// Answers a peer that does not serve a source, if it asked this node.
    pub(super) fn give_receipts(&mut self, from: NodeKey, wanted: &ReceiptsWanted) {
        let is_ours = wanted.of == self.network.key() && self.exchange.answers < ANSWERS_MAX;
        let Some(chain) = self.neighbor(wanted.source).filter(|_| is_ours) else { return };
        match chain.snapshot().reader.bundles(self.shard.into(), wanted.from, BUNDLES_MAX) {
            Ok(bundles) if bundles.is_empty() => {}
            Ok(bundles) => {
                self.exchange.answers += 1;
                tracing::debug!(shard = %self.shard, source = %wanted.source, to = %from, "receipts given to a peer");
                self.send_receipts(&bundles);
            }
            Err(error) => tracing::warn!(%error, source = %wanted.source, "receipts cannot be read"),
        }
    }

    /// Takes receipts from a peer.
    pub(super) async fn take_receipts(&mut self, receipts: Receipts) -> Result<(), ChainFailure> {
        self.metrics.bundles_came(receipts.bundles.len());
        self.step(Input::Bundles { bundles: receipts.bundles, certified: false }).await
    }

    /// The chain of another shard on this node.
    fn neighbor(&self, source: ShardId) -> Option<ChainHandle> {
        self.served.borrow().get(&source).cloned()
    }

    fn ask_for_receipts(&self, source: ShardId) {
        let peers: Vec<_> =
            self.nodes(self.shard).into_iter().filter(|node| *node != self.network.key()).collect();
        let (Some(from), false) = (self.core.wanted(source), peers.is_empty()) else { return };
        let of = peers[self.exchange.turn % peers.len()];
        self.engine.gossip(Message::ReceiptsWanted(ReceiptsWanted { of, source, from }).encode().0);
    }

    /// Hands receipts on to nodes that do not serve the source, if it is this node's turn.
    fn hand_on(&self, source: ShardId, bundles: &[Bundle]) {
        let (here, there) = (self.nodes(self.shard), self.nodes(source));
        let height = bundles.last().map_or(0, |last| last.certified.header.height.get());
        let both: Vec<_> = here.intersection(&there).collect();
        if both.len() == here.len() || both.is_empty() {
            return;
        }
        if *both[(height % both.len() as u64) as usize] == self.network.key() {
            self.send_receipts(bundles);
        }
    }

    fn send_receipts(&self, bundles: &[Bundle]) {
        let (mut sent, mut bytes) = (Vec::new(), 0);
        for bundle in bundles {
            bytes += bundle.ssz_bytes_len();
            if !sent.is_empty() && bytes > MESSAGE_BYTES {
                break;
            }
            sent.push(bundle.clone());
        }
        self.engine.gossip(Message::Receipts(Box::new(Receipts { bundles: sent })).encode().0);
    }

    /// The nodes of the committees that act for a shard from now on.
    fn nodes(&self, shard: ShardId) -> BTreeSet<NodeKey> {
        let Some(view) = self.views.borrow().clone() else { return BTreeSet::new() };
        view.acting(shard).flat_map(|committee| committee.seats().iter().map(|seat| seat.node)).collect()
    }
}
