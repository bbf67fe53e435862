//! Certified blocks on their way to the owner of the chain.

use crate::{Acknowledge, Block, Request, archive::Archive, pace::Boundaries, scheme::certificate_of};
use commonware_actor::Feedback;
use commonware_consensus::{Reporter, marshal::Update, types::Epocher};
use commonware_utils::{Acknowledgement as _, acknowledgement::Exact};
use primitives::Height;
use tokio::sync::mpsc;

/// What the archive hands its blocks to. It hands out only a few before one is acknowledged, which bounds the queue.
#[derive(Clone, Debug)]
pub(crate) struct Deliver(mpsc::UnboundedSender<(Block, Exact)>);

/// The other end of [`Deliver`].
pub(crate) type Delivered = mpsc::UnboundedReceiver<(Block, Exact)>;

pub(crate) fn channel() -> (Deliver, Delivered) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Deliver(sender), receiver)
}

impl Reporter for Deliver {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match update {
            Update::Tip(..) => Feedback::Ok,
            // Dropping the acknowledgement with the block stops the archive, as it should without an owner.
            Update::Block(block, acknowledge) => match self.0.send((block.inner().clone(), acknowledge)) {
                Ok(()) => Feedback::Ok,
                Err(_) => Feedback::Closed,
            },
        }
    }
}

/// Passes blocks above `start` on, each with its certificate if it has one, until one of both ends is gone.
pub(crate) async fn run(
    mut delivered: Delivered,
    archive: Archive,
    epochs: impl Epocher,
    boundaries: Boundaries,
    start: Height,
    requests: mpsc::Sender<Request>,
) {
    while let Some((block, acknowledge)) = delivered.recv().await {
        let height = commonware_consensus::Heightable::height(&block);
        if epochs.containing(height).is_some_and(|epoch| epoch.last() == height) {
            boundaries.add(crate::block::digest_of(block.id()));
        }
        if block.height() <= start {
            acknowledge.acknowledge();
            continue;
        }
        let finalization = archive.get_finalization(height).await;
        let certificate =
            finalization.as_ref().map(certificate_of).filter(|certificate| certificate.id == block.id());
        let request = Request::Certified { block, certificate, acknowledge: Acknowledge(acknowledge) };
        if requests.send(request).await.is_err() {
            return;
        }
    }
}
