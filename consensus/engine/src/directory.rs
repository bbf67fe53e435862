//! What one chain knows of its committees: who verifies which epoch, and where each seat's node is.

use crate::{
    node_key::{NodeId, node_id},
    scheme::{SeatKey, SeatScheme},
};
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider as SchemeProvider, Scoped};
use commonware_p2p::{PeerSetSubscription, PeerSetUpdate, Provider, TrackedPeers};
use commonware_utils::{channel::mpsc, ordered::Set};
use parking_lot::Mutex;
use primitives::{B256, Chain, Committee};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// Committees that are remembered: as many as an epoch table has entries, and some that come.
const COMMITTEES_MAX: usize = primitives::EPOCH_ENTRIES_MAX + 8;

/// The committees of one chain; clones share them.
#[derive(Clone)]
pub(crate) struct Directory {
    genesis_hash: B256,
    chain: Chain,
    me: NodeId,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    committees: BTreeMap<u64, Known>,
    nodes: BTreeMap<SeatKey, NodeId>,
    /// How many times the set of nodes changed.
    changes: u64,
    subscribers: Vec<mpsc::UnboundedSender<PeerSetUpdate<NodeId>>>,
}

#[derive(Clone)]
struct Known {
    scheme: Arc<SeatScheme>,
    committee: Arc<Committee>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Inner {
    fn peers(&self) -> TrackedPeers<NodeId> {
        TrackedPeers::primary(Set::from_iter_dedup(self.nodes.values().cloned()))
    }

    fn update(&self) -> PeerSetUpdate<NodeId> {
        PeerSetUpdate { index: self.changes, latest: self.peers(), all: self.peers() }
    }

    /// Forgets the oldest committees and where only they had seats.
    fn forget(&mut self) {
        while self.committees.len() > COMMITTEES_MAX {
            self.committees.pop_first();
        }
        self.nodes.clear();
        for known in self.committees.values() {
            for (index, seat) in known.committee.seats().iter().enumerate() {
                let key =
                    commonware_cryptography::certificate::Scheme::participants(&*known.scheme).get(index);
                if let (Some(key), Some(node)) = (key, node_id(&seat.node)) {
                    self.nodes.insert(key.clone(), node);
                }
            }
        }
    }
}

impl Directory {
    pub(crate) fn new(genesis_hash: B256, chain: Chain, me: NodeId) -> Self {
        Self { genesis_hash, chain, me, inner: Arc::default() }
    }

    /// Adds the committee of an epoch; false if it is none.
    pub(crate) fn add(&self, epoch: primitives::Epoch, committee: Committee) -> bool {
        if self.inner.lock().committees.contains_key(&epoch.get()) {
            return true;
        }
        // Decompressing the keys takes a tenth of a millisecond each: not under the lock.
        let Some(scheme) = SeatScheme::verifier(self.genesis_hash, self.chain, &committee) else {
            return false;
        };
        let known = Known { scheme: Arc::new(scheme), committee: Arc::new(committee) };
        let mut inner = self.inner.lock();
        inner.committees.insert(epoch.get(), known);
        inner.forget();
        inner.changes += 1;
        let update = inner.update();
        inner.subscribers.retain(|subscriber| subscriber.send(update.clone()).is_ok());
        true
    }

    /// The committee of an epoch, to verify with and to look up.
    pub(crate) fn committee(&self, epoch: primitives::Epoch) -> Option<(Arc<SeatScheme>, Arc<Committee>)> {
        let inner = self.inner.lock();
        inner.committees.get(&epoch.get()).map(|known| (known.scheme.clone(), known.committee.clone()))
    }

    /// The node of a seat, in whichever epoch it sits.
    pub(crate) fn node_of(&self, seat: &SeatKey) -> Option<NodeId> {
        self.inner.lock().nodes.get(seat).cloned()
    }

    /// A seat of a node, in whichever epoch it sits.
    pub(crate) fn seat_at(&self, node: &NodeId) -> Option<SeatKey> {
        self.inner.lock().nodes.iter().find(|(_, at)| *at == node).map(|(seat, _)| seat.clone())
    }

    /// The other nodes with a seat in `first` or later.
    pub(crate) fn nodes_from(&self, first: primitives::Epoch) -> BTreeSet<NodeId> {
        let inner = self.inner.lock();
        let seats = inner.committees.range(first.get()..).flat_map(|(_, known)| known.committee.seats());
        let nodes: BTreeSet<_> = seats.map(|seat| seat.node).collect();
        nodes.iter().filter_map(node_id).filter(|node| *node != self.me).collect()
    }
}

impl SchemeProvider for Directory {
    type Scope = Epoch;
    type Scheme = SeatScheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<SeatScheme>> {
        self.committee(primitives::Epoch::new(epoch.get())).map(|(scheme, _)| Scoped::verifier(scheme))
    }
}

impl Provider for Directory {
    type PublicKey = NodeId;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<NodeId>> {
        let inner = self.inner.lock();
        (id == inner.changes).then(|| inner.peers())
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<NodeId> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut inner = self.inner.lock();
        if sender.send(inner.update()).is_ok() {
            inner.subscribers.push(sender);
        }
        receiver
    }
}
