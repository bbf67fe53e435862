//! Proposing and verifying, as requests to the owner of the chain.
//!
//! Whatever can be checked without the chain's state is checked here, so that the owner is asked only about blocks
//! whose place in the chain and in time is right. What one seat of this node has asked, the others are told.

use crate::{
    Block, Context, Request,
    block::{BlockLimits, digest_of},
    directory::Directory,
    scheme::{SeatKey, SeatScheme, key_bytes},
};
use commonware_codec::EncodeSize as _;
use commonware_consensus::{Application, BoundedBlock as _, marshal::ancestry::Ancestry, simplex::types};
use commonware_cryptography::{Digested, sha256};
use commonware_runtime::Clock;
use futures::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Shared, pending, ready},
};
use parking_lot::Mutex;
use primitives::{B256, Epoch, View};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use tokio::sync::{mpsc, oneshot};

/// Verdicts that are remembered: those of many views, in which there is rarely more than one block.
const VERDICTS_MAX: usize = 256;

/// A verdict that is known or will be; `None` if there will be none.
type Verdict = Shared<BoxFuture<'static, Option<bool>>>;

/// What all seats of this node share of one chain.
#[derive(Clone)]
pub(crate) struct Owner {
    inner: Arc<Inner>,
}

struct Inner {
    requests: mpsc::Sender<Request>,
    directory: Directory,
    limits: BlockLimits,
    interval_ms: u64,
    drift_ms: u64,
    /// By view and block, oldest first.
    verdicts: Mutex<BTreeMap<(Epoch, View, Context, B256), Verdict>>,
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms(clock: &impl Clock) -> u64 {
    let elapsed = clock.current().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Waits until the clock shows at least `at_ms`, and says what it shows.
async fn wait_until(clock: &impl Clock, at_ms: u64) -> u64 {
    loop {
        let now = now_ms(clock);
        if now >= at_ms {
            return now;
        }
        clock.sleep(Duration::from_millis(at_ms - now)).await;
    }
}

/// Whether the header repeats the context and stands right above its parent.
fn fits(block: &Block, context: &Context, parent: &Block) -> bool {
    block.chain() == context.chain
        && block.epoch() == context.epoch
        && block.view() == context.view
        && block.parent_view() == context.parent_view
        && block.parent() == context.parent
        && parent.id() == context.parent
        && parent.height().get().checked_add(1) == Some(block.height().get())
        && block.timestamp_ms() > parent.timestamp_ms()
}

impl Owner {
    pub(crate) fn new(
        requests: mpsc::Sender<Request>,
        directory: Directory,
        limits: BlockLimits,
        interval_ms: u64,
        drift_ms: u64,
    ) -> Self {
        let verdicts = Mutex::default();
        Self { inner: Arc::new(Inner { requests, directory, limits, interval_ms, drift_ms, verdicts }) }
    }

    fn context(&self, context: &types::Context<sha256::Digest, SeatKey>) -> Context {
        let epoch = Epoch::new(context.round.epoch().get());
        let (parent_view, parent) = context.parent;
        let committee = self.inner.directory.committee(epoch);
        Context {
            chain: self.inner.limits.chain,
            epoch,
            view: View::new(context.round.view().get()),
            parent_view: View::new(parent_view.get()),
            parent: B256::from_slice(parent.as_ref()),
            leader: committee.and_then(|(scheme, _)| scheme.index_of(&context.leader)).unwrap_or(u32::MAX),
            leader_key: key_bytes(&context.leader),
        }
    }

    fn remember(&self, context: Context, id: B256, verdict: Verdict) {
        let mut verdicts = self.inner.verdicts.lock();
        verdicts.insert((context.epoch, context.view, context, id), verdict);
        while verdicts.len() > VERDICTS_MAX {
            verdicts.pop_first();
        }
    }

    async fn propose(&self, clock: &impl Clock, context: Context, parent: Block) -> Option<Block> {
        let due = parent.timestamp_ms().saturating_add(self.inner.interval_ms);
        let now_ms = wait_until(clock, due).await;
        let (reply, answer) = oneshot::channel();
        let request = Request::Propose { context, parent: parent.clone(), now_ms, reply };
        self.inner.requests.send(request).await.ok()?;
        let block = answer.await.ok().flatten()?;
        if !fits(&block, &context, &parent)
            || block.encode_size() > Block::max_encode_size(&self.inner.limits)
        {
            tracing::error!(?context, id = %block.id(), bytes = block.encode_size(), "own proposal does not fit its context or its limits");
            return None;
        }
        self.remember(context, block.id(), ready(Some(true)).boxed().shared());
        Some(block)
    }

    async fn verify(&self, clock: &impl Clock, context: Context, parent: Block, block: Block) -> bool {
        if !fits(&block, &context, &parent) {
            return false;
        }
        wait_until(clock, block.timestamp_ms().saturating_sub(self.inner.drift_ms)).await;
        match self.ask(clock, context, parent, block).await.await {
            Some(valid) => valid,
            None => pending().await,
        }
    }

    /// Asks the owner, unless another seat has.
    async fn ask(&self, clock: &impl Clock, context: Context, parent: Block, block: Block) -> Verdict {
        let key = (context.epoch, context.view, context, block.id());
        let known = || self.inner.verdicts.lock().get(&key).cloned();
        if let Some(verdict) = known() {
            return verdict;
        }
        // Nothing is remembered before there is room for the request: this future may be dropped while it waits.
        let Ok(permit) = self.inner.requests.reserve().await else {
            return ready(None).boxed().shared();
        };
        if let Some(verdict) = known() {
            return verdict;
        }
        let (reply, answer) = oneshot::channel();
        let verdict = answer.map(Result::ok).boxed().shared();
        self.remember(context, block.id(), verdict.clone());
        permit.send(Request::Verify { context, parent, block, now_ms: now_ms(clock), reply });
        verdict
    }
}

impl<E: Clock> Application<E> for Owner {
    type SigningScheme = SeatScheme;
    type Context = types::Context<sha256::Digest, SeatKey>;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (clock, context): (E, Self::Context),
        mut ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        let parent = ancestry.next().await?.inner().clone();
        drop(ancestry);
        let context = self.context(&context);
        let block = Self::propose(self, &clock, context, parent).await?;
        let digest = digest_of(block.id());
        Some(Digested::precomputed(block, digest))
    }

    async fn verify(
        &mut self,
        (clock, context): (E, Self::Context),
        mut ancestry: impl Ancestry<Block>,
    ) -> bool {
        let (Some(block), Some(parent)) = (ancestry.next().await, ancestry.next().await) else {
            // Only a shutdown ends the ancestry early.
            return pending().await;
        };
        drop(ancestry);
        let context = self.context(&context);
        Self::verify(self, &clock, context, parent.inner().clone(), block.inner().clone()).await
    }
}
