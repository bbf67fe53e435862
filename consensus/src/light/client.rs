//! The light client: a beacon header, what its state says, and the committees that can speak next.
//!
//! Every committee held is one that a held epoch table names; tables remember a bounded number of
//! epochs, so memory is bounded by the number of shards. A clone shares all that is large.

use super::update::verify_parts;
use super::{BeaconView, Finalized, LightError};
use crate::authority::Authority;
use crate::history::verify_ancestor;
use crypto::mmr::MmrProof;
use primitives::{
    AcceptedHeader, B256, BeaconHeader, CertifiedShardHeader, Chain, Committee, Epoch, EpochEntry,
    EpochTable, Height, LightUpdate, ShardHeader, ShardId, ShardRecord, Unverified,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Follows the beacon chain by certificates.
#[derive(Clone, Debug)]
pub struct LightClient {
    genesis_hash: B256,
    /// Newest header, and its table: what the next certificate is verified with.
    header: Finalized<BeaconHeader>,
    beacon_table: EpochTable,
    /// What the state of `header` says; None until an update told.
    view: Option<Arc<Finalized<BeaconView>>>,
    authorities: Arc<BTreeMap<(Chain, Epoch), Arc<Authority>>>,
}

impl LightClient {
    /// Starts at a header that is trusted, and whose `beacon_table` and committees are: nothing of it is
    /// verified. [`Self::from_genesis`] starts from the genesis file instead.
    ///
    /// The committee that rules the next height is needed; those that the table does not name are refused.
    pub fn new(
        genesis_hash: B256,
        header: BeaconHeader,
        beacon_table: EpochTable,
        committees: Vec<Committee>,
    ) -> Result<Self, LightError> {
        let height = header.height.next();
        let ruling = beacon_table.ruling(height).map(|entry| entry.epoch);
        let epoch = ruling.ok_or(LightError::EmptyTable { height })?;
        let mut client = Self {
            genesis_hash,
            header: Finalized::new(header),
            beacon_table,
            view: None,
            authorities: Arc::default(),
        };
        for committee in committees {
            let root = committee.root();
            let entry = client.beacon_table.entries().iter().find(|entry| entry.committee_root == root);
            let epoch = entry.ok_or(LightError::UnknownCommittee { found: root })?.epoch;
            client.committee(Chain::Beacon, epoch, Unverified::new(committee))?;
        }
        match client.authority(Chain::Beacon, epoch) {
            Some(_) => Ok(client),
            None => Err(LightError::NoFirstCommittee { epoch }),
        }
    }

    /// The newest header.
    pub const fn header(&self) -> &Finalized<BeaconHeader> {
        &self.header
    }

    /// What the newest header's state says. None before the first update.
    pub fn view(&self) -> Option<&Finalized<BeaconView>> {
        self.view.as_deref()
    }

    /// The committee of `chain` in `epoch`, if held.
    pub fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>> {
        self.authorities.get(&(chain, epoch)).cloned()
    }

    /// The epoch table of `chain`.
    pub fn table(&self, chain: Chain) -> Result<&EpochTable, LightError> {
        match chain {
            Chain::Beacon => Ok(&self.beacon_table),
            Chain::Shard(shard) => self.record(shard).map(|record| &record.table),
        }
    }

    /// The entry of `shard` in the newest view.
    pub fn record(&self, shard: ShardId) -> Result<&ShardRecord, LightError> {
        let record = self.view.as_ref().and_then(|view| view.record(shard));
        record.ok_or(LightError::UnknownShard { shard })
    }

    /// Takes a committee, if it is the one that a known table names.
    pub fn committee(
        &mut self,
        chain: Chain,
        epoch: Epoch,
        committee: Unverified<Committee>,
    ) -> Result<(), LightError> {
        let entry = self.table(chain)?.entry(epoch).ok_or(LightError::UnknownEpoch { chain, epoch })?;
        let committee = committee.into_unverified();
        let (expected, found) = (entry.committee_root, committee.root());
        if expected != found {
            return Err(LightError::Committee { chain, epoch, expected, found });
        }
        if !self.holds(chain, epoch, expected) {
            let authority = Authority::new(committee, chain, epoch, self.genesis_hash)?;
            Arc::make_mut(&mut self.authorities).insert((chain, epoch), Arc::new(authority));
            self.reappoint();
        }
        Ok(())
    }

    /// Committees that known tables name, of the current epochs and those to come, but that are not
    /// held: chain, epoch and root, to be fetched and given to [`Self::committee`].
    pub fn missing(&self) -> Vec<(Chain, Epoch, B256)> {
        let records = self.view.iter().flat_map(|view| &view.records);
        let shards = records.map(|record| (record.shard.into(), &record.table, record.accepted.height));
        [(Chain::Beacon, &self.beacon_table, self.header.height)]
            .into_iter()
            .chain(shards)
            .flat_map(|(chain, table, height)| {
                current_and_next(table, height).map(move |entry| (chain, entry.epoch, entry.committee_root))
            })
            .filter(|(chain, epoch, root)| !self.holds(*chain, *epoch, *root))
            .collect()
    }

    /// Moves to a newer header, or learns what the state of the held header says: that one needs no
    /// certificate, since it is final already.
    pub fn update(&mut self, update: Unverified<LightUpdate>) -> Result<&Finalized<BeaconView>, LightError> {
        let update = update.into_unverified();
        self.verify_header(&update)?;
        let view = verify_parts(update)?;
        Ok(self.set_view(view))
    }

    /// The newest header of `shard` that the beacon chain has accepted.
    pub fn finalized_shard(&self, shard: ShardId) -> Result<Finalized<AcceptedHeader>, LightError> {
        self.record(shard).map(|record| Finalized::new(record.accepted))
    }

    /// Verifies that a shard header was certified by its chain's committee. It may still be undone.
    pub fn verify_shard_certificate(&self, certified: &CertifiedShardHeader) -> Result<(), LightError> {
        let CertifiedShardHeader { header, certificate } = certified;
        let authority = self.ruling_authority(header.shard.into(), header.height, header.epoch)?;
        let (expected, found) = (header.id(), certificate.id);
        if expected != found {
            return Err(LightError::CertifiedId { expected, found });
        }
        Ok(authority.verify_certificate(certificate)?)
    }

    /// Verifies that `header` is the accepted header of `shard` (`proof` is not looked at), or an
    /// ancestor of it.
    pub fn finalized_ancestor(
        &self,
        shard: ShardId,
        header: &ShardHeader,
        proof: &MmrProof,
    ) -> Result<Finalized<ShardHeader>, LightError> {
        if header.shard != shard {
            return Err(LightError::Shard { expected: shard, found: header.shard });
        }
        let accepted = self.record(shard)?.accepted;
        let id = header.id();
        if header.height != accepted.height {
            verify_ancestor(accepted.history_root, accepted.height, header.height, id, proof)?;
        } else if id != accepted.id {
            return Err(LightError::NotAccepted { shard, expected: accepted.id, found: id });
        }
        Ok(Finalized::new(header.clone()))
    }

    /// Takes a view that was verified.
    pub(super) fn set_view(&mut self, view: BeaconView) -> &Finalized<BeaconView> {
        self.header = Finalized::new(view.header.clone());
        self.beacon_table = view.beacon_table.clone();
        let view = Arc::new(Finalized::new(view));
        self.view = Some(Arc::clone(&view));
        self.reappoint();
        self.forget_unnamed();
        self.view.insert(view)
    }

    /// Whether the committee of this term is held, and is the one of this root.
    fn holds(&self, chain: Chain, epoch: Epoch, root: B256) -> bool {
        self.authorities.get(&(chain, epoch)).is_some_and(|authority| authority.committee_root() == root)
    }

    /// Appoints committees that are held for one term to the missing terms that name them too: in a
    /// network of few units every draw gives the same committee.
    fn reappoint(&mut self) {
        for (chain, epoch, root) in self.missing() {
            let held = self.authorities.values().find(|authority| authority.committee_root() == root);
            if let Some(authority) = held.map(|authority| authority.reappointed(chain, epoch)) {
                Arc::make_mut(&mut self.authorities).insert((chain, epoch), Arc::new(authority));
            }
        }
    }

    /// Drops the committees that no table names any more.
    fn forget_unnamed(&mut self) {
        let is_named = |chain, epoch| {
            let entry = self.table(chain).ok().and_then(|table| table.entry(epoch));
            entry.is_some_and(|entry| self.holds(chain, epoch, entry.committee_root))
        };
        let held = self.authorities.keys().copied();
        let unnamed: Vec<_> = held.filter(|(chain, epoch)| !is_named(*chain, *epoch)).collect();
        for key in unnamed {
            Arc::make_mut(&mut self.authorities).remove(&key);
        }
    }

    /// Verifies that the update's header is the held one, or above it and certified.
    fn verify_header(&self, update: &LightUpdate) -> Result<(), LightError> {
        let (header, certificate) = (&update.certified.header, &update.certified.certificate);
        let (height, held) = (header.height, self.header.height);
        if height < held {
            return Err(LightError::Stale { held, found: height });
        }
        let found = header.id();
        if height == held {
            let held = self.header.id();
            return if held == found { Ok(()) } else { Err(LightError::Conflict { height, held, found }) };
        }
        let authority = self.ruling_authority(Chain::Beacon, height, header.epoch)?;
        if certificate.id != found {
            return Err(LightError::CertifiedId { expected: found, found: certificate.id });
        }
        Ok(authority.verify_certificate(certificate)?)
    }

    /// The committee of `epoch`, which has to be the one that rules `height`.
    fn ruling_authority(&self, chain: Chain, height: Height, epoch: Epoch) -> Result<&Authority, LightError> {
        let table = self.table(chain)?;
        if table.entry(epoch).is_none() {
            return Err(LightError::UnknownEpoch { chain, epoch });
        }
        let expected = table.ruling(height).map(|entry| entry.epoch);
        if expected != Some(epoch) {
            return Err(LightError::Epoch { chain, height, expected, found: epoch });
        }
        let authority = self.authorities.get(&(chain, epoch));
        authority.map(Arc::as_ref).ok_or(LightError::NeedsCommittee { chain, epoch })
    }
}

/// The entry that rules `height`, and all after it.
fn current_and_next(table: &EpochTable, height: Height) -> impl Iterator<Item = &EpochEntry> {
    let current = table.ruling(height).map(|entry| entry.epoch);
    table.entries().iter().filter(move |entry| current.is_none_or(|current| entry.epoch >= current))
}
