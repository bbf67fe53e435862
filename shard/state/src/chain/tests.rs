use std::sync::Arc;

use alloy_primitives::{Address, B256, U256, keccak256};
use primitives::{Height, ShardBlock, ShardId, Verified, View};
use proptest::prelude::*;

use super::{Certified, CertifyError, ChainError, OpenError, ProofError, RewindError, ShardState};
use crate::{
    account::Account,
    block::{BlockError, BlockLimits},
    executor::{CallOutcome, CallRequest},
    genesis::genesis_state,
    reexecute::Reexecution,
    state::{FlatState as _, RebaseError},
    testing::{ETHER, NOTHING_INCOMING, Sender, TestBeacon, allocations, key, spec},
    transaction::Transaction,
    trie::verify_proof,
};

const SHARD: ShardId = ShardId::new(2);
const TIMESTAMP: u64 = 1_700_000_000_000;

fn chain() -> ShardState {
    ShardState::genesis(spec(), SHARD, &allocations(4), TIMESTAMP)
}

fn reexecution() -> Reexecution {
    Reexecution::new(spec(), SHARD, &allocations(4), TIMESTAMP)
}

fn transfer(from: u64, nonce: u64, to: u64) -> Arc<Verified<Transaction>> {
    Sender::new(SHARD).transfer(&key(from), nonce, key(to).address(), ETHER)
}

/// Builds on `parent` with views `later` above the next one.
fn propose(
    chain: &mut ShardState,
    parent: B256,
    later: u64,
    transactions: &[Arc<Verified<Transaction>>],
) -> ShardBlock {
    let view = chain.view_of(&parent).expect("the parent is known");
    let mut context = TestBeacon::new(spec()).context(view.header(), 1 + view.header().height.get());
    context.view = View::new(context.view.get() + later);
    let limits = BlockLimits::new(&spec());
    let proposed = chain
        .propose(parent, context, NOTHING_INCOMING, &mut transactions.iter().cloned(), &limits)
        .expect("builds");
    assert_eq!(proposed.skipped, []);
    proposed.block
}

fn grow(chain: &mut ShardState, transactions: &[Arc<Verified<Transaction>>]) -> (ShardBlock, Certified) {
    let block = propose(chain, chain.base_id(), 0, transactions);
    let certified = chain.certify(block.header.id()).expect("was executed");
    (block, certified)
}

fn balance(chain: &ShardState, id: &B256, number: u64) -> U256 {
    chain.view_of(id).expect("known").account(&key(number).address()).expect("in memory").balance
}

#[test]
fn another_branch_has_the_state_of_a_fresh_execution() {
    let mut chain = chain();
    let genesis = chain.base_id();
    let first = propose(&mut chain, genesis, 0, &[transfer(0, 0, 1)]);
    let first_above = propose(&mut chain, first.header.id(), 0, &[transfer(0, 1, 1), transfer(2, 0, 3)]);
    let second = propose(&mut chain, genesis, 1, &[transfer(1, 0, 2)]);
    let second_above = propose(&mut chain, second.header.id(), 0, &[transfer(0, 0, 9)]);
    // Back to the first branch, whose tip's state is needed again.
    let first_top = propose(&mut chain, first_above.header.id(), 0, &[transfer(3, 0, 0)]);

    for blocks in [vec![&first, &first_above, &first_top], vec![&second, &second_above]] {
        let mut fresh = reexecution();
        fresh.run(blocks.iter().copied()).expect("both branches follow");
        let view = chain.view_of(&fresh.id()).expect("remembered");
        assert_eq!(view.header(), fresh.header());
        for number in 0..10 {
            let address = key(number).address();
            let expected = fresh.state().account(&address).expect("in memory");
            assert_eq!(view.state().account(&address).expect("in memory"), expected);
        }
    }
}

#[test]
fn a_verified_block_is_the_proposed_one_and_is_not_executed_twice() {
    let (mut proposer, mut validator) = (chain(), chain());
    let genesis = proposer.base_id();
    let block = propose(&mut proposer, genesis, 0, &[transfer(0, 0, 1)]);
    let lookups = std::cell::Cell::new(0);
    let lookup = |_: &B256| {
        lookups.set(lookups.get() + 1);
        None
    };
    validator.verify(&block, &lookup, None).expect("follows");
    validator.verify(&block, &lookup, None).expect("is remembered");
    proposer.verify(&block, &lookup, None).expect("was proposed here");
    assert_eq!(lookups.get(), 1);
    let id = block.header.id();
    let [ours, theirs] =
        [&validator, &proposer].map(|chain| chain.executed(&id).expect("remembered").clone());
    assert_eq!(ours.receipts, theirs.receipts);
    assert_eq!(ours.change_set, theirs.change_set);
    assert_eq!(validator.certify(id).expect("verified").change_set(), &theirs.change_set);
}

#[test]
fn certifying_forgets_the_branches_beside_and_keeps_those_above() {
    let mut chain = chain();
    let genesis = chain.base_id();
    let kept = propose(&mut chain, genesis, 0, &[transfer(0, 0, 1)]);
    let above = propose(&mut chain, kept.header.id(), 0, &[transfer(0, 1, 1)]);
    let beside = propose(&mut chain, genesis, 1, &[transfer(1, 0, 2)]);
    chain.certify(kept.header.id()).expect("was executed");

    assert_eq!(chain.base_id(), kept.header.id());
    assert!(chain.executed(&beside.header.id()).is_none());
    assert_eq!(chain.best(), above.header.id());
    let expected = CertifyError::Unknown { id: beside.header.id() };
    assert_eq!(chain.certify(beside.header.id()).expect_err("forgotten"), expected);
    let height = Height::new(1);
    let expected = ChainError::BelowCertified { certified: height, found: height };
    assert_eq!(chain.verify(&beside, &|_| None, None), Err(expected));
    chain.certify(above.header.id()).expect("its parent is the base");
}

#[test]
fn a_block_is_certified_only_after_its_parent() {
    let mut chain = chain();
    let genesis = chain.base_id();
    let first = propose(&mut chain, genesis, 0, &[]).header.id();
    let second = propose(&mut chain, first, 0, &[]).header.id();
    let expected = CertifyError::NotNext { expected: genesis, found: first };
    assert_eq!(chain.certify(second).expect_err("its parent is not certified"), expected);
    chain.certify(first).expect("is next");
    chain.certify(second).expect("is next now");
}

#[test]
fn a_block_on_an_unknown_parent_is_not_judged() {
    let (mut ahead, mut behind) = (chain(), chain());
    let parent = grow(&mut ahead, &[]).0.header.id();
    let block = propose(&mut ahead, parent, 0, &[]);
    let error = behind.verify(&block, &|_| None, None).expect_err("the parent is missing");
    assert_eq!(error, ChainError::UnknownParent { id: parent });
    assert!(!error.is_invalid());
}

#[test]
fn an_invalid_block_is_refused_and_the_branch_goes_on() {
    let mut chain = chain();
    let genesis = chain.base_id();
    let good = propose(&mut chain, genesis, 0, &[transfer(0, 0, 1)]);
    let mut bad = propose(&mut chain, good.header.id(), 0, &[transfer(0, 1, 1)]);
    let expected = bad.header.state_root;
    bad.header.state_root = B256::ZERO;
    let error = chain.verify(&bad, &|_| None, None).expect_err("the root is wrong");
    assert_eq!(error, ChainError::Block(BlockError::StateRoot { expected, found: B256::ZERO }));
    assert!(error.is_invalid());
    propose(&mut chain, good.header.id(), 1, &[transfer(0, 1, 2)]);
}

#[test]
fn a_view_does_not_change_while_the_chain_goes_on() {
    let mut chain = chain();
    let before = chain.view();
    let expected = before.account(&key(0).address()).expect("in memory");
    for nonce in 0..5 {
        grow(&mut chain, &[transfer(0, nonce, 1)]);
    }
    let height = chain.base().header.height;
    assert_eq!(height, Height::new(5));
    assert_eq!(before.account(&key(0).address()).expect("in memory"), expected);
    assert_eq!(chain.view().account(&key(0).address()).expect("in memory").nonce, 5);
}

#[test]
fn a_flat_state_that_catches_up_replaces_the_layers() {
    let mut chain = chain();
    let mut flat = genesis_state(&allocations(4));
    let mut ids = Vec::new();
    for nonce in 0..5 {
        let (block, certified) = grow(&mut chain, &[transfer(0, nonce, 1)]);
        ids.push(block.header.id());
        if nonce < 3 {
            flat.apply(certified.change_set());
        }
    }
    let before = chain.view();
    assert_eq!(chain.blocks_above_flat(), 5);
    chain.rebase(ids[2], Arc::new(flat.clone())).expect("three blocks are in it");
    assert_eq!(chain.blocks_above_flat(), 2);
    for number in 0..4 {
        let address = key(number).address();
        assert_eq!(chain.view().account(&address), before.account(&address));
    }
    let error = chain.rebase(ids[0], Arc::new(flat)).expect_err("that block is below");
    assert_eq!(error, RebaseError { found: ids[0], layers: 2 });
}

#[test]
fn a_chain_opened_on_a_lagging_flat_state_catches_up_by_replaying() {
    let mut chain = chain();
    let genesis = chain.base().clone();
    let flat = genesis_state(&allocations(4));
    let mut reopened =
        ShardState::open(spec(), genesis, Arc::new(flat.clone()), flat.trie()).expect("belongs together");
    for nonce in 0..3 {
        let (_, certified) = grow(&mut chain, &[transfer(0, nonce, 1)]);
        let changes = certified.change_set().clone();
        reopened.replay(chain.base().clone(), changes.clone()).expect("follows");
        let error = reopened.replay(chain.base().clone(), changes).expect_err("once is enough");
        let found = chain.base().header.parent;
        assert_eq!(error, OpenError::Parent { expected: chain.base_id(), found });
    }
    let base = chain.base_id();
    let block = propose(&mut chain, base, 0, &[transfer(0, 3, 1)]);
    reopened.verify(&block, &|_| None, None).expect("both stand at the same block");
}

#[test]
fn a_chain_is_not_opened_on_another_state() {
    let mut chain = chain();
    grow(&mut chain, &[transfer(0, 0, 1)]);
    let flat = genesis_state(&allocations(4));
    let error = ShardState::open(spec(), chain.base().clone(), Arc::new(flat.clone()), flat.trie())
        .expect_err("older");
    let expected = chain.base().header.state_root;
    assert_eq!(error, OpenError::StateRoot { expected, found: flat.trie().root() });
}

#[test]
fn going_back_gives_the_state_there_was_and_the_chain_goes_on_from_it() {
    let mut chain = chain();
    let (_, first) = grow(&mut chain, &[transfer(0, 0, 1)]);
    let target = chain.base().clone();
    let expected = chain.view().account(&key(0).address());
    let undo: Vec<_> = (1..4).map(|nonce| grow(&mut chain, &[transfer(0, nonce, 1)]).1).collect();
    let mut undo: Vec<_> = undo.iter().rev().map(|certified| certified.change_set().clone()).collect();

    let error = chain.rewind(target.clone(), &undo[..2]).expect_err("one is missing");
    assert_eq!(error, RewindError::UndoCount { expected: 3, found: 2 });
    undo.swap(0, 2);
    let error = chain.rewind(target.clone(), &undo).expect_err("the order is wrong");
    assert!(matches!(error, RewindError::Target(OpenError::StateRoot { .. })), "{error}");
    undo.swap(0, 2);
    chain.rewind(target.clone(), &undo).expect("leads there");
    assert_eq!(chain.base_id(), target.header.id());
    assert_eq!(chain.view().account(&key(0).address()), expected);
    // The flat state, taken back in its turn, replaces all that led there and back.
    let mut flat = genesis_state(&allocations(4));
    flat.apply(first.change_set());
    chain.rebase(target.header.id(), Arc::new(flat)).expect("stands at the target");
    assert_eq!(chain.blocks_above_flat(), 0);
    assert_eq!(chain.view().account(&key(0).address()), expected);
    grow(&mut chain, &[transfer(0, 1, 3)]);
    let id = chain.base_id();
    assert_eq!(balance(&chain, &id, 3), ETHER * U256::from(1_000_001));
}

#[test]
fn going_back_with_other_change_sets_is_refused_and_changes_nothing() {
    let mut chain = chain();
    let genesis = chain.base().clone();
    let (_, certified) = grow(&mut chain, &[transfer(0, 0, 1)]);
    let (_, other) = grow(&mut self::chain(), &[transfer(2, 0, 1)]);
    let error = chain.rewind(genesis, &[other.change_set().clone()]).expect_err("of another chain");
    assert!(matches!(error, RewindError::Target(OpenError::StateRoot { .. })), "{error}");
    assert_eq!(chain.base_id(), certified.executed.id);
    grow(&mut chain, &[transfer(0, 1, 1)]);
}

#[test]
fn accounts_are_proven_at_every_height_that_is_still_held() {
    let mut chain = chain();
    let mut headers = vec![chain.base().header.clone()];
    for nonce in 0..4 {
        headers.push(grow(&mut chain, &[transfer(0, nonce, 1)]).0.header);
    }
    // An uncertified block on top must not show.
    let base = chain.base_id();
    propose(&mut chain, base, 0, &[transfer(0, 4, 1)]);
    let address = key(0).address();
    for header in &headers {
        let proof = chain.proof(&address, &[B256::ZERO], header.height).expect("is held");
        assert_eq!(proof.state_root, header.state_root);
        assert_eq!(proof.account.nonce, header.height.get());
        let leaf = alloy_rlp::encode(trie_account(&proof.account, proof.storage_root));
        assert_eq!(verify_proof(header.state_root, &keccak256(address), &proof.nodes), Ok(Some(leaf)));
        assert_eq!(proof.storage[0].value, U256::ZERO);
    }
    let absent = Address::repeat_byte(0x77);
    let proof = chain.proof(&absent, &[], headers[2].height).expect("is held");
    assert_eq!(proof.account, Account::default());
    assert_eq!(verify_proof(headers[2].state_root, &keccak256(absent), &proof.nodes), Ok(None));

    let [oldest, newest, found] = [0, 4, 5].map(Height::new);
    let error = chain.proof(&address, &[], found).expect_err("not there yet");
    assert_eq!(error, ProofError::NotAvailable { oldest, newest, found });
}

/// A leaf as Ethereum writes it.
fn trie_account(account: &Account, storage_root: B256) -> alloy_trie::TrieAccount {
    alloy_trie::TrieAccount {
        nonce: account.nonce,
        balance: account.balance,
        storage_root,
        code_hash: account.code_hash,
    }
}

#[test]
fn calls_run_on_certified_and_on_pending_state_and_write_nothing() {
    let mut chain = chain();
    // Returns the balance of the address in the data.
    let runtime = [0x5f, 0x35, 0x31, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];
    let mut initcode = vec![0x60, runtime.len() as u8, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3];
    initcode.extend(runtime);
    let deployment = Sender::new(SHARD).transaction(&key(0), 0, None, U256::ZERO, initcode);
    let (_, certified) = grow(&mut chain, &[deployment]);
    let contract = certified.receipts()[0].contract_address.expect("was created");
    let base = chain.base_id();
    let pending = propose(&mut chain, base, 0, &[transfer(2, 0, 3)]).header.id();

    let input = key(3).address().into_word().to_vec().into();
    let request = CallRequest { to: Some(contract), input, ..CallRequest::default() };
    for (id, ethers) in [(chain.base_id(), 1_000_000), (pending, 1_000_001)] {
        let view = chain.view_of(&id).expect("known");
        let called = view.call(&request, 1_000_000).expect("runs");
        let CallOutcome::Success { output, .. } = called else { panic!("{called:?}") };
        assert_eq!(U256::from_be_slice(&output), ETHER * U256::from(ethers));
        assert_eq!(view.code(&contract).expect("in memory"), runtime.to_vec());
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Builds on one of the blocks there are.
    Propose(prop::sample::Index, u64),
    /// Certifies one of the blocks above the base.
    Certify(prop::sample::Index),
    /// Asks for a proof, which moves the trie.
    Prove,
    /// Goes back to the block before the base.
    Rewind,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        6 => (index(), 0u64..4).prop_map(|(parent, from)| Step::Propose(parent, from)),
        2 => index().prop_map(Step::Certify),
        1 => Just(Step::Prove),
        1 => Just(Step::Rewind),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_branches_a_chain_stands_where_re_execution_does(steps in steps()) {
        let mut chain = chain();
        // Each block with those below it, and its base; the last certified ones with their change sets.
        let mut blocks: Vec<(B256, Vec<ShardBlock>)> = vec![(chain.base_id(), Vec::new())];
        let mut certified: Vec<(super::Base, Certified)> = Vec::new();
        for (number, step) in (0u64..).zip(steps) {
            match step {
                Step::Propose(parent, from) => {
                    let (parent, mut below) = blocks[parent.index(blocks.len())].clone();
                    let view = chain.view_of(&parent).expect("known");
                    let nonce = view.account(&key(from).address()).expect("in memory").nonce;
                    below.push(propose(&mut chain, parent, number, &[transfer(from, nonce, from + 1)]));
                    blocks.push((chain.tip, below));
                }
                Step::Certify(index) => {
                    let base = chain.base_id();
                    let next: Vec<B256> =
                        blocks
                            .iter()
                            .filter(|(_, path)| path.last().is_some_and(|block| block.header.parent == base))
                            .map(|(id, _)| *id)
                            .collect();
                    if !next.is_empty() {
                        let before = chain.base().clone();
                        let id = next[index.index(next.len())];
                        certified.push((before, chain.certify(id).expect("next to the base")));
                        blocks.retain(|(block, _)| *block == id || chain.executed(block).is_some());
                    }
                }
                Step::Prove => {
                    let height = chain.base().header.height;
                    let proof = chain.proof(&key(0).address(), &[], height).expect("is held");
                    prop_assert_eq!(proof.state_root, chain.base().header.state_root);
                }
                Step::Rewind => {
                    if let Some((target, undone)) = certified.pop() {
                        chain.rewind(target, &[undone.change_set().clone()]).expect("leads there");
                        let mut below = blocks[0].1.clone();
                        below.pop();
                        blocks = vec![(chain.base_id(), below)];
                    }
                }
            }
            // The base comes first, so that a rewind finds the blocks below it.
            let base = chain.base_id();
            blocks.sort_by_key(|(id, _)| *id != base);
        }
        for (id, path) in &blocks {
            let mut fresh = reexecution();
            fresh.run(path).expect("follows");
            prop_assert_eq!(fresh.id(), *id);
            let view = chain.view_of(id).expect("known");
            for (address, account) in fresh.state().accounts() {
                prop_assert_eq!(view.state().account(address), Ok(Some(*account)));
            }
            let context = TestBeacon::new(spec()).context(fresh.header(), 1 + fresh.header().height.get());
            let limits = BlockLimits::new(&spec());
            let empty = chain.propose(*id, context, NOTHING_INCOMING, &mut std::iter::empty(), &limits).expect("builds");
            fresh.step(&empty.block).expect("the trie stands where it should");
        }
    }
}

/// A chain belongs to one task, its views to any thread.
#[test]
fn a_chain_may_be_sent_and_its_views_shared() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    is_send::<ShardState>();
    is_shared::<super::ChainView>();
}

#[test]
fn forgotten_proposals_are_bounded() {
    let mut chain = chain();
    let genesis = chain.base_id();
    let first = propose(&mut chain, genesis, 0, &[]).header.id();
    let last = (1..200).map(|later| propose(&mut chain, genesis, later, &[]).header.id()).last();
    assert!(chain.executed(&first).is_none());
    chain.certify(last.expect("many")).expect("the newest is remembered");
}

#[test]
fn a_chain_of_blocks_re_executes_to_the_same_headers_and_supply_is_burned_only() {
    let (mut chain, mut fresh) = (chain(), reexecution());
    let supply = fresh.state().supply().expect("fits");
    let mut burned = U256::ZERO;
    for nonce in 0..6 {
        let (block, _) = grow(&mut chain, &[transfer(0, nonce, 1), transfer(1, nonce, 2)]);
        fresh.step(&block).expect("follows");
        assert_eq!(fresh.header(), &block.header);
        burned += U256::from(block.header.gas_used) * U256::from(block.header.base_fee);
    }
    assert_eq!(supply - fresh.state().supply().expect("fits"), burned);
}
