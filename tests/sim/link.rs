//! A shard node's way to its own validator's beacon node, which may be slow.

use crate::runtime::NodeRuntime;
use beacon_node::{BeaconHandle, SubmitError};
use primitives::{Chain, Committee, CrosslinkOffer, Epoch, Evidence, Height, LightUpdate, Unverified};
use service::runtime::Runtime as _;
use shard_node::link::{BeaconLink, LinkError, LinkFuture};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long everything takes over one link, milliseconds; a scenario may change it.
#[derive(Clone, Debug)]
pub(crate) struct Lag(Arc<AtomicU64>);

impl Lag {
    pub(crate) fn new(lag: Duration) -> Self {
        let link = Self(Arc::default());
        link.set(lag);
        link
    }

    pub(crate) fn set(&self, lag: Duration) {
        self.0.store(u64::try_from(lag.as_millis()).expect("short"), Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A link within one machine.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedLink {
    pub(crate) beacon: BeaconHandle,
    pub(crate) runtime: Arc<NodeRuntime>,
    pub(crate) lag: Lag,
}

impl SimulatedLink {
    /// The answer, after the link's lag.
    fn delayed<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, LinkError>> + Send + 'static,
    ) -> LinkFuture<T> {
        let (runtime, lag) = (Arc::clone(&self.runtime), self.lag.clone());
        Box::pin(async move {
            let answer = answer.await;
            runtime.sleep(lag.get()).await;
            answer
        })
    }
}

fn unavailable(error: impl std::fmt::Display) -> LinkError {
    LinkError::Unavailable(error.to_string())
}

fn submitted<T>(outcome: Result<T, SubmitError>) -> Result<(), LinkError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error @ SubmitError::Refused(_)) => Err(LinkError::Refused(error.to_string())),
        Err(error) => Err(unavailable(error)),
    }
}

impl BeaconLink for SimulatedLink {
    fn update_after(&self, height: Height, wait: Duration) -> LinkFuture<Option<LightUpdate>> {
        let beacon = self.beacon.clone();
        self.delayed(async move { beacon.light_update_after(height, wait).await.map_err(unavailable) })
    }

    fn committee(&self, chain: Chain, epoch: Epoch) -> LinkFuture<Committee> {
        let drawn = self.beacon.committee(chain, epoch);
        self.delayed(async move {
            let drawn = drawn.map_err(unavailable)?;
            let refused = || LinkError::Refused(format!("chain {chain} has no committee of epoch {epoch}"));
            drawn.map(|drawn| drawn.committee).ok_or_else(refused)
        })
    }

    fn submit_crosslink(&self, offer: CrosslinkOffer) -> LinkFuture<()> {
        let beacon = self.beacon.clone();
        self.delayed(async move { submitted(beacon.submit_crosslink(Unverified::new(offer)).await) })
    }

    fn submit_evidence(&self, evidence: Evidence) -> LinkFuture<()> {
        let beacon = self.beacon.clone();
        self.delayed(async move { submitted(beacon.submit_evidence(Unverified::new(evidence)).await) })
    }
}
