//! What a shard offers to the beacon chain, on its way there.
//!
//! One at a time and bounded: an offer that does not arrive is made again by whoever made it.

use crate::link::BeaconLink;
use primitives::{CrosslinkOffer, Evidence};
use service::runtime::SharedRuntime;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Offers that may wait.
const OFFERS_MAX: usize = 16;

/// Something for a coming beacon block.
#[derive(Debug)]
pub(crate) enum Offer {
    Crosslink(Box<CrosslinkOffer>),
    Evidence(Box<Evidence>),
}

/// The task that hands offers in.
#[derive(Debug)]
pub(crate) struct Offers;

impl Offers {
    /// Hands offers in until nobody makes any more.
    pub(crate) fn start(link: Arc<dyn BeaconLink>, runtime: &SharedRuntime) -> mpsc::Sender<Offer> {
        let (sender, mut offers) = mpsc::channel(OFFERS_MAX);
        let task = async move {
            while let Some(offer) = offers.recv().await {
                let outcome = match offer {
                    Offer::Crosslink(crosslink) => link.submit_crosslink(*crosslink).await,
                    Offer::Evidence(evidence) => link.submit_evidence(*evidence).await,
                };
                if let Err(error) = outcome {
                    // A header that was accepted meanwhile is refused, which is as it should be.
                    tracing::debug!(%error, "offer not taken by the beacon node");
                }
            }
        };
        runtime.spawn("beacon offers", Box::pin(task));
        sender
    }
}
