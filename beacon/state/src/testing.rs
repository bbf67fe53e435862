//! A small network for tests: real keys, real committees and certificates, shards that are lists of headers.

use crate::proposal::{BundleSource, Candidates, HistorySource, Proposal, build_block, choose_crosslinks};
use crate::{
    BeaconChainState, BeaconState, BlockError, CommitteeSource, Event, Transition, apply_block, genesis,
};
use consensus::authority::Authority;
use consensus::vote::{randao_bytes, signing_bytes};
use crypto::bls::{SecretKey, aggregate_signatures};
use crypto::mmr::{MmrProof, MmrTree};
use primitives::{
    Address, B256, BeaconBlock, BeaconBundle, Certificate, CertifiedShardHeader, Chain, ChainSpec, Conflict,
    Consumption, Crosslink, Divergence, Epoch, Evidence, Genesis, GenesisValidator, Height, InboxCursor,
    InboxCursors, Lane, OtherAncestor, PublicKeyBytes, Receipt, SeatRegistration, ShardHeader, ShardId,
    ShardRecord, SignatureBytes, SignedVote, Signers, SourceAncestry, U256, View, VoidSource, Vote, VoteKind,
};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use xshard::{Outbox, Payload, empty_outbox_root};

pub(crate) const SHARD_EPOCH_HEIGHTS: u64 = 8;
pub(crate) const BEACON_EPOCH_HEIGHTS: u64 = 4;
pub(crate) const STALL_HEIGHTS: u64 = 6;

/// The local preset with short epochs, a short patience and as many shards as asked for.
pub(crate) fn spec(shards: u32) -> ChainSpec {
    let mut spec = ChainSpec::preset("local").expect("a preset is valid");
    let heights = |heights| NonZeroU64::new(heights).expect("not zero");
    spec.shard_epoch_heights = heights(SHARD_EPOCH_HEIGHTS);
    spec.beacon_epoch_heights = heights(BEACON_EPOCH_HEIGHTS);
    spec.stall_heights = heights(STALL_HEIGHTS);
    let first = spec.shards[0].clone();
    spec.shards = (0..shards)
        .map(|shard| primitives::ShardSpec { name: format!("s{shard}"), ..first.clone() })
        .collect();
    spec
}

/// Every secret key of a network.
pub(crate) type Keys = BTreeMap<PublicKeyBytes, SecretKey>;

/// A genesis with validators of these stakes, and their keys.
pub(crate) fn genesis_of(spec: ChainSpec, stakes: &[u32]) -> (Genesis, Keys) {
    let master = SecretKey::derive_master(&[7; 32]).expect("the seed is long enough");
    let mut keys = Keys::new();
    let validators = (0..).zip(stakes).map(|(index, stake)| {
        let owner = master.child(index);
        let seats = (0..*stake).map(|unit| {
            let secret = owner.child(unit);
            let seat = SeatRegistration::new(&secret);
            keys.insert(seat.key, secret);
            seat
        });
        GenesisValidator {
            seats: seats.collect(),
            beacon_node: B256::with_last_byte(index as u8),
            shard_node: B256::repeat_byte(index as u8),
            withdrawal_address: Address::with_last_byte(index as u8),
        }
    });
    let validators = validators.collect();
    let shard_ids =
        (0..spec.shards.len() as u32).map(|shard| SimShard::new(shard).id(Height::ZERO)).collect();
    (Genesis { spec, timestamp_ms: 1_000_000, validators, allocations: Vec::new(), shard_ids }, keys)
}

/// The committees that were drawn.
#[derive(Debug)]
pub(crate) struct Committees {
    pub(crate) genesis_hash: B256,
    pub(crate) authorities: BTreeMap<(Chain, Epoch), Arc<Authority>>,
}

impl Committees {
    pub(crate) fn new(genesis_hash: B256) -> Self {
        Self { genesis_hash, authorities: BTreeMap::new() }
    }

    pub(crate) fn learn(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Drawn { chain, epoch, committee, .. } = event {
                let authority = Authority::new(committee.clone(), *chain, *epoch, self.genesis_hash)
                    .expect("a drawn committee can speak");
                let before = self.authorities.insert((*chain, *epoch), Arc::new(authority));
                assert!(before.is_none(), "epoch {epoch} of chain {chain} was drawn twice");
            }
        }
    }
}

impl CommitteeSource for Committees {
    fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>> {
        self.authorities.get(&(chain, epoch)).cloned()
    }
}

/// A shard reduced to its headers, by height, and what each consumed.
#[derive(Clone, Debug)]
pub(crate) struct SimShard {
    pub(crate) shard: ShardId,
    pub(crate) headers: Vec<ShardHeader>,
    pub(crate) cursors: Vec<InboxCursors>,
    /// What each sent to the beacon chain.
    outboxes: Vec<Outbox>,
    history: MmrTree,
}

impl SimShard {
    fn new(shard: u32) -> Self {
        let shard = ShardId::new(shard);
        let header = ShardHeader {
            shard,
            inbox_cursors_root: InboxCursors::default().root(),
            history_root: MmrTree::new().root(),
            outbox_root: empty_outbox_root(),
            ..ShardHeader::default()
        };
        Self {
            shard,
            outboxes: vec![Outbox::default()],
            history: MmrTree::from_iter([header.id()]),
            headers: vec![header],
            cursors: vec![InboxCursors::default()],
        }
    }

    pub(crate) fn id(&self, height: Height) -> B256 {
        self.headers[height.get() as usize].id()
    }

    pub(crate) fn tip(&self) -> Height {
        self.headers.last().expect("genesis stays").height
    }

    /// Adds a header of `epoch`; `salt` tells branches apart.
    pub(crate) fn grow(&mut self, epoch: Epoch, cursors: InboxCursors, salt: u8) -> Height {
        self.grow_sending(epoch, cursors, salt, Outbox::default())
    }

    fn grow_sending(&mut self, epoch: Epoch, cursors: InboxCursors, salt: u8, outbox: Outbox) -> Height {
        let tip = self.headers.last().expect("genesis stays");
        let header = ShardHeader {
            shard: self.shard,
            epoch,
            height: tip.height.next(),
            parent: tip.id(),
            state_root: B256::repeat_byte(salt),
            inbox_cursors_root: cursors.root(),
            history_root: self.history.root(),
            outbox_root: outbox.root(),
            ..ShardHeader::default()
        };
        self.outboxes.push(outbox);
        self.history.push(header.id());
        self.headers.push(header);
        self.cursors.push(cursors);
        self.tip()
    }

    /// Forgets everything above `height`.
    pub(crate) fn undo_above(&mut self, height: Height) {
        let kept = height.get() as usize + 1;
        self.headers.truncate(kept);
        self.cursors.truncate(kept);
        self.outboxes.truncate(kept);
        self.history = self.headers.iter().map(ShardHeader::id).collect();
    }

    pub(crate) fn ancestry(&self, height: Height, ancestor: Height) -> MmrProof {
        self.history.proof(ancestor.get(), height.get()).expect("an ancestor is below")
    }

    /// That the header at `height` has this branch's header at `lower` as ancestor, or is at that height itself.
    pub(crate) fn divergence(&self, height: u64, lower: u64) -> Divergence {
        if height == lower {
            return Divergence::SameHeight(0);
        }
        let (height, lower) = (Height::new(height), Height::new(lower));
        Divergence::Below(OtherAncestor { id: self.id(lower), proof: self.ancestry(height, lower) })
    }

    /// How many receipts it sent to the beacon chain.
    pub(crate) fn sent(&self) -> u64 {
        self.outboxes.iter().map(|outbox| outbox.receipts().count() as u64).sum()
    }

    /// All that the header at `height` sent to the beacon chain, proven under that at `accepted`; none if that is nothing.
    pub(crate) fn bundle(&self, height: u64, accepted: Height) -> Option<BeaconBundle> {
        let outbox = &self.outboxes[height as usize];
        let receipts: Vec<_> = outbox.receipts().map(|(_, receipt)| receipt.clone()).collect();
        let height = Height::new(height);
        Some(BeaconBundle {
            header: self.headers[height.get() as usize].clone(),
            ancestry: (height < accepted).then(|| self.ancestry(accepted, height)).into_iter().collect(),
            outbox: outbox.proof(Chain::Beacon)?,
            receipts,
            range_proof: Vec::new(),
        })
    }

    /// A cursor that has consumed up to this shard's header at `height`.
    pub(crate) fn cursor(&self, height: Height) -> InboxCursor {
        let (id, epoch) = (self.id(height), self.headers[height.get() as usize].epoch);
        InboxCursor { source: self.shard.into(), height, id, epoch, sequence: height.get() }
    }
}

/// What a block brings beside its reveal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Brought {
    pub(crate) crosslinks: Vec<Crosslink>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) consumptions: Vec<Consumption>,
    /// As they are offered.
    pub(crate) bundles: Vec<BeaconBundle>,
}

/// Whatever is offered, for whichever header.
impl BundleSource for Vec<BeaconBundle> {
    fn bundles(&self, shard: ShardId, _: &B256) -> Vec<BeaconBundle> {
        self.iter().filter(|bundle| bundle.header.shard == shard).cloned().collect()
    }
}

/// A beacon chain with its shards.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) spec: ChainSpec,
    pub(crate) keys: Keys,
    pub(crate) chain: BeaconChainState,
    pub(crate) committees: Committees,
    pub(crate) shards: Vec<SimShard>,
}

impl HistorySource for Vec<SimShard> {
    fn ancestries(
        &self,
        shard: ShardId,
        height: Height,
        descendant: B256,
        ancestor: Height,
    ) -> Vec<MmrProof> {
        let shard = self.get(shard.get() as usize);
        let is_known = |shard: &&SimShard| {
            let header = shard.headers.get(height.get() as usize);
            header.is_some_and(|header| header.id() == descendant) && ancestor < height
        };
        shard.filter(is_known).map(|shard| shard.ancestry(height, ancestor)).into_iter().collect()
    }
}

impl Network {
    pub(crate) fn new(shards: u32, stakes: &[u32]) -> Self {
        Self::with_spec(spec(shards), stakes)
    }

    pub(crate) fn with_spec(spec: ChainSpec, stakes: &[u32]) -> Self {
        let (file, keys) = genesis_of(spec.clone(), stakes);
        let (chain, events) = genesis(&file).expect("the genesis is valid");
        let mut committees = Committees::new(file.hash());
        committees.learn(&events);
        let shards = (0..spec.shards.len() as u32).map(SimShard::new).collect();
        Self { spec, keys, chain, committees, shards }
    }

    pub(crate) fn state(&self) -> &BeaconState {
        self.chain.state()
    }

    pub(crate) fn record(&self, shard: u32) -> &ShardRecord {
        self.state().shard(ShardId::new(shard)).expect("the shard exists")
    }

    pub(crate) fn authority(&self, chain: Chain, epoch: Epoch) -> Arc<Authority> {
        self.committees.authority(chain, epoch).expect("the committee was drawn")
    }

    fn sign(&self, authority: &Authority, seat: u32, bytes: &[u8]) -> crypto::bls::Signature {
        self.keys[&authority.committee().seat(seat).expect("the seat exists").key].sign(bytes)
    }

    /// A quorum's certificate, in view 1.
    pub(crate) fn certify(&self, chain: Chain, epoch: Epoch, id: B256) -> Certificate {
        self.certify_by(&self.authority(chain, epoch), id, None)
    }

    /// The certificate of the first `signers` seats, a quorum if it is none.
    pub(crate) fn certify_by(&self, authority: &Authority, id: B256, signers: Option<u32>) -> Certificate {
        let count = signers.unwrap_or(authority.quorum());
        self.certify_in(authority, id, View::new(1), &(0..count).collect::<Vec<_>>())
    }

    /// The certificate of these seats in a view.
    pub(crate) fn certify_in(
        &self,
        authority: &Authority,
        id: B256,
        view: View,
        seats: &[u32],
    ) -> Certificate {
        let parent_view = View::ZERO;
        let (chain, epoch) = (authority.chain(), authority.epoch());
        let vote = Vote { kind: VoteKind::Finalize, chain, epoch, view, parent_view, id };
        let bytes = signing_bytes(authority.namespace(), &vote);
        let signatures: Vec<_> = seats.iter().map(|seat| self.sign(authority, *seat, &bytes)).collect();
        let signature =
            aggregate_signatures(&signatures.iter().collect::<Vec<_>>()).expect("there are signers");
        let signers = Signers::from_indices(authority.committee().len(), seats.iter().copied());
        Certificate { epoch, view, parent_view, id, signers, signature: signature.to_bytes() }
    }

    /// Lets `shard` produce `count` headers that consume nothing new, in the epochs that the table knows.
    pub(crate) fn grow(&mut self, shard: u32, count: u64) {
        for _ in 0..count {
            let cursors = self.shards[shard as usize].cursors.last().expect("genesis stays").clone();
            self.grow_with(shard, cursors);
        }
    }

    /// Lets `shard` produce one header with these cursors.
    pub(crate) fn grow_with(&mut self, shard: u32, cursors: InboxCursors) {
        let height = self.shards[shard as usize].tip().next();
        let epoch = self.record(shard).table.ruling(height).expect("the table rules every height").epoch;
        self.shards[shard as usize].grow(epoch, cursors, 0);
    }

    /// A receipt to the beacon chain; its place in the lane is set when it is sent.
    pub(crate) fn receipt(&self, sender: Address, value: U256, payload: &Payload) -> Receipt {
        Receipt {
            lane: Lane { source: Chain::Beacon, destination: Chain::Beacon },
            sequence: 0,
            kind: payload.kind(),
            sender,
            value,
            gas: 0,
            deadline: 0,
            payload: payload.encode(),
        }
    }

    /// Lets `shard` produce one header that sends these receipts to the beacon chain.
    pub(crate) fn send(&mut self, shard: u32, receipts: Vec<Receipt>) {
        let sim = &self.shards[shard as usize];
        let lane = Lane { source: sim.shard.into(), destination: Chain::Beacon };
        let numbered = receipts.into_iter().zip(sim.sent()..);
        let outbox = Outbox::new(numbered.map(|(receipt, sequence)| Receipt { lane, sequence, ..receipt }));
        let (height, cursors) = (sim.tip().next(), sim.cursors.last().expect("genesis stays").clone());
        let epoch = self.record(shard).table.ruling(height).expect("the table rules every height").epoch;
        let outbox = outbox.expect("in order");
        self.shards[shard as usize].grow_sending(epoch, cursors, 0, outbox);
    }

    /// All that `shard` ever sent to the beacon chain, proven under its header at `accepted`.
    pub(crate) fn bundles(&self, shard: u32, accepted: u64) -> Vec<BeaconBundle> {
        let shard = &self.shards[shard as usize];
        (0..=accepted).filter_map(|height| shard.bundle(height, Height::new(accepted))).collect()
    }

    /// Adds a block with the crosslinks of these shards' tips, those that are not accepted yet, and all that they sent.
    pub(crate) fn deliver(&mut self, shards: &[u32]) -> Vec<Event> {
        let mut brought = Brought::default();
        for shard in shards {
            let tip = self.shards[*shard as usize].tip();
            if self.record(*shard).accepted.height < tip {
                brought.crosslinks.push(self.crosslink(*shard, tip.get()));
            }
            brought.bundles.extend(self.bundles(*shard, tip.get()));
        }
        self.step_of(brought).expect("what is offered does no harm")
    }

    /// Lets `shard` send one block's receipts, and brings them at once.
    pub(crate) fn send_and_deliver(&mut self, shard: u32, receipts: Vec<Receipt>) -> Vec<Event> {
        self.send(shard, receipts);
        self.deliver(&[shard])
    }

    /// What is wrong with a block that has these bundles and nothing else, whatever its proposer thinks.
    pub(crate) fn refused_bundles(&self, bundles: Vec<BeaconBundle>) -> Option<BlockError> {
        let (mut block, _) = self.build(vec![], vec![]).expect("an empty block follows");
        block.body.bundles = bundles;
        block.header.body_root = block.body.root();
        match self.apply(&block) {
            Err(BlockError::StateRoot { expected, .. }) => {
                block.header.state_root = expected;
                self.apply(&block).err()
            }
            other => other.err(),
        }
    }

    /// A new seat of this number, whose key the network keeps.
    pub(crate) fn seat(&mut self, number: u32) -> SeatRegistration {
        let secret = SecretKey::derive_master(&[9; 32]).expect("the seed is long enough").child(number);
        let seat = SeatRegistration::new(&secret);
        self.keys.insert(seat.key, secret);
        seat
    }

    /// Wei of so many units.
    pub(crate) fn wei(&self, units: u64) -> U256 {
        self.spec.unit_wei * U256::from(units)
    }

    /// Lets `shard` produce one header that has consumed up to those of `sources` as well.
    pub(crate) fn consume(&mut self, shard: u32, sources: &[(u32, u64)]) {
        let before = self.shards[shard as usize].cursors.last().expect("genesis stays");
        let new: Vec<_> = (sources.iter())
            .map(|(source, height)| self.shards[*source as usize].cursor(Height::new(*height)))
            .collect();
        let kept =
            before.as_slice().iter().filter(|old| new.iter().all(|cursor| cursor.source != old.source));
        let cursors = kept.copied().chain(new.iter().copied()).collect();
        self.grow_with(shard, InboxCursors::new(cursors).expect("one cursor for each source"));
    }

    /// The crosslink of the shard's header at `height`, above the accepted one.
    pub(crate) fn crosslink(&self, shard: u32, height: u64) -> Crosslink {
        let accepted = self.record(shard).accepted.height;
        let (shard, height) = (&self.shards[shard as usize], Height::new(height));
        let header = shard.headers[height.get() as usize].clone();
        let cursors = shard.cursors[height.get() as usize].clone();
        Crosslink {
            certificate: self.certify(shard.shard.into(), header.epoch, header.id()),
            history: shard.ancestry(height, accepted.min(Height::new(height.get() - 1))),
            sources: vec![SourceAncestry::Direct(0); cursors.as_slice().len()],
            cursors,
            header,
        }
    }

    /// The header of a branch of a shard with a quorum's certificate in a view.
    pub(crate) fn certified(&self, branch: &SimShard, height: u64, view: u64) -> CertifiedShardHeader {
        let header = branch.headers[height as usize].clone();
        let authority = self.authority(header.shard.into(), header.epoch);
        let seats: Vec<_> = (0..authority.quorum()).collect();
        let certificate = self.certify_in(&authority, header.id(), View::new(view), &seats);
        CertifiedShardHeader { header, certificate }
    }

    /// That two branches of a shard have headers at these heights, certified in views 1 and 2; the second is no lower,
    /// and its branch differs at the first one's height.
    pub(crate) fn conflict(&self, first: (&SimShard, u64), second: (&SimShard, u64)) -> Conflict {
        Conflict {
            first: self.certified(first.0, first.1, 1),
            second: self.certified(second.0, second.1, 2),
            divergence: second.0.divergence(second.1, first.1),
        }
    }

    /// That a shard's header consumed from a header of `source` of an ended epoch.
    pub(crate) fn consumption(&self, (consumer, at): (&SimShard, u64), source: ShardId) -> Consumption {
        Consumption {
            certified: self.certified(consumer, at, 1),
            cursors: consumer.cursors[at as usize].clone(),
            source: VoidSource::Ended(source),
        }
    }

    /// Evidence that the seat notarized two blocks.
    pub(crate) fn equivocation(&self, chain: Chain, epoch: u64, seat: u32, view: u64) -> Evidence {
        let authority = self.authority(chain, Epoch::new(epoch));
        let vote = |salt| Vote {
            kind: VoteKind::Notarize,
            chain,
            epoch: Epoch::new(epoch),
            view: View::new(view),
            parent_view: View::ZERO,
            id: B256::repeat_byte(salt),
        };
        self.evidence(&authority, seat, vote(1), vote(2))
    }

    pub(crate) fn evidence(&self, authority: &Authority, seat: u32, first: Vote, second: Vote) -> Evidence {
        let sign = |vote: Vote| {
            let signature =
                self.sign(authority, seat, &signing_bytes(authority.namespace(), &vote)).to_bytes();
            SignedVote { vote, seat, signature }
        };
        Evidence { first: sign(first), second: sign(second), committee: authority.committee().clone() }
    }

    /// The seat that leads the next beacon block.
    pub(crate) fn leader(&self) -> u32 {
        let epoch = self.next_epoch();
        (self.chain.header().height.get() % u64::from(self.authority(Chain::Beacon, epoch).committee().len()))
            as u32
    }

    pub(crate) fn next_epoch(&self) -> Epoch {
        self.state().current_epoch(Chain::Beacon).expect("somebody rules").epoch
    }

    pub(crate) fn reveal(&self, leader: u32) -> SignatureBytes {
        let (epoch, height) = (self.next_epoch(), self.chain.header().height.next());
        let bytes = randao_bytes(self.state().genesis_hash(), epoch, height);
        self.sign(&self.authority(Chain::Beacon, epoch), leader, &bytes).to_bytes()
    }

    /// Builds the next block without adding it.
    pub(crate) fn build(
        &self,
        crosslinks: Vec<Crosslink>,
        evidence: Vec<Evidence>,
    ) -> Result<(BeaconBlock, Transition), BlockError> {
        self.build_of(Brought { crosslinks, evidence, ..Brought::default() })
    }

    /// As [`Self::build`], with all that a block can bring.
    pub(crate) fn build_of(&self, brought: Brought) -> Result<(BeaconBlock, Transition), BlockError> {
        let Brought { crosslinks, evidence, conflicts, consumptions, bundles } = brought;
        let leader = self.leader();
        let proposal = Proposal {
            view: View::new(1),
            parent_view: View::ZERO,
            timestamp_ms: 0,
            leader,
            randao_reveal: self.reveal(leader),
            crosslinks,
            evidence,
            conflicts,
            consumptions,
        };
        build_block(&self.spec, &self.chain, proposal, &bundles, &self.committees)
    }

    pub(crate) fn apply(&self, block: &BeaconBlock) -> Result<Transition, BlockError> {
        apply_block(&self.spec, &self.chain, block, self.leader(), &self.committees)
    }

    /// Builds the next block, checks that it applies to the same end, and adds it.
    pub(crate) fn step(
        &mut self,
        crosslinks: Vec<Crosslink>,
        evidence: Vec<Evidence>,
    ) -> Result<Vec<Event>, BlockError> {
        self.step_of(Brought { crosslinks, evidence, ..Brought::default() })
    }

    /// As [`Self::step`], with all that a block can bring.
    pub(crate) fn step_of(&mut self, brought: Brought) -> Result<Vec<Event>, BlockError> {
        let (block, built) = self.build_of(brought)?;
        let applied = self.apply(&block).expect("what was built applies");
        assert_eq!(applied, built);
        self.committees.learn(&applied.events);
        self.chain = applied.chain;
        Ok(applied.events)
    }

    /// Adds blocks without crosslinks.
    pub(crate) fn idle(&mut self, blocks: u64) -> Vec<Event> {
        (0..blocks).flat_map(|_| self.step(vec![], vec![]).expect("an empty block follows")).collect()
    }

    /// Adds a block with the crosslink of one shard's tip.
    pub(crate) fn accept(&mut self, shard: u32) -> Vec<Event> {
        let height = self.shards[shard as usize].tip().get();
        let crosslink = self.crosslink(shard, height);
        self.step(vec![crosslink], vec![]).expect("the tip is accepted")
    }

    /// What is chosen when each shard offers the crosslinks of these heights.
    pub(crate) fn choose(&self, offers: &[(u32, &[u64])]) -> Vec<Crosslink> {
        let candidates: Candidates = (offers.iter())
            .map(|(shard, heights)| {
                (ShardId::new(*shard), heights.iter().map(|height| self.crosslink(*shard, *height)).collect())
            })
            .collect();
        choose_crosslinks(&self.spec, self.state(), &candidates, &self.committees, &self.shards)
    }
}

/// Shard and height of each crosslink.
pub(crate) fn places(crosslinks: &[Crosslink]) -> Vec<(u32, u64)> {
    crosslinks.iter().map(|crosslink| (crosslink.header.shard.get(), crosslink.header.height.get())).collect()
}
