//! What survives a power cut: keys, disks, and the record of what was seen.

use crate::{book::Book, config::WorldConfig};
use crypto::bls::SecretKey;
use parking_lot::Mutex;
use primitives::{Address, Chain, Genesis, GenesisValidator, SeatRegistration, ShardId};
use shard_state::genesis::genesis_header;
use std::collections::BTreeMap;
use storage::MemoryDisk;
use validator::{Protection, Signer};

/// Everything of a simulated network that is not running.
#[derive(Debug)]
pub(crate) struct Estate {
    pub(crate) seed: u64,
    pub(crate) config: WorldConfig,
    pub(crate) genesis: Genesis,
    pub(crate) book: Book,
    /// Secrets of each validator's seats.
    pub(crate) secrets: Vec<Vec<SecretKey>>,
    /// One for each validator; what they signed, they remember.
    pub(crate) signers: Vec<Signer>,
    disks: Mutex<BTreeMap<(usize, Chain), MemoryDisk>>,
    crashes: Mutex<u64>,
}

impl Estate {
    pub(crate) fn new(seed: u64, config: WorldConfig) -> Self {
        let master = SecretKey::derive_master(&[7; 32]).expect("the seed is long enough");
        let units = config.stakes.iter().copied().chain((0..config.newcomers).map(|_| 1));
        let owned = (0u32..).zip(units).map(|(index, units)| {
            let owner = master.child(index);
            (0..units).map(|unit| owner.child(unit)).collect::<Vec<_>>()
        });
        let secrets: Vec<_> = owned.collect();
        let genesis = genesis(&config, &secrets[..config.stakes.len()]);
        let hash = genesis.hash();
        let signers = secrets.iter().map(|own| Signer::new(own.clone(), hash, Protection::in_memory()));
        Self {
            seed,
            genesis,
            book: Book::default(),
            signers: signers.collect(),
            secrets,
            config,
            disks: Mutex::default(),
            crashes: Mutex::new(seed),
        }
    }

    /// The disk of a validator's node for one chain.
    pub(crate) fn disk(&self, validator: usize, chain: Chain) -> MemoryDisk {
        self.disks.lock().entry((validator, chain)).or_default().clone()
    }

    /// Cuts the power of all disks of one validator.
    pub(crate) fn crash(&self, validator: usize) {
        let disks = self.disks.lock();
        for (_, disk) in disks.iter().filter(|((owner, _), _)| *owner == validator) {
            let mut crashes = self.crashes.lock();
            *crashes = crashes.wrapping_add(1);
            disk.crash(*crashes);
        }
    }

    /// Lets all disks of one validator fail after so many writes.
    pub(crate) fn power_off_after(&self, validator: usize, writes: u64) {
        let disks = self.disks.lock();
        let own = disks.iter().filter(|((owner, _), _)| *owner == validator);
        own.for_each(|(_, disk)| disk.power_off_after(writes));
    }

    /// Every shard.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        (0..).map(ShardId::new).take(if self.config.runs_shards { self.config.spec.shards.len() } else { 0 })
    }

    /// Number of validators, newcomers included.
    pub(crate) fn validators(&self) -> usize {
        self.secrets.len()
    }

    /// A validator's seats, with proofs of possession.
    pub(crate) fn registrations(&self, validator: usize) -> Vec<SeatRegistration> {
        self.secrets[validator].iter().map(SeatRegistration::new).collect()
    }

    /// Units of all validators at genesis.
    pub(crate) fn units(&self) -> u64 {
        self.config.stakes.iter().copied().map(u64::from).sum()
    }
}

/// Secret of the identity of a validator's `beacon-node`.
pub(crate) fn beacon_secret(validator: usize) -> [u8; 32] {
    [u8::try_from(validator).expect("few validators") + 1; 32]
}

/// Secret of the identity of a validator's `shard-node`.
pub(crate) fn shard_secret(validator: usize) -> [u8; 32] {
    [u8::try_from(validator).expect("few validators") + 101; 32]
}

fn genesis(config: &WorldConfig, secrets: &[Vec<SecretKey>]) -> Genesis {
    let validators = secrets.iter().enumerate().map(|(index, own)| GenesisValidator {
        seats: own.iter().map(SeatRegistration::new).collect(),
        beacon_node: engine::node_key_of(&beacon_secret(index)),
        shard_node: engine::node_key_of(&shard_secret(index)),
        withdrawal_address: Address::repeat_byte(0xf0 + u8::try_from(index).expect("few validators")),
    });
    let allocations = crate::wallet::allocations();
    let shards = (0..).map(ShardId::new).zip(&config.spec.shards);
    let shard_ids = shards.map(|(shard, _)| genesis_header(&config.spec, shard, &allocations, 0).id());
    let genesis = Genesis {
        spec: config.spec.clone(),
        timestamp_ms: 0,
        validators: validators.collect(),
        shard_ids: shard_ids.collect(),
        allocations,
    };
    genesis.verify().expect("a simulated network starts from a valid genesis file");
    genesis
}
