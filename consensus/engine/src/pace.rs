//! Keeps an epoch's committee from hurrying once its last block is certified.
//!
//! Until its members leave, the committee goes on agreeing on that block, so that whoever missed it can still catch
//! up. Nothing new is built, so nothing but this would hold it back.

use crate::{
    block::Digest,
    scheme::{SeatKey, SeatScheme},
};
use commonware_actor::Feedback;
use commonware_consensus::{
    Automaton, CertifiableAutomaton, Handoff, Relay, Reporter,
    simplex::{
        Plan,
        types::{Activity, Context},
    },
    types::Round,
};
use commonware_runtime::{Clock, Spawner};
use commonware_utils::channel::{fallible::OneshotExt as _, oneshot};
use parking_lot::Mutex;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Last blocks of epochs that are certified; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boundaries(Arc<Mutex<BTreeSet<Digest>>>);

impl Boundaries {
    pub(crate) fn add(&self, digest: Digest) {
        self.0.lock().insert(digest);
    }

    fn contains(&self, digest: &Digest) -> bool {
        self.0.lock().contains(digest)
    }
}

/// Waits an interval before a certified last block is proposed again; does nothing else.
pub(crate) struct Paced<E, A> {
    pub(crate) context: Arc<E>,
    pub(crate) inner: A,
    pub(crate) boundaries: Boundaries,
    pub(crate) interval: Duration,
}

impl<E, A: Clone> Clone for Paced<E, A> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            inner: self.inner.clone(),
            boundaries: self.boundaries.clone(),
            interval: self.interval,
        }
    }
}

impl<E, A> Automaton for Paced<E, A>
where
    E: Spawner + Clock,
    A: Automaton<Context = Context<Digest, SeatKey>, Digest = Digest> + Sync,
{
    type Context = Context<Digest, SeatKey>;
    type Digest = Digest;

    async fn propose(&mut self, context: Self::Context) -> oneshot::Receiver<Digest> {
        if !self.boundaries.contains(&context.parent.1) {
            return self.inner.propose(context).await;
        }
        let (mut sender, receiver) = oneshot::channel();
        let (mut inner, interval) = (self.inner.clone(), self.interval);
        self.context.child("pace").spawn(move |clock| async move {
            tokio::select! {
                biased;
                () = sender.closed() => return,
                () = clock.sleep(interval) => {}
            }
            let proposed = inner.propose(context).await;
            if let Ok(digest) = proposed.await {
                sender.send_lossy(digest);
            }
        });
        receiver
    }

    async fn verify(&mut self, context: Self::Context, payload: Digest) -> oneshot::Receiver<bool> {
        self.inner.verify(context, payload).await
    }
}

impl<E, A> CertifiableAutomaton for Paced<E, A>
where
    E: Spawner + Clock,
    A: CertifiableAutomaton<Context = Context<Digest, SeatKey>, Digest = Digest> + Sync,
{
    async fn prepare(&mut self, context: Self::Context) -> oneshot::Receiver<Handoff<Digest>> {
        if !self.boundaries.contains(&context.parent.1) {
            return self.inner.prepare(context).await;
        }
        let (sender, receiver) = oneshot::channel();
        sender.send_lossy(Handoff::Wait);
        receiver
    }

    async fn certify(&mut self, round: Round, payload: Digest) -> oneshot::Receiver<bool> {
        self.inner.certify(round, payload).await
    }
}

impl<E, A> Relay for Paced<E, A>
where
    E: Send + Sync + 'static,
    A: Relay<Digest = Digest, PublicKey = SeatKey, Plan = Plan<SeatKey>>,
{
    type Digest = Digest;
    type PublicKey = SeatKey;
    type Plan = Plan<SeatKey>;

    fn broadcast(&mut self, payload: Digest, plan: Plan<SeatKey>) -> Feedback {
        self.inner.broadcast(payload, plan)
    }
}

impl<E, A> Reporter for Paced<E, A>
where
    E: Send + Sync + 'static,
    A: Reporter<Activity = Activity<SeatScheme, Digest>>,
{
    type Activity = Activity<SeatScheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        self.inner.report(activity)
    }
}
