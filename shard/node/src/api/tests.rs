use super::*;
use crate::handle::{ChainEvent, QueryError, SubmitError};
use crate::pool::{AccountState, Pool, PoolLimits, PooledTransaction};
use crate::snapshot::PendingBlock;
use crate::store::{Commit, Generation, ShardStore};
use crate::testing::{SHARD, open, short_spec};
use alloy_consensus::Transaction as _;
use alloy_eips::{BlockId, BlockNumberOrTag as Tag};
use alloy_primitives::{Address, Bytes, U256, bytes, keccak256};
use alloy_rpc_types_eth::{Filter, TransactionRequest, state::StateOverridesBuilder};
use alloy_serde::JsonStorageKey;
use arc_swap::ArcSwap;
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use primitives::{Committee, Epoch, EpochEntry, EpochTable};
use rpc::RpcError;
use rpc::error::TransactionError;
use rpc::method::{
    BlockApi as _, ChainApi as _, ExecutionApi as _, FeeApi as _, FilterApi as _, StateApi as _,
    SubscriptionApi as _, TransactionApi as _, shard_methods,
};
use rpc::view::Syncing;
use shard_state::block::BlockLimits;
use shard_state::chain::{AccountProof, ShardState};
use shard_state::testing::{ETHER, GAS_PRICE, Sender, TestBeacon, key};
use shard_state::transaction::verify_batch;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::MemoryDisk;
use tokio::sync::broadcast;

/// Writes 42 to slot 0 and leaves a log with topic 7.
const EMITTER: Bytes = bytes!("602a5f5560075f5fa100");
/// Reverts with four bytes.
const REVERTER: Bytes = bytes!("63deadbeef5f526004601cfd");
/// As init code, returns the block's number.
const NUMBER: Bytes = bytes!("435f5260205ff3");
/// Jumps to where no jump may go.
const HALTER: Bytes = bytes!("600056");
const STATES: u64 = 4;

/// A chain of which the test certifies each block.
#[derive(Debug)]
struct TestChain {
    inner: Mutex<Inner>,
    snapshot: ArcSwap<Snapshot>,
    events: broadcast::Sender<ChainEvent>,
    highest: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    store: ShardStore,
    state: ShardState,
    pool: Pool,
    beacon: TestBeacon,
    finalized: Height,
}

impl TestChain {
    fn new() -> Arc<Self> {
        let (store, resume) = open(&MemoryDisk::new(), STATES);
        let (pool, beacon) = (Pool::new(PoolLimits::default()), TestBeacon::new(short_spec()));
        let inner = Inner { store, state: resume.state, pool, beacon, finalized: Height::ZERO };
        let snapshot = ArcSwap::from_pointee(inner.snapshot());
        let highest = AtomicU64::new(0);
        Arc::new(Self { inner: Mutex::new(inner), snapshot, events: broadcast::Sender::new(16), highest })
    }

    /// Proposes a block from the pool, which is then pending.
    fn propose(&self) {
        let mut inner = self.inner.lock();
        inner.propose();
        self.snapshot.store(Arc::new(inner.snapshot()));
    }

    /// Certifies a block made from the pool.
    fn seal(&self) -> B256 {
        let mut inner = self.inner.lock();
        let block = inner.propose();
        let certified = inner.state.certify(block.header.id()).expect("proposed just now");
        let executed = Arc::clone(&certified.executed);
        let (mut history, mut nodes) = (certified.history.clone(), Vec::new());
        history.push_with(executed.id, |position, node| nodes.push((position, node)));
        let commit = Commit {
            block: Arc::new(block),
            id: executed.id,
            certificate: None,
            transactions: executed.transactions.clone(),
            receipts: executed.receipts.clone(),
            change_set: Arc::clone(&executed.change_set),
            nodes,
        };
        inner.store.commit(&commit).expect("the disk works");
        inner.follow(&executed.change_set.accounts().iter().map(|delta| delta.address).collect::<Vec<_>>());
        self.snapshot.store(Arc::new(inner.snapshot()));
        let _ = self.events.send(ChainEvent::Certified(Arc::clone(&executed)));
        executed.id
    }

    /// Takes the blocks above `floor` back.
    fn undo_above(&self, floor: u64) {
        let mut inner = self.inner.lock();
        let entry = EpochEntry { epoch: Epoch::ZERO, first_height: Height::ZERO, committee_root: B256::ZERO };
        let generation = Generation {
            early_ends: 1,
            floor: Height::new(floor),
            table: EpochTable::new(vec![entry]).expect("one entry"),
            committee: Committee::default(),
        };
        let undone = inner.store.rewind(&generation).expect("kept");
        let base = inner.store.base(Height::new(floor)).expect("there");
        let changes: Vec<_> = undone.iter().map(|block| Arc::clone(&block.change_set)).collect();
        inner.state.rewind(base, &changes).expect("these very changes");
        self.snapshot.store(Arc::new(inner.snapshot()));
        for block in undone {
            let _ = self.events.send(ChainEvent::Undone(Arc::new(block)));
        }
    }

    fn finalize(&self, height: u64) {
        let mut inner = self.inner.lock();
        inner.finalized = Height::new(height);
        self.snapshot.store(Arc::new(inner.snapshot()));
    }
}

impl Inner {
    fn snapshot(&self) -> Snapshot {
        let best = self.state.best();
        let pending = self.state.executed(&best).cloned().zip(self.state.view_of(&best));
        Snapshot {
            spec: Arc::clone(self.state.spec()),
            view: self.state.view(),
            finalized: self.finalized,
            pending: pending.map(|(executed, view)| PendingBlock { executed, view }),
            reader: self.store.reader().expect("the disk works"),
        }
    }

    fn propose(&mut self) -> primitives::ShardBlock {
        let parent = self.state.base().header.clone();
        let context = self.beacon.context(&parent, 1 + parent.height.get());
        let limits = BlockLimits::new(self.state.spec());
        let mut candidates = self.pool.pending(shard_state::fee::next_base_fee(&parent, self.state.spec()));
        self.state.propose(parent.id(), context, &mut candidates, &limits).expect("a block").block
    }

    fn account(&self, address: &Address) -> AccountState {
        let account = self.state.view().account(address).expect("in memory");
        AccountState { nonce: account.nonce, balance: account.balance }
    }

    fn follow(&mut self, addresses: &[Address]) {
        let states: Vec<_> = addresses.iter().map(|address| (*address, self.account(address))).collect();
        self.pool.update_accounts(states);
    }
}

impl Chain for TestChain {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.events.subscribe()
    }

    fn submit(&self, encoded: Bytes) -> BoxFuture<'_, Result<B256, SubmitError>> {
        let mut inner = self.inner.lock();
        let limits = TransactionLimits::new(inner.state.spec(), SHARD);
        let verified = verify_batch(vec![encoded], &limits).pop().expect("one for one");
        let outcome = verified.map_err(SubmitError::from).and_then(|transaction| {
            let (hash, account) = (transaction.hash(), inner.account(&transaction.sender()));
            inner.pool.insert(Arc::new(transaction), account).map(|_| hash).map_err(SubmitError::from)
        });
        std::future::ready(outcome).boxed()
    }

    fn pooled(&self, hash: B256) -> BoxFuture<'_, Option<PooledTransaction>> {
        std::future::ready(self.inner.lock().pool.lookup(&hash).cloned()).boxed()
    }

    fn nonce_after(&self, sender: Address) -> BoxFuture<'_, Option<u64>> {
        std::future::ready(self.inner.lock().pool.nonce_after(&sender)).boxed()
    }

    fn prove(
        &self,
        address: Address,
        slots: Vec<B256>,
        height: Height,
    ) -> BoxFuture<'_, Result<AccountProof, QueryError>> {
        std::future::ready(self.inner.lock().state.proof(&address, &slots, height).map_err(QueryError::from))
            .boxed()
    }

    fn starting(&self) -> Height {
        Height::ZERO
    }

    fn highest(&self) -> Height {
        Height::new(self.highest.load(Ordering::Relaxed)).max(self.snapshot.load().height())
    }

    fn peers(&self) -> u64 {
        3
    }
}

fn served() -> (Arc<TestChain>, Arc<ShardApi>) {
    served_with(ApiConfig::default())
}

fn served_with(config: ApiConfig) -> (Arc<TestChain>, Arc<ShardApi>) {
    let chain = TestChain::new();
    let api = ShardApi::start(Arc::clone(&chain) as Arc<dyn Chain>, config);
    (chain, api)
}

fn transfer(from: u64, nonce: u64) -> PooledTransaction {
    Sender::new(SHARD).transfer(&key(from), nonce, receiver(), ETHER)
}

fn receiver() -> Address {
    Address::repeat_byte(0xee)
}

/// Init code of a contract with this code.
fn creating(code: &Bytes) -> Bytes {
    let length = u8::try_from(code.len()).expect("short");
    [&[0x60, length, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3], code.as_ref()].concat().into()
}

async fn send(api: &ShardApi, transaction: &PooledTransaction) -> B256 {
    api.send_raw_transaction(transaction.encoded().clone()).await.expect("taken")
}

/// Deploys a contract with the first key.
async fn deploy(chain: &TestChain, api: &ShardApi, code: &Bytes) -> Address {
    let nonce = api.transaction_count(key(0).address(), latest()).await.expect("known");
    let deployment = Sender::new(SHARD).transaction(&key(0), nonce, None, U256::ZERO, creating(code));
    send(api, &deployment).await;
    chain.seal();
    key(0).address().create(nonce)
}

fn latest() -> BlockId {
    Tag::Latest.into()
}

fn calling(to: Address) -> TransactionRequest {
    TransactionRequest::default().from(key(0).address()).to(to)
}

fn text<T: std::fmt::Debug>(outcome: RpcResult<T>) -> (i32, String) {
    let error = outcome.expect_err("refused");
    (error.code(), error.to_string())
}

#[tokio::test]
async fn tags_name_certified_finalized_first_and_pending_blocks() {
    let (chain, api) = served();
    let ids = [chain.seal(), chain.seal(), chain.seal()];
    chain.finalize(2);
    let number = async |tag: Tag| {
        let block = api.block_by_number(tag, false).await.expect("readable");
        block.map(|block| block.header.ethereum.inner.number)
    };
    assert_eq!(api.block_number().await, Ok(3));
    assert_eq!(number(Tag::Latest).await, Some(3));
    assert_eq!(number(Tag::Safe).await, Some(3));
    assert_eq!(number(Tag::Finalized).await, Some(2));
    assert_eq!(number(Tag::Earliest).await, Some(0));
    assert_eq!(number(Tag::Number(1)).await, Some(1));
    assert_eq!(number(Tag::Number(4)).await, None);
    assert_eq!(number(Tag::Pending).await, Some(4));
    let by_hash = api.block_by_hash(ids[1], false).await.expect("readable").expect("known");
    assert_eq!((by_hash.header.ethereum.hash, by_hash.header.ethereum.inner.number), (ids[1], 2));
    assert_eq!(api.block_by_hash(B256::repeat_byte(9), false).await, Ok(None));
}

#[tokio::test]
async fn pending_block_stands_on_the_head_whether_or_not_one_was_proposed() {
    let (chain, api) = served();
    let head = chain.seal();
    let empty = api.block_by_number(Tag::Pending, true).await.expect("readable").expect("never null");
    assert_eq!((empty.header.ethereum.inner.parent_hash, empty.transactions.len()), (head, 0));
    assert_eq!(empty.header.ethereum.inner.base_fee_per_gas, Some(chain.snapshot().next_base_fee()));
    let sent = send(&api, &transfer(0, 0)).await;
    chain.propose();
    let proposed = api.block_by_number(Tag::Pending, false).await.expect("readable").expect("never null");
    assert_eq!(proposed.transactions.as_hashes(), Some(&[sent][..]));
    let pending = api.balance(receiver(), Tag::Pending.into()).await;
    assert_eq!((pending, api.balance(receiver(), latest()).await), (Ok(ETHER), Ok(U256::ZERO)));
}

#[tokio::test]
async fn state_is_read_at_any_block_that_is_kept() {
    let (chain, api) = served();
    for nonce in 0..6 {
        send(&api, &transfer(0, nonce)).await;
        chain.seal();
    }
    let head = chain.snapshot().id();
    let balance = async |block: BlockId| api.balance(receiver(), block).await;
    assert_eq!(balance(latest()).await, Ok(ETHER * U256::from(6)));
    assert_eq!(balance(BlockId::number(4)).await, Ok(ETHER * U256::from(4)));
    assert_eq!(balance(BlockId::hash(head)).await, Ok(ETHER * U256::from(6)));
    assert_eq!(balance(BlockId::number(7)).await, Err(RpcError::HeaderNotFound));
    assert_eq!(balance(BlockId::hash(B256::ZERO)).await, Err(RpcError::HeaderNotFound));
    let gone = RpcError::StateNotAvailable { height: 0, oldest: 2, newest: 6 };
    assert_eq!(balance(Tag::Earliest.into()).await, Err(gone));
    let nonces = api.transaction_count(key(0).address(), BlockId::number(5)).await;
    assert_eq!(nonces, Ok(5));
}

#[tokio::test]
async fn pending_nonce_counts_the_pool_and_the_latest_does_not() {
    let (_chain, api) = served();
    for nonce in [0, 1, 3] {
        send(&api, &transfer(0, nonce)).await;
    }
    let count = async |block: Tag| api.transaction_count(key(0).address(), block.into()).await;
    assert_eq!(count(Tag::Latest).await, Ok(0));
    assert_eq!(count(Tag::Pending).await, Ok(2), "the third is behind a gap");
    assert_eq!(api.transaction_count(receiver(), Tag::Pending.into()).await, Ok(0));
}

#[tokio::test]
async fn refused_transactions_are_refused_in_geths_words() {
    let (chain, api) = served();
    let first = transfer(0, 0);
    send(&api, &first).await;
    let refusal = async |encoded: Bytes| text(api.send_raw_transaction(encoded).await);
    assert_eq!(refusal(first.encoded().clone()).await, (-32000, "already known".into()));
    chain.seal();
    let again = Sender::new(SHARD).transfer(&key(0), 0, receiver(), U256::ONE);
    assert_eq!(
        refusal(again.encoded().clone()).await,
        (-32000, "nonce too low: next nonce 1, tx nonce 0".into())
    );
    let elsewhere = Sender::new(primitives::ShardId::new(2)).transfer(&key(0), 1, receiver(), ETHER);
    let (here, there) = (api.chain_id(), api.chain_id() + 1);
    let expected = format!("invalid chain id for signer: have {there} want {here}");
    assert_eq!(refusal(elsewhere.encoded().clone()).await, (-32000, expected));
    let unfunded = Sender::new(SHARD).transfer(&key(99), 0, receiver(), U256::from(5));
    let cost = U256::from(21_000 * GAS_PRICE + 5);
    let expected =
        format!("insufficient funds for gas * price + value: balance 0, tx cost {cost}, overshot {cost}");
    assert_eq!(refusal(unfunded.encoded().clone()).await, (-32000, expected));
    assert_eq!(
        refusal(bytes!("03c0")).await.1,
        "transaction type not supported: type 3, this chain takes legacy, 1, 2 and 4"
    );
    assert!(refusal(bytes!("02c0")).await.1.starts_with("rlp: "));
    let large = vec![0; 131_073];
    assert_eq!(
        api.send_raw_transaction(large.into()).await,
        Err(TransactionError::Oversized { found: 131_073, limit: 131_072 }.into())
    );
}

#[tokio::test]
async fn transaction_has_no_block_until_it_is_certified_and_then_its_block_is_the_latest() {
    let (chain, api) = served();
    let hash = send(&api, &transfer(0, 0)).await;
    let pooled = api.transaction(hash).await.expect("readable").expect("pooled");
    assert_eq!((pooled.block_hash, pooled.block_number, pooled.transaction_index), (None, None, None));
    assert_eq!(api.transaction_receipt(hash).await, Ok(None));
    let id = chain.seal();
    let mined = api.transaction(hash).await.expect("readable").expect("mined");
    assert_eq!((mined.block_hash, mined.block_number, mined.transaction_index), (Some(id), Some(1), Some(0)));
    assert_eq!(mined.inner.signer(), key(0).address());
    let receipt = api.transaction_receipt(hash).await.expect("readable").expect("mined");
    assert_eq!((receipt.block_hash, receipt.gas_used, receipt.status()), (Some(id), 21_000, true));
    let price = mined.inner.effective_gas_price(chain.snapshot().header().base_fee.into());
    assert_eq!(
        (receipt.effective_gas_price, receipt.from, receipt.to),
        (price, key(0).address(), Some(receiver()))
    );
    assert_eq!(api.balance(receiver(), latest()).await, Ok(ETHER));
    let unknown = B256::repeat_byte(9);
    assert_eq!(
        (api.transaction(unknown).await, api.transaction_receipt(unknown).await),
        (Ok(None), Ok(None))
    );
}

#[tokio::test]
async fn memory_and_disk_answer_the_same() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let sender = Sender::new(SHARD);
    let (transfer, call) =
        (transfer(1, 0), sender.transaction(&key(0), 1, Some(emitter), U256::ZERO, Bytes::new()));
    let hashes = [send(&api, &transfer).await, send(&api, &call).await];
    let id = chain.seal();
    // Its own task fills the memory; the other one starts too late to have the block.
    while api.recent.in_memory(&chain.snapshot(), Height::new(2)).expect("readable").is_none() {
        tokio::task::yield_now().await;
    }
    let late = ShardApi::start(Arc::clone(&chain) as Arc<dyn Chain>, ApiConfig::default());
    for hash in hashes {
        assert_eq!(api.transaction(hash).await, late.transaction(hash).await);
        assert_eq!(api.transaction_receipt(hash).await, late.transaction_receipt(hash).await);
        assert!(
            late.transaction_receipt(hash).await.expect("readable").is_some_and(|receipt| receipt.status())
        );
    }
    for full in [true, false] {
        let block = late.block_by_hash(id, full).await.expect("readable").expect("known");
        assert_eq!(block.transactions.len(), 2);
        assert_eq!(api.block_by_hash(id, full).await, Ok(Some(block)));
    }
    let history = api.fee_history(5, Tag::Latest, vec![50.0]).await;
    assert_eq!(history, late.fee_history(5, Tag::Latest, vec![50.0]).await);
}

#[tokio::test]
async fn receipt_of_a_creation_names_the_contract_whose_code_and_slots_can_be_read() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let block = api.block_by_number(Tag::Latest, false).await.expect("readable").expect("known");
    let hash = block.transactions.as_hashes().expect("hashes")[0];
    let receipt = api.transaction_receipt(hash).await.expect("readable").expect("mined");
    assert_eq!((receipt.contract_address, receipt.to), (Some(emitter), None));
    assert_eq!(api.code(emitter, latest()).await, Ok(EMITTER));
    assert_eq!(api.code(receiver(), latest()).await, Ok(Bytes::new()));
    let call = Sender::new(SHARD).transaction(&key(0), 1, Some(emitter), U256::ZERO, Bytes::new());
    send(&api, &call).await;
    chain.seal();
    let forty_two = B256::from(U256::from(42));
    assert_eq!(api.storage_at(emitter, B256::ZERO, latest()).await, Ok(forty_two));
    assert_eq!(api.storage_at(emitter, B256::ZERO, BlockId::number(1)).await, Ok(B256::ZERO));
}

#[tokio::test]
async fn proof_is_of_the_block_that_was_asked_for() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    chain.seal();
    send(&api, &transfer(0, 1)).await;
    chain.seal();
    let keys = vec![JsonStorageKey::Hash(B256::ZERO)];
    let older = api.proof(receiver(), keys.clone(), BlockId::number(1)).await.expect("kept");
    assert_eq!((older.balance, older.storage_proof.len(), older.storage_proof[0].key), (ETHER, 1, keys[0]));
    let header = chain.snapshot().reader.header(Height::new(1)).expect("readable").expect("known");
    assert_eq!(keccak256(&older.account_proof[0]), header.state_root);
    let newer = api.proof(receiver(), keys.clone(), latest()).await.expect("kept");
    assert_eq!(newer.balance, ETHER * U256::from(2));
    let absent = api.proof(Address::repeat_byte(0x77), vec![], latest()).await.expect("kept");
    assert_eq!((absent.nonce, absent.balance), (0, U256::ZERO));
    let many = vec![JsonStorageKey::Hash(B256::ZERO); 1_025];
    assert_eq!(
        text(api.proof(receiver(), many, latest()).await),
        (-32602, "too many slots (max 1024)".into())
    );
    let above = api.proof(receiver(), keys, BlockId::number(3)).await;
    assert_eq!(above, Err(RpcError::HeaderNotFound));
}

#[tokio::test]
async fn call_runs_in_the_block_it_names() {
    let (chain, api) = served();
    chain.seal();
    chain.seal();
    let number = async |block: Tag| {
        let request = TransactionRequest::default().input(NUMBER.into());
        api.call(request, block.into(), None, None).await.map(|output| U256::from_be_slice(&output))
    };
    assert_eq!(number(Tag::Latest).await, Ok(U256::from(2)));
    assert_eq!(number(Tag::Number(1)).await, Ok(U256::from(1)));
    assert_eq!(number(Tag::Pending).await, Ok(U256::from(3)));
    assert_eq!(number(Tag::Number(3)).await, Err(RpcError::HeaderNotFound));
    let overrides =
        alloy_rpc_types_eth::BlockOverrides { number: Some(U256::from(77)), ..Default::default() };
    let request = TransactionRequest::default().input(NUMBER.into());
    let output = api.call(request, latest(), None, Some(overrides)).await.expect("runs");
    assert_eq!(U256::from_be_slice(&output), U256::from(77));
}

#[tokio::test]
async fn call_that_fails_says_how() {
    let (chain, api) = served();
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let halter = deploy(&chain, &api, &HALTER).await;
    let call = async |request| api.call(request, latest(), None, None).await;
    let reverted = RpcError::Reverted { data: bytes!("deadbeef") };
    assert_eq!(call(calling(reverter)).await, Err(reverted.clone()));
    assert_eq!(reverted.code(), 3);
    assert_eq!(text(call(calling(halter)).await), (-32000, "invalid jump destination".into()));
    let both = TransactionRequest { gas_price: Some(1), max_fee_per_gas: Some(1), ..calling(reverter) };
    let expected = "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified";
    assert_eq!(text(call(both).await), (-32000, expected.into()));
    let (have, want) = (1, api.chain_id());
    let elsewhere = TransactionRequest { chain_id: Some(1), ..calling(reverter) };
    let expected = format!("chainId does not match node's (have={have}, want={want})");
    assert_eq!(text(call(elsewhere).await), (-32000, expected));
    let poor = TransactionRequest::default().from(key(99).address()).to(receiver()).value(U256::ONE);
    assert!(text(call(poor).await).1.starts_with("insufficient funds for gas * price + value: "));
}

#[tokio::test]
async fn overridden_accounts_are_other_than_they_are_for_one_call() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    // Returns slot 0.
    let reader = bytes!("5f545f5260205ff3");
    let value = B256::from(U256::from(5));
    let state = StateOverridesBuilder::default()
        .with_code(emitter, reader)
        .with_state_diff(emitter, [(B256::ZERO, value)])
        .with_balance(key(99).address(), U256::ONE)
        .build();
    let request = TransactionRequest::default().from(key(99).address()).to(emitter).value(U256::ONE);
    let output = api.call(request.clone(), latest(), Some(state), None).await;
    assert_eq!(output, Ok(Bytes::copy_from_slice(value.as_slice())));
    assert!(api.call(request, latest(), None, None).await.is_err());
    let both = StateOverridesBuilder::default()
        .with_state(emitter, [(B256::ZERO, value)])
        .with_state_diff(emitter, [(B256::ZERO, value)])
        .build();
    let expected = format!("account {emitter} has both 'state' and 'stateDiff'");
    assert_eq!(text(api.call(calling(emitter), latest(), Some(both), None).await), (-32000, expected));
}

#[tokio::test]
async fn estimate_is_enough_and_names_what_no_gas_cures() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let estimate = async |request| api.estimate_gas(request, latest(), None).await;
    assert_eq!(estimate(calling(receiver()).value(U256::ONE)).await, Ok(21_000));
    let gas = estimate(calling(emitter)).await.expect("succeeds");
    let enough = TransactionRequest { gas: Some(gas), ..calling(emitter) };
    assert_eq!(api.call(enough, latest(), None, None).await, Ok(Bytes::new()));
    assert_eq!(estimate(calling(reverter)).await, Err(RpcError::Reverted { data: bytes!("deadbeef") }));
    let little = TransactionRequest { gas: Some(30_000), ..calling(emitter) };
    assert_eq!(estimate(little).await, Err(RpcError::GasAllowance { allowance: 30_000 }));
}

#[tokio::test]
async fn fee_history_ends_where_it_is_told_and_names_the_next_base_fee() {
    let (chain, api) = served();
    for nonce in 0..3 {
        send(&api, &transfer(0, nonce)).await;
        chain.seal();
    }
    let snapshot = chain.snapshot();
    let history = api.fee_history(2, Tag::Latest, vec![0.0, 100.0]).await.expect("known");
    assert_eq!(
        (history.oldest_block, history.base_fee_per_gas.len(), history.gas_used_ratio.len()),
        (2, 3, 2)
    );
    assert_eq!(history.base_fee_per_gas[2], snapshot.next_base_fee().into());
    assert_eq!(history.reward, Some(vec![vec![1_000_000; 2]; 2]));
    let all = api.fee_history(5_000, Tag::Number(1), vec![]).await.expect("known");
    assert_eq!((all.oldest_block, all.gas_used_ratio.len(), all.reward), (0, 2, None));
    let pending = api.fee_history(1, Tag::Pending, vec![50.0]).await.expect("known");
    assert_eq!((pending.oldest_block, pending.reward), (4, Some(vec![vec![0]])));
    assert_eq!(pending.base_fee_per_gas[0], snapshot.next_base_fee().into());
    assert_eq!(api.fee_history(0, Tag::Latest, vec![]).await, Ok(Default::default()));
    let beyond = api.fee_history(1, Tag::Number(4), vec![]).await;
    assert_eq!(text(beyond), (-32000, "request beyond head block: requested 4, head 3".into()));
}

#[tokio::test]
async fn gas_price_is_a_gwei_above_the_next_base_fee_while_blocks_have_room() {
    let (chain, api) = served();
    chain.seal();
    let next = u128::from(chain.snapshot().next_base_fee());
    assert_eq!(api.max_priority_fee_per_gas().await, Ok(1_000_000_000));
    assert_eq!(api.gas_price().await, Ok(next + 1_000_000_000));
}

/// A block in which transactions with these tips, in gwei, used all of the gas.
fn busy_block(tips: &[u128]) -> BlockRecord {
    let limits = TransactionLimits::new(&short_spec(), SHARD);
    let offering = |tip: &u128| {
        let unsigned = Sender::new(SHARD).unsigned(0, Some(receiver()), U256::ZERO, Bytes::new());
        let (tip, fee) = (tip * 1_000_000_000, tip * 1_000_000_000 + 7);
        let unsigned =
            alloy_consensus::TxEip1559 { max_priority_fee_per_gas: tip, max_fee_per_gas: fee, ..unsigned };
        shard_state::testing::verified(&shard_state::testing::sign(unsigned, &key(0)), &limits)
    };
    let transactions: Vec<_> = tips.iter().map(offering).collect();
    let outcome = || shard_state::executor::Outcome { success: true, gas_used: 21_000, logs: Vec::new() };
    let receipt =
        |one: &PooledTransaction| shard_state::receipt::TransactionReceipt::new(one, outcome(), 21_000);
    BlockRecord::Executed(Arc::new(shard_state::block::Executed {
        header: primitives::ShardHeader { base_fee: 7, gas_used: 9, gas_limit: 10, ..Default::default() },
        id: B256::ZERO,
        environment: *TestChain::new().snapshot().view.environment(),
        receipts: transactions.iter().map(receipt).collect(),
        transactions,
        change_set: Arc::default(),
    }))
}

#[test]
fn tip_follows_the_lowest_that_got_into_busy_blocks() {
    let suggested = |blocks: &[BlockRecord]| fees::suggested_tip(blocks).map(|tip| tip / 1_000_000_000);
    assert_eq!(suggested(&[]), Ok(1));
    assert_eq!(suggested(&[busy_block(&[90, 80, 20, 10, 30, 70])]), Ok(20), "of 10, 20 and 30");
    assert_eq!(suggested(&[busy_block(&[10, 11]), busy_block(&[50, 60, 70])]), Ok(50));
    assert_eq!(suggested(&[busy_block(&[9_000])]), Ok(500));
    assert!(fees::is_busy(busy_block(&[]).header()));
}

#[tokio::test]
async fn logs_are_found_by_range_hash_address_and_topic() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let mut ids = Vec::new();
    for nonce in 1..4 {
        let call = Sender::new(SHARD).transaction(&key(0), nonce, Some(emitter), U256::ZERO, Bytes::new());
        send(&api, &call).await;
        ids.push(chain.seal());
    }
    let topic = B256::from(U256::from(7));
    let found = async |filter: Filter| {
        let logs = api.logs(filter).await.expect("in the limits");
        logs.into_iter().map(|log| log.block_number.expect("certified")).collect::<Vec<_>>()
    };
    let everything = || Filter::new().from_block(0).to_block(100);
    assert_eq!(found(everything()).await, [2, 3, 4]);
    assert_eq!(found(Filter::new()).await, [4], "the latest block unless told otherwise");
    assert_eq!(found(everything().address(emitter).event_signature(topic)).await, [2, 3, 4]);
    assert_eq!(found(everything().address(receiver())).await, [] as [u64; 0]);
    assert_eq!(found(everything().event_signature(B256::ZERO)).await, [] as [u64; 0]);
    assert_eq!(found(Filter::new().at_block_hash(ids[1])).await, [3]);
    assert_eq!(found(Filter::new().from_block(50).to_block(60)).await, [] as [u64; 0]);
    let log = api.logs(everything()).await.expect("in the limits").remove(0);
    assert_eq!(
        (log.block_hash, log.log_index, log.removed, log.address()),
        (Some(ids[0]), Some(0), false, emitter)
    );
}

#[tokio::test]
async fn search_for_logs_beyond_a_limit_names_the_limit() {
    let config = ApiConfig { logs_blocks_max: 3, logs_max: 1, ..ApiConfig::default() };
    let (chain, api) = served_with(config);
    let emitter = deploy(&chain, &api, &EMITTER).await;
    for nonce in 1..4 {
        let call = Sender::new(SHARD).transaction(&key(0), nonce, Some(emitter), U256::ZERO, Bytes::new());
        send(&api, &call).await;
        chain.seal();
    }
    let refusal = async |filter: Filter| text(api.logs(filter).await);
    let blocks = refusal(Filter::new().from_block(0).to_block(Tag::Latest)).await;
    assert_eq!(blocks, (-32005, "query covers 5 blocks, the limit is 3: ask for a smaller range".into()));
    let many = "query returned more than 1 results: ask for a range that ends before block 3, or filter more";
    assert_eq!(refusal(Filter::new().from_block(2)).await, (-32005, many.into()));
    assert_eq!(refusal(Filter::new().from_block(3).to_block(2)).await.1, "invalid block range params");
    assert_eq!(refusal(Filter::new().at_block_hash(B256::ZERO)).await, (-32000, "unknown block".into()));
    assert_eq!(refusal(Filter::new().to_block(Tag::Pending)).await.1, "pending logs are not supported");
}

#[tokio::test]
async fn subscribers_hear_of_heads_and_logs_and_of_logs_that_are_taken_back() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let (mut heads, mut logs) =
        (api.new_heads().expect("open"), api.new_logs(Filter::new().address(emitter)).expect("open"));
    let mut elsewhere = api.new_logs(Filter::new().address(receiver())).expect("open");
    let call = Sender::new(SHARD).transaction(&key(0), 1, Some(emitter), U256::ZERO, Bytes::new());
    let hash = send(&api, &call).await;
    let id = chain.seal();
    let head = heads.next().await.expect("certified");
    assert_eq!((head.ethereum.hash, head.ethereum.inner.number, head.ethereum.size), (id, 2, None));
    let log = logs.next().await.expect("certified");
    assert_eq!((log.block_hash, log.transaction_hash, log.removed), (Some(id), Some(hash), false));
    chain.undo_above(1);
    let removed = logs.next().await.expect("undone");
    assert_eq!(removed, rpc::view::Log { removed: true, ..log });
    assert_eq!(api.block_by_hash(id, false).await, Ok(None));
    assert_eq!(api.transaction_receipt(hash).await, Ok(None));
    assert_eq!(elsewhere.next().now_or_never(), None);
}

#[tokio::test]
async fn subscriber_that_misses_an_event_is_cut_off() {
    let (chain, api) = served();
    let mut heads = api.new_heads().expect("open");
    for _ in 0..17 {
        chain.seal();
    }
    assert_eq!(heads.next().await, None);
}

#[tokio::test]
async fn node_that_lacks_blocks_says_that_it_is_syncing() {
    let (chain, api) = served();
    chain.seal();
    assert_eq!(api.syncing().await, Ok(Syncing::DONE));
    chain.highest.store(2, Ordering::Relaxed);
    assert_eq!(api.syncing().await, Ok(Syncing::DONE), "the next one is on its way");
    chain.highest.store(50, Ordering::Relaxed);
    assert_eq!(api.syncing().await, Ok(Syncing::running(0, 1, 50)));
}

#[tokio::test]
async fn work_beyond_the_limit_is_answered_by_the_deadline() {
    let workers = Workers::new(1, Duration::from_millis(50));
    let slow = workers.run(|| {
        std::thread::sleep(Duration::from_millis(300));
        Ok(())
    });
    let (slow, waiting) = tokio::join!(slow, workers.run(|| Ok(())));
    assert_eq!(text(slow), (-32000, "execution aborted (timeout = 0.05s)".into()));
    assert_eq!(waiting, Err(RpcError::Busy("too many calls are running, try again")));
}

#[tokio::test]
async fn answers_go_over_the_wire_as_geth_writes_them() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    chain.seal();
    let methods = shard_methods(api);
    let ask = async |method: &str, params: &str| {
        let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let (answer, _) = methods.raw_json_request(&request, 1).await.expect("a request");
        serde_json::from_str::<serde_json::Value>(answer.get()).expect("JSON")
    };
    assert_eq!(ask("eth_chainId", "[]").await["result"], "0x1466a9");
    assert_eq!(ask("net_version", "[]").await["result"], "1337001");
    assert_eq!(ask("net_peerCount", "[]").await["result"], "0x3");
    assert_eq!(ask("eth_blockNumber", "[]").await["result"], "0x1");
    let version = ask("web3_clientVersion", "[]").await["result"].to_string();
    assert!(version.starts_with("\"atoll/v"), "{version}");
    let block = ask("eth_getBlockByNumber", r#"["latest", true]"#).await;
    assert_eq!(block["result"]["transactions"][0]["blockNumber"], "0x1");
    let id = format!(r#"["{}", {{"blockHash": {}}}]"#, receiver(), block["result"]["hash"]);
    assert_eq!(ask("eth_getBalance", &id).await["result"], "0xde0b6b3a7640000");
}
