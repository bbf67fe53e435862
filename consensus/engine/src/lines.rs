//! The physical channels of one node, and how chains and epochs share them.
//!
//! Votes, certificates and their resolver have a line for each (chain, epoch); backfill, broadcast and gossip one for
//! each chain. A line's number is the chain's code plus one (zero for the beacon chain) in the upper and the epoch in
//! the lower 32 bits.

use crate::{durability::Runtime, node_key::NodeId};
use commonware_p2p::{
    Message, Receiver, Sender,
    utils::mux::{Builder as _, Error, MuxHandle, Muxer, SubReceiver, SubSender},
};
use commonware_runtime::Quota;
use commonware_utils::NZU32;
use primitives::{Chain, Epoch};
use std::time::Duration;
use tokio::sync::mpsc;

/// Physical channels of a node.
pub(crate) const CHANNELS: u64 = 6;

/// Messages a peer may send on one channel in a second. What waits for the node is bounded by it.
pub(crate) fn quota() -> Quota {
    Quota::per_second(NZU32!(512))
}

/// One line.
pub(crate) type Line<S> = (SubSender<S>, SubReceiver<NodeId>);
/// Votes, certificates and their resolver.
pub(crate) type EpochLines<S> = [Line<S>; 3];
/// A vote for which there is no line: of an epoch that this node is not in.
pub(crate) type Stray = (u64, Message<NodeId>);

/// All lines of a node; clones share them.
#[derive(Clone)]
pub(crate) struct Lines<S: Sender<PublicKey = NodeId>> {
    /// Votes, certificates, resolver.
    epoch: [MuxHandle<S>; 3],
    /// Backfill, broadcast, gossip.
    chain: [MuxHandle<S>; 3],
    /// Largest message, bytes.
    pub(crate) message_bytes_max: usize,
}

/// How long to wait for an earlier holder of a line to let go of it.
const RELEASE: Duration = Duration::from_millis(10);

/// The number of a chain's and epoch's line.
pub(crate) const fn number(chain: Chain, epoch: u32) -> u64 {
    (chain.code().wrapping_add(1) as u64) << 32 | epoch as u64
}

/// The chain and epoch of a line for votes.
pub(crate) const fn place(number: u64) -> (Chain, Epoch) {
    let code = (number >> 32) as u32;
    (Chain::from_code(code.wrapping_sub(1)), Epoch::new(number & u32::MAX as u64))
}

impl<S: Sender<PublicKey = NodeId>> Lines<S> {
    /// Shares the channels out, from now on.
    pub(crate) fn new<E, R>(
        context: &E,
        channels: [(S, R); CHANNELS as usize],
        message_bytes_max: usize,
    ) -> (Self, mpsc::Receiver<Stray>)
    where
        E: Runtime,
        R: Receiver<PublicKey = NodeId>,
    {
        let [(sender, receiver), certificate, resolver, backfill, broadcast, gossip] = channels;
        let (muxer, vote, stray) =
            Muxer::builder(context.child("mux").with_attribute("channel", 0), sender, receiver)
                .with_backup()
                .build();
        muxer.start();
        let start = |(sender, receiver), channel: u64| {
            let (muxer, handle) =
                Muxer::new(context.child("mux").with_attribute("channel", channel), sender, receiver);
            muxer.start();
            handle
        };
        let epoch = [vote, start(certificate, 1), start(resolver, 2)];
        let chain = [start(backfill, 3), start(broadcast, 4), start(gossip, 5)];
        (Self { epoch, chain, message_bytes_max }, stray)
    }

    /// The lines of an epoch, as soon as nobody holds them; `None` if the network is closed or the epoch's number is
    /// beyond what a line can carry.
    pub(crate) async fn epoch<E: Runtime>(
        &self,
        context: &E,
        chain: Chain,
        epoch: Epoch,
    ) -> Option<EpochLines<S>> {
        let number = number(chain, u32::try_from(epoch.get()).ok()?);
        claim(context, &self.epoch, number).await
    }

    /// The lines of a chain, as soon as nobody holds them; `None` if the network is closed.
    pub(crate) async fn chain<E: Runtime>(&self, context: &E, chain: Chain) -> Option<[Line<S>; 3]> {
        claim(context, &self.chain, number(chain, 0)).await
    }
}

async fn claim<E, S>(context: &E, handles: &[MuxHandle<S>; 3], number: u64) -> Option<[Line<S>; 3]>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let mut lines = Vec::with_capacity(handles.len());
    for handle in handles {
        let mut handle = handle.clone();
        let line = loop {
            match handle.register(number).await {
                Ok(line) => break line,
                Err(Error::AlreadyRegistered(_)) => context.sleep(RELEASE).await,
                Err(_) => return None,
            }
        };
        lines.push(line);
    }
    lines.try_into().ok()
}
