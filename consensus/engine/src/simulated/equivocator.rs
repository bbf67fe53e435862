//! A seat that says two things at once: for every vote it hears, it casts that vote, and one for another block.

use crate::{
    bans::Bans,
    block::Digest,
    durability::Runtime,
    lines::EpochLines,
    node_key::NodeId,
    scheme::SeatScheme,
    seat_network::{Locals, Roster, SeatSender, fan_in},
};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::simplex::types::{Finalize, Notarize, Proposal, Vote};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_p2p::{Receiver as _, Recipients, Sender};
use std::sync::Arc;

pub(super) async fn run<E, S>(
    context: &E,
    [votes, certificates, resolver]: EpochLines<S>,
    roster: Arc<Roster>,
    bans: Bans,
    scheme: SeatScheme,
    seat: u16,
) where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    // Held so that nothing it does not read counts as stray.
    let _unread = (certificates, resolver);
    let (locals, mut queues) = Locals::new([seat]);
    let Some(mut queue) = queues.remove(&seat) else { return };
    let (sender, receiver) = votes;
    let mut sender = SeatSender::new(seat, roster.clone(), locals.clone(), sender);
    let _fan_in =
        context.child("fan_in").spawn(move |_| fan_in(receiver, roster, locals, bans)).abort_on_drop();
    while let Ok((_, message)) = queue.recv().await {
        let Ok(vote) = Vote::<SeatScheme, Digest>::decode(message) else { continue };
        let said: Vec<Option<Vote<SeatScheme, Digest>>> = match vote {
            Vote::Notarize(vote) => {
                let proposals = [other(&vote.proposal), vote.proposal];
                proposals.map(|proposal| Notarize::sign(&scheme, proposal).map(Vote::Notarize)).into()
            }
            Vote::Finalize(vote) => {
                let proposals = [other(&vote.proposal), vote.proposal];
                proposals.map(|proposal| Finalize::sign(&scheme, proposal).map(Vote::Finalize)).into()
            }
            Vote::Nullify(_) => continue,
        };
        for vote in said.into_iter().flatten() {
            sender.send(Recipients::All, vote.encode(), true);
        }
    }
}

/// A proposal for a block that does not exist, in the same view.
fn other(proposal: &Proposal<Digest>) -> Proposal<Digest> {
    Proposal::new(proposal.round, proposal.parent, Sha256::hash(&[proposal.payload.as_ref()]))
}
