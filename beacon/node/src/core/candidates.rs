//! What may enter a coming block: crosslinks and evidence, checked when they arrive.
//!
//! Everything held is acceptable above the certified head, certificates included, so nothing worthless takes
//! the place of something good; both pools are bounded whatever is sent. Only ancestries are held unjudged. What shards
//! sent to the beacon chain comes with their crosslinks, and is verified against the crosslink's header.
//! A crosslink that is refused because it is on another branch is looked at all the same: it may show that its committee
//! certified two.

use super::ancestries::Ancestries;
use super::bundles::Bundles;
use super::committees::Committees;
use super::seen::Seen;
use super::step::Taken;
use beacon_state::operation::conflict::ConflictError;
use beacon_state::operation::crosslink::{self, CrosslinkError};
use beacon_state::operation::evidence::{self, EvidenceError, Verdict};
use beacon_state::proposal::{BundleSource, Candidates, HistorySource};
use beacon_state::{BeaconState, CommitteeSource as _, Offence};
use consensus::authority::CertificateError;
use crypto::mmr::MmrProof;
use primitives::{
    ANCESTRIES_MAX, B256, BeaconBundle, Chain, ChainSpec, Conflict, Crosslink, CrosslinkOffer, Epoch,
    Evidence, Height, OFFER_BUNDLES_MAX, ShardHeader, ShardId,
};
use std::collections::BTreeMap;

/// Why something that was offered is refused; the sender is at fault unless it is [`Self::Full`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CandidateError {
    /// The crosslink cannot be accepted.
    #[error(transparent)]
    Crosslink(#[from] CrosslinkError),
    /// It comes with what only a beacon proposer attaches.
    #[error("an offered crosslink says nothing of its sources, found {found} of them")]
    Sources {
        /// Ancestries of sources.
        found: usize,
    },
    /// It comes with more than can be kept.
    #[error("an offer has at most {max} ancestries, found {found}")]
    Ancestries {
        /// The limit.
        max: usize,
        /// In the offer.
        found: usize,
    },
    /// It comes with more receipts than can be kept.
    #[error("an offer has at most {max} bundles, found {found}")]
    Bundles {
        /// The limit.
        max: usize,
        /// In the offer.
        found: usize,
    },
    /// It comes with receipts of another shard.
    #[error("the crosslink is of shard {expected}, a bundle of shard {found}")]
    BundleShard {
        /// The crosslink's.
        expected: ShardId,
        /// The bundle's.
        found: ShardId,
    },
    /// Its committee is not known.
    #[error("the committee of shard {shard} in epoch {epoch} is not known")]
    NoCommittee {
        /// The shard.
        shard: ShardId,
        /// The header's epoch.
        epoch: Epoch,
    },
    /// Its certificate is wrong.
    #[error("the certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// The evidence proves nothing new.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The conflict proves nothing, or ends nothing any more.
    #[error(transparent)]
    Conflict(#[from] ConflictError),
    /// No more can be held; it may be offered again later.
    #[error("{max} pieces of evidence are waiting already")]
    Full {
        /// The limit.
        max: usize,
    },
}

/// Crosslinks that may be accepted next: of each shard the newest few. Whether what they consumed is accepted
/// too is not asked here: until it is, they wait.
#[derive(Clone, Debug, Default)]
pub(super) struct CrosslinkPool {
    /// Rising by height in each shard.
    by_shard: Candidates,
    /// In the histories of these crosslinks' headers, and of the accepted ones.
    ancestries: Ancestries,
    /// Likewise.
    bundles: Bundles,
    seen: Seen,
    /// Conflicts found and not taken from here yet.
    conflicts: Vec<Conflict>,
}

impl CrosslinkPool {
    /// Most crosslinks of one shard.
    pub(super) const SHARD_MAX: usize = 8;

    /// Takes a crosslink that is acceptable above `state`, and what is new of the ancestries and bundles that come with it.
    pub(super) fn insert(
        &mut self,
        spec: &ChainSpec,
        state: &BeaconState,
        committees: &Committees,
        offer: CrosslinkOffer,
    ) -> Result<Taken, CandidateError> {
        verify_offer(&offer)?;
        let CrosslinkOffer { crosslink, ancestries, bundles } = offer;
        let (shard, epoch, id) = (crosslink.header.shard, crosslink.header.epoch, crosslink.certificate.id);
        if self.holds(shard, &id) || is_accepted(state, shard, &id) {
            return Ok(self.attach(state, &crosslink.header, id, ancestries, bundles));
        }
        let checked = crosslink::check(spec, state, &crosslink);
        let is_disputed = matches!(&checked, Err(error) if self.is_disputed(state, &crosslink, error));
        if !is_disputed {
            checked?;
        }
        let authority = committees.of(state).authority(Chain::Shard(shard), epoch);
        let authority = authority.ok_or(CandidateError::NoCommittee { shard, epoch })?;
        authority.verify_certificate(&crosslink.certificate)?;
        self.conflicts.extend(self.seen.add(state, &crosslink));
        checked?;

        let own = crosslink.history.clone();
        self.attach(state, &crosslink.header, id, std::iter::once(own).chain(ancestries), bundles);
        let of_shard = self.by_shard.entry(shard).or_default();
        let place = of_shard.partition_point(|held| held.header.height < crosslink.header.height);
        of_shard.insert(place, crosslink);
        if of_shard.len() > Self::SHARD_MAX {
            // The lowest: those above bring all that it would, once what they consumed is offered too.
            of_shard.remove(0);
            self.forget_attached(state);
        }
        Ok(Taken::New)
    }

    /// Keeps what is new of the ancestries and bundles that came with the header, whose id is `id`.
    fn attach(
        &mut self,
        state: &BeaconState,
        header: &ShardHeader,
        id: B256,
        ancestries: impl IntoIterator<Item = MmrProof>,
        bundles: Vec<BeaconBundle>,
    ) -> Taken {
        let next = state.lane(header.shard).map_or(0, |lane| lane.received());
        let taken =
            [self.ancestries.add(header, id, ancestries), self.bundles.add(header, id, next, bundles)];
        if taken.contains(&Taken::New) { Taken::New } else { Taken::Known }
    }

    /// Whether a crosslink that is refused may be on another branch than those that were seen.
    fn is_disputed(&self, state: &BeaconState, crosslink: &Crosslink, error: &CrosslinkError) -> bool {
        let header = &crosslink.header;
        let ruling = state.current_epoch(header.shard.into());
        matches!(error, CrosslinkError::History(_) | CrosslinkError::NotAbove { .. })
            && ruling.is_some_and(|entry| entry.epoch == header.epoch)
            && !self.seen.holds(header.shard, &crosslink.certificate.id)
    }

    /// What was seen of branches.
    pub(super) const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The conflicts found since this was last asked.
    pub(super) fn take_conflicts(&mut self) -> Vec<Conflict> {
        std::mem::take(&mut self.conflicts)
    }

    /// Forgets what is no longer acceptable.
    pub(super) fn refresh(&mut self, spec: &ChainSpec, state: &BeaconState) {
        for of_shard in self.by_shard.values_mut() {
            of_shard.retain(|crosslink| crosslink::check(spec, state, crosslink).is_ok());
        }
        self.by_shard.retain(|_, of_shard| !of_shard.is_empty());
        self.forget_attached(state);
        self.bundles.forget_below(|shard| state.lane(shard).map_or(0, |lane| lane.received()));
    }

    /// What is held, by shard.
    pub(super) const fn candidates(&self) -> &Candidates {
        &self.by_shard
    }

    pub(super) fn len(&self) -> usize {
        self.by_shard.values().map(Vec::len).sum()
    }

    #[cfg(test)]
    pub(super) fn bundles_held(&self) -> usize {
        self.bundles.len()
    }

    fn holds(&self, shard: ShardId, id: &B256) -> bool {
        let of_shard = self.by_shard.get(&shard).map_or(&[][..], Vec::as_slice);
        of_shard.iter().any(|held| held.certificate.id == *id)
    }

    /// Forgets the ancestries and bundles of headers that are neither held nor accepted.
    fn forget_attached(&mut self, state: &BeaconState) {
        let (mut ancestries, mut bundles) =
            (std::mem::take(&mut self.ancestries), std::mem::take(&mut self.bundles));
        let is_kept = |shard, id: &B256| self.holds(shard, id) || is_accepted(state, shard, id);
        ancestries.retain(is_kept);
        bundles.retain(is_kept);
        (self.ancestries, self.bundles) = (ancestries, bundles);
    }
}

/// Ancestries as far as they came with the crosslinks.
impl HistorySource for CrosslinkPool {
    fn ancestries(
        &self,
        shard: ShardId,
        _height: Height,
        descendant: B256,
        ancestor: Height,
    ) -> Vec<MmrProof> {
        self.ancestries.of(shard, descendant, ancestor)
    }
}

/// Receipts as far as they came with the crosslinks.
impl BundleSource for CrosslinkPool {
    fn bundles(&self, shard: ShardId, accepted: &B256) -> Vec<BeaconBundle> {
        self.bundles.bundles(shard, accepted)
    }
}

/// Verifies an offer alone: that it is within the limits, and what the shard vouches for.
fn verify_offer(offer: &CrosslinkOffer) -> Result<(), CandidateError> {
    let CrosslinkOffer { crosslink, ancestries, bundles } = offer;
    let (max, found) = (ANCESTRIES_MAX, ancestries.len());
    if found > max {
        return Err(CandidateError::Ancestries { max, found });
    }
    let (max, found) = (OFFER_BUNDLES_MAX, bundles.len());
    if found > max {
        return Err(CandidateError::Bundles { max, found });
    }
    let expected = crosslink.header.shard;
    if let Some(other) = bundles.iter().find(|bundle| bundle.header.shard != expected) {
        return Err(CandidateError::BundleShard { expected, found: other.header.shard });
    }
    if !crosslink.sources.is_empty() {
        return Err(CandidateError::Sources { found: crosslink.sources.len() });
    }
    Ok(crosslink::verify_certified(crosslink)?)
}

/// Whether the header with this id is the accepted one of `shard`.
fn is_accepted(state: &BeaconState, shard: ShardId, id: &B256) -> bool {
    state.shard(shard).is_some_and(|record| record.accepted.id == *id)
}

/// Proofs of offences that are not punished yet; of each offence one.
#[derive(Clone, Debug, Default)]
pub(super) struct EvidencePool {
    by_offence: BTreeMap<Offence, (Verdict, Evidence)>,
}

impl EvidencePool {
    /// Most offences.
    pub(super) const MAX: usize = 256;

    /// Takes evidence that is punishable above `state`.
    pub(super) fn insert(
        &mut self,
        spec: &ChainSpec,
        state: &BeaconState,
        evidence: Evidence,
    ) -> Result<Taken, CandidateError> {
        let verdict = evidence::verify(state.genesis_hash(), &evidence)?;
        let offence = verdict.offence();
        if self.by_offence.contains_key(&offence) {
            return Ok(Taken::Known);
        }
        evidence::check(spec, state, &verdict)?;
        if self.by_offence.len() >= Self::MAX {
            return Err(CandidateError::Full { max: Self::MAX });
        }
        self.by_offence.insert(offence, (verdict, evidence));
        Ok(Taken::New)
    }

    /// Forgets what is punished, or no longer punishable.
    pub(super) fn refresh(&mut self, spec: &ChainSpec, state: &BeaconState) {
        self.by_offence.retain(|_, (verdict, _)| evidence::check(spec, state, verdict).is_ok());
    }

    /// What is held, by offence.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Evidence> {
        self.by_offence.values().map(|(_, evidence)| evidence)
    }

    pub(super) fn len(&self) -> usize {
        self.by_offence.len()
    }
}
