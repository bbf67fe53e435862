//! Lets the archive, which names peers by seat, use a network that names them by node.

use crate::{Block, block::Digest, directory::Directory, node_key::NodeId, scheme::SeatKey};
use commonware_actor::Feedback;
use commonware_broadcast::{Broadcaster as _, buffered};
use commonware_consensus::{
    marshal::{
        core::Buffer,
        resolver::{
            handler::{Annotation, Key},
            p2p,
        },
        standard::Standard,
    },
    types::Round,
};
use commonware_cryptography::Digested;
use commonware_p2p::Recipients;
use commonware_resolver::{Fetch, Resolver, TargetedResolver};
use commonware_utils::{channel::oneshot, vec::NonEmptyVec};

/// Blocks in transit.
#[derive(Clone)]
pub(crate) struct Blocks {
    inner: buffered::Mailbox<NodeId, Block>,
    directory: Directory,
}

impl Blocks {
    pub(crate) const fn new(inner: buffered::Mailbox<NodeId, Block>, directory: Directory) -> Self {
        Self { inner, directory }
    }
}

impl Buffer<Standard<Block>> for Blocks {
    type PublicKey = SeatKey;

    async fn find_by_digest(&self, digest: Digest) -> Option<Digested<Block>> {
        self.inner.get(digest).await
    }

    async fn find_by_commitment(&self, commitment: Digest) -> Option<Digested<Block>> {
        self.inner.get(commitment).await
    }

    fn subscribe_by_digest(&self, digest: Digest) -> Option<oneshot::Receiver<Digested<Block>>> {
        Some(self.inner.subscribe(digest))
    }

    fn subscribe_by_commitment(&self, commitment: Digest) -> Option<oneshot::Receiver<Digested<Block>>> {
        Some(self.inner.subscribe(commitment))
    }

    fn send(&self, _: Round, block: Digested<Block>, recipients: Recipients<SeatKey>) {
        let node = |seat: &SeatKey| self.directory.node_of(seat);
        let recipients = match recipients {
            Recipients::All => Recipients::All,
            Recipients::Some(seats) => Recipients::Some(seats.iter().filter_map(node).collect()),
            Recipients::One(seat) => Recipients::Some(node(&seat).into_iter().collect()),
        };
        self.inner.broadcast(recipients, block);
    }
}

/// Requests for what is missing.
#[derive(Clone)]
pub(crate) struct Backfill {
    inner: p2p::Mailbox<Digest, NodeId>,
    directory: Directory,
}

impl Backfill {
    pub(crate) const fn new(inner: p2p::Mailbox<Digest, NodeId>, directory: Directory) -> Self {
        Self { inner, directory }
    }

    fn nodes(&self, seats: &NonEmptyVec<SeatKey>) -> Option<NonEmptyVec<NodeId>> {
        let nodes: Vec<NodeId> = seats.iter().filter_map(|seat| self.directory.node_of(seat)).collect();
        NonEmptyVec::try_from(nodes).ok()
    }
}

impl Resolver for Backfill {
    type Key = Key<Digest>;
    type Subscriber = Annotation;

    fn fetch<F>(&mut self, fetch: F) -> Feedback
    where
        F: Into<Fetch<Self::Key, Self::Subscriber>> + Send,
    {
        self.inner.fetch(fetch)
    }

    fn fetch_all<F>(&mut self, fetches: Vec<F>) -> Feedback
    where
        F: Into<Fetch<Self::Key, Self::Subscriber>> + Send,
    {
        self.inner.fetch_all(fetches)
    }

    fn retain(
        &mut self,
        predicate: impl Fn(&Self::Key, &Self::Subscriber) -> bool + Send + 'static,
    ) -> Feedback {
        self.inner.retain(predicate)
    }
}

impl TargetedResolver for Backfill {
    type PublicKey = SeatKey;

    fn fetch_targeted(
        &mut self,
        fetch: impl Into<Fetch<Self::Key, Self::Subscriber>> + Send,
        targets: NonEmptyVec<SeatKey>,
    ) -> Feedback {
        match self.nodes(&targets) {
            Some(nodes) => self.inner.fetch_targeted(fetch, nodes),
            None => self.inner.fetch(fetch),
        }
    }

    fn fetch_all_targeted<F>(&mut self, fetches: Vec<(F, NonEmptyVec<SeatKey>)>) -> Feedback
    where
        F: Into<Fetch<Self::Key, Self::Subscriber>> + Send,
    {
        for (fetch, targets) in fetches {
            if self.fetch_targeted(fetch, targets) == Feedback::Closed {
                return Feedback::Closed;
            }
        }
        Feedback::Ok
    }
}
