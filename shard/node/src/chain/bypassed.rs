//! A branch that the beacon chain did not take.
//!
//! A committee that certified two branches is replaced: the beacon chain ends its epoch early. Until a node whose branch is
//! not the accepted one hears of that, it follows its own no further, shows none of it as finalized, and offers its
//! certificates: with the accepted one they show the beacon chain that there are two.

use super::{ChainFailure, Reply, ShardChain};
use engine::Acknowledge;
use primitives::{B256, Height};

impl ShardChain {
    /// Notes that the header accepted at `height` is not this node's, and shows the beacon chain this node's.
    pub(super) async fn bypass(&mut self, height: Height, accepted: B256) -> Result<(), ChainFailure> {
        tracing::error!(
            shard = %self.shard, %height, %accepted,
            "the beacon chain accepted another branch than this node's: either the shard's committee certified two and \
             its epoch will end early, or the data directory is of another network or damaged"
        );
        self.is_bypassed = true;
        // Of the accepted height, or directly above it: those can be told from the accepted branch.
        for height in [height, height.next()] {
            let (Some(below), Some(header)) = (height.previous(), self.reader.header(height)?) else {
                continue;
            };
            if let Some(certificate) = self.certificate(height).await? {
                self.offer(header, certificate, below);
                break;
            }
        }
        Ok(())
    }

    /// Leaves a certified block of a branch that does not count alone. It stays unacknowledged until the engine is
    /// opened anew: without its acknowledgement, the old one would end.
    pub(super) fn hold(&mut self, acknowledge: Acknowledge) {
        self.expect(Reply::Acknowledge(acknowledge));
    }
}
