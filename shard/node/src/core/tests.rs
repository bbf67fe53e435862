use super::*;
use crate::store::ShardStore;
use crate::testing::{EPOCH_HEIGHTS, SHARD, open, short_spec, view};
use alloy_primitives::U256;
use engine::Context;
use primitives::{
    AcceptedHeader, Certificate, EpochEntry, EpochTable, RecordProof, ShardBlock, SignatureBytes, Signers,
    View,
};
use shard_state::block::BlockError;
use shard_state::chain::ChainError;
use shard_state::testing::{ETHER, Sender, TestBeacon, key};
use storage::MemoryDisk;

/// A core, its store, and the beacon chain it sees.
struct Node {
    core: ShardCore,
    store: ShardStore,
    beacon: TestBeacon,
    tokens: u64,
}

fn receiver() -> Address {
    Address::repeat_byte(0xee)
}

impl Node {
    /// One that has seen the beacon chain up to `height`, with the seats of these validators.
    fn at(height: u64, validators: &[u64]) -> Self {
        let (store, resume) = open(&MemoryDisk::new(), 1_000);
        let beacon = TestBeacon::new(short_spec());
        let seats = validators.iter().map(|index| beacon.anchor(SHARD, 1, *index).seat.key).collect();
        let core = ShardCore::new(resume, PoolLimits::default(), seats);
        let mut node = Self { core, store, beacon, tokens: 0 };
        if height > 0 {
            node.see(view(&node.beacon, height));
        }
        node
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.step(input, &mut effects);
        for effect in &effects {
            if let Effect::Commit(commit) = effect {
                self.store.commit(commit).expect("the disk works");
            }
        }
        effects
    }

    fn see(&mut self, view: BeaconView) -> Vec<Effect> {
        self.step(Input::Beacon(Arc::new(view)))
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(self.tokens)
    }

    fn head(&self) -> Arc<ShardBlock> {
        let height = self.core.head().height;
        Arc::new(self.store.reader().expect("readable").block(height).expect("readable").expect("the head"))
    }

    /// Asks for a block on `parent`.
    fn propose(&mut self, parent: &Arc<ShardBlock>) -> Vec<Effect> {
        let (token, context) = (self.token(), context(parent));
        let now_ms = parent.header.timestamp_ms + 500;
        self.step(Input::Propose { token, context, parent: Arc::clone(parent), now_ms })
    }

    /// A block on `parent` that this node proposed.
    fn proposed(&mut self, parent: &Arc<ShardBlock>) -> Arc<ShardBlock> {
        proposal(&self.propose(parent)).expect("an answer").expect("a block")
    }

    fn verify(&mut self, parent: &Arc<ShardBlock>, block: &Arc<ShardBlock>) -> Vec<Effect> {
        let (token, context) = (self.token(), context(parent));
        self.step(Input::Verify { token, context, parent: Arc::clone(parent), block: Arc::clone(block) })
    }

    fn certify(&mut self, block: &Arc<ShardBlock>, certificate: Option<Certificate>) -> Vec<Effect> {
        let token = self.token();
        self.step(Input::Certified { token, block: Arc::clone(block), certificate })
    }

    /// Certifies blocks, each with its own certificate, up to `height`; returns the last effects.
    fn advance_to(&mut self, height: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        while self.core.head().height < Height::new(height) {
            let block = self.proposed(&self.head());
            effects = self.certify(&block, Some(certificate(&block)));
        }
        effects
    }

    fn give(&mut self, nonce: u64) -> Vec<Effect> {
        let transfer = Sender::new(SHARD).transfer(&key(0), nonce, receiver(), ETHER);
        let token = self.token();
        self.step(Input::Transactions { token, transactions: vec![transfer] })
    }

    /// The next view, in which this shard's record was changed.
    fn changed(&self, height: u64, change: impl FnOnce(&mut ShardRecord)) -> BeaconView {
        let mut view = view(&self.beacon, height);
        change(&mut view.records[SHARD.get() as usize].record);
        view
    }
}

/// The view above `parent`, and whose turn it is there: as the test beacon's own contexts say.
fn context(parent: &ShardBlock) -> Context {
    let header = &parent.header;
    let epoch = Epoch::new(header.height.next().get() / EPOCH_HEIGHTS);
    let parent_view = if epoch == header.epoch { header.view } else { View::ZERO };
    let leader = (header.height.next().get() % 4) as u32;
    let leader_key = TestBeacon::new(short_spec()).anchor(SHARD, 1, u64::from(leader)).seat.key;
    Context {
        chain: Chain::Shard(SHARD),
        epoch,
        view: parent_view.next(),
        parent_view,
        parent: header.id(),
        leader,
        leader_key,
    }
}

fn certificate(block: &ShardBlock) -> Certificate {
    let header = &block.header;
    Certificate {
        epoch: header.epoch,
        view: header.view,
        parent_view: header.parent_view,
        id: header.id(),
        signers: Signers::from_indices(4, 0..3),
        signature: SignatureBytes::new([0; SignatureBytes::LENGTH]),
    }
}

fn proposal(effects: &[Effect]) -> Option<Result<Arc<ShardBlock>, Refusal>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Proposal { outcome, .. } => Some(outcome.clone()),
        _ => None,
    })
}

fn verdict(effects: &[Effect]) -> Option<Result<(), Refusal>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Verdict { outcome, .. } => Some(outcome.clone()),
        _ => None,
    })
}

fn fault(effects: &[Effect]) -> Option<Fault> {
    effects.iter().find_map(|effect| match effect {
        Effect::Halt(fault) => Some(fault.clone()),
        _ => None,
    })
}

fn entered(effects: &[Effect]) -> Vec<(u64, u64)> {
    let entered = effects.iter().filter_map(|effect| match effect {
        Effect::Enter { epoch, below, .. } => Some((epoch.get(), below.get())),
        _ => None,
    });
    entered.collect()
}

fn offered(effects: &[Effect]) -> Vec<(u64, u64)> {
    let offered = effects.iter().filter_map(|effect| match effect {
        Effect::Crosslink { header, accepted, .. } => Some((header.height.get(), accepted.get())),
        _ => None,
    });
    offered.collect()
}

/// A proposal takes the newest beacon header seen and what waits in the pool; another node votes for it.
#[test]
fn proposal_is_anchored_at_the_newest_header() {
    let (mut one, mut other) = (Node::at(3, &[]), Node::at(3, &[]));
    one.give(0);
    let parent = one.head();
    let block = one.proposed(&parent);
    assert_eq!(block.header.anchor, one.beacon.anchor_ref(3));
    assert_eq!(block.body.transactions.len(), 1);
    assert_eq!(verdict(&other.verify(&parent, &block)), Some(Ok(())));
}

/// Without a view of the beacon chain a proposal waits, and is made when there is one.
#[test]
fn proposal_waits_for_the_beacon_chain() {
    let mut node = Node::at(0, &[]);
    let parent = node.head();
    assert_eq!(proposal(&node.propose(&parent)), None);
    let effects = node.see(view(&node.beacon, 1));
    assert!(matches!(proposal(&effects), Some(Ok(_))));
}

/// A vote on a block whose anchor this node has not seen waits; it is given when the header arrives.
#[test]
fn unseen_anchor_keeps_the_vote_pending() {
    let (mut ahead, mut behind) = (Node::at(5, &[]), Node::at(3, &[]));
    let parent = ahead.head();
    let block = ahead.proposed(&parent);
    assert_eq!(verdict(&behind.verify(&parent, &block)), None);
    assert_eq!(behind.core.sizes().waiting, 1);
    assert_eq!(verdict(&behind.see(view(&behind.beacon, 4))), None, "still not seen");
    assert_eq!(verdict(&behind.see(view(&behind.beacon, 5))), Some(Ok(())));
}

/// An anchor at a height in between that was never seen says nothing either.
#[test]
fn skipped_anchor_keeps_the_vote_pending() {
    let (mut one, mut other) = (Node::at(3, &[]), Node::at(2, &[]));
    let parent = one.head();
    let block = one.proposed(&parent);
    let mut skipping = view(&other.beacon, 6);
    Arc::make_mut(&mut skipping.ids).remove(&Height::new(3));
    other.see(skipping);
    assert_eq!(verdict(&other.verify(&parent, &block)), None);
    let seats = other.certify(&block, None);
    assert!(fault(&seats).is_none(), "the committee vouches for what it certified");
}

/// An anchor that is not the finalized header at its height is refused.
#[test]
fn contradicting_anchor_is_refused() {
    let (mut one, mut other) = (Node::at(3, &[]), Node::at(3, &[]));
    let parent = one.head();
    let block = one.proposed(&parent);
    let mut contradicting = view(&other.beacon, 4);
    Arc::make_mut(&mut contradicting.ids).insert(Height::new(3), B256::repeat_byte(1));
    other.see(contradicting);
    let (height, found) = (Height::new(3), block.header.anchor.id);
    let refusal = AnchorRefusal::Contradicts { height, expected: B256::repeat_byte(1), found };
    assert_eq!(verdict(&other.verify(&parent, &block)), Some(Err(refusal.into())));
}

/// A header that claims another state is refused, and the honest one still accepted.
#[test]
fn wrong_state_root_is_refused() {
    let (mut one, mut other) = (Node::at(3, &[]), Node::at(3, &[]));
    one.give(0);
    let parent = one.head();
    let honest = one.proposed(&parent);
    let mut lying = (*honest).clone();
    lying.header.state_root = B256::repeat_byte(2);
    let outcome = verdict(&other.verify(&parent, &Arc::new(lying)));
    let Some(Err(Refusal::Chain(ChainError::Block(BlockError::StateRoot { expected, found })))) = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!((expected, found), (honest.header.state_root, B256::repeat_byte(2)));
    assert_eq!(verdict(&other.verify(&parent, &honest)), Some(Ok(())));
}

/// Nobody proposes in another seat's turn.
#[test]
fn proposal_out_of_turn_is_refused() {
    let mut node = Node::at(3, &[]);
    let parent = node.head();
    let block = node.proposed(&parent);
    let token = node.token();
    let context = Context { leader: 3, ..context(&parent) };
    let effects = node.step(Input::Verify { token, context, parent, block });
    assert_eq!(verdict(&effects), Some(Err(Refusal::Leader { expected: 3, found: 1 })));
}

/// A certified block moves the head, empties the pool of what it brought, and is published.
#[test]
fn certified_block_becomes_the_head() {
    let mut node = Node::at(3, &[]);
    node.give(0);
    let block = node.proposed(&node.head());
    let effects = node.certify(&block, None);
    assert_eq!(node.core.head().height, Height::new(1));
    assert!(node.core.pool().is_empty());
    let published = effects.iter().find_map(|effect| match effect {
        Effect::Publish(head) => head.certified.as_ref().map(|executed| (executed.id, head.view.clone())),
        _ => None,
    });
    let (id, view) = published.expect("a head");
    assert_eq!(id, block.header.id());
    assert_eq!(view.account(&receiver()).expect("readable").balance, ETHER);
}

/// What is certified twice is compared with the disk; what leaves a gap, or another branch, stops the node.
#[test]
fn certified_blocks_come_in_order() {
    let mut node = Node::at(3, &[]);
    let first = node.proposed(&node.head());
    node.certify(&first, None);
    let again = node.certify(&first, None);
    assert!(matches!(again[..], [Effect::Compare { height, .. }] if height == Height::new(1)));
    let second = node.proposed(&node.head());
    let third = node.proposed(&second);
    let (expected, found) = (Height::new(2), Height::new(3));
    assert_eq!(fault(&node.certify(&third, None)), Some(Fault::Gap { expected, found }));
    let mut other = (*second).clone();
    other.header.parent = B256::repeat_byte(3);
    let (expected, found) = (first.header.id(), B256::repeat_byte(3));
    let height = Height::new(1);
    assert_eq!(
        fault(&node.certify(&Arc::new(other), None)),
        Some(Fault::OtherBranch { height, expected, found })
    );
}

/// The next committee takes over above the last block of an epoch; the one before is left one block later.
#[test]
fn epochs_are_handed_over_at_their_boundary() {
    let mut node = Node::at(0, &[]);
    assert_eq!(entered(&node.see(view(&node.beacon, 1))), [(0, 0)]);
    let effects = node.advance_to(EPOCH_HEIGHTS - 1);
    assert_eq!(entered(&effects), [(1, EPOCH_HEIGHTS - 1)]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Leave(_))));
    let effects = node.advance_to(EPOCH_HEIGHTS);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Leave(epoch) if *epoch == Epoch::ZERO)));
    assert_eq!(entered(&effects), []);
}

/// Above the last height for which a committee was drawn nobody proposes, until one is.
#[test]
fn hand_over_waits_for_the_next_committee() {
    let (store, resume) = open(&MemoryDisk::new(), 1_000);
    let core = ShardCore::new(resume, PoolLimits::default(), BTreeSet::new());
    let mut node = Node { core, store, beacon: TestBeacon::with_epochs(short_spec(), 1), tokens: 0 };
    node.see(view(&node.beacon, 1));
    assert_eq!(entered(&node.advance_to(EPOCH_HEIGHTS - 1)), []);
    node.beacon = TestBeacon::with_epochs(short_spec(), 2);
    assert_eq!(entered(&node.see(view(&node.beacon, 2))), [(1, EPOCH_HEIGHTS - 1)]);
}

/// A certified header is offered by its proposer at once, by others when nothing is accepted for a while.
#[test]
fn headers_are_offered_until_accepted() {
    let proposer_of_the_first = [1];
    let (mut ours, mut other) = (Node::at(3, &proposer_of_the_first), Node::at(3, &[]));
    let block = ours.proposed(&ours.head());
    assert_eq!(offered(&ours.certify(&block, Some(certificate(&block)))), [(1, 0)]);
    assert_eq!(offered(&other.certify(&block, Some(certificate(&block)))), []);
    assert_eq!(offered(&other.step(Input::Tick { now_ms: 1_000 })), []);
    assert_eq!(offered(&other.step(Input::Tick { now_ms: 2_999 })), []);
    assert_eq!(offered(&other.step(Input::Tick { now_ms: 3_000 })), [(1, 0)]);
    let accepted =
        AcceptedHeader { height: Height::new(1), id: block.header.id(), ..AcceptedHeader::default() };
    let effects = other.see(other.changed(4, |record| record.accepted = accepted));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Finalized { height, .. } if *height == Height::new(1)))
    );
    assert_eq!(offered(&other.step(Input::Tick { now_ms: 9_000 })), []);
}

/// The last header of an epoch is offered by everyone, and its certificate is looked for where it is missing.
#[test]
fn boundary_header_needs_its_own_certificate() {
    let mut node = Node::at(3, &[]);
    node.advance_to(EPOCH_HEIGHTS - 2);
    let boundary = node.proposed(&node.head());
    node.certify(&boundary, None);
    node.step(Input::Tick { now_ms: 1_000 });
    let effects = node.step(Input::Tick { now_ms: 3_000 });
    let last = Height::new(EPOCH_HEIGHTS - 1);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::FindCertificate(height) if *height == last))
    );
    assert_eq!(offered(&effects), [(EPOCH_HEIGHTS - 2, 0)], "until then the best there is");
    let found = Input::Certificate { header: boundary.header.clone(), certificate: certificate(&boundary) };
    assert_eq!(offered(&node.step(found)), [(EPOCH_HEIGHTS - 1, 0)]);
}

/// The table after the beacon chain has ended epoch 0 at `floor`: epoch 1 is void.
fn ended_at(record: &ShardRecord, floor: u64) -> EpochTable {
    let first = record.table.entries()[0];
    let entry = |epoch, first_height| EpochEntry {
        epoch: Epoch::new(epoch),
        first_height: Height::new(first_height),
        committee_root: first.committee_root,
    };
    EpochTable::new(vec![first, entry(2, floor + 1), entry(3, floor + 1 + EPOCH_HEIGHTS)]).expect("rising")
}

/// An early end takes the blocks above the accepted one back: their transactions wait again, the accepted block
/// stays, and the next committee builds on it.
#[test]
fn early_end_goes_back_to_the_accepted_block() {
    let mut node = Node::at(3, &[]);
    node.advance_to(2);
    node.give(0);
    node.advance_to(4);
    assert!(node.core.pool().is_empty());
    let accepted =
        node.store.reader().expect("readable").header(Height::new(2)).expect("readable").expect("a header");
    let mut ended = node.changed(4, |record| {
        record.accepted =
            AcceptedHeader { height: accepted.height, id: accepted.id(), ..AcceptedHeader::default() };
        record.table = ended_at(record, 2);
        record.early_ends = 1;
    });
    let committee = Arc::clone(&ended.committees[&(SHARD, Epoch::ZERO)]);
    Arc::make_mut(&mut ended.committees)
        .extend([2, 3].map(|epoch| ((SHARD, Epoch::new(epoch)), Arc::clone(&committee))));
    let effects = node.see(ended);
    let [Effect::EarlyEnd(end)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((end.floor, end.floor_id, end.early_ends), (accepted.height, Some(accepted.id()), 1));

    let generation = crate::store::Generation {
        early_ends: 1,
        floor: end.floor,
        table: end.table.clone(),
        committee: (*committee).clone(),
    };
    let undone = node.store.rewind(&generation).expect("the records are there");
    let undo: Vec<_> = undone.iter().map(|undone| Arc::clone(&undone.change_set)).collect();
    let base = node.store.base(end.floor).expect("the floor is there");
    let returned = vec![Sender::new(SHARD).transfer(&key(0), 0, receiver(), ETHER)];
    let mut effects = Vec::new();
    node.core
        .rewind(base, &undo, returned, &Default::default(), 1, &mut effects)
        .expect("the change sets lead there");
    assert_eq!(node.core.head_id(), accepted.id());
    assert_eq!(node.core.pool().len(), 1);
    assert_eq!(entered(&effects), [(2, 2)]);
    let account = node.core.published().view.account(&receiver()).expect("readable");
    assert_eq!(account.balance, U256::ZERO);
}

/// A record that shows an early end of long ago names the floor by the gap in its table.
#[test]
fn floor_is_read_off_the_table() {
    let mut node = Node::at(3, &[]);
    node.advance_to(5);
    let later = node.changed(9, |record| {
        record.accepted.height = Height::new(20);
        record.table = ended_at(record, 3);
        record.early_ends = 1;
    });
    let effects = node.see(later);
    assert!(
        matches!(&effects[..], [Effect::EarlyEnd(end)] if end.floor == Height::new(3) && end.floor_id.is_none())
    );
}

/// Garbage never waits without bound.
#[test]
fn waiting_requests_are_bounded() {
    let mut node = Node::at(0, &[]);
    let parent = node.head();
    let abandoned: usize = (0..200)
        .map(|_| node.propose(&parent).iter().filter(|effect| matches!(effect, Effect::Abandon(_))).count())
        .sum();
    assert_eq!(node.core.sizes().waiting + abandoned, 200);
    assert!(node.core.sizes().waiting <= 64);
}

/// A view without the shard's record changes nothing.
#[test]
fn view_without_our_shard_is_harmless() {
    let mut node = Node::at(3, &[]);
    let mut empty = view(&node.beacon, 4);
    empty.records = Vec::<RecordProof>::new();
    assert!(node.see(empty).is_empty());
}
