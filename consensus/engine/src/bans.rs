//! Which nodes one chain no longer listens to.
//!
//! A node that sends what no honest node can is ignored on that chain until it is opened again; its connection and its
//! other chains are untouched.

use crate::{directory::Directory, node_key::NodeId, scheme::SeatKey};
use commonware_actor::Feedback;
use commonware_p2p::{BlockedSubscription, Blocker};
use commonware_utils::{NZUsize, channel::ring, ordered::Set};
use parking_lot::Mutex;
use std::{collections::BTreeSet, sync::Arc};

/// The banned nodes of one chain; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Bans {
    me: NodeId,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    nodes: BTreeSet<NodeId>,
    subscribers: Vec<ring::Sender<Set<NodeId>>>,
}

impl Bans {
    pub(crate) fn new(me: NodeId) -> Self {
        Self { me, inner: Arc::default() }
    }

    pub(crate) fn contains(&self, node: &NodeId) -> bool {
        self.inner.lock().nodes.contains(node)
    }

    pub(crate) fn ban(&self, node: NodeId) {
        if node == self.me {
            return;
        }
        let mut inner = self.inner.lock();
        if inner.nodes.insert(node) {
            let all = Set::from_iter_dedup(inner.nodes.iter().cloned());
            inner.subscribers.retain(|subscriber| subscriber.send_lossy(all.clone()));
        }
    }

    fn subscribe(&self) -> BlockedSubscription<NodeId> {
        let (sender, receiver) = ring::channel(NZUsize!(1));
        let mut inner = self.inner.lock();
        sender.send_lossy(Set::from_iter_dedup(inner.nodes.iter().cloned()));
        inner.subscribers.push(sender);
        receiver
    }
}

impl Blocker for Bans {
    type PublicKey = NodeId;

    fn block(&mut self, peer: NodeId) -> Feedback {
        self.ban(peer);
        Feedback::Ok
    }

    fn blocked(&mut self) -> BlockedSubscription<NodeId> {
        self.subscribe()
    }
}

/// [`Bans`] for whoever knows only seats: banning one bans its node.
#[derive(Clone)]
pub(crate) struct SeatBans {
    bans: Bans,
    directory: Directory,
    /// Keeps the subscriptions of seats open: what they would say is already applied to nodes.
    silent: Arc<Mutex<Vec<ring::Sender<Set<SeatKey>>>>>,
}

impl SeatBans {
    pub(crate) fn new(bans: Bans, directory: Directory) -> Self {
        Self { bans, directory, silent: Arc::default() }
    }
}

impl Blocker for SeatBans {
    type PublicKey = SeatKey;

    fn block(&mut self, peer: SeatKey) -> Feedback {
        if let Some(node) = self.directory.node_of(&peer) {
            self.bans.ban(node);
        }
        Feedback::Ok
    }

    fn blocked(&mut self) -> BlockedSubscription<SeatKey> {
        let (sender, receiver) = ring::channel(NZUsize!(1));
        sender.send_lossy(Set::default());
        self.silent.lock().push(sender);
        receiver
    }
}
