//! The network of one (chain, epoch) as its seats see it: messages go from seat to seat, and "all" is the committee.
//!
//! On the wire they go from node to node, one copy for all seats of a node. A message names its sending seat and
//! its receiving seats; one that names a seat of another node as its sender, or cannot be read, gets its node banned.
//! Between seats of one node nothing is sent at all. Every queue is bounded, and what does not fit is dropped: the
//! protocol repeats what matters.
//!
//! Format: sending seat (`u16`) ‖ number of receiving seats (`u16`, zero for all) ‖ each of them (`u16`) ‖ payload;
//! integers big-endian.

use crate::{
    bans::Bans,
    node_key::{NodeId, node_id},
    scheme::{SeatKey, seat_key},
};
use bytes::{Buf as _, BufMut as _, Bytes};
use commonware_actor::{Feedback, Unreliable};
use commonware_p2p::{CheckedSender, LimitedSender, Message, Receiver, Recipients, Sender};
use commonware_runtime::{IoBuf, IoBufs};
use commonware_utils::NZUsize;
use primitives::Committee;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    num::NonZeroUsize,
    sync::Arc,
    time::SystemTime,
};
use tokio::sync::mpsc;

/// Messages that may wait for one seat on one channel.
const QUEUE: NonZeroUsize = NZUsize!(1024);

/// Who sits where in one committee.
#[derive(Debug)]
pub(crate) struct Roster {
    me: NodeId,
    /// Key and node of each seat; a seat whose node is no key cannot be reached.
    seats: Vec<(SeatKey, Option<NodeId>)>,
    indices: BTreeMap<SeatKey, u16>,
    /// The other nodes.
    nodes: Vec<NodeId>,
}

impl Roster {
    /// `None` if a seat's key is none.
    pub(crate) fn new(me: NodeId, committee: &Committee) -> Option<Self> {
        let seats = committee.seats().iter().map(|seat| Some((seat_key(&seat.key)?, node_id(&seat.node))));
        let seats: Vec<(SeatKey, Option<NodeId>)> = seats.collect::<Option<_>>()?;
        let indices = seats.iter().zip(0..).map(|((key, _), index)| (key.clone(), index)).collect();
        let nodes: BTreeSet<NodeId> =
            seats.iter().filter_map(|(_, node)| node.clone()).filter(|node| *node != me).collect();
        Some(Self { me, seats, indices, nodes: nodes.into_iter().collect() })
    }

    fn key(&self, index: u16) -> Option<&SeatKey> {
        self.seats.get(usize::from(index)).map(|(key, _)| key)
    }

    fn node(&self, index: u16) -> Option<&NodeId> {
        self.seats.get(usize::from(index)).and_then(|(_, node)| node.as_ref())
    }

    /// The other nodes among those of `targets`.
    fn nodes_of(&self, targets: &Targets) -> Vec<NodeId> {
        match targets {
            Targets::All => self.nodes.clone(),
            Targets::Some(seats) => {
                let nodes: BTreeSet<_> = seats.iter().filter_map(|seat| self.node(*seat)).collect();
                nodes.into_iter().filter(|node| **node != self.me).cloned().collect()
            }
        }
    }

    fn targets(&self, recipients: Recipients<SeatKey>) -> Targets {
        let index = |key: &SeatKey| self.indices.get(key).copied();
        match recipients {
            Recipients::All => Targets::All,
            Recipients::Some(keys) => Targets::Some(keys.iter().filter_map(index).collect()),
            Recipients::One(key) => Targets::Some(index(&key).into_iter().collect()),
        }
    }
}

/// Which seats a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Targets {
    /// The whole committee but the sender.
    All,
    /// These.
    Some(BTreeSet<u16>),
}

impl Targets {
    fn contains(&self, seat: u16) -> bool {
        match self {
            Self::All => true,
            Self::Some(seats) => seats.contains(&seat),
        }
    }
}

/// The queues of this node's own seats on one channel.
#[derive(Clone, Debug)]
pub(crate) struct Locals(Arc<BTreeMap<u16, mpsc::Sender<Message<SeatKey>>>>);

impl Locals {
    /// Queues for `seats`, with their ends.
    pub(crate) fn new(seats: impl IntoIterator<Item = u16>) -> (Self, BTreeMap<u16, SeatReceiver>) {
        let (mut senders, mut receivers) = (BTreeMap::new(), BTreeMap::new());
        for seat in seats {
            let (sender, receiver) = mpsc::channel(QUEUE.get());
            senders.insert(seat, sender);
            receivers.insert(seat, SeatReceiver { queue: receiver, greetings: VecDeque::new() });
        }
        (Self(Arc::new(senders)), receivers)
    }

    fn targeted<'a>(&'a self, from: u16, targets: &'a Targets) -> impl Iterator<Item = u16> + 'a {
        self.0.keys().copied().filter(move |seat| *seat != from && targets.contains(*seat))
    }

    fn deliver(&self, from: u16, key: &SeatKey, targets: &Targets, payload: &IoBuf) {
        for seat in self.targeted(from, targets) {
            if let Some(queue) = self.0.get(&seat)
                && queue.try_send((key.clone(), payload.clone())).is_err()
            {
                tracing::debug!(seat, "queue of seat is full or closed, message dropped");
            }
        }
    }
}

/// What one seat receives on one channel.
#[derive(Debug)]
pub(crate) struct SeatReceiver {
    queue: mpsc::Receiver<Message<SeatKey>>,
    /// Received before all else.
    greetings: VecDeque<Message<SeatKey>>,
}

impl SeatReceiver {
    /// The same, but what each other seat of `roster` says in `greeting` is received first.
    pub(crate) fn greeted(self, roster: &Roster, seat: u16, greeting: impl Fn(u16) -> Option<Bytes>) -> Self {
        let others = roster.seats.iter().zip(0..).filter(|(_, index)| *index != seat);
        let greetings = others.filter_map(|((key, _), index)| Some((key.clone(), greeting(index)?.into())));
        Self { queue: self.queue, greetings: greetings.collect() }
    }
}

/// No message will come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network of this epoch is closed")]
pub(crate) struct Closed;

impl Receiver for SeatReceiver {
    type Error = Closed;
    type PublicKey = SeatKey;

    async fn recv(&mut self) -> Result<Message<SeatKey>, Closed> {
        match self.greetings.pop_front() {
            Some(greeting) => Ok(greeting),
            None => self.queue.recv().await.ok_or(Closed),
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        QUEUE
    }
}

/// How one seat sends on one channel.
#[derive(Clone)]
pub(crate) struct SeatSender<S> {
    from: u16,
    roster: Arc<Roster>,
    locals: Locals,
    inner: S,
}

impl<S> fmt::Debug for SeatSender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeatSender({})", self.from)
    }
}

impl<S> SeatSender<S> {
    pub(crate) const fn new(from: u16, roster: Arc<Roster>, locals: Locals, inner: S) -> Self {
        Self { from, roster, locals, inner }
    }
}

impl<S: Sender<PublicKey = NodeId>> LimitedSender for SeatSender<S> {
    type PublicKey = SeatKey;
    type Checked<'a> = CheckedSeats<'a, S>;

    fn check(&mut self, recipients: Recipients<SeatKey>) -> Result<CheckedSeats<'_, S>, SystemTime> {
        let targets = self.roster.targets(recipients);
        let has_local = self.locals.targeted(self.from, &targets).next().is_some();
        let nodes = self.roster.nodes_of(&targets);
        let remote = if nodes.is_empty() {
            None
        } else {
            match self.inner.check(Recipients::Some(nodes)) {
                Ok(checked) => Some(checked),
                Err(retry) if !has_local => return Err(retry),
                Err(_) => None,
            }
        };
        Ok(CheckedSeats { from: self.from, targets, roster: &self.roster, locals: &self.locals, remote })
    }
}

/// A message of one seat whose receivers may be sent to now.
pub(crate) struct CheckedSeats<'a, S: Sender<PublicKey = NodeId> + 'a> {
    from: u16,
    targets: Targets,
    roster: &'a Roster,
    locals: &'a Locals,
    remote: Option<S::Checked<'a>>,
}

impl<S: Sender<PublicKey = NodeId>> CheckedSender for CheckedSeats<'_, S> {
    type PublicKey = SeatKey;

    fn recipients(&self) -> Vec<SeatKey> {
        let nodes: BTreeSet<NodeId> = self.remote.iter().flat_map(|remote| remote.recipients()).collect();
        let seats = self.roster.seats.iter().zip(0..).filter(|((_, node), index)| {
            let reached = node.as_ref().is_some_and(|node| nodes.contains(node));
            *index != self.from
                && self.targets.contains(*index)
                && (reached || self.locals.0.contains_key(index))
        });
        seats.map(|((key, _), _)| key.clone()).collect()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let mut message: IoBufs = message.into();
        if let Some(key) = self.roster.key(self.from) {
            let payload = message.clone().coalesce();
            self.locals.deliver(self.from, key, &self.targets, &payload);
        }
        match self.remote {
            None => Unreliable::Outcome(Feedback::Ok),
            Some(remote) => {
                message.prepend(prefix(self.from, &self.targets));
                remote.send(message, priority)
            }
        }
    }
}

/// What precedes a payload on the wire.
fn prefix(from: u16, targets: &Targets) -> IoBuf {
    let mut bytes = Vec::with_capacity(8);
    bytes.put_u16(from);
    match targets {
        Targets::All => bytes.put_u16(0),
        Targets::Some(seats) => {
            bytes.put_u16(
                u16::try_from(seats.len()).expect("at most SEATS_MAX seats: they are indices of a committee"),
            );
            seats.iter().for_each(|seat| bytes.put_u16(*seat));
        }
    }
    bytes.into()
}

/// Takes a message from the wire apart; `None` if `node` cannot have sent it honestly.
fn parse(roster: &Roster, node: &NodeId, mut message: IoBuf) -> Option<(u16, Targets, IoBuf)> {
    let from = message.try_get_u16().ok()?;
    if roster.node(from) != Some(node) {
        return None;
    }
    let count = message.try_get_u16().ok()?;
    if usize::from(count) > roster.seats.len() {
        return None;
    }
    let targets = if count == 0 {
        Targets::All
    } else {
        let seats = (0..count).map(|_| message.try_get_u16().ok());
        Targets::Some(seats.collect::<Option<_>>()?)
    };
    Some((from, targets, message))
}

/// Hands what arrives on one channel to this node's seats, until the channel ends.
pub(crate) async fn fan_in<R>(mut receiver: R, roster: Arc<Roster>, locals: Locals, bans: Bans)
where
    R: Receiver<PublicKey = NodeId>,
{
    while let Ok((node, message)) = receiver.recv().await {
        if bans.contains(&node) {
            continue;
        }
        match parse(&roster, &node, message) {
            Some((from, targets, payload)) => {
                if let Some(key) = roster.key(from) {
                    locals.deliver(from, key, &targets, &payload);
                }
            }
            None => {
                tracing::warn!(%node, "message of a seat that is not the node's, or unreadable: node banned");
                bans.ban(node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{node, seat_secret, two_nodes};

    fn roster() -> Roster {
        Roster::new(node_id(&node(0)).unwrap(), &two_nodes()).unwrap()
    }

    fn index_of(roster: &Roster, index: u8, seat: u8) -> u16 {
        roster.indices[&seat_key(&seat_secret(index, seat).public_key().to_bytes()).unwrap()]
    }

    fn message(from: u16, targets: &Targets) -> IoBuf {
        let mut message = IoBufs::from(b"payload".to_vec());
        message.prepend(prefix(from, targets));
        message.coalesce()
    }

    #[test]
    fn a_message_names_its_seats() {
        let roster = roster();
        let (from, to) = (index_of(&roster, 1, 0), index_of(&roster, 0, 1));
        for targets in [Targets::All, Targets::Some([to].into()), Targets::Some([to, from].into())] {
            let (sender, receivers, payload) =
                parse(&roster, &node_id(&node(1)).unwrap(), message(from, &targets)).unwrap();
            assert_eq!((sender, receivers), (from, targets));
            assert_eq!(payload.as_ref(), b"payload");
        }
    }

    #[test]
    fn a_node_cannot_speak_for_anothers_seat() {
        let roster = roster();
        let from = index_of(&roster, 0, 0);
        assert!(parse(&roster, &node_id(&node(1)).unwrap(), message(from, &Targets::All)).is_none());
        assert!(parse(&roster, &node_id(&node(1)).unwrap(), message(99, &Targets::All)).is_none());
    }

    #[test]
    fn what_is_too_short_is_unreadable() {
        let roster = roster();
        let from = index_of(&roster, 1, 0);
        let whole = message(from, &Targets::Some([from].into()));
        for length in 0..6 {
            assert!(
                parse(&roster, &node_id(&node(1)).unwrap(), whole.slice(..length)).is_none(),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn own_nodes_are_not_sent_to() {
        let roster = roster();
        assert_eq!(roster.nodes, [node_id(&node(1)).unwrap()]);
        let own = Targets::Some([index_of(&roster, 0, 0), index_of(&roster, 0, 1)].into());
        assert_eq!(roster.nodes_of(&own), []);
    }
}
