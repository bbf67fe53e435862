//! What an engine's activity is watched for: contradictions, and news for those who only follow.

use crate::{
    Request,
    block::Digest,
    chain_network::Audience,
    gossip,
    node_key::NodeId,
    scheme::{SeatScheme, signed_finalize, signed_notarize, signed_nullify},
};
use commonware_actor::Feedback;
use commonware_codec::{DecodeExt as _, Encode as _, ReadExt as _};
use commonware_consensus::{
    Reporter,
    simplex::types::{Activity, Finalize, Notarize, Nullify},
};
use commonware_p2p::{Recipients, Sender};
use commonware_parallel::Sequential;
use parking_lot::Mutex;
use primitives::{Chain, Epoch, SignedVote, View, VoteKind};
use rand_core::CryptoRng;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::mpsc;

/// When, which seat, and what kinds of statements.
type Contradiction = (Epoch, View, u32, VoteKind, VoteKind);

/// Contradictions that are remembered as reported.
const REPORTED_MAX: usize = 4096;

/// Reports each contradiction of a chain once, whichever of this node's seats noticed it; clones share what was reported.
#[derive(Clone)]
pub(crate) struct Evidence {
    chain: Chain,
    requests: mpsc::Sender<Request>,
    reported: Arc<Mutex<BTreeSet<Contradiction>>>,
}

impl Evidence {
    pub(crate) fn new(chain: Chain, requests: mpsc::Sender<Request>) -> Self {
        Self { chain, requests, reported: Arc::default() }
    }

    /// Whether these two were reported before.
    fn is_known(&self, first: &SignedVote, second: &SignedVote) -> bool {
        self.reported.lock().contains(&contradiction(first, second))
    }

    fn report(&self, first: SignedVote, second: SignedVote) {
        let key = contradiction(&first, &second);
        let mut reported = self.reported.lock();
        if reported.contains(&key) {
            return; // another seat was quicker
        }
        // A full channel leaves it unreported: other seats and other nodes notice the same.
        if self.requests.try_send(Request::Evidence { first, second }).is_ok() {
            reported.insert(key);
            while reported.len() > REPORTED_MAX {
                reported.pop_first();
            }
        }
    }

    /// The two statements of a contradiction. The library shows them only by their encoding.
    fn statements(&self, activity: &Activity<SeatScheme, Digest>) -> Option<(SignedVote, SignedVote)> {
        let encoded = activity_body(activity)?;
        let mut buf = encoded;
        match activity {
            Activity::ConflictingNotarize(_) => {
                let first = Notarize::<SeatScheme, Digest>::read(&mut buf).ok()?;
                let second = Notarize::<SeatScheme, Digest>::decode(buf).ok()?;
                Some((signed_notarize(self.chain, &first)?, signed_notarize(self.chain, &second)?))
            }
            Activity::ConflictingFinalize(_) => {
                let first = Finalize::<SeatScheme, Digest>::read(&mut buf).ok()?;
                let second = Finalize::<SeatScheme, Digest>::decode(buf).ok()?;
                Some((signed_finalize(self.chain, &first)?, signed_finalize(self.chain, &second)?))
            }
            Activity::NullifyFinalize(_) => {
                let first = Nullify::<SeatScheme>::read(&mut buf).ok()?;
                let second = Finalize::<SeatScheme, Digest>::decode(buf).ok()?;
                Some((signed_nullify(self.chain, &first)?, signed_finalize(self.chain, &second)?))
            }
            _ => None,
        }
    }
}

const fn contradiction(first: &SignedVote, second: &SignedVote) -> Contradiction {
    (first.vote.epoch, first.vote.view, first.seat, first.vote.kind, second.vote.kind)
}

/// The encoding of a contradiction; `None` for all other activity.
fn activity_body(activity: &Activity<SeatScheme, Digest>) -> Option<bytes::Bytes> {
    match activity {
        Activity::ConflictingNotarize(conflict) => Some(conflict.encode()),
        Activity::ConflictingFinalize(conflict) => Some(conflict.encode()),
        Activity::NullifyFinalize(conflict) => Some(conflict.encode()),
        _ => None,
    }
}

/// Searches what one seat's voter sees for contradictions. Only those are verified: of a view's votes the voter itself
/// verifies no more than it needs, and verifying all of them here would cost more than the rest of consensus.
pub(crate) struct Accuser<E> {
    rng: Arc<Mutex<E>>,
    scheme: SeatScheme,
    evidence: Evidence,
}

impl<E> Clone for Accuser<E> {
    fn clone(&self) -> Self {
        Self { rng: self.rng.clone(), scheme: self.scheme.clone(), evidence: self.evidence.clone() }
    }
}

impl<E> Accuser<E> {
    pub(crate) fn new(rng: E, scheme: SeatScheme, evidence: Evidence) -> Self {
        Self { rng: Arc::new(Mutex::new(rng)), scheme, evidence }
    }
}

impl<E: CryptoRng + Send + 'static> Reporter for Accuser<E> {
    type Activity = Activity<SeatScheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        if let Some((first, second)) = self.evidence.statements(&activity)
            && !self.evidence.is_known(&first, &second)
            && activity.verify(&mut *self.rng.lock(), &self.scheme, &Sequential)
        {
            self.evidence.report(first, second);
        }
        Feedback::Ok
    }
}

/// Tells nodes outside the committee what was finalized; two seats take turns in each view.
#[derive(Clone)]
pub(crate) struct News<S> {
    pub(crate) seat: u32,
    pub(crate) seats: u32,
    /// All nodes this one is connected to.
    pub(crate) peers: Audience,
    /// Nodes of the committee: they know.
    pub(crate) members: Arc<BTreeSet<NodeId>>,
    pub(crate) gossip: S,
}

/// Seats that tell the news of one view.
const TELLERS: u64 = 2;

impl<S: Sender<PublicKey = NodeId>> Reporter for News<S> {
    type Activity = Activity<SeatScheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        let Activity::Finalization(finalization) = activity else { return Feedback::Ok };
        let turn = finalization.proposal.round.view().get().wrapping_sub(u64::from(self.seat));
        if turn % u64::from(self.seats.max(1)) < TELLERS {
            let mut followers = self.peers.get();
            followers.retain(|node| !self.members.contains(node));
            if !followers.is_empty() {
                self.gossip.send(Recipients::Some(followers), gossip::news(&finalization), false);
            }
        }
        Feedback::Ok
    }
}
