//! How a shard node speaks to the beacon chain.
//!
//! Nothing that comes over a link is believed: the follower verifies it. What goes over it, the other side verifies.

use primitives::{Chain, Committee, CrosslinkOffer, Epoch, Evidence, Height, LightUpdate};
use rpc::beacon::{BeaconClient, BeaconClientError};
use service::runtime::BoxFuture;
use std::{fmt, time::Duration};

/// Why nothing came over a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The other side cannot be reached, or is not ready.
    #[error("{0}")]
    Unavailable(String),
    /// The other side has no such thing, or wants none of what was offered.
    #[error("{0}")]
    Refused(String),
}

/// An answer that comes, if at all, over a link.
pub type LinkFuture<T> = BoxFuture<Result<T, LinkError>>;

/// A way to the beacon chain, used by one shard node.
pub trait BeaconLink: fmt::Debug + Send + Sync + 'static {
    /// The lowest update above `height` that is kept, as soon as there is one; `None` if there is none within `wait`.
    fn update_after(&self, height: Height, wait: Duration) -> LinkFuture<Option<LightUpdate>>;

    /// The committee that was drawn for a chain and epoch.
    fn committee(&self, chain: Chain, epoch: Epoch) -> LinkFuture<Committee>;

    /// Offers a crosslink for a coming beacon block.
    fn submit_crosslink(&self, offer: CrosslinkOffer) -> LinkFuture<()>;

    /// Offers a proof of equivocation.
    fn submit_evidence(&self, evidence: Evidence) -> LinkFuture<()>;
}

/// A link over a beacon node's REST interface.
#[derive(Clone, Debug)]
pub struct HttpLink(BeaconClient);

impl HttpLink {
    /// A link to the beacon node that `client` speaks to.
    pub const fn new(client: BeaconClient) -> Self {
        Self(client)
    }
}

impl From<BeaconClientError> for LinkError {
    fn from(error: BeaconClientError) -> Self {
        match error {
            BeaconClientError::Refused { status: 400..=499, .. } => Self::Refused(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl BeaconLink for HttpLink {
    fn update_after(&self, height: Height, wait: Duration) -> LinkFuture<Option<LightUpdate>> {
        let client = self.0.clone();
        Box::pin(async move { Ok(client.light_update(height, wait).await?) })
    }

    fn committee(&self, chain: Chain, epoch: Epoch) -> LinkFuture<Committee> {
        let client = self.0.clone();
        Box::pin(async move { Ok(client.committee(chain, epoch).await?) })
    }

    fn submit_crosslink(&self, offer: CrosslinkOffer) -> LinkFuture<()> {
        let client = self.0.clone();
        Box::pin(async move { Ok(client.submit_crosslink(&offer).await?) })
    }

    fn submit_evidence(&self, evidence: Evidence) -> LinkFuture<()> {
        let client = self.0.clone();
        Box::pin(async move { Ok(client.submit_evidence(&evidence).await?) })
    }
}
