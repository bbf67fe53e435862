use std::sync::Arc;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip4844, TxEnvelope};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, Signature, U256, b256, bytes};
use consensus::light::AnchorError;
use primitives::{Epoch, Height, ShardBlock, ShardId, Verified, View};

use super::{
    BlockContext, BlockError, BlockLimits, Executed, ParentView, Proposed, SkipReason, Skipped, execute,
    propose,
};
use crate::{
    executor::InclusionError,
    genesis::{genesis_header, genesis_state},
    state::{FlatState as _, MemoryState},
    testing::{ETHER, NOTHING_INCOMING, Sender, TestBeacon, allocations, key, sign, spec},
    transaction::{Transaction, TransactionError},
    trie::StateTrie,
};

const SHARD: ShardId = ShardId::new(1);

/// A chain of one parent, proposed on and executed on separately.
struct Fixture {
    beacon: TestBeacon,
    header: primitives::ShardHeader,
    history: crypto::mmr::Mmr,
    state: MemoryState,
    trie: StateTrie,
    sender: Sender,
}

impl Fixture {
    fn new() -> Self {
        let (spec, allocations) = (spec(), allocations(4));
        let state = genesis_state(&allocations);
        Self {
            beacon: TestBeacon::new(spec.clone()),
            header: genesis_header(&spec, SHARD, &allocations, 1_700_000_000_000),
            history: crypto::mmr::Mmr::new(),
            trie: state.trie(),
            state,
            sender: Sender::new(SHARD),
        }
    }

    fn parent(&self) -> ParentView<'_> {
        ParentView { header: &self.header, id: self.header.id(), history: &self.history, state: &self.state }
    }

    fn context(&self) -> BlockContext {
        self.beacon.context(&self.header, 1 + self.header.height.get())
    }

    fn propose(&self, transactions: &[Arc<Verified<Transaction>>]) -> Proposed {
        self.propose_within(transactions, &BlockLimits::new(&spec()))
    }

    fn propose_within(&self, transactions: &[Arc<Verified<Transaction>>], limits: &BlockLimits) -> Proposed {
        let mut candidates = transactions.iter().cloned();
        let (context, mut trie) = (self.context(), self.trie.clone());
        propose(&spec(), &self.parent(), &mut trie, context, NOTHING_INCOMING, &mut candidates, limits)
            .expect("builds")
    }

    fn refused_proposal(&self, context: BlockContext) -> BlockError {
        let (limits, mut none) = (BlockLimits::new(&spec()), std::iter::empty());
        propose(
            &spec(),
            &self.parent(),
            &mut self.trie.clone(),
            context,
            NOTHING_INCOMING,
            &mut none,
            &limits,
        )
        .expect_err("nothing may be built here")
    }

    fn execute(&self, block: &ShardBlock) -> Result<Executed, BlockError> {
        execute(&spec(), &self.parent(), &mut self.trie.clone(), block, &|_| None, None)
    }

    /// What executing gives after `change` was made to a proposed block.
    fn refusal(&self, change: impl FnOnce(&mut ShardBlock)) -> BlockError {
        let mut block = self.propose(&[self.transfer()]).block;
        change(&mut block);
        self.execute(&block).expect_err("the block is wrong")
    }

    /// Builds a block, checks that it is accepted elsewhere, and goes on from it.
    fn advance(&mut self, transactions: &[Arc<Verified<Transaction>>]) -> Executed {
        let proposed = self.propose(transactions);
        assert_eq!(proposed.skipped, []);
        let executed = self.execute(&proposed.block).expect("follows");
        assert_eq!(executed.receipts, proposed.executed.receipts);
        assert_eq!(executed.change_set, proposed.executed.change_set);
        self.history = self.parent().child_history();
        self.header = executed.header.clone();
        self.state.apply(&executed.change_set);
        assert_eq!(self.trie.update(&executed.change_set.account_changes()), self.header.state_root);
        executed
    }

    fn transfer(&self) -> Arc<Verified<Transaction>> {
        self.sender.transfer(&key(0), 0, key(1).address(), ETHER)
    }

    /// Deploys code and gives its address.
    fn deploy(&mut self, nonce: u64, runtime: &[u8]) -> Address {
        // PUSH2 length DUP1 PUSH1 12 PUSH0 CODECOPY PUSH0 RETURN, then the code.
        let mut initcode = vec![0x61];
        initcode.extend((runtime.len() as u16).to_be_bytes());
        initcode.extend([0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3]);
        initcode.extend(runtime);
        let deployment = self.sender.transaction(&key(0), nonce, None, U256::ZERO, initcode);
        let executed = self.advance(&[deployment]);
        assert!(executed.receipts[0].success());
        executed.receipts[0].contract_address.expect("a contract was created")
    }

    /// Calls a contract and gives the block.
    fn call(&mut self, nonce: u64, to: Address, input: impl Into<Bytes>) -> Executed {
        let call = self.sender.transaction(&key(0), nonce, Some(to), U256::ZERO, input);
        self.advance(&[call])
    }

    fn slot(&self, address: &Address, slot: u64) -> U256 {
        self.state.storage(address, &B256::from(U256::from(slot))).expect("in memory")
    }

    fn balance(&self, address: &Address) -> U256 {
        self.state.account(address).expect("in memory").unwrap_or_default().balance
    }
}

#[test]
fn a_transfer_moves_value_and_pays_the_proposer_the_tip_alone() {
    let mut fixture = Fixture::new();
    let (before, supply) = (fixture.balance(&key(0).address()), fixture.state.supply());
    let executed = fixture.advance(&[fixture.transfer()]);

    let base_fee = U256::from(executed.header.base_fee);
    let tip = U256::from(21_000u64 * 1_000_000);
    assert_eq!(fixture.balance(&TestBeacon::fee_recipient(1)), tip);
    assert_eq!(fixture.balance(&key(1).address()), ETHER * U256::from(1_000_001));
    let burned = U256::from(21_000) * base_fee;
    assert_eq!(before - fixture.balance(&key(0).address()), ETHER + tip + burned);
    assert_eq!(supply.expect("fits") - fixture.state.supply().expect("fits"), burned);
    assert_eq!(executed.header.gas_used, 21_000);
}

#[test]
fn a_deployed_contract_keeps_what_it_is_told() {
    let mut fixture = Fixture::new();
    // CALLDATALOAD(0) → SSTORE(0)
    let contract = fixture.deploy(0, &[0x5f, 0x35, 0x5f, 0x55]);
    fixture.call(1, contract, U256::from(42).to_be_bytes_vec());
    assert_eq!(fixture.slot(&contract, 0), U256::from(42));
}

#[test]
fn a_reverted_transaction_is_included_and_pays_but_does_nothing() {
    let mut fixture = Fixture::new();
    // SSTORE(0, 1), then REVERT(0, 0)
    let contract = fixture.deploy(0, &[0x60, 1, 0x5f, 0x55, 0x5f, 0x5f, 0xfd]);
    let before = fixture.balance(&key(0).address());
    let executed = fixture.call(1, contract, Bytes::new());
    assert!(!executed.receipts[0].success());
    assert!(executed.receipts[0].gas_used > 21_000);
    assert_eq!(executed.receipts[0].contract_address, None);
    assert_eq!(fixture.slot(&contract, 0), U256::ZERO);
    assert!(fixture.balance(&key(0).address()) < before);
}

#[test]
fn logs_are_in_the_receipt_and_their_addresses_and_topics_in_the_header_s_bloom() {
    let mut fixture = Fixture::new();
    // LOG1(0, 0, topic 7)
    let contract = fixture.deploy(0, &[0x60, 7, 0x5f, 0x5f, 0xa1]);
    let executed = fixture.call(1, contract, Bytes::new());
    let [log] = executed.receipts[0].logs() else { panic!("one log") };
    assert_eq!((log.address, log.topics()), (contract, &[B256::from(U256::from(7))][..]));
    let bloom = executed.header.logs_bloom;
    assert!(bloom.contains_input(alloy_primitives::BloomInput::Raw(contract.as_slice())));
    assert!(bloom.contains_input(alloy_primitives::BloomInput::Raw(log.topics()[0].as_slice())));
    assert!(!bloom.contains_input(alloy_primitives::BloomInput::Raw(key(0).address().as_slice())));
}

#[test]
fn prevrandao_and_coinbase_are_what_the_anchor_proves() {
    let mut fixture = Fixture::new();
    // SSTORE(0, PREVRANDAO), SSTORE(1, COINBASE), SSTORE(2, TIMESTAMP)
    let code = [0x44, 0x5f, 0x55, 0x41, 0x60, 1, 0x55, 0x42, 0x60, 2, 0x55];
    let contract = fixture.deploy(0, &code);
    let anchor = 1 + fixture.header.height.get();
    fixture.call(1, contract, Bytes::new());
    assert_eq!(B256::from(fixture.slot(&contract, 0)), TestBeacon::mix(anchor));
    let fee_recipient = TestBeacon::fee_recipient(fixture.header.height.get());
    assert_eq!(fixture.slot(&contract, 1), U256::from_be_bytes(fee_recipient.into_word().0));
    assert_eq!(fixture.slot(&contract, 2), U256::from(fixture.header.timestamp_ms / 1_000));
}

#[test]
fn blockhash_is_a_header_s_id() {
    let mut fixture = Fixture::new();
    let genesis = fixture.header.id();
    // SSTORE(0, BLOCKHASH(0)), SSTORE(1, BLOCKHASH(NUMBER − 1)), SSTORE(2, BLOCKHASH(NUMBER))
    let code = [0x5f, 0x40, 0x5f, 0x55, 0x60, 1, 0x43, 0x03, 0x40, 0x60, 1, 0x55, 0x43, 0x40, 0x60, 2, 0x55];
    let contract = fixture.deploy(0, &code);
    let parent = fixture.header.id();
    fixture.call(1, contract, Bytes::new());
    assert_eq!(B256::from(fixture.slot(&contract, 0)), genesis);
    assert_eq!(B256::from(fixture.slot(&contract, 1)), parent);
    assert_eq!(fixture.slot(&contract, 2), U256::ZERO);
}

#[test]
fn the_history_contract_answers_the_parent_s_id_and_the_roots_contract_the_anchor_s() {
    let mut fixture = Fixture::new();
    // Calls the address in the first word of the data with the second word, and stores the answer in slot 0.
    let code = [
        0x60, 0x20, 0x35, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0x60, 0x20, 0x5f, 0x5f, 0x35, 0x5a, 0xfa, 0x50, 0x5f,
        0x51, 0x5f, 0x55,
    ];
    let contract = fixture.deploy(0, &code);
    let parent = fixture.header.clone();
    let input = |to: Address, word: u64| [to.into_word(), B256::from(U256::from(word))].concat();

    let history = alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
    fixture.call(1, contract, input(history, parent.height.get()));
    assert_eq!(B256::from(fixture.slot(&contract, 0)), parent.id());

    let next_timestamp = fixture.context().timestamp_ms / 1_000;
    let roots = alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
    let executed = fixture.call(2, contract, input(roots, next_timestamp));
    assert_eq!(B256::from(fixture.slot(&contract, 0)), executed.header.anchor.id);
}

#[test]
fn the_base_fee_falls_after_empty_blocks() {
    let mut fixture = Fixture::new();
    let initial = fixture.header.base_fee;
    fixture.advance(&[]);
    assert_eq!(fixture.header.base_fee, initial - initial / 192);
}

#[test]
fn candidates_that_may_not_be_included_are_skipped_and_named() {
    let fixture = Fixture::new();
    let late = fixture.sender.transfer(&key(0), 5, key(1).address(), ETHER);
    let poor = fixture.sender.transfer(&key(9), 0, key(1).address(), U256::ZERO);
    let proposed = fixture.propose(&[late.clone(), poor.clone(), fixture.transfer()]);
    assert_eq!(proposed.block.body.transactions.len(), 1);
    let (sender, poor_sender) = (late.sender(), poor.sender());
    let needed = poor.cost_max().expect("fits");
    let reasons = [
        InclusionError::NonceTooHigh { sender, expected: 0, found: 5 },
        InclusionError::InsufficientFunds { sender: poor_sender, needed, found: U256::ZERO },
    ];
    let expected: Vec<_> = [late.hash(), poor.hash()]
        .into_iter()
        .zip(reasons)
        .map(|(hash, reason)| Skipped { hash, reason: SkipReason::Inclusion(reason) })
        .collect();
    assert_eq!(proposed.skipped, expected);
}

#[test]
fn a_proposer_stops_at_the_count_the_bytes_and_the_gas() {
    let fixture = Fixture::new();
    let transfers: Vec<_> =
        (0..4).map(|number| fixture.sender.transfer(&key(number), 0, key(7).address(), U256::ONE)).collect();
    let all = BlockLimits::new(&spec());
    let taken = |limits: BlockLimits| {
        let proposed = fixture.propose_within(&transfers, &limits);
        fixture.execute(&proposed.block).expect("follows");
        proposed.block.body.transactions.len()
    };
    assert_eq!(taken(all), 4);
    assert_eq!(taken(BlockLimits { transactions_max: 3, ..all }), 3);
    assert_eq!(taken(BlockLimits { gas_max: 43_000, ..all }), 2);
    let empty = ssz::Encode::ssz_bytes_len(&fixture.propose(&[]).block.body) as u32;
    let one = empty + 4 + transfers[0].encoded().len() as u32;
    assert_eq!(taken(BlockLimits { body_bytes_max: one, ..all }), 1);
    assert_eq!(taken(BlockLimits { body_bytes_max: one - 1, ..all }), 0);
}

#[test]
fn verified_transactions_are_looked_up_and_not_recovered_again() {
    let fixture = Fixture::new();
    let transfer = fixture.transfer();
    let block = fixture.propose(std::slice::from_ref(&transfer)).block;
    let found = std::cell::Cell::new(0);
    let lookup = |hash: &B256| {
        found.set(found.get() + 1);
        (*hash == transfer.hash()).then(|| transfer.clone())
    };
    let executed = execute(&spec(), &fixture.parent(), &mut fixture.trie.clone(), &block, &lookup, None);
    assert!(Arc::ptr_eq(&executed.expect("follows").transactions[0], &transfer));
    assert_eq!(found.get(), 1);
}

#[test]
fn a_block_whose_state_root_does_not_follow_is_refused_and_leaves_the_trie_alone() {
    let mut fixture = Fixture::new();
    let mut block = fixture.propose(&[fixture.transfer()]).block;
    let expected = block.header.state_root;
    block.header.state_root = B256::repeat_byte(1);
    let before = fixture.trie.root();
    let mut trie = fixture.trie.clone();
    let error =
        execute(&spec(), &fixture.parent(), &mut trie, &block, &|_| None, None).expect_err("is wrong");
    assert_eq!(error, BlockError::StateRoot { expected, found: B256::repeat_byte(1) });
    assert!(!error.is_local());
    assert_eq!(trie.root(), before);
}

#[test]
fn every_header_field_that_does_not_follow_is_refused_by_its_name() {
    let fixture = Fixture::new();
    let block = fixture.propose(&[fixture.transfer()]).block;
    let (header, found) = (block.header, B256::repeat_byte(9));

    let error = fixture.refusal(|block| block.header.shard = ShardId::new(2));
    assert_eq!(error, BlockError::Shard { expected: SHARD, found: ShardId::new(2) });
    let error = fixture.refusal(|block| block.header.height = Height::new(2));
    assert_eq!(error, BlockError::Height { expected: Height::new(1), found: Height::new(2) });
    let error = fixture.refusal(|block| block.header.parent = found);
    assert_eq!(error, BlockError::Parent { expected: header.parent, found });
    let error = fixture.refusal(|block| block.header.parent_view = View::new(3));
    assert_eq!(error, BlockError::ParentView { expected: View::ZERO, found: View::new(3) });
    let error = fixture.refusal(|block| block.header.view = View::ZERO);
    assert_eq!(error, BlockError::View { parent_view: View::ZERO, found: View::ZERO });
    let parent = fixture.header.timestamp_ms;
    let error = fixture.refusal(|block| block.header.timestamp_ms = parent);
    assert_eq!(error, BlockError::Timestamp { parent, found: parent });
    let error = fixture.refusal(|block| block.header.gas_limit += 1);
    let expected = header.gas_limit;
    assert_eq!(error, BlockError::GasLimit { expected, found: expected + 1 });
    let error = fixture.refusal(|block| block.header.base_fee = 7);
    assert_eq!(error, BlockError::BaseFee { expected: header.base_fee, found: 7 });
    let error = fixture.refusal(|block| block.header.history_root = found);
    assert_eq!(error, BlockError::HistoryRoot { expected: header.history_root, found });
    let error = fixture.refusal(|block| block.header.outbox_root = found);
    assert_eq!(error, BlockError::OutboxRoot { expected: header.outbox_root, found });
    let error = fixture.refusal(|block| block.header.inbox_cursors_root = found);
    assert_eq!(error, BlockError::InboxCursorsRoot { expected: header.inbox_cursors_root, found });
    let error = fixture.refusal(|block| block.header.data_root = found);
    assert_eq!(error, BlockError::DataRoot { expected: header.data_root, found });
    let error = fixture.refusal(|block| block.header.transactions_root = found);
    assert_eq!(error, BlockError::TransactionsRoot { expected: header.transactions_root, found });
    let error = fixture.refusal(|block| block.header.gas_used = 0);
    assert_eq!(error, BlockError::GasUsed { expected: 21_000, found: 0 });
    let error = fixture.refusal(|block| block.header.transaction_receipts_root = found);
    let expected = header.transaction_receipts_root;
    assert_eq!(error, BlockError::TransactionReceiptsRoot { expected, found });
    let error = fixture.refusal(|block| block.header.logs_bloom.0[0] = 1);
    assert!(matches!(error, BlockError::LogsBloom { expected, .. } if expected.is_zero()));
    let error = fixture.refusal(|block| block.header.anchor.id = found);
    let anchor = header.anchor.id;
    assert_eq!(error, BlockError::Anchor(AnchorError::Id { expected: found, found: anchor }));
    let error = fixture.refusal(|block| block.header.epoch = Epoch::new(1));
    assert!(matches!(error, BlockError::Anchor(AnchorError::Epoch { .. })), "{error}");
    let error = fixture.refusal(|block| block.header.proposer = primitives::ValidatorIndex::new(3));
    assert!(matches!(error, BlockError::Anchor(AnchorError::Proposer { .. })), "{error}");
}

#[test]
fn an_anchor_below_the_parent_s_is_refused() {
    let mut fixture = Fixture::new();
    fixture.advance(&[]);
    fixture.advance(&[]);
    let mut block = fixture.propose(&[]).block;
    block.body.anchor = fixture.beacon.anchor(SHARD, 1, 3);
    block.header.anchor = fixture.beacon.anchor_ref(1);
    block.header.data_root = block.body.root();
    let error = fixture.execute(&block).expect_err("the anchor fell");
    assert_eq!(error, BlockError::AnchorFell { parent: Height::new(2), found: Height::new(1) });
}

#[test]
fn an_epoch_ends_at_its_last_height() {
    let mut fixture = Fixture::new();
    for _ in 0..spec().shard_epoch_heights.get() - 1 {
        fixture.advance(&[]);
    }
    assert_eq!(fixture.header.epoch, Epoch::ZERO);
    let mut context = fixture.context();
    assert_eq!((context.epoch, context.parent_view), (Epoch::new(1), View::ZERO));
    fixture.advance(&[]);
    assert_eq!(fixture.header.epoch, Epoch::new(1));

    context = fixture.context();
    context.epoch = Epoch::ZERO;
    let error = fixture.refused_proposal(context);
    assert_eq!(error, BlockError::EpochFell { parent: Epoch::new(1), found: Epoch::ZERO });
}

#[test]
fn an_anchor_that_does_not_know_the_next_epoch_does_not_prolong_this_one() {
    let mut fixture = Fixture::new();
    fixture.beacon = TestBeacon::with_epochs(spec(), 1);
    let last = spec().shard_epoch_heights.get() - 1;
    (0..last).for_each(|_| drop(fixture.advance(&[])));
    let context = BlockContext {
        epoch: Epoch::ZERO,
        parent_view: fixture.header.view,
        view: fixture.header.view.next(),
        ..fixture.context()
    };
    let (last, found) = (Height::new(last), Height::new(last + 1));
    let expected = BlockError::EpochOver { epoch: Epoch::ZERO, last, found };
    assert_eq!(fixture.refused_proposal(context), expected);
}

/// A block with these encoded transactions in place of what was proposed.
fn with_transactions(fixture: &Fixture, transactions: Vec<Bytes>) -> ShardBlock {
    let mut block = fixture.propose(&[]).block;
    let hashes: Vec<B256> = transactions.iter().map(alloy_primitives::keccak256).collect();
    block.body.transactions = transactions;
    block.header.data_root = block.body.root();
    block.header.transactions_root = crate::receipt::transactions_root(&hashes);
    block
}

#[test]
fn a_block_with_a_transaction_that_can_never_be_included_is_refused() {
    let fixture = Fixture::new();
    let blob: TxEnvelope = TxEip4844 { chain_id: fixture.sender.limits.chain_id, ..Default::default() }
        .into_signed(Signature::test_signature())
        .into();
    let foreign = TxEip1559 { chain_id: 1, ..fixture.sender.unsigned(0, None, U256::ZERO, bytes!("00")) };
    let expected = fixture.sender.limits.chain_id;
    let cases = [
        (blob.encoded_2718(), TransactionError::TypeNotSupported { found: 3 }),
        (sign(foreign, &key(0)).encoded_2718(), TransactionError::ChainId { expected, found: 1 }),
        (vec![], TransactionError::Empty),
        (vec![0xc0], TransactionError::Rlp(alloy_rlp::Error::InputTooShort)),
    ];
    for (encoded, error) in cases {
        let block = with_transactions(&fixture, vec![fixture.transfer().encoded().clone(), encoded.into()]);
        let found = fixture.execute(&block).expect_err("the transaction is wrong");
        assert_eq!(found, BlockError::Transaction { index: 1, error });
    }
}

#[test]
fn a_block_that_includes_a_transaction_twice_is_refused() {
    let fixture = Fixture::new();
    let transfer = fixture.transfer();
    let block = with_transactions(&fixture, vec![transfer.encoded().clone(); 2]);
    let error = InclusionError::NonceTooLow { sender: transfer.sender(), expected: 1, found: 0 }.into();
    let expected = BlockError::Inclusion { index: 1, hash: transfer.hash(), error };
    assert_eq!(fixture.execute(&block).expect_err("the nonce is used"), expected);
}

#[test]
fn an_empty_outbox_has_this_root() {
    let expected = b256!("0000000000000000000000000000000000000000000000000000000000000000");
    assert_ne!(xshard::empty_outbox_root(), expected);
    assert_eq!(xshard::empty_outbox_root(), consensus::layout::list_root(&[], 16));
}
