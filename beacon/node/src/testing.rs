//! A small network for tests: its genesis, every key, and shards reduced to their headers.

use beacon_state::BeaconState;
use consensus::vote::{randao_bytes, signing_bytes};
use crypto::bls::{SecretKey, Signature, aggregate_signatures};
use crypto::mmr::{MmrProof, MmrTree};
use primitives::{
    Address, B256, BeaconBundle, Certificate, Chain, ChainSpec, Committee, Crosslink, Epoch, Genesis,
    GenesisValidator, Height, InboxCursor, InboxCursors, Lane, PublicKeyBytes, Receipt, SeatRegistration,
    ShardHeader, ShardId, SignatureBytes, SignedVote, Signers, U256, ValidatorIndex, View, Vote, VoteKind,
};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use xshard::{Exit, Outbox, Payload};

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
        Self::with_shards(1, stakes)
    }

    /// As [`Self::new`], with more shards.
    pub(crate) fn with_shards(shards: u32, stakes: &[u32]) -> Self {
        let mut spec = ChainSpec::preset("local").expect("a preset is valid");
        spec.beacon_epoch_heights = NonZeroU64::new(EPOCH_HEIGHTS).expect("not zero");
        spec.shards.truncate(shards as usize);
        let master = SecretKey::derive_master(&[5; 32]).expect("the seed is long enough");
        let owners = (0..).zip(stakes).map(|(index, stake)| {
            let owner = master.child(index);
            (0..*stake).map(|unit| owner.child(unit)).collect::<Vec<_>>()
        });
        let secrets: Vec<_> = owners.collect();
        let validators = (1..).zip(&secrets).map(|(index, secrets)| GenesisValidator {
            seats: secrets.iter().map(SeatRegistration::new).collect(),
            beacon_node: node_key(index),
            shard_node: B256::repeat_byte(index),
            withdrawal_address: Address::repeat_byte(index),
        });
        let genesis = Genesis {
            spec,
            timestamp_ms: 1_000,
            validators: validators.collect(),
            allocations: Vec::new(),
            shard_ids: (0..shards).map(|shard| Shard::of(shard).headers[0].id()).collect(),
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

/// A shard, reduced to its headers and what each consumed.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) headers: Vec<ShardHeader>,
    cursors: Vec<InboxCursors>,
    /// What each sent to the beacon chain.
    outboxes: Vec<Outbox>,
    history: MmrTree,
    /// Tells branches apart.
    salt: u8,
}

impl Shard {
    /// Shard zero.
    pub(crate) fn new() -> Self {
        Self::of(0)
    }

    /// A shard that has its genesis header only.
    pub(crate) fn of(shard: u32) -> Self {
        let cursors = InboxCursors::default();
        let header = ShardHeader {
            shard: ShardId::new(shard),
            inbox_cursors_root: cursors.root(),
            history_root: MmrTree::new().root(),
            ..ShardHeader::default()
        };
        let history = MmrTree::from_iter([header.id()]);
        let outboxes = vec![Outbox::default()];
        Self { history, cursors: vec![cursors], headers: vec![header], outboxes, salt: 0 }
    }

    /// Another branch, whose headers differ from now on.
    pub(crate) fn fork(&self, salt: u8) -> Self {
        Self { salt, ..self.clone() }
    }

    /// Adds a header of epoch zero that consumes nothing new.
    pub(crate) fn grow(&mut self) {
        self.grow_with(self.cursors.last().expect("genesis stays").clone());
    }

    /// Adds a header that has consumed from the header of `source` at `height`, and from no other shard.
    pub(crate) fn consume(&mut self, source: &Self, height: u64) {
        let header = &source.headers[height as usize];
        let (source, id, epoch) = (header.shard.into(), header.id(), header.epoch);
        let cursor = InboxCursor { source, height: header.height, id, epoch, sequence: height };
        self.grow_with(InboxCursors::new(vec![cursor]).expect("one cursor"));
    }

    /// Adds a header that sends so many exits to the beacon chain: what it refuses and answers.
    pub(crate) fn send(&mut self, count: u64) {
        let sent = self.outboxes.iter().map(|outbox| outbox.receipts().count() as u64).sum::<u64>();
        let lane = Lane { source: self.headers[0].shard.into(), destination: Chain::Beacon };
        let payload = Payload::Exit(Exit { validator: ValidatorIndex::new(99), units: 1 });
        let receipt = |sequence| Receipt {
            lane,
            sequence,
            kind: payload.kind(),
            sender: Address::repeat_byte(1),
            value: U256::ZERO,
            gas: 0,
            deadline: 0,
            payload: payload.encode(),
        };
        let outbox = Outbox::new((sent..sent + count).map(receipt)).expect("in order");
        self.grow_sending(self.cursors.last().expect("genesis stays").clone(), outbox);
    }

    /// All that headers up to `height` sent to the beacon chain, proven under the header there.
    pub(crate) fn bundles(&self, height: u64) -> Vec<BeaconBundle> {
        let bundle = |sender: u64| {
            let outbox = &self.outboxes[sender as usize];
            Some(BeaconBundle {
                header: self.headers[sender as usize].clone(),
                ancestry: (sender < height).then(|| self.ancestry(height, sender)).into_iter().collect(),
                outbox: outbox.proof(Chain::Beacon)?,
                receipts: outbox.receipts().map(|(_, receipt)| receipt.clone()).collect(),
                range_proof: Vec::new(),
            })
        };
        (0..=height).filter_map(bundle).collect()
    }

    fn grow_with(&mut self, cursors: InboxCursors) {
        self.grow_sending(cursors, Outbox::default());
    }

    fn grow_sending(&mut self, cursors: InboxCursors, outbox: Outbox) {
        let tip = self.headers.last().expect("genesis stays");
        let header = ShardHeader {
            shard: tip.shard,
            height: tip.height.next(),
            parent: tip.id(),
            state_root: B256::repeat_byte(self.salt),
            inbox_cursors_root: cursors.root(),
            history_root: self.history.root(),
            outbox_root: outbox.root(),
            ..ShardHeader::default()
        };
        self.outboxes.push(outbox);
        self.history.push(header.id());
        self.headers.push(header);
        self.cursors.push(cursors);
    }

    /// That the header at `ancestor` is an ancestor of the one at `height`.
    pub(crate) fn ancestry(&self, height: u64, ancestor: u64) -> MmrProof {
        self.history.proof(ancestor, height).expect("an ancestor is below")
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
        let accepted = state.shard(header.shard).expect("the shard exists").accepted.height;
        Crosslink {
            certificate: world.certify(committee, header.shard.into(), header.epoch, header.id()),
            history: self.ancestry(height, accepted.get().min(height - 1)),
            cursors: self.cursors[height as usize].clone(),
            sources: Vec::new(),
            header,
        }
    }
}
