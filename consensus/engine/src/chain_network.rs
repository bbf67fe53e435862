//! The network of one chain as its archive sees it: blocks go to the committees, and banned nodes are not heard.

use crate::{bans::Bans, node_key::NodeId};
use commonware_actor::{Feedback, Unreliable};
use commonware_p2p::{CheckedSender, LimitedSender, Message, Receiver, Recipients, Sender};
use commonware_runtime::IoBufs;
use parking_lot::RwLock;
use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc, time::SystemTime};

/// A receiver that leaves out what banned nodes send.
#[derive(Debug)]
pub(crate) struct Heard<R> {
    inner: R,
    bans: Bans,
}

impl<R> Heard<R> {
    pub(crate) const fn new(inner: R, bans: Bans) -> Self {
        Self { inner, bans }
    }
}

impl<R: Receiver<PublicKey = NodeId>> Receiver for Heard<R> {
    type Error = R::Error;
    type PublicKey = NodeId;

    async fn recv(&mut self) -> Result<Message<NodeId>, R::Error> {
        loop {
            let (node, message) = self.inner.recv().await?;
            if !self.bans.contains(&node) {
                return Ok((node, message));
            }
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.inner.capacity()
    }
}

/// The nodes that blocks are sent to; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audience(Arc<RwLock<Vec<NodeId>>>);

impl Audience {
    pub(crate) fn set(&self, nodes: BTreeSet<NodeId>) {
        *self.0.write() = nodes.into_iter().collect();
    }

    pub(crate) fn get(&self) -> Vec<NodeId> {
        self.0.read().clone()
    }
}

/// A sender to whom "all" is an [`Audience`].
#[derive(Clone, Debug)]
pub(crate) struct ToAudience<S> {
    audience: Audience,
    inner: S,
}

impl<S> ToAudience<S> {
    pub(crate) const fn new(audience: Audience, inner: S) -> Self {
        Self { audience, inner }
    }
}

impl<S: Sender<PublicKey = NodeId>> LimitedSender for ToAudience<S> {
    type PublicKey = NodeId;
    type Checked<'a> = CheckedAudience<'a, S>;

    fn check(&mut self, recipients: Recipients<NodeId>) -> Result<CheckedAudience<'_, S>, SystemTime> {
        let recipients = match recipients {
            Recipients::All => Recipients::Some(self.audience.get()),
            some => some,
        };
        if matches!(&recipients, Recipients::Some(nodes) if nodes.is_empty()) {
            return Ok(CheckedAudience(None));
        }
        self.inner.check(recipients).map(|checked| CheckedAudience(Some(checked)))
    }
}

/// A message whose receivers, if there are any, may be sent to now.
pub(crate) struct CheckedAudience<'a, S: Sender<PublicKey = NodeId> + 'a>(Option<S::Checked<'a>>);

impl<S: Sender<PublicKey = NodeId>> CheckedSender for CheckedAudience<'_, S> {
    type PublicKey = NodeId;

    fn recipients(&self) -> Vec<NodeId> {
        self.0.as_ref().map(CheckedSender::recipients).unwrap_or_default()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        match self.0 {
            Some(checked) => checked.send(message, priority),
            None => Unreliable::Outcome(Feedback::Ok),
        }
    }
}
