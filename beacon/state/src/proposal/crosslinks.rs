//! Choosing crosslinks: the largest set that can be accepted together.
//!
//! Each shard offers several headers. The newest that may be accepted by itself is taken first; then, until
//! nothing changes, every shard whose choice is not met by the others falls back to its next older one.
//! A choice only ever moves down, and an older header never requires more, so what remains is
//! the largest set. Beyond the cap, the shards that waited longest go first, each with whatever it
//! requires.
//!
//! Rules: docs/spec/beacon-state.md#crosslinks

use crate::block::crosslink_authority;
use crate::operation::crosslink::joint::{self, Heads, Requirement};
use crate::operation::crosslink::{check_place, verify_certified};
use crate::state::BeaconState;
use consensus::authority::CommitteeSource;
use consensus::authority::{Authority, verify_certificates};
use consensus::history::verify_ancestor;
use crypto::mmr::MmrProof;
use primitives::{B256, ChainSpec, Crosslink, Height, ShardId, SourceAncestry};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Certified headers that shards offer, in any order. What a beacon proposer attaches (`sources`) is
/// ignored, and a `history` that does not reach the accepted header is replaced.
pub type Candidates = BTreeMap<ShardId, Vec<Crosslink>>;

/// Proves ancestry within a shard. Not trusted: a wrong proof is as good as none.
pub trait HistorySource {
    /// What may prove that the header at height `ancestor` is an ancestor of the header `descendant` at
    /// `height`; one that does is enough.
    fn ancestries(&self, shard: ShardId, height: Height, descendant: B256, ancestor: Height)
    -> Vec<MmrProof>;
}

/// Chooses what a block above `state` brings, by rising shard id.
pub fn choose_crosslinks(
    spec: &ChainSpec,
    state: &BeaconState,
    candidates: &Candidates,
    committees: &dyn CommitteeSource,
    histories: &dyn HistorySource,
) -> Vec<Crosslink> {
    let mut offers = Offers::qualified(spec, state, candidates, committees, histories);
    loop {
        let chosen = offers.choose(spec.crosslinks_max as usize);
        let invalid = offers.invalid_certificates(&chosen);
        if invalid.is_empty() {
            return offers.finish(&chosen);
        }
        invalid.into_iter().for_each(|(shard, place)| offers.remove(shard, place));
    }
}

/// Which offer of each shard is chosen.
type Choice = BTreeMap<ShardId, usize>;

/// A crosslink that may be accepted by itself, its certificate and requirements aside.
struct Offer {
    crosslink: Crosslink,
    authority: Arc<Authority>,
}

struct Offers<'a> {
    state: &'a BeaconState,
    histories: &'a dyn HistorySource,
    /// Newest first.
    by_shard: BTreeMap<ShardId, Vec<Offer>>,
}

impl<'a> Offers<'a> {
    fn qualified(
        spec: &ChainSpec,
        state: &'a BeaconState,
        candidates: &Candidates,
        committees: &dyn CommitteeSource,
        histories: &'a dyn HistorySource,
    ) -> Self {
        let mut by_shard = BTreeMap::new();
        for (shard, offered) in candidates {
            let of_shard = offered.iter().filter(|crosslink| crosslink.header.shard == *shard);
            let mut offers: Vec<_> = of_shard
                .filter_map(|crosslink| {
                    let crosslink = qualify(spec, state, crosslink, histories)?;
                    let authority = crosslink_authority(state, &crosslink, committees).ok()?;
                    Some(Offer { crosslink, authority })
                })
                .collect();
            offers.sort_by_key(|offer| std::cmp::Reverse(offer.crosslink.header.height));
            if !offers.is_empty() {
                by_shard.insert(*shard, offers);
            }
        }
        Self { state, histories, by_shard }
    }

    fn offer(&self, shard: ShardId, place: usize) -> Option<&Offer> {
        self.by_shard.get(&shard)?.get(place)
    }

    fn remove(&mut self, shard: ShardId, place: usize) {
        if let Some(offers) = self.by_shard.get_mut(&shard)
            && place < offers.len()
        {
            offers.remove(place);
        }
    }

    fn heads(&self, choice: &Choice) -> Heads {
        joint::heads(choice.iter().filter_map(|(shard, place)| Some(&self.offer(*shard, *place)?.crosslink)))
    }

    /// What to attach to an offer so that it is met by `heads`; none if it is not.
    fn sources(&self, heads: &Heads, crosslink: &Crosslink) -> Option<Vec<SourceAncestry>> {
        let shard = crosslink.header.shard;
        let ancestry = |cursor| match joint::requirement(self.state, heads, shard, cursor).ok()? {
            Requirement::Met => Some(SourceAncestry::Direct(0)),
            Requirement::Ancestor(source, head) => {
                let proofs = self.histories.ancestries(source, head.height, head.id, cursor.height);
                let proves = |proof: &MmrProof| {
                    verify_ancestor(head.history_root, head.height, cursor.height, cursor.id, proof).is_ok()
                };
                proofs.into_iter().find(proves).map(SourceAncestry::Ancestor)
            }
        };
        crosslink.cursors.as_slice().iter().map(ancestry).collect()
    }

    /// The largest choice that is met, of at most `cap` shards.
    fn choose(&self, cap: usize) -> Choice {
        let newest = self.by_shard.keys().map(|shard| (*shard, 0)).collect();
        let all = self.settle(newest);
        if all.len() <= cap { all } else { self.oldest_first(&all, cap) }
    }

    /// Lets every choice that is not met fall back, until all are met.
    fn settle(&self, mut choice: Choice) -> Choice {
        loop {
            let heads = self.heads(&choice);
            let is_met = |shard: &ShardId, place: &usize| {
                self.offer(*shard, *place)
                    .is_some_and(|offer| self.sources(&heads, &offer.crosslink).is_some())
            };
            let unmet: Vec<_> = choice
                .iter()
                .filter(|(shard, place)| !is_met(shard, place))
                .map(|(shard, _)| *shard)
                .collect();
            if unmet.is_empty() {
                return choice;
            }
            for shard in unmet {
                let older = choice.get(&shard).map_or(0, |place| place + 1);
                if self.offer(shard, older).is_some() {
                    choice.insert(shard, older);
                } else {
                    choice.remove(&shard);
                }
            }
        }
    }

    /// Of a choice that is met, `cap` shards at most: those that waited longest, with what they require.
    fn oldest_first(&self, all: &Choice, cap: usize) -> Choice {
        let mut waiting: Vec<_> = all.keys().copied().collect();
        waiting.sort_by_key(|shard| self.state.shard(*shard).map(|record| record.accepted.accepted_at));
        let mut taken = Choice::new();
        for shard in &waiting {
            let missing: Vec<_> = self.required(all, *shard);
            let missing: Vec<_> =
                missing.into_iter().filter(|(shard, _)| !taken.contains_key(shard)).collect();
            if taken.len() + missing.len() <= cap {
                taken.extend(missing);
            }
        }
        // A shard that needs too many others may do with an older header and those that are taken.
        for shard in &waiting {
            if taken.len() >= cap {
                break;
            }
            if !taken.contains_key(shard)
                && let Some(place) = self.met_by(&taken, *shard)
            {
                taken.insert(*shard, place);
            }
        }
        // Fewer heads than in `all` could ask for other proofs, never for more; settled all the same.
        self.settle(taken)
    }

    /// The choice of `shard` and, transitively, those of the shards that it consumed from.
    fn required(&self, all: &Choice, shard: ShardId) -> Vec<(ShardId, usize)> {
        let (mut seen, mut open) = (BTreeSet::from([shard]), vec![shard]);
        let mut required = Vec::new();
        while let Some(shard) = open.pop() {
            let Some(place) = all.get(&shard) else { continue };
            required.push((shard, *place));
            let Some(offer) = self.offer(shard, *place) else { continue };
            for cursor in offer.crosslink.cursors.as_slice() {
                let source = cursor.source.shard();
                let accepted = source.and_then(|source| self.state.shard(source));
                let lacks = accepted.is_some_and(|record| record.accepted.height < cursor.height);
                if let Some(source) = source
                    && lacks
                    && seen.insert(source)
                {
                    open.push(source);
                }
            }
        }
        required
    }

    /// The newest offer of `shard` that needs no more than `taken`.
    fn met_by(&self, taken: &Choice, shard: ShardId) -> Option<usize> {
        let heads = self.heads(taken);
        let offers = self.by_shard.get(&shard)?;
        offers.iter().position(|offer| self.sources(&heads, &offer.crosslink).is_some())
    }

    /// Which of the chosen have a wrong certificate.
    fn invalid_certificates(&self, choice: &Choice) -> Vec<(ShardId, usize)> {
        let chosen: Vec<_> = choice.iter().map(|(shard, place)| (*shard, *place)).collect();
        let offers: Vec<_> = chosen.iter().filter_map(|(shard, place)| self.offer(*shard, *place)).collect();
        let pairs: Vec<_> =
            offers.iter().map(|offer| (&*offer.authority, &offer.crosslink.certificate)).collect();
        match verify_certificates(&pairs) {
            Ok(()) => Vec::new(),
            Err(errors) => errors.iter().filter_map(|(index, _)| chosen.get(*index).copied()).collect(),
        }
    }

    /// The chosen crosslinks with the ancestry of their sources attached.
    fn finish(&self, choice: &Choice) -> Vec<Crosslink> {
        let heads = self.heads(choice);
        let finished = |(shard, place): (&ShardId, &usize)| {
            let crosslink = &self.offer(*shard, *place)?.crosslink;
            let sources = self.sources(&heads, crosslink)?;
            Some(Crosslink { sources, ..crosslink.clone() })
        };
        choice.iter().filter_map(finished).collect()
    }
}

/// The crosslink with a history that reaches the accepted header; none if it cannot be accepted next.
fn qualify(
    spec: &ChainSpec,
    state: &BeaconState,
    crosslink: &Crosslink,
    histories: &dyn HistorySource,
) -> Option<Crosslink> {
    check_place(spec, state, crosslink).ok()?;
    verify_certified(crosslink).ok()?;
    let header = &crosslink.header;
    let accepted = state.shard(header.shard)?.accepted;
    let reaches = |proof: &MmrProof| {
        verify_ancestor(header.history_root, header.height, accepted.height, accepted.id, proof).is_ok()
    };
    let mut qualified = Crosslink { sources: Vec::new(), ..crosslink.clone() };
    if !reaches(&qualified.history) {
        let id = crosslink.certificate.id;
        let proofs = histories.ancestries(header.shard, header.height, id, accepted.height);
        qualified.history = proofs.into_iter().find(reaches)?;
    }
    Some(qualified)
}
