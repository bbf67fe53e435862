//! How the owner of a chain steers its engine.

use crate::{Block, SeatSigner};
use bytes::Bytes;
use primitives::{Certificate, Committee, Epoch, EpochTable, Height};
use std::{fmt, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Steers the engine of one chain. Clones steer the same one; when the last is dropped, the engine stops.
///
/// Nothing here waits for the engine except [`Self::block`].
#[derive(Clone, Debug)]
pub struct ChainHandle {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) gossip: mpsc::Sender<Bytes>,
}

/// What a [`ChainHandle`] says to its chain.
pub(crate) enum Command {
    Table(EpochTable),
    Committee(Epoch, Committee),
    Enter { epoch: Epoch, parent: Block, seats: Vec<Arc<dyn SeatSigner>> },
    Leave(Epoch),
    Block(Height, oneshot::Sender<Option<(Block, Option<Certificate>)>>),
    Prune(Height),
    Close,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(_) => f.write_str("Table"),
            Self::Committee(epoch, _) => write!(f, "Committee({epoch})"),
            Self::Enter { epoch, seats, .. } => write!(f, "Enter({epoch}, {} seats)", seats.len()),
            Self::Leave(epoch) => write!(f, "Leave({epoch})"),
            Self::Block(height, _) => write!(f, "Block({height})"),
            Self::Prune(height) => write!(f, "Prune({height})"),
            Self::Close => f.write_str("Close"),
        }
    }
}

impl ChainHandle {
    /// Says which heights belong to which epoch. Beyond the table's last entry, epochs are of the chain's
    /// fixed length. A table may only add to what earlier ones said.
    pub fn table(&self, table: EpochTable) {
        self.command(Command::Table(table));
    }

    /// Makes certificates of `epoch` verifiable: what a follower needs, and every member before it enters.
    ///
    /// Every key of the committee must have been registered with its proof of possession.
    pub fn committee(&self, epoch: Epoch, committee: Committee) {
        self.command(Command::Committee(epoch, committee));
    }

    /// Takes part in `epoch`, whose committee was given, with each of `seats`; with none it only follows.
    ///
    /// `parent` is the block just below the epoch's first height.
    pub fn enter(&self, epoch: Epoch, parent: Block, seats: Vec<Arc<dyn SeatSigner>>) {
        self.command(Command::Enter { epoch, parent, seats });
    }

    /// Stops taking part in `epoch` and forgets its votes: for an epoch whose successor is under way.
    pub fn leave(&self, epoch: Epoch) {
        self.command(Command::Leave(epoch));
    }

    /// Sends `payload` to every peer. It is dropped where a queue is full or a peer is not connected.
    pub fn gossip(&self, payload: Bytes) {
        if self.gossip.try_send(payload).is_err() {
            tracing::debug!("gossip queue full, message dropped");
        }
    }

    /// The certified block at `height` with a certificate of its own, if it has one. `None` if it was pruned,
    /// or is not there yet.
    pub async fn block(&self, height: Height) -> Option<(Block, Option<Certificate>)> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Block(height, reply));
        answer.await.ok().flatten()
    }

    /// Lets go of certified blocks below `height`, once they were acknowledged.
    pub fn prune(&self, height: Height) {
        self.command(Command::Prune(height));
    }

    /// Stops everything of this chain. The requests end.
    pub fn close(self) {
        self.command(Command::Close);
    }

    fn command(&self, command: Command) {
        if let Err(error) = self.commands.send(command) {
            tracing::debug!(command = ?error.0, "chain is closed, command dropped");
        }
    }
}
