//! A small network for tests: its genesis, every key, and shards reduced to their headers.

use beacon_state::BeaconState;
use consensus::vote::{randao_bytes, signing_bytes};
use crypto::bls::{SecretKey, Signature, aggregate_signatures};
use crypto::mmr::MmrTree;
use primitives::{
    Address, B256, Certificate, Chain, ChainSpec, Committee, Crosslink, Epoch, Genesis, GenesisValidator,
    Height, InboxCursors, PublicKeyBytes, SeatRegistration, ShardHeader, ShardId, SignatureBytes, SignedVote,
    Signers, SourceAncestry, View, Vote, VoteKind,
};
use std::collections::BTreeMap;
use std::num::NonZeroU64;

pub(crate) const EPOCH_HEIGHTS: u64 = 4;

/// A network with all its secrets.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) genesis: Genesis,
    /// Secrets of each validator's seats.
    pub(crate) secrets: Vec<Vec<SecretKey>>,
    keys: BTreeMap<PublicKeyBytes, SecretKey>,
}

impl World {
    /// Validators of these stakes, epochs of four beacon heights, one shard.
    pub(crate) fn new(stakes: &[u32]) -> Self {
        let mut spec = ChainSpec::preset("local").expect("a preset is valid");
        spec.beacon_epoch_heights = NonZeroU64::new(EPOCH_HEIGHTS).expect("not zero");
        spec.shards.truncate(1);
        let master = SecretKey::derive_master(&[5; 32]).expect("the seed is long enough");
        let owners = (0..).zip(stakes).map(|(index, stake)| {
            let owner = master.child(index);
            (0..*stake).map(|unit| owner.child(unit)).collect::<Vec<_>>()
        });
        let secrets: Vec<_> = owners.collect();
        let validators = (1..).zip(&secrets).map(|(index, secrets)| GenesisValidator {
            seats: secrets.iter().map(registration).collect(),
            beacon_node: node_key(index),
            shard_node: B256::repeat_byte(index),
            withdrawal_address: Address::repeat_byte(index),
        });
        let genesis = Genesis {
            spec,
            timestamp_ms: 1_000,
            validators: validators.collect(),
            allocations: Vec::new(),
            shard_ids: vec![Shard::new().headers[0].id()],
        };
        let keys = secrets.iter().flatten().map(|secret| (secret.public_key().to_bytes(), secret.clone()));
        Self { keys: keys.collect(), genesis, secrets }
    }

    pub(crate) fn hash(&self) -> B256 {
        self.genesis.hash()
    }

    /// The reveal of the seat with this key at a height.
    pub(crate) fn reveal(&self, key: &PublicKeyBytes, epoch: Epoch, height: Height) -> SignatureBytes {
        self.keys[key].sign(&randao_bytes(self.hash(), epoch, height)).to_bytes()
    }

    /// A vote by a seat of a committee.
    pub(crate) fn vote(&self, committee: &Committee, seat: u32, vote: Vote) -> SignedVote {
        let bytes = signing_bytes(&consensus::namespace(self.hash(), vote.chain), &vote);
        let key = committee.seat(seat).expect("the seat exists").key;
        SignedVote { vote, seat, signature: self.keys[&key].sign(&bytes).to_bytes() }
    }

    /// A quorum's certificate.
    pub(crate) fn certify(&self, committee: &Committee, chain: Chain, epoch: Epoch, id: B256) -> Certificate {
        let (view, parent_view) = (View::new(1), View::ZERO);
        let vote = Vote { kind: VoteKind::Finalize, chain, epoch, view, parent_view, id };
        let votes = (0..committee.quorum()).map(|seat| self.vote(committee, seat, vote).signature);
        let votes: Vec<_> = votes.map(|bytes| Signature::from_bytes(&bytes).expect("just signed")).collect();
        let signature =
            aggregate_signatures(&votes.iter().collect::<Vec<_>>()).expect("a quorum is not empty");
        let signers = Signers::from_indices(committee.len(), 0..committee.quorum());
        Certificate { epoch, view, parent_view, id, signers, signature: signature.to_bytes() }
    }
}

/// Secret of a node's identity on the simulated network.
pub(crate) fn node_secret(index: u8) -> [u8; 32] {
    [index; 32]
}

fn node_key(index: u8) -> B256 {
    engine::node_key_of(&node_secret(index))
}

fn registration(secret: &SecretKey) -> SeatRegistration {
    SeatRegistration { key: secret.public_key().to_bytes(), possession: secret.prove_possession().to_bytes() }
}

/// Shard zero, reduced to its headers.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) headers: Vec<ShardHeader>,
    history: MmrTree,
}

impl Shard {
    pub(crate) fn new() -> Self {
        let header = ShardHeader {
            inbox_cursors_root: InboxCursors::default().root(),
            history_root: MmrTree::new().root(),
            ..ShardHeader::default()
        };
        Self { history: MmrTree::from_iter([header.id()]), headers: vec![header] }
    }

    /// Adds a header of epoch zero.
    pub(crate) fn grow(&mut self) {
        let tip = self.headers.last().expect("genesis stays");
        let header = ShardHeader {
            height: tip.height.next(),
            parent: tip.id(),
            inbox_cursors_root: InboxCursors::default().root(),
            history_root: self.history.root(),
            ..ShardHeader::default()
        };
        self.history.push(header.id());
        self.headers.push(header);
    }

    /// The crosslink of the header at `height`, above the one that `state` has accepted.
    pub(crate) fn crosslink(
        &self,
        world: &World,
        state: &BeaconState,
        committee: &Committee,
        height: u64,
    ) -> Crosslink {
        let header = self.headers[height as usize].clone();
        let accepted = state.shard(ShardId::new(0)).expect("the shard exists").accepted.height;
        let chain = Chain::Shard(header.shard);
        Crosslink {
            certificate: world.certify(committee, chain, header.epoch, header.id()),
            history: self.history.proof(accepted.get(), height).expect("accepted is below"),
            cursors: InboxCursors::default(),
            sources: Vec::<SourceAncestry>::new(),
            header,
        }
    }
}
