use super::*;
use crate::testing::{SHARD, genesis, open, short_spec};
use alloy_primitives::U256;
use primitives::{Address, SignatureBytes, Signers};
use shard_state::block::BlockLimits;
use shard_state::chain::ShardState;
use shard_state::state::FlatState as _;
use shard_state::testing::NOTHING_INCOMING;
use shard_state::testing::{ETHER, Sender, TestBeacon, key};
use storage::MemoryDisk;

const MANY: u64 = 1_000;

/// A chain and its store, moved on block by block.
struct Chain {
    store: ShardStore,
    state: ShardState,
    beacon: TestBeacon,
    sender: Sender,
}

fn receiver() -> Address {
    Address::repeat_byte(0xee)
}

impl Chain {
    fn open(disk: &MemoryDisk, history_blocks: u64) -> Self {
        let (store, resume) = open(disk, history_blocks);
        let (beacon, sender) = (TestBeacon::new(short_spec()), Sender::new(SHARD));
        Self { store, state: resume.state, beacon, sender }
    }

    /// Certifies a block in which the first key gives one ether away.
    fn advance(&mut self) -> Commit {
        let parent = self.state.base().header.clone();
        let nonce = self.state.view().account(&key(0).address()).expect("readable").nonce;
        let transfer = self.sender.transfer(&key(0), nonce, receiver(), ETHER);
        let context = self.beacon.context(&parent, 1 + parent.height.get() / 2);
        let limits = BlockLimits::new(self.state.spec());
        let parent = self.state.base_id();
        let proposed = self
            .state
            .propose(parent, context, NOTHING_INCOMING, &mut std::iter::once(transfer), &limits)
            .expect("a block");
        assert_eq!(proposed.block.body.transactions.len(), 1);
        let certified = self.state.certify(proposed.executed.id).expect("proposed just now");
        let (mut history, mut nodes) = (certified.history.clone(), Vec::new());
        history.push_with(proposed.executed.id, |position, node| nodes.push((position, node)));
        let commit = Commit {
            outbox: Default::default(),
            cursors: Default::default(),
            id: proposed.executed.id,
            certificate: Some(certificate(proposed.executed.id)),
            transactions: certified.transactions().to_vec(),
            receipts: certified.receipts().to_vec(),
            change_set: Arc::clone(certified.change_set()),
            block: Arc::new(proposed.block),
            nodes,
        };
        self.store.commit(&commit).expect("the disk works");
        commit
    }
}

/// A certificate that nobody verifies here.
fn certificate(id: B256) -> Certificate {
    Certificate {
        epoch: primitives::Epoch::ZERO,
        view: primitives::View::new(1),
        parent_view: primitives::View::ZERO,
        id,
        signers: Signers::from_indices(4, 0..3),
        signature: SignatureBytes::new([0; SignatureBytes::LENGTH]),
    }
}

fn balance(reader: &Reader, height: u64) -> Result<U256, ReadError> {
    let state = reader.state_at(Height::new(height))?;
    Ok(state.account(&receiver()).expect("readable").map_or(U256::ZERO, |account| account.balance))
}

/// After a crash the chain stands where it was committed, with the same state.
#[test]
fn reopened_chain_stands_at_the_last_commit() {
    let disk = MemoryDisk::new();
    let mut chain = Chain::open(&disk, MANY);
    let last = (0..5).map(|_| chain.advance()).last().expect("five");
    drop(chain);
    disk.crash(7);
    let (store, resume) = open(&disk, MANY);
    assert_eq!(resume.state.base_id(), last.id);
    assert_eq!(*resume.head, *last.block);
    assert_eq!(resume.certified.first().map(|(header, _)| header.height), Some(Height::new(5)));
    let reader = store.reader().expect("readable");
    assert_eq!(reader.receipts(Height::new(5)).expect("readable"), Some(last.receipts));
    let location = reader.location(&last.transactions[0].hash()).expect("readable");
    assert_eq!(location, Some(Location { height: Height::new(5), index: 0 }));
}

/// A reopened chain goes on as if nothing had happened.
#[test]
fn reopened_chain_goes_on() {
    let disk = MemoryDisk::new();
    let mut chain = Chain::open(&disk, MANY);
    chain.advance();
    drop(chain);
    let mut chain = Chain::open(&disk, MANY);
    let next = chain.advance();
    assert_eq!(next.block.header.height, Height::new(2));
    let proof = chain.store.reader().expect("readable").history_proof(Height::new(1), Height::new(2));
    let root = next.block.header.history_root;
    assert!(proof.expect("both are there").verify(&root, &next.block.header.parent));
}

/// Each recent state reads as it was, and older ones say that they are gone.
#[test]
fn older_states_read_as_they_were() {
    let disk = MemoryDisk::new();
    let mut chain = Chain::open(&disk, 4);
    (0..10).for_each(|_| drop(chain.advance()));
    let reader = chain.store.reader().expect("readable");
    for height in 6..=10 {
        assert_eq!(balance(&reader, height).expect("recent"), ETHER * U256::from(height), "height {height}");
    }
    let error = balance(&reader, 5).expect_err("too old");
    assert_eq!(error.to_string(), "historical state not available: height 5, available are 6 to 10");
    assert!(matches!(balance(&reader, 11), Err(ReadError::NotAvailable { .. })));
    let view = reader.view_at(Height::new(8)).expect("recent").expect("a block");
    assert_eq!(view.account(&receiver()).expect("readable").balance, ETHER * U256::from(8));
    assert_eq!(view.header().height, Height::new(8));
}

/// Going back takes the blocks above the floor away, and nothing else.
#[test]
fn rewind_restores_the_state_of_the_floor() {
    let disk = MemoryDisk::new();
    let mut chain = Chain::open(&disk, MANY);
    let commits: Vec<_> = (0..6).map(|_| chain.advance()).collect();
    let floor = Height::new(4);
    let generation = Generation {
        early_ends: 1,
        floor,
        table: primitives::EpochTable::default(),
        committee: primitives::Committee::default(),
    };
    let undone = chain.store.rewind(&generation).expect("the records are there");
    assert_eq!(undone.iter().map(|undone| undone.id).collect::<Vec<_>>(), [commits[5].id, commits[4].id]);
    assert_eq!(undone[0].receipts, commits[5].receipts);
    let reader = chain.store.reader().expect("readable");
    assert_eq!(reader.location(&commits[5].transactions[0].hash()).expect("readable"), None);
    assert_eq!(reader.height(&commits[4].id).expect("readable"), None);
    assert_eq!(
        reader.location(&commits[3].transactions[0].hash()).expect("readable").map(|at| at.height),
        Some(floor)
    );
    assert_eq!(balance(&reader, 4).expect("the head"), ETHER * U256::from(4));
    assert_eq!(balance(&reader, 2).expect("below"), ETHER * U256::from(2));

    drop((reader, chain));
    let mut chain = Chain::open(&disk, MANY);
    assert_eq!(chain.state.base_id(), commits[3].id, "the trie is that of the floor");
    assert_eq!(chain.store.generation().expect("readable"), Some(generation));
    assert_eq!(chain.advance().block.header.height, Height::new(5));
}

/// A store is of one network.
#[test]
fn store_of_another_network_is_refused() {
    let disk = MemoryDisk::new();
    drop(open(&disk, MANY));
    let store = Store::memory(&disk, ShardStore::config(Durability::Power, MANY)).expect("the disk works");
    let mut other = genesis();
    other.allocations.pop();
    other.shard_ids[SHARD.get() as usize] = B256::repeat_byte(9);
    let error = ShardStore::open(store, &other, SHARD, MANY).expect_err("another genesis");
    assert!(matches!(error, OpenError::OtherNetwork { expected, .. } if expected == B256::repeat_byte(9)));
}

/// A genesis file that names another first header than its allocations give is refused before anything is written.
#[test]
fn genesis_file_that_contradicts_itself_is_refused() {
    let disk = MemoryDisk::new();
    let store = Store::memory(&disk, ShardStore::config(Durability::Power, MANY)).expect("the disk works");
    let mut other = genesis();
    other.allocations.pop();
    let error = ShardStore::open(store, &other, SHARD, MANY).expect_err("the id is another");
    assert!(matches!(error, OpenError::GenesisId { .. }));
    drop(open(&disk, MANY));
}

/// A state that is not the header's is found when the chain is taken up.
#[test]
fn damaged_state_is_found() {
    let disk = MemoryDisk::new();
    let mut chain = Chain::open(&disk, MANY);
    chain.advance();
    let mut batch = Batch::new();
    batch.delete::<Accounts>(&receiver());
    chain.store.store.write(batch).expect("the disk works");
    drop(chain);
    let store = Store::memory(&disk, ShardStore::config(Durability::Power, MANY)).expect("the disk works");
    let error = ShardStore::open(store, &genesis(), SHARD, MANY).expect_err("an account is missing");
    assert!(matches!(error, OpenError::State(shard_state::chain::OpenError::StateRoot { .. })), "{error}");
}
