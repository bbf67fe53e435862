//! Shards that send each other receipts, without a network between them: every block is proposed, executed anew from the
//! blocks alone, certified, and its receipts are offered to the next blocks of the others.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType as BuiltIn, GethDebugTracerType, GethDebugTracingOptions, GethTrace,
};
use alloy_sol_types::SolCall as _;
use crypto::mmr::MmrTree;
use primitives::{
    AncestorHeader, Bundle, CertifiedShardHeader, Chain, ChainSpec, Height, Inclusion, Lane, OutboxProof,
    ShardBlock, ShardHeader, ShardId, Verified,
};

use super::{TestBeacon, allocations, key, spec};
use crate::{
    block::{BlockError, BlockLimits, Executed, Incoming},
    chain::{ChainView, ShardState},
    executor::{BlockExecutor, CallOutcome, CallRequest, Stop, Tracer, TransactionContext},
    genesis::genesis_supply,
    journey,
    portal::{LaneState, PORTAL, abi::IPortal, burned, held, lanes, worth},
    receipt::transactions_root,
    reexecute::Reexecution,
    state::{FlatState as _, MemoryState},
    transaction::{Transaction, arrivals},
};
use xshard::Arrival;

const TIMESTAMP: u64 = 1_700_000_000_000;
/// Keys with a million ether on each shard.
const FUNDED: u64 = 8;

/// What every block can be traced with; none is that of single steps.
const TRACERS: [Option<BuiltIn>; 4] =
    [None, Some(BuiltIn::CallTracer), Some(BuiltIn::PreStateTracer), Some(BuiltIn::FlatCallTracer)];

/// One shard, all of its blocks, and what it has sent.
#[derive(Debug)]
struct TestShard {
    state: ShardState,
    reexecuted: Reexecution,
    history: MmrTree,
    blocks: Vec<(ShardHeader, Arc<Executed>)>,
}

/// All shards of the `local` preset.
#[derive(Debug)]
pub struct TestNet {
    /// What they know of each other.
    pub beacon: TestBeacon,
    shards: Vec<TestShard>,
}

impl Default for TestNet {
    fn default() -> Self {
        Self::new()
    }
}

impl TestNet {
    /// Before every shard's first block.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other rules.
    pub fn with(change: impl FnOnce(&mut ChainSpec)) -> Self {
        let mut spec = (*spec()).clone();
        change(&mut spec);
        let spec = Arc::new(spec);
        let shard = |id: u32| {
            let (id, allocations) = (ShardId::new(id), allocations(FUNDED));
            let state = ShardState::genesis(spec.clone(), id, &allocations, TIMESTAMP);
            let mut history = MmrTree::new();
            history.push(state.base_id());
            let reexecuted = Reexecution::new(spec.clone(), id, &allocations, TIMESTAMP);
            TestShard { state, reexecuted, history, blocks: Vec::new() }
        };
        Self {
            beacon: TestBeacon::new(spec.clone()),
            shards: (0..spec.shards.len() as u32).map(shard).collect(),
        }
    }

    /// Adds a block to a shard that takes these transactions, and whatever bundles there is room for.
    pub fn advance(
        &mut self,
        shard: u32,
        transactions: &[Arc<Verified<Transaction>>],
        bundles: &[Bundle],
    ) -> Arc<Executed> {
        let block = self.propose(shard, transactions, bundles);
        self.append(&block)
    }

    /// A block that `advance` would add.
    pub fn propose(
        &mut self,
        shard: u32,
        transactions: &[Arc<Verified<Transaction>>],
        bundles: &[Bundle],
    ) -> ShardBlock {
        let state = &mut self.shards[shard as usize].state;
        let (parent, limits) = (state.base().header.clone(), BlockLimits::new(state.spec()));
        let context = self.beacon.context(&parent, parent.anchor.height.get() + 1);
        let incoming = Incoming { bundles, committees: Some(&self.beacon) };
        let mut candidates = transactions.iter().cloned();
        let proposed = state
            .propose(parent.id(), context, incoming, &mut candidates, &limits)
            .expect("a block can be built");
        assert_eq!(proposed.skipped, []);
        proposed.block
    }

    /// Certifies a block that was proposed here.
    pub fn append(&mut self, block: &ShardBlock) -> Arc<Executed> {
        let shard = &mut self.shards[block.header.shard.get() as usize];
        let executed = shard.reexecuted.step(block).expect("a proposed block follows");
        let certified = shard.state.certify(block.header.id()).expect("is the next");
        assert_eq!(executed.change_set, certified.executed.change_set);
        shard.history.push(executed.id);
        shard.blocks.push((block.header.clone(), certified.executed.clone()));
        certified.executed
    }

    /// All that a shard has sent to another one since it had sent `from` receipts: one bundle for each block.
    pub fn outgoing(&self, source: u32, destination: u32, from: u64) -> Vec<Bundle> {
        let to = Chain::from(ShardId::new(destination));
        let shard = &self.shards[source as usize];
        let mut previous = None;
        let mut bundles = Vec::new();
        for (header, executed) in &shard.blocks {
            let Some(proof) = executed.outbox.proof(to) else { continue };
            if proof.leaf.first_sequence + proof.leaf.count > from {
                bundles.push(self.whole(shard, header, executed, to, proof, previous));
            }
            previous = Some(header.height);
        }
        bundles
    }

    /// A block's receipts to a chain, under the certificate of the shard's newest block.
    fn whole(
        &self,
        shard: &TestShard,
        header: &ShardHeader,
        executed: &Executed,
        to: Chain,
        outbox: OutboxProof,
        previous: Option<Height>,
    ) -> Bundle {
        let newest = shard.state.base().header.clone();
        let proof = |ancestor: Height, descendant: Height| {
            shard.history.proof(ancestor.get(), descendant.get()).expect("is an ancestor")
        };
        let ancestor = (newest.height > header.height)
            .then(|| AncestorHeader { header: header.clone(), proof: proof(header.height, newest.height) });
        let receipts = executed.outbox.lanes().find(|(chain, _)| *chain == to).map(|(_, sent)| sent.to_vec());
        Bundle {
            lane: Lane { source: header.shard.into(), destination: to },
            certified: CertifiedShardHeader { certificate: self.beacon.certify(&newest), header: newest },
            ancestor: ancestor.into_iter().collect(),
            continuity: previous.map(|previous| proof(previous, header.height)).into_iter().collect(),
            outbox,
            receipts: receipts.unwrap_or_default(),
            range_proof: Vec::new(),
        }
    }

    /// Proof of a transaction of a shard, for whoever knows its newest block.
    pub fn inclusion(&self, shard: u32, height: Height, index: u32) -> Inclusion {
        let shard = &self.shards[shard as usize];
        let (header, executed) = &shard.blocks[height.get() as usize - 1];
        let newest = shard.state.base().header.height;
        let history = (height < newest)
            .then(|| shard.history.proof(height.get(), newest.get()).expect("is an ancestor"));
        let hashes: Vec<B256> = executed.transactions.iter().map(|transaction| transaction.hash()).collect();
        journey::prove(header.clone(), history, &hashes, &executed.receipts, index).expect("is there")
    }

    /// The beacon chain records every shard's newest block.
    pub fn crosslink(&mut self) {
        for shard in &self.shards {
            if let Some((header, executed)) = shard.blocks.last() {
                self.beacon.accept(header, &executed.cursors);
            }
        }
    }

    /// Lets every shard add empty blocks until all that was sent is consumed and answered.
    pub fn settle(&mut self) {
        let shards = self.shards.len() as u32;
        for _ in 0..8 {
            self.crosslink();
            for destination in 0..shards {
                let lanes = self.lanes(destination);
                let received = |lane: &LaneState| lane.incoming.map_or(0, |cursor| cursor.sequence);
                let bundles = lanes.iter().filter_map(|lane| Some((lane.chain.shard()?, received(lane))));
                let bundles: Vec<_> = bundles
                    .flat_map(|(source, from)| self.outgoing(source.get(), destination, from))
                    .collect();
                self.advance(destination, &[], &bundles);
            }
        }
        self.assert_traceable();
    }

    /// What a shard knows of its lanes.
    pub fn lanes(&self, shard: u32) -> Vec<LaneState> {
        let state = &self.shards[shard as usize].state;
        let view = state.view();
        lanes(view.state(), ShardId::new(shard), self.shards.len() as u32).expect("in memory")
    }

    /// An account's balance, wei.
    pub fn balance(&self, shard: u32, address: &Address) -> U256 {
        let account = self.shards[shard as usize].reexecuted.state().account(address).expect("in memory");
        account.unwrap_or_default().balance
    }

    /// A slot of a contract.
    pub fn slot(&self, shard: u32, address: &Address, slot: u64) -> U256 {
        let state = self.shards[shard as usize].reexecuted.state();
        state.storage(address, &B256::from(U256::from(slot))).expect("in memory")
    }

    /// How many slots of a contract there are.
    pub fn slots(&self, shard: u32, address: Address) -> usize {
        self.shards[shard as usize].reexecuted.state().slots(address).count()
    }

    /// All blocks of a shard, from its first on.
    pub fn blocks(&self, shard: u32) -> impl Iterator<Item = &Executed> {
        self.shards[shard as usize].blocks.iter().map(|(_, executed)| &**executed)
    }

    /// An account's nonce.
    pub fn nonce(&self, shard: u32, address: &Address) -> u64 {
        let account = self.shards[shard as usize].reexecuted.state().account(address).expect("in memory");
        account.unwrap_or_default().nonce
    }

    /// What is held for an owner, wei.
    pub fn claimable(&self, shard: u32, owner: Address) -> U256 {
        let input = IPortal::claimableCall { owner }.abi_encode();
        match self.call(shard, PORTAL, U256::ZERO, input) {
            CallOutcome::Success { output, .. } => U256::from_be_slice(&output),
            other => panic!("a question is answered: {other:?}"),
        }
    }

    /// What a call by key 0 reverts with.
    pub fn revert_reason(&self, shard: u32, to: Address, input: Vec<u8>) -> Bytes {
        self.revert_reason_with(shard, to, U256::ZERO, input)
    }

    /// What a call by key 0 with a value reverts with.
    pub fn revert_reason_with(&self, shard: u32, to: Address, value: U256, input: Vec<u8>) -> Bytes {
        match self.call(shard, to, value, input) {
            CallOutcome::Revert { output, .. } => output,
            other => panic!("a test expects that it reverts: {other:?}"),
        }
    }

    /// What a call by key 0 with a value leads to.
    pub fn call(&self, shard: u32, to: Address, value: U256, input: Vec<u8>) -> CallOutcome {
        let (from, to) = (key(0).address(), Some(to));
        let request = CallRequest { from, to, value, input: input.into(), ..CallRequest::default() };
        self.view(shard).call(&request, 30_000_000).expect("can be called")
    }

    /// The state after the shard's newest block.
    pub fn view(&self, shard: u32) -> ChainView {
        self.shards[shard as usize].state.view()
    }

    /// Why a block is refused, once its header says what its body says.
    pub fn refusal(&self, mut block: ShardBlock) -> BlockError {
        let ids: Vec<B256> = arrivals(&block.body).iter().map(|arrival| arrival.id).collect();
        let hashes = block.body.transactions.iter().map(keccak256);
        block.header.transactions_root =
            transactions_root(&ids.into_iter().chain(hashes).collect::<Vec<_>>());
        block.header.data_root = block.body.root();
        let mut shard = self.shards[block.header.shard.get() as usize].reexecuted.clone();
        shard.step(&block).expect_err("a test expects that it is refused")
    }

    /// Base fee of every shard's first block, wei.
    pub fn genesis_base_fee(&self) -> u64 {
        self.shards[0].state.spec().base_fee_initial
    }

    /// Asserts that no money was made or lost: balances, claims, what is under way or staked and what was burned are what
    /// there was in the beginning and what the beacon chain has paid.
    pub fn assert_conserved(&self) {
        let mut there = U256::ZERO;
        for shard in &self.shards {
            there += shard.reexecuted.state().supply().expect("fits");
            there += held(shard.reexecuted.state());
            for (_, executed) in &shard.blocks {
                there += burned(executed);
                there +=
                    executed.outbox.receipts().fold(U256::ZERO, |sum, (_, receipt)| sum + worth(receipt));
            }
        }
        let consumed =
            self.shards.iter().flat_map(|shard| &shard.blocks).flat_map(|(_, executed)| &executed.arrivals);
        let (paid, consumed): (Vec<_>, Vec<_>) =
            consumed.partition(|arrival| arrival.receipt.lane.source == Chain::Beacon);
        let worth = |arrivals: &[&Arc<Arrival>]| {
            arrivals.iter().fold(U256::ZERO, |sum, arrival| sum + worth(&arrival.receipt))
        };
        let issued = genesis_supply(&allocations(FUNDED)).expect("fits") * U256::from(self.shards.len());
        let (issued, consumed) = (issued + worth(&paid), worth(&consumed));
        assert_eq!(there - consumed, issued);
    }

    /// Asserts that every transaction and every receipt that was taken in can be traced, and that the traces end as they
    /// did.
    pub fn assert_traceable(&self) {
        for (shard, id) in self.shards.iter().zip(0..) {
            let spec = shard.state.spec().clone();
            let genesis = Reexecution::new(spec, ShardId::new(id), &allocations(FUNDED), TIMESTAMP);
            let mut state = genesis.state().clone();
            for (_, block) in &shard.blocks {
                for tracer in TRACERS {
                    let traces = trace(&state, block, tracer);
                    for (trace, receipt) in traces.iter().zip(&block.receipts) {
                        let end = match trace {
                            GethTrace::Default(frame) => (frame.gas, !frame.failed),
                            GethTrace::CallTracer(frame) => {
                                (frame.gas_used.to::<u64>(), frame.error.is_none())
                            }
                            _ => continue,
                        };
                        assert_eq!(end, (receipt.gas_used, receipt.success()), "{trace:?}");
                    }
                }
                state.apply(&block.change_set);
            }
        }
    }

    /// The shard's newest header.
    pub fn head(&self, shard: u32) -> &ShardHeader {
        &self.shards[shard as usize].state.base().header
    }
}

/// The traces of a block on the state before it; it leaves behind what it left behind.
fn trace(state: &MemoryState, block: &Executed, tracer: Option<BuiltIn>) -> Vec<GethTrace> {
    let tracer = tracer.map(GethDebugTracerType::BuiltInTracer);
    let options = GethDebugTracingOptions { tracer, ..GethDebugTracingOptions::default() };
    let tracer = Tracer::new(options, 64 << 20, Stop::default()).expect("there is one");
    let header = &block.header;
    let executor = BlockExecutor::open(state, block.environment, header.parent, header.anchor.id);
    let mut executor = executor.expect("it was opened before");
    for (chain, sequence) in &block.acknowledged {
        executor.acknowledge(*chain, *sequence).expect("in memory");
    }
    let mut executor = executor.with_tracer(tracer);
    let traced = |transaction: &Arc<Verified<Transaction>>| {
        executor.trace(transaction, TransactionContext::default()).expect("can be traced")
    };
    let traces = block.transactions.iter().map(traced).collect();
    assert_eq!(executor.close().1, block.receipts);
    traces
}
