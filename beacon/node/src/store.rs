//! The beacon chain on disk.
//!
//! One commit per certified block: the state is its record, everything else goes into tables. What always
//! holds: the store ends at a certified block with everything that follows from it; nothing else is ever
//! in it.

mod tables;
#[cfg(test)]
mod tests;

pub use tables::{Drawn, TABLES};

use crate::core::{Commit, Resume};
use beacon_state::{BeaconChainState, Event, GenesisStateError, genesis};
use crypto::mmr::{MmrNodes, MmrProof, ProveError, prove};
use primitives::{
    B256, BeaconBlock, BeaconBody, BeaconHeader, Certificate, Chain, Committee, Epoch, Genesis, Height,
    LightUpdate, SignatureBytes,
};
use ssz::{Decode as _, Encode as _};
use std::sync::Arc;
use storage::{Batch, Durability, Ssz, StorageError, Store, StoreConfig};
use tables::{Bodies, Certificates, Committees, Headers, Heights, Ids, LightUpdates, Nodes};

/// Heights below the head of which every light update is kept; of older epochs the last one is.
const LIGHT_HEIGHTS: u64 = 256;
/// Latest states that stay readable.
const STATES: u64 = 128;

/// Why the chain on disk cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk, or what is on it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The genesis file gives no state.
    #[error("the genesis file: {0}")]
    Genesis(#[from] GenesisStateError),
    /// The chain of another network.
    #[error(
        "the data directory is of the network with genesis hash {found}, the genesis file has hash {expected}: use \
         another data directory, or the genesis file it was made with"
    )]
    OtherNetwork {
        /// Of the file.
        expected: B256,
        /// On disk.
        found: B256,
    },
    /// Something that every commit writes is not there.
    #[error(
        "the database has no {what} of height {height}: it is damaged; delete it and let the node sync anew"
    )]
    Missing {
        /// What.
        what: &'static str,
        /// Where.
        height: Height,
    },
    /// The state does not decode.
    #[error(
        "the state of height {height} in the database does not decode ({error:?}): delete it and sync anew"
    )]
    State {
        /// Its height.
        height: Height,
        /// What is wrong.
        error: ssz::DecodeError,
    },
}

/// The beacon chain on disk; clones are handles of the same.
#[derive(Clone, Debug)]
pub struct BeaconStore {
    store: Store,
}

impl BeaconStore {
    /// How its store is to be opened.
    pub const fn config(durability: Durability) -> StoreConfig {
        StoreConfig { history_records: STATES, ..StoreConfig::new(durability, TABLES) }
    }

    /// Takes up the chain on disk; an empty store begins with the genesis block.
    pub fn open(store: Store, file: &Genesis) -> Result<(Self, Resume), OpenError> {
        let store = Self { store };
        if store.store.last_sequence().is_none() {
            store.begin(file)?;
        }
        let resume = store.resume()?;
        let (expected, found) = (file.hash(), resume.chain.state().genesis_hash());
        if expected == found { Ok((store, resume)) } else { Err(OpenError::OtherNetwork { expected, found }) }
    }

    fn begin(&self, file: &Genesis) -> Result<(), OpenError> {
        let (chain, events) = genesis(file)?;
        let block = Arc::new(genesis_block(&chain));
        let mut nodes = Vec::new();
        crypto::mmr::Mmr::new().push_with(chain.id(), |position, node| nodes.push((position, node)));
        let commit = Commit { block, certificate: None, chain: Arc::new(chain), events, light: None, nodes };
        Ok(self.commit(&commit)?)
    }

    fn resume(&self) -> Result<Resume, OpenError> {
        let height = Height::new(self.store.last_sequence().unwrap_or_default());
        let missing = |what, height| OpenError::Missing { what, height };
        let chain = self.chain_state(height)?.ok_or(missing("state", height))?;
        let block = self.block(height)?.filter(|block| block.header == *chain.header());
        let block = block.ok_or(missing("block", height))?;
        let entry = chain.state().current_epoch(Chain::Beacon);
        let first = entry.map_or(Height::ZERO, |entry| entry.first_height);
        let below = first.previous().unwrap_or(Height::ZERO);
        let boundary = self.block(below)?.ok_or(missing("block", below))?;
        Ok(Resume {
            committees: self.named_committees(&chain)?,
            certificate: self.certificate(height)?,
            chain: Arc::new(chain),
            block: Arc::new(block),
            boundary: Arc::new(boundary),
        })
    }

    /// The committees that a state names, as far as they are there.
    fn named_committees(
        &self,
        chain: &BeaconChainState,
    ) -> Result<Vec<(Chain, Epoch, Committee)>, StorageError> {
        let state = chain.state();
        let beacon = state.beacon_table().entries().iter().map(|entry| (Chain::Beacon, entry.epoch));
        let shards = state.shards().flat_map(|record| {
            let voided = state.progress(record.shard).map_or(&[][..], |progress| progress.voided());
            let entries = record.table.entries().iter().chain(voided);
            entries.map(move |entry| (Chain::from(record.shard), entry.epoch))
        });
        let mut committees = Vec::new();
        for (chain, epoch) in beacon.chain(shards) {
            if let Some(drawn) = self.committee(chain, epoch)? {
                committees.push((chain, epoch, drawn.committee));
            }
        }
        Ok(committees)
    }

    /// Writes what follows from one certified block, as durably as the store is configured.
    pub fn commit(&self, commit: &Commit) -> Result<(), StorageError> {
        let Commit { block, certificate, chain, events, light, nodes } = commit;
        let BeaconBlock { header, body } = &**block;
        let (height, id) = (header.height.get(), chain.id());
        let mut batch = Batch::new();
        batch.put::<Headers>(&height, &Ssz(header.clone()));
        batch.put::<Bodies>(&height, &Ssz(body.clone()));
        batch.put::<Ids>(&height, &id);
        batch.put::<Heights>(&id, &height);
        for (position, node) in nodes {
            batch.put::<Nodes>(position, node);
        }
        if let Some(certificate) = certificate {
            batch.put::<Certificates>(&height, &Ssz(certificate.clone()));
        }
        if let Some(light) = light {
            batch.put::<LightUpdates>(&height, &Ssz(light.clone()));
        }
        for event in events {
            if let Event::Drawn { chain, epoch, first_height, committee } = event {
                let drawn = Drawn { first_height: *first_height, committee: committee.clone() };
                batch.put::<Committees>(&(chain.code(), epoch.get()), &Ssz(drawn));
            }
        }
        if let Some(old) = self.spare_light_update(height)? {
            batch.delete::<LightUpdates>(&old);
        }
        self.store.commit(height, &chain.as_ssz_bytes(), batch)
    }

    /// Height of the light update that `height` pushes out of the window, unless it is its epoch's last.
    fn spare_light_update(&self, height: u64) -> Result<Option<u64>, StorageError> {
        let Some(old) = height.checked_sub(LIGHT_HEIGHTS) else { return Ok(None) };
        let snapshot = self.store.snapshot()?;
        let epoch = |update: Option<(u64, Ssz<LightUpdate>)>| {
            update.map(|(_, update)| update.0.certified.header.epoch)
        };
        let Some(mine) = snapshot.get::<LightUpdates>(&old)? else { return Ok(None) };
        let next = snapshot.first_at_or_after::<LightUpdates>(&old.saturating_add(1))?;
        Ok((epoch(next) == Some(mine.0.certified.header.epoch)).then_some(old))
    }

    /// Height of the newest block.
    pub fn head(&self) -> Height {
        Height::new(self.store.last_sequence().unwrap_or_default())
    }

    /// Id of the block at `height`.
    pub fn id(&self, height: Height) -> Result<Option<B256>, StorageError> {
        self.store.get::<Ids>(&height.get())
    }

    /// Height of the block with this id.
    pub fn height(&self, id: &B256) -> Result<Option<Height>, StorageError> {
        Ok(self.store.get::<Heights>(id)?.map(Height::new))
    }

    /// The header at `height`.
    pub fn header(&self, height: Height) -> Result<Option<BeaconHeader>, StorageError> {
        Ok(self.store.get::<Headers>(&height.get())?.map(|header| header.0))
    }

    /// The block at `height`.
    pub fn block(&self, height: Height) -> Result<Option<BeaconBlock>, StorageError> {
        let (Some(header), Some(body)) = (self.header(height)?, self.store.get::<Bodies>(&height.get())?)
        else {
            return Ok(None);
        };
        Ok(Some(BeaconBlock { header, body: body.0 }))
    }

    /// The certificate of the very block at `height`, where there is one.
    pub fn certificate(&self, height: Height) -> Result<Option<Certificate>, StorageError> {
        Ok(self.store.get::<Certificates>(&height.get())?.map(|certificate| certificate.0))
    }

    /// The committee that was drawn for a chain and epoch, however long ago.
    pub fn committee(&self, chain: Chain, epoch: Epoch) -> Result<Option<Drawn>, StorageError> {
        Ok(self.store.get::<Committees>(&(chain.code(), epoch.get()))?.map(|drawn| drawn.0))
    }

    /// The lowest light update above `height` that is kept: all of the latest heights, and of each older epoch
    /// the last. So a follower never has to skip an epoch.
    pub fn light_update_above(&self, height: Height) -> Result<Option<LightUpdate>, StorageError> {
        let next = self.store.first_at_or_after::<LightUpdates>(&height.next().get())?;
        Ok(next.filter(|(found, _)| *found > height.get()).map(|(_, update)| update.0))
    }

    /// The state above the block at `height`, if it is one of the latest.
    pub fn chain_state(&self, height: Height) -> Result<Option<BeaconChainState>, OpenError> {
        let Some(bytes) = self.store.record(height.get())? else { return Ok(None) };
        let state = BeaconChainState::from_ssz_bytes(&bytes);
        state.map(Some).map_err(|error| OpenError::State { height, error })
    }

    /// That the block at height `ancestor` is an ancestor of the one at `height`, against its history root.
    pub fn history_proof(&self, ancestor: Height, height: Height) -> Result<MmrProof, ProveError> {
        prove(&StoredNodes(&self.store), ancestor.get(), height.get())
    }
}

/// The mountain range over the chain's ids, on disk.
struct StoredNodes<'a>(&'a Store);

impl MmrNodes for StoredNodes<'_> {
    fn node(&self, position: u64) -> Option<B256> {
        self.0.get::<Nodes>(&position).ok().flatten()
    }
}

/// The block at height zero, which nobody proposed.
pub fn genesis_block(chain: &BeaconChainState) -> BeaconBlock {
    let body = BeaconBody {
        randao_reveal: SignatureBytes::new([0; SignatureBytes::LENGTH]),
        crosslinks: Vec::new(),
        evidence: Vec::new(),
        conflicts: Vec::new(),
        consumptions: Vec::new(),
        bundles: Vec::new(),
    };
    BeaconBlock { header: chain.header().clone(), body }
}
