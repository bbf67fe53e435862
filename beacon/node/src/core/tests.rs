mod disputes;
mod joint;
mod receipts;

use super::branches::Branches;
use super::candidates::CrosslinkPool;
use super::*;
use crate::store::BeaconStore;
use crate::testing::{EPOCH_HEIGHTS, Shard, World};
use beacon_state::operation::crosslink::CrosslinkError;
use beacon_state::operation::randao::RandaoError;
use beacon_state::{BlockError, Event};
use consensus::authority::CertificateError;
use crypto::mmr::MmrProof;
use engine::Context;
use primitives::{B256, Crosslink, Height, ShardId, Unverified, View, Vote, VoteKind};
use storage::{Durability, MemoryDisk, Store};

/// A core with what the engine would do around it.
struct Node<'a> {
    world: &'a World,
    core: BeaconCore,
    tip: Arc<BeaconBlock>,
    committees: std::collections::BTreeMap<(Chain, Epoch), Arc<Committee>>,
}

const TOKEN: Token = Token(7);

impl<'a> Node<'a> {
    fn new(world: &'a World) -> (Self, Vec<Effect>) {
        let config = BeaconStore::config(Durability::Process);
        let store = Store::memory(&MemoryDisk::new(), config).expect("a new disk");
        let (_, resume) = BeaconStore::open(store, &world.genesis).expect("a new chain");
        let (tip, mut effects) = (Arc::clone(&resume.block), Vec::new());
        let core = BeaconCore::new(world.genesis.spec.clone(), resume, &mut effects);
        let mut node = Self { world, core, tip, committees: Default::default() };
        node.learn(&effects);
        (node, effects)
    }

    fn start(world: &'a World) -> Self {
        Self::new(world).0
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.step(input, &mut effects);
        self.learn(&effects);
        effects
    }

    fn learn(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Publish(snapshot) = effect {
                self.committees = snapshot.committees.clone();
                self.tip = Arc::clone(&snapshot.block);
            }
        }
    }

    fn committee(&self, chain: Chain, epoch: Epoch) -> &Committee {
        &self.committees[&(chain, epoch)]
    }

    /// The context of a view above `parent`.
    fn context(&self, parent: &BeaconBlock, view: u64) -> Context {
        let height = parent.header.height.next();
        let table = self.core.head().state().beacon_table();
        let epoch = table.ruling(height).expect("somebody rules").epoch;
        let committee = self.committee(Chain::Beacon, epoch);
        let leader = u32::try_from(view % u64::from(committee.len())).expect("small");
        Context {
            chain: Chain::Beacon,
            epoch,
            view: View::new(view),
            parent_view: parent.header.view,
            parent: parent.header.id(),
            leader,
            leader_key: committee.seat(leader).expect("of the committee").key,
        }
    }

    fn propose_above(&mut self, parent: &Arc<BeaconBlock>, view: u64) -> Arc<BeaconBlock> {
        let context = self.context(parent, view);
        let height = parent.header.height.next();
        let reveal = self.world.reveal(&context.leader_key, context.epoch, height);
        let now_ms = 1_000 + 1_000 * height.get();
        let effects =
            self.step(Input::Propose { token: TOKEN, context, parent: Arc::clone(parent), now_ms, reveal });
        match effects.as_slice() {
            [Effect::Proposal { token: TOKEN, outcome: Ok(block) }] => Arc::clone(block),
            other => panic!("expected a proposal, found {other:?}"),
        }
    }

    fn propose(&mut self) -> Arc<BeaconBlock> {
        let tip = Arc::clone(&self.tip);
        let view = tip.header.view.next().get();
        self.propose_above(&tip, view)
    }

    fn verify(&mut self, parent: &Arc<BeaconBlock>, block: &Arc<BeaconBlock>) -> Vec<Effect> {
        let context = self.context(parent, block.header.view.get());
        let (parent, block) = (Arc::clone(parent), Arc::clone(block));
        self.step(Input::Verify { token: TOKEN, context, parent, block })
    }

    fn certify(&mut self, block: &Arc<BeaconBlock>) -> Vec<Effect> {
        let epoch = block.header.epoch;
        let certificate =
            self.world.certify(self.committee(Chain::Beacon, epoch), Chain::Beacon, epoch, block.header.id());
        let certificate = Some(certificate);
        self.step(Input::Certified { token: TOKEN, block: Arc::clone(block), certificate })
    }

    fn certify_next(&mut self) -> Vec<Effect> {
        let block = self.propose();
        self.certify(&block)
    }

    fn crosslink(&self, shard: &Shard, height: u64) -> Crosslink {
        let committee = self.committee(Chain::Shard(shard.headers[0].shard), Epoch::ZERO);
        shard.crosslink(self.world, self.core.head().state(), committee, height)
    }

    fn offer(&mut self, crosslink: Crosslink) -> Vec<Effect> {
        self.offer_with(crosslink, Vec::new())
    }

    fn offer_with(&mut self, crosslink: Crosslink, ancestries: Vec<MmrProof>) -> Vec<Effect> {
        self.offer_all(CrosslinkOffer { crosslink, ancestries, bundles: Vec::new() })
    }

    fn offer_all(&mut self, offer: CrosslinkOffer) -> Vec<Effect> {
        let offer = Unverified::new(offer);
        self.step(Input::Crosslink { token: TOKEN, offer })
    }
}

fn verdict(effects: &[Effect]) -> Option<Result<(), BlockError>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Verdict { token: TOKEN, outcome } => Some(outcome.clone()),
        _ => None,
    })
}

fn gossip(effects: &[Effect]) -> Vec<bytes::Bytes> {
    let payload = |effect: &Effect| match effect {
        Effect::Gossip(payload) => Some(payload.clone()),
        _ => None,
    };
    effects.iter().filter_map(payload).collect()
}

fn refused(effects: Vec<Effect>) -> CandidateError {
    match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::Submitted { outcome: Err(error), .. }]) => error,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

fn committed(effects: &[Effect]) -> &Commit {
    let mut commits = effects.iter().filter_map(|effect| match effect {
        Effect::Commit(commit) => Some(&**commit),
        _ => None,
    });
    commits.next().expect("a commit")
}

fn grown(heights: u64) -> Shard {
    let mut shard = Shard::new();
    (0..heights).for_each(|_| shard.grow());
    shard
}

/// What one node proposes another accepts, and once it is certified both are in the same state.
#[test]
fn proposal_is_accepted_and_leads_to_one_state() {
    let world = World::new(&[2, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    for _ in 0..3 {
        let (parent, block) = (Arc::clone(&alice.tip), alice.propose());
        assert_eq!(verdict(&bob.verify(&parent, &block)), Some(Ok(())));
        let effects = alice.certify(&block);
        assert!(matches!(effects[..2], [Effect::Commit(_), Effect::Acknowledge(TOKEN)]), "{effects:?}");
        bob.certify(&block);
        assert_eq!(alice.core.head(), bob.core.head());
        assert_eq!(alice.core.head().header(), &block.header);
    }
}

/// A follower that never voted executes what is certified, whichever of its proposer's seats led.
#[test]
fn follower_finds_the_leader_by_itself() {
    let world = World::new(&[3, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    for view in 1..=4 {
        let tip = Arc::clone(&alice.tip);
        let block = alice.propose_above(&tip, view);
        alice.certify(&block);
        bob.certify(&block);
        assert_eq!(bob.core.head().id(), block.header.id(), "view {view}");
    }
}

/// A state root that does not follow from the block is voted against.
#[test]
fn wrong_state_root_is_invalid() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let (parent, honest) = (Arc::clone(&alice.tip), alice.propose());
    let mut lie = (*honest).clone();
    lie.header.state_root = B256::repeat_byte(9);
    let expected = BlockError::StateRoot { expected: honest.header.state_root, found: B256::repeat_byte(9) };
    assert_eq!(verdict(&bob.verify(&parent, &Arc::new(lie))), Some(Err(expected)));
    assert_eq!(verdict(&bob.verify(&parent, &honest)), Some(Ok(())));
}

/// A block of another seat's owner than the view's leader is voted against.
#[test]
fn block_of_another_leader_is_invalid() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let (parent, block) = (Arc::clone(&alice.tip), alice.propose());
    let mut context = bob.context(&parent, 1);
    context.leader = 2;
    let seat = *bob.committee(Chain::Beacon, Epoch::ZERO).seat(2).expect("three seats");
    let found = block.header.proposer;
    let effects = bob.step(Input::Verify { token: TOKEN, context, parent, block });
    let expected = RandaoError::Proposer { seat: 2, expected: seat.validator, found };
    assert_eq!(verdict(&effects), Some(Err(BlockError::Randao(expected))));
}

/// What builds on a state that is not there yet waits, and is answered when the state is.
#[test]
fn unknown_parent_keeps_the_verdict_pending() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let first = alice.propose();
    let second = alice.propose_above(&first, 2);
    let third = alice.propose_above(&second, 3);
    assert_eq!(verdict(&bob.verify(&second, &third)), None);
    assert_eq!(bob.core.sizes().waiting, 1);
    let effects = bob.certify(&first);
    assert_eq!(verdict(&effects), Some(Ok(())));
    assert_eq!(bob.core.sizes().waiting, 0);
}

/// A proposal waits like a verdict does.
#[test]
fn proposal_waits_for_its_parent() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let first = alice.propose();
    let second = alice.propose_above(&first, 2);
    let context = bob.context(&second, 3);
    let reveal = world.reveal(&context.leader_key, context.epoch, Height::new(3));
    let parent = Arc::clone(&second);
    assert!(bob.step(Input::Propose { token: TOKEN, context, parent, now_ms: 9_000, reveal }).is_empty());
    let effects = bob.certify(&first);
    let proposal = effects.iter().find_map(|effect| match effect {
        Effect::Proposal { token: TOKEN, outcome } => Some(outcome.clone().expect("a valid block")),
        _ => None,
    });
    assert_eq!(proposal.expect("answered").header.parent, second.header.id());
}

/// Requests that wait are bounded: the oldest gives way.
#[test]
fn waiting_requests_are_bounded() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let first = alice.propose();
    let second = alice.propose_above(&first, 2);
    let third = alice.propose_above(&second, 3);
    let context = bob.context(&second, 3);
    let mut abandoned = Vec::new();
    for token in 0..100 {
        let (parent, block) = (Arc::clone(&second), Arc::clone(&third));
        let effects = bob.step(Input::Verify { token: Token(token), context, parent, block });
        abandoned.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Abandon(token) => Some(token),
            _ => None,
        }));
    }
    assert_eq!(bob.core.sizes().waiting, 64);
    assert_eq!(abandoned, (0..36).map(Token).collect::<Vec<_>>());
}

/// Nobody needs a verdict at a height that is decided.
#[test]
fn decided_height_is_not_judged() {
    let world = World::new(&[1, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let genesis = Arc::clone(&alice.tip);
    let first = alice.propose();
    let rival = alice.propose_above(&genesis, 2);
    bob.certify(&first);
    assert!(matches!(bob.verify(&genesis, &rival)[..], [Effect::Abandon(TOKEN)]));
}

/// Blocks of views that came to nothing do not pile up.
#[test]
fn branches_are_bounded() {
    let world = World::new(&[1]);
    let mut alice = Node::start(&world);
    let genesis = Arc::clone(&alice.tip);
    for view in 1..=Branches::MAX as u64 + 8 {
        alice.propose_above(&genesis, view);
    }
    assert_eq!(alice.core.branches.iter().count(), Branches::MAX);
    // One that was forgotten is still certified: it is executed again.
    let mut bob = Node::start(&world);
    let first = bob.propose_above(&genesis, 1);
    alice.certify(&first);
    assert_eq!(alice.core.head().id(), first.header.id());
    assert_eq!(alice.core.branches.iter().count(), 0);
}

/// At the start the engine learns the table, the committees and the epoch to take part in.
#[test]
fn start_enters_the_ruling_epoch() {
    let world = World::new(&[1, 1, 1]);
    let (node, effects) = Node::new(&world);
    assert!(matches!(&effects[0], Effect::Table(table) if table.entries().len() == 2));
    let known: Vec<_> = effects
        .iter()
        .filter_map(|effect| if let Effect::Committee(epoch, _) = effect { Some(epoch.get()) } else { None })
        .collect();
    assert_eq!(known, [0, 1]);
    let entered = effects.iter().any(
        |effect| matches!(effect, Effect::Enter { epoch: Epoch::ZERO, parent, .. } if *parent == node.tip),
    );
    assert!(entered, "{effects:?}");
}

/// The next committee takes over on the last block of an epoch; the old one leaves on the first of the next.
#[test]
fn committees_hand_over_at_the_boundary() {
    let world = World::new(&[1, 1, 1]);
    let mut node = Node::start(&world);
    let steers = |effects: &[Effect]| -> Vec<String> {
        let name = |effect: &Effect| match effect {
            Effect::Table(table) => Some(format!("table of {}", table.entries().len())),
            Effect::Committee(epoch, _) => Some(format!("committee {epoch}")),
            Effect::Enter { epoch, parent, .. } => {
                Some(format!("enter {epoch} above {}", parent.header.height))
            }
            Effect::Leave(epoch) => Some(format!("leave {epoch}")),
            _ => None,
        };
        effects.iter().filter_map(name).collect()
    };
    for height in 1..=EPOCH_HEIGHTS * 2 {
        let expected: &[&str] = match height {
            3 => &["enter 1 above 3"],
            4 => &["table of 3", "committee 2", "leave 0"],
            7 => &["enter 2 above 7"],
            8 => &["table of 4", "committee 3", "leave 1"],
            _ => &[],
        };
        assert_eq!(steers(&node.certify_next()), expected, "height {height}");
    }
}

/// A crosslink that is offered is passed on once, enters the next block, and is then worth nothing.
#[test]
fn offered_crosslink_enters_the_next_block() {
    let world = World::new(&[2, 1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let shard = grown(3);
    let crosslink = alice.crosslink(&shard, 3);
    let effects = alice.offer(crosslink.clone());
    let [payload] = gossip(&effects).try_into().expect("one message");
    assert!(matches!(effects[..], [_, Effect::Submitted { outcome: Ok(Taken::New), .. }]));
    let effects = alice.offer(crosslink);
    assert!(matches!(effects[..], [Effect::Submitted { outcome: Ok(Taken::Known), .. }]), "{effects:?}");

    // Bob does not echo.
    assert!(bob.step(Input::Gossip { from: B256::ZERO, payload: payload.clone() }).is_empty());
    assert!(bob.step(Input::Gossip { from: B256::ZERO, payload }).is_empty());
    assert_eq!(bob.core.sizes().crosslinks, 1);
    let block = bob.propose();
    assert_eq!(block.body.crosslinks.len(), 1);
    let effects = alice.certify(&block);
    let accepted =
        Event::Accepted { shard: ShardId::new(0), id: shard.headers[3].id(), height: Height::new(3) };
    assert!(committed(&effects).events.contains(&accepted));
    assert_eq!(alice.core.sizes().crosslinks, 0);
}

/// Of many crosslinks of a shard the newest are held, and the newest of them is accepted.
#[test]
fn newest_crosslinks_are_held() {
    let world = World::new(&[1, 1, 1]);
    let mut alice = Node::start(&world);
    let shard = grown(CrosslinkPool::SHARD_MAX as u64 + 3);
    for height in 1..=CrosslinkPool::SHARD_MAX as u64 + 3 {
        let crosslink = alice.crosslink(&shard, height);
        alice.offer(crosslink);
    }
    assert_eq!(alice.core.sizes().crosslinks, CrosslinkPool::SHARD_MAX);
    let block = alice.propose();
    assert_eq!(block.body.crosslinks[0].header.height, Height::new(CrosslinkPool::SHARD_MAX as u64 + 3));
}

/// A crosslink that cannot be accepted is refused with the reason, and takes nobody's place.
#[test]
fn worthless_crosslink_is_refused() {
    let world = World::new(&[1, 1, 1, 1]);
    let mut alice = Node::start(&world);
    let shard = grown(2);
    let good = alice.crosslink(&shard, 2);
    let mut forged = good.clone();
    forged.certificate.signature = alice.crosslink(&shard, 1).certificate.signature;
    assert_eq!(refused(alice.offer(forged)), CandidateError::Certificate(CertificateError::Signature));
    let mut other = good.clone();
    other.header.state_root = B256::repeat_byte(1);
    let (expected, found) = (other.header.id(), good.certificate.id);
    let error = CandidateError::Crosslink(CrosslinkError::CertifiedId { expected, found });
    assert_eq!(refused(alice.offer(other)), error);
    let older = alice.crosslink(&shard, 1);
    alice.offer(good);
    alice.certify_next();
    let error = CrosslinkError::NotAbove { accepted: Height::new(2), found: Height::new(1) };
    assert_eq!(refused(alice.offer(older)), CandidateError::Crosslink(error));
}

/// Garbage from a peer is dropped with the reason, whatever it looks like.
#[test]
fn garbage_from_a_peer_is_dropped() {
    let world = World::new(&[1]);
    let mut alice = Node::start(&world);
    let from = B256::repeat_byte(3);
    let mut dropped = |payload: Vec<u8>| {
        let effects = alice.step(Input::Gossip { from, payload: payload.into() });
        match <[Effect; 1]>::try_from(effects) {
            Ok([Effect::Dropped { from: sender, error }]) if sender == from => error,
            other => panic!("expected a drop, found {other:?}"),
        }
    };
    assert_eq!(dropped(vec![]), GossipError::UnknownKind { found: None });
    assert_eq!(dropped(vec![9, 1, 2]), GossipError::UnknownKind { found: Some(9) });
    let found = GOSSIP_BYTES_MAX + 1;
    assert_eq!(dropped(vec![0; found]), GossipError::TooLarge { max: GOSSIP_BYTES_MAX, found });
    for kind in [0, 1] {
        assert!(
            matches!(dropped(vec![kind; 700]), GossipError::Malformed { kind: found, .. } if found == kind)
        );
    }
}

fn notarize(id: u8) -> Vote {
    Vote {
        kind: VoteKind::Notarize,
        chain: Chain::Beacon,
        epoch: Epoch::ZERO,
        view: View::new(5),
        parent_view: View::ZERO,
        id: B256::repeat_byte(id),
    }
}

/// Two votes that our engine saw become evidence, which every node takes, and which slashes once.
#[test]
fn equivocation_is_slashed_once() {
    let world = World::new(&[1, 2, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let committee = alice.committee(Chain::Beacon, Epoch::ZERO).clone();
    let (first, second) = (world.vote(&committee, 1, notarize(1)), world.vote(&committee, 1, notarize(2)));
    let effects = alice.step(Input::Equivocation { first, second });
    let [payload] = gossip(&effects).try_into().expect("one message");
    bob.step(Input::Gossip { from: B256::ZERO, payload: payload.clone() });
    let block = bob.propose();
    assert_eq!(block.body.evidence.len(), 1);
    let effects = alice.certify(&block);
    let guilty = committee.seat(1).expect("four seats").validator;
    let slashed = |event: &Event| matches!(event, Event::Slashed { validator, .. } if *validator == guilty);
    assert_eq!(committed(&effects).events.iter().filter(|event| slashed(event)).count(), 1);
    assert_eq!(alice.core.sizes().evidence, 0);
    let effects = alice.step(Input::Gossip { from: B256::ZERO, payload });
    assert!(matches!(effects[..], [Effect::Dropped { .. }]), "{effects:?}");
}

/// Saying one thing twice is no offence.
#[test]
fn repeated_vote_accuses_nobody() {
    let world = World::new(&[1, 1]);
    let mut alice = Node::start(&world);
    let vote = world.vote(alice.committee(Chain::Beacon, Epoch::ZERO), 0, notarize(1));
    assert!(alice.step(Input::Equivocation { first: vote, second: vote }).is_empty());
    assert_eq!(alice.core.sizes().evidence, 0);
}

/// What comes again is compared with the disk; what does not connect stops the node.
#[test]
fn certified_blocks_must_connect() {
    let world = World::new(&[1, 1]);
    let (mut alice, mut bob) = (Node::start(&world), Node::start(&world));
    let genesis = Arc::clone(&alice.tip);
    let rival = alice.propose_above(&genesis, 9);
    let above_rival = alice.propose_above(&rival, 10);
    let first = alice.propose();
    let third = {
        let second = alice.propose_above(&first, 2);
        alice.propose_above(&second, 3)
    };
    bob.certify(&first);
    let again = bob.certify(&first);
    let id = first.header.id();
    assert!(
        matches!(again[..], [Effect::Compare { token: TOKEN, height, id: found }] if height.get() == 1 && found == id)
    );
    let (expected, found) = (Height::new(2), Height::new(3));
    assert!(
        matches!(&bob.certify(&third)[..], [Effect::Halt(fault)] if *fault == Fault::Gap { expected, found })
    );
    let fault = Fault::OtherBranch { height: Height::new(1), expected: id, found: rival.header.id() };
    assert!(matches!(&bob.certify(&above_rival)[..], [Effect::Halt(found)] if *found == fault));
    assert_eq!(bob.core.head().id(), id);
}

/// Only a block with a certificate of its own becomes a light update.
#[test]
fn light_update_needs_a_certificate() {
    let world = World::new(&[1, 1]);
    let mut alice = Node::start(&world);
    let block = alice.propose();
    let effects = alice.step(Input::Certified { token: TOKEN, block, certificate: None });
    assert_eq!(committed(&effects).light, None);
    let effects = alice.certify_next();
    let light = committed(&effects).light.clone().expect("certified itself");
    assert_eq!(light.certified.header, *alice.core.head().header());
}
