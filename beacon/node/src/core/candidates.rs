//! What may enter a coming block: crosslinks and evidence, checked when they arrive.
//!
//! Everything held is acceptable above the certified head, certificates included, so nothing worthless takes
//! the place of something good; both pools are bounded whatever is sent.

use super::committees::Committees;
use super::step::Taken;
use beacon_state::operation::crosslink::{self, CrosslinkError};
use beacon_state::operation::evidence::{self, EvidenceError, Verdict};
use beacon_state::proposal::{Candidates, HistorySource};
use beacon_state::{BeaconState, CommitteeSource as _, Offence};
use consensus::authority::CertificateError;
use crypto::mmr::MmrProof;
use primitives::{B256, Chain, ChainSpec, Crosslink, Epoch, Evidence, Height, ShardId};
use std::collections::BTreeMap;

/// Why something that was offered is refused; the sender is at fault unless it is [`Self::Full`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CandidateError {
    /// The crosslink cannot be accepted.
    #[error(transparent)]
    Crosslink(#[from] CrosslinkError),
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
    /// No more can be held; it may be offered again later.
    #[error("{max} pieces of evidence are waiting already")]
    Full {
        /// The limit.
        max: usize,
    },
}

/// Crosslinks that may be accepted next: of each shard the newest few.
#[derive(Clone, Debug, Default)]
pub(super) struct CrosslinkPool {
    /// Rising by height in each shard.
    by_shard: Candidates,
}

impl CrosslinkPool {
    /// Most crosslinks of one shard.
    pub(super) const SHARD_MAX: usize = 8;

    /// Takes a crosslink that is acceptable above `state`.
    pub(super) fn insert(
        &mut self,
        spec: &ChainSpec,
        state: &BeaconState,
        committees: &Committees,
        crosslink: Crosslink,
    ) -> Result<Taken, CandidateError> {
        let (shard, epoch, height) =
            (crosslink.header.shard, crosslink.header.epoch, crosslink.header.height);
        crosslink::verify(&crosslink)?;
        let of_shard = self.by_shard.get(&shard).map_or(&[][..], Vec::as_slice);
        if of_shard.iter().any(|held| held.certificate.id == crosslink.certificate.id) {
            return Ok(Taken::Known);
        }
        crosslink::check(spec, state, &crosslink)?;
        let authority = committees.of(state).authority(Chain::Shard(shard), epoch);
        let authority = authority.ok_or(CandidateError::NoCommittee { shard, epoch })?;
        authority.verify_certificate(&crosslink.certificate)?;

        let of_shard = self.by_shard.entry(shard).or_default();
        let place = of_shard.partition_point(|held| held.header.height < height);
        of_shard.insert(place, crosslink);
        if of_shard.len() > Self::SHARD_MAX {
            // The lowest: whatever it would bring, those above bring too.
            of_shard.remove(0);
        }
        Ok(Taken::New)
    }

    /// Forgets what is no longer acceptable.
    pub(super) fn refresh(&mut self, spec: &ChainSpec, state: &BeaconState) {
        for of_shard in self.by_shard.values_mut() {
            of_shard.retain(|crosslink| crosslink::check(spec, state, crosslink).is_ok());
        }
        self.by_shard.retain(|_, of_shard| !of_shard.is_empty());
    }

    /// What is held, by shard.
    pub(super) const fn candidates(&self) -> &Candidates {
        &self.by_shard
    }

    pub(super) fn len(&self) -> usize {
        self.by_shard.values().map(Vec::len).sum()
    }
}

/// Ancestries as far as the crosslinks themselves prove them: from a candidate to the accepted header.
impl HistorySource for CrosslinkPool {
    fn ancestry(
        &self,
        shard: ShardId,
        height: Height,
        descendant: B256,
        ancestor: Height,
    ) -> Option<MmrProof> {
        let of_shard = self.by_shard.get(&shard)?;
        let candidate = of_shard.iter().find(|held| {
            held.certificate.id == descendant
                && held.header.height == height
                && held.history.leaf_index == ancestor.get()
        })?;
        Some(candidate.history.clone())
    }
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
