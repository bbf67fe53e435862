//! Committees by the roots that epoch tables name.
//!
//! Two branches may draw different committees for one epoch, so a committee is found by what a state says
//! of it, never by chain and epoch alone.

use beacon_state::{BeaconState, CommitteeSource, Event};
use consensus::authority::Authority;
use primitives::{B256, Chain, Committee, Epoch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Which chain, in which term, by which root.
type Name = (Chain, Epoch, B256);

/// A committee; its keys are decompressed when it is first asked.
#[derive(Clone, Debug)]
struct Held {
    committee: Arc<Committee>,
    authority: OnceLock<Option<Arc<Authority>>>,
}

/// Every committee that a living state names.
#[derive(Clone, Debug)]
pub(super) struct Committees {
    genesis_hash: B256,
    held: BTreeMap<Name, Held>,
}

impl Committees {
    pub(super) const fn new(genesis_hash: B256) -> Self {
        Self { genesis_hash, held: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, chain: Chain, epoch: Epoch, committee: Arc<Committee>) {
        let name = (chain, epoch, committee.root());
        self.held.entry(name).or_insert_with(|| Held { committee, authority: OnceLock::new() });
    }

    /// Takes the committees that a block drew.
    pub(super) fn learn(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Drawn { chain, epoch, committee, .. } = event {
                self.insert(*chain, *epoch, Arc::new(committee.clone()));
            }
        }
    }

    /// Forgets the committees that neither `state` nor one of the `branches` names.
    pub(super) fn forget<'a>(&mut self, state: &BeaconState, branches: impl Iterator<Item = &'a Event>) {
        let mut named: BTreeSet<Name> = names(state).collect();
        named.extend(branches.filter_map(|event| match event {
            Event::Drawn { chain, epoch, committee, .. } => Some((*chain, *epoch, committee.root())),
            _ => None,
        }));
        self.held.retain(|name, _| named.contains(name));
    }

    /// The committee that `state` names for an epoch of `chain`, also one that is void.
    pub(super) fn committee(
        &self,
        state: &BeaconState,
        chain: Chain,
        epoch: Epoch,
    ) -> Option<&Arc<Committee>> {
        let root = root_of(state, chain, epoch)?;
        Some(&self.held.get(&(chain, epoch, root))?.committee)
    }

    /// Those that `state` names, by chain and epoch.
    pub(super) fn named(&self, state: &BeaconState) -> BTreeMap<(Chain, Epoch), Arc<Committee>> {
        names(state)
            .filter_map(|name| Some(((name.0, name.1), Arc::clone(&self.held.get(&name)?.committee))))
            .collect()
    }

    /// As `state` sees them.
    pub(super) const fn of<'a>(&'a self, state: &'a BeaconState) -> CommitteesOf<'a> {
        CommitteesOf { committees: self, state }
    }

    fn authority(&self, name: Name) -> Option<Arc<Authority>> {
        let (chain, epoch, root) = name;
        let held = self.held.get(&name)?;
        let make = || {
            // Where units are few, one committee serves many terms: its keys are decompressed once.
            let same = self.held.iter().filter(|((_, _, other), _)| *other == root);
            let known = same.filter_map(|(_, held)| held.authority.get()?.as_ref()).next();
            let made = match known {
                Some(authority) => Some(authority.reappointed(chain, epoch)),
                None => Authority::new((*held.committee).clone(), chain, epoch, self.genesis_hash).ok(),
            };
            made.map(Arc::new)
        };
        held.authority.get_or_init(make).clone()
    }
}

/// Committees as one state names them.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitteesOf<'a> {
    committees: &'a Committees,
    state: &'a BeaconState,
}

impl CommitteeSource for CommitteesOf<'_> {
    fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>> {
        let root = self.state.table(chain)?.entry(epoch)?.committee_root;
        self.committees.authority((chain, epoch, root))
    }
}

/// Every committee that a state names: those in the tables, and the void ones that can still be guilty.
fn names(state: &BeaconState) -> impl Iterator<Item = Name> + '_ {
    let beacon = state.beacon_table().entries().iter().map(|entry| (Chain::Beacon, entry));
    let shards = state.shards().flat_map(|record| {
        let chain = Chain::from(record.shard);
        let voided = state.progress(record.shard).map_or(&[][..], |progress| progress.voided());
        record.table.entries().iter().chain(voided).map(move |entry| (chain, entry))
    });
    beacon.chain(shards).map(|(chain, entry)| (chain, entry.epoch, entry.committee_root))
}

fn root_of(state: &BeaconState, chain: Chain, epoch: Epoch) -> Option<B256> {
    let voided = || {
        let progress = state.progress(chain.shard()?)?;
        progress.voided().iter().find(|entry| entry.epoch == epoch)
    };
    state.table(chain)?.entry(epoch).or_else(voided).map(|entry| entry.committee_root)
}
