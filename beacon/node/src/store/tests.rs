use super::*;
use crate::core::{BeaconCore, Effect, Input, Token};
use crate::testing::{EPOCH_HEIGHTS, World};
use engine::Context;
use primitives::{Unverified, View};
use storage::MemoryDisk;

/// A chain that grows on a disk, with one validator who has one seat.
struct Chained {
    store: BeaconStore,
    core: BeaconCore,
    tip: Arc<BeaconBlock>,
}

fn open(disk: &MemoryDisk, world: &World) -> Result<Chained, OpenError> {
    let store = Store::memory(disk, BeaconStore::config(Durability::Power))?;
    let (store, resume) = BeaconStore::open(store, &world.genesis)?;
    let tip = Arc::clone(&resume.block);
    let core = BeaconCore::new(world.genesis.spec.clone(), resume, &mut Vec::new());
    Ok(Chained { store, core, tip })
}

impl Chained {
    /// Proposes, certifies and commits one block; what the core wanted done comes back.
    fn grow(&mut self, world: &World) -> Result<Vec<Effect>, StorageError> {
        let (parent, state) = (Arc::clone(&self.tip), self.core.head().state());
        let epoch = state.current_epoch(Chain::Beacon).expect("somebody rules").epoch;
        let key = world.secrets[0][0].public_key().to_bytes();
        let height = parent.header.height.next();
        let context = Context {
            chain: Chain::Beacon,
            epoch,
            view: View::new(height.get()),
            parent_view: parent.header.view,
            parent: parent.header.id(),
            leader: 0,
            leader_key: key,
        };
        let (reveal, now_ms) = (world.reveal(&key, epoch, height), 1_000 * height.get());
        let mut effects = Vec::new();
        self.core.step(Input::Propose { token: Token(0), context, parent, now_ms, reveal }, &mut effects);
        let Some(Effect::Proposal { outcome: Ok(block), .. }) = effects.pop() else { panic!("a proposal") };
        let committee = self.store.committee(Chain::Beacon, epoch)?.expect("drawn").committee;
        let certificate = world.certify(&committee, Chain::Beacon, epoch, block.header.id());
        let certified =
            Input::Certified { token: Token(1), block: Arc::clone(&block), certificate: Some(certificate) };
        self.core.step(certified, &mut effects);
        let commit = effects
            .iter()
            .find_map(|effect| if let Effect::Commit(commit) = effect { Some(commit) } else { None });
        self.store.commit(commit.expect("a commit"))?;
        self.tip = block;
        Ok(effects)
    }
}

/// What was committed is there after a power cut: head, state, blocks, committees, proofs.
#[test]
fn chain_survives_a_power_cut() {
    let (disk, world) = (MemoryDisk::new(), World::new(&[1]));
    let mut chain = open(&disk, &world).expect("a new disk");
    let ids: Vec<B256> = (0..6)
        .map(|_| {
            chain.grow(&world).expect("room");
            chain.core.head().id()
        })
        .collect();
    let head = Arc::clone(chain.core.head());
    drop(chain);
    disk.crash(3);

    let again = open(&disk, &world).expect("whole");
    assert_eq!(again.core.head(), &head);
    assert_eq!(again.tip.header, *head.header());
    for (height, id) in (1..).map(Height::new).zip(&ids) {
        assert_eq!(again.store.id(height).expect("readable"), Some(*id));
        assert_eq!(again.store.height(id).expect("readable"), Some(height));
        assert_eq!(again.store.block(height).expect("readable").expect("there").header.id(), *id);
    }
    let proof = again.store.history_proof(Height::new(2), Height::new(6)).expect("all nodes are there");
    assert!(proof.verify(&head.header().history_root, &ids[1]));
    assert_eq!(again.store.chain_state(Height::new(4)).expect("readable").expect("recent").id(), ids[3]);
}

/// A chain that was reopened goes on as if nothing had happened.
#[test]
fn reopened_chain_goes_on() {
    let world = World::new(&[1]);
    let (disk, other) = (MemoryDisk::new(), MemoryDisk::new());
    let mut straight = open(&other, &world).expect("a new disk");
    for seed in 0..EPOCH_HEIGHTS * 2 {
        let mut chain = open(&disk, &world).expect("whole");
        chain.grow(&world).expect("room");
        straight.grow(&world).expect("room");
        assert_eq!(chain.core.head(), straight.core.head());
        drop(chain);
        disk.crash(seed);
    }
}

/// A crash in the middle of a commit leaves the block below, or the block, and nothing between.
#[test]
fn torn_commit_leaves_a_whole_chain() {
    let world = World::new(&[1]);
    for operations in 0..4 {
        let disk = MemoryDisk::new();
        let mut chain = open(&disk, &world).expect("a new disk");
        chain.grow(&world).expect("room");
        disk.power_off_after(operations);
        let _ = chain.grow(&world);
        drop(chain);
        disk.crash(operations);
        let mut again = open(&disk, &world).expect("whole");
        assert!((1..=2).contains(&again.store.head().get()));
        again.grow(&world).expect("goes on");
    }
}

/// The data of one network is not taken for another's.
#[test]
fn other_network_is_refused() {
    let (disk, world) = (MemoryDisk::new(), World::new(&[1]));
    drop(open(&disk, &world).expect("a new disk"));
    let other = World::new(&[1, 1]);
    match open(&disk, &other).map(|_| ()) {
        Err(OpenError::OtherNetwork { expected, found }) => {
            assert_eq!((expected, found), (other.hash(), world.hash()))
        }
        other => panic!("expected another network, found {other:?}"),
    }
}

/// A store without what a commit writes says so instead of starting.
#[test]
fn damaged_chain_is_named() {
    let (disk, world) = (MemoryDisk::new(), World::new(&[1]));
    let mut chain = open(&disk, &world).expect("a new disk");
    chain.grow(&world).expect("room");
    let mut batch = Batch::new();
    batch.delete::<Bodies>(&1);
    chain.store.store.write(batch).expect("room");
    drop(chain);
    disk.crash(0);
    let error = open(&disk, &world).map(|_| ()).expect_err("the body is gone");
    assert!(matches!(error, OpenError::Missing { what: "block", height } if height.get() == 1), "{error}");
}

/// A follower that starts at genesis gets by, one update after the other, whatever was pruned.
#[test]
fn follower_reaches_the_head_from_genesis() {
    let (disk, world) = (MemoryDisk::new(), World::new(&[1]));
    let mut chain = open(&disk, &world).expect("a new disk");
    let genesis = Arc::clone(chain.core.head());
    let committees = [0, 1].map(|epoch| {
        chain.store.committee(Chain::Beacon, Epoch::new(epoch)).expect("readable").expect("drawn").committee
    });
    // The network has one unit, so both epochs have one committee.
    assert_eq!(committees[0], committees[1]);
    let heights = LIGHT_HEIGHTS + 3 * EPOCH_HEIGHTS;
    for _ in 0..heights {
        chain.grow(&world).expect("room");
    }
    let (header, table) = (genesis.header().clone(), genesis.state().beacon_table().clone());
    let mut client = consensus::light::LightClient::new(world.hash(), header, table, committees.to_vec())
        .expect("a genesis");
    let mut seen = Vec::new();
    while let Some(update) = chain.store.light_update_above(client.header().height).expect("readable") {
        seen.push(update.certified.header.height.get());
        client.update(Unverified::new(update)).expect("certified");
        for (chained, epoch, root) in client.missing() {
            let drawn = chain.store.committee(chained, epoch).expect("readable").expect("drawn");
            assert_eq!(drawn.committee.root(), root);
            client.committee(chained, epoch, Unverified::new(drawn.committee)).expect("as named");
        }
    }
    assert_eq!(client.header().height, Height::new(heights));
    // Of the epochs that have left the window, the last height each; then every height.
    let window = heights - LIGHT_HEIGHTS + 1;
    assert_eq!(seen[..3], [3, 7, 11]);
    assert_eq!(seen[3..], (window.max(12)..=heights).collect::<Vec<_>>()[..]);
}
