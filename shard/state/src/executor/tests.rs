use std::sync::Arc;

use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::Authorization,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{ShardId, Verified};
use proptest::prelude::*;
use revm::bytecode::Bytecode;

use super::{
    BlockExecutor, CallError, CallOutcome, CallRequest, Environment, ExecuteError, InclusionError, Path,
    call, estimate_gas,
};
use crate::{
    account::Account,
    state::{FlatState as _, MemoryState},
    testing::{ETHER, Sender, key, sign, verified},
    transaction::{Transaction, recover_authorizations},
};

pub(super) const SHARD: ShardId = ShardId::new(0);
pub(super) const BASE_FEE: u64 = 1_000_000_000;

pub(super) fn environment() -> Environment {
    Environment {
        portal: crate::portal::PortalRules::new(&crate::testing::spec(), primitives::ShardId::new(1)),
        chain_id: Sender::new(SHARD).limits.chain_id,
        height: 5,
        timestamp: 1_700_000_000,
        mix: B256::repeat_byte(7),
        fee_recipient: party(4),
        gas_limit: 500_000_000,
        base_fee: BASE_FEE,
    }
}

/// Who takes part in random transfers: senders, the coinbase (4), a contract (5), a delegated account (6), nobody yet
/// (7), precompiles and their neighbours.
pub(super) fn party(number: u64) -> Address {
    match number {
        8 => Address::with_last_byte(4),
        9 => Address::left_padding_from(&[1, 0]),
        10 => Address::with_last_byte(0x40),
        11 => Address::ZERO,
        _ => key(number).address(),
    }
}

pub(super) fn random_state(accounts: &[(u64, u64)]) -> MemoryState {
    let mut state = MemoryState::new();
    // SSTORE(0, CALLVALUE), then STOP.
    let contract = state.set_code(Bytes::from_static(&[0x34, 0x5f, 0x55]));
    let delegation = state.set_code(Bytecode::new_eip7702(party(5)).original_bytes());
    for (number, (nonce, milliether)) in (0u64..).zip(accounts) {
        let balance = U256::from(*milliether) * ETHER / U256::from(1_000);
        let code_hash = match number {
            5 => contract,
            6 => delegation,
            _ => Account::default().code_hash,
        };
        state.set_account(party(number), Account { nonce: *nonce, balance, code_hash });
    }
    state
}

#[derive(Clone, Debug)]
pub(super) struct Draft {
    from: u64,
    to: u64,
    nonce: u64,
    milliether: u64,
    gas_limit: u64,
    max_fee: u64,
    tip: u64,
    has_list: bool,
}

pub(super) fn draft() -> impl Strategy<Value = Draft> {
    let value = prop_oneof![2 => Just(0u64), 6 => 0u64..3_000];
    let fee = prop_oneof![Just(BASE_FEE - 1), Just(BASE_FEE), BASE_FEE..3 * BASE_FEE];
    let gas = prop_oneof![4 => Just(21_000u64), 1 => 23_400u64..600_000];
    (0u64..7, 0u64..12, 0u64..3, value, gas, fee, 0u64..BASE_FEE, prop::bool::weighted(0.1)).prop_map(
        |(from, to, nonce, milliether, gas_limit, max_fee, tip, has_list)| {
            let (tip, gas_limit) = (tip.min(max_fee), if has_list { gas_limit + 4_300 } else { gas_limit });
            Draft { from, to, nonce, milliether, gas_limit, max_fee, tip, has_list }
        },
    )
}

pub(super) fn signed(draft: &Draft) -> Arc<Verified<Transaction>> {
    signed_to(draft, party(draft.to), draft.gas_limit)
}

/// The same to somebody else, with this much gas, and at least what any transaction of its form needs.
pub(super) fn signed_to(draft: &Draft, to: Address, gas_limit: u64) -> Arc<Verified<Transaction>> {
    let sender = Sender::new(SHARD);
    let value = U256::from(draft.milliether) * ETHER / U256::from(1_000);
    let item = AccessListItem { address: party(5), storage_keys: vec![B256::ZERO] };
    let needed = if draft.has_list { 25_300 } else { 21_000 };
    let transaction = TxEip1559 {
        gas_limit: gas_limit.max(needed),
        max_fee_per_gas: draft.max_fee.into(),
        max_priority_fee_per_gas: draft.tip.into(),
        access_list: AccessList(if draft.has_list { vec![item] } else { vec![] }),
        ..sender.unsigned(draft.nonce, Some(to), value, Bytes::new())
    };
    verified(&sign(transaction, &key(draft.from)), &sender.limits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn transfers_around_the_interpreter_give_what_the_interpreter_gives(
        accounts in prop::collection::vec((0u64..3, prop_oneof![Just(0u64), 0u64..5_000]), 7),
        drafts in prop::collection::vec(draft(), 1..24),
    ) {
        let state = random_state(&accounts);
        let mut fast = BlockExecutor::resume(&state, environment());
        let mut slow = BlockExecutor::resume(&state, environment()).with_path(Path::Evm);
        for draft in &drafts {
            let transaction = signed(draft);
            let ours = fast.execute(&transaction).cloned();
            let theirs = slow.execute(&transaction).cloned();
            prop_assert_eq!(ours, theirs, "{:?}", draft);
        }
        prop_assert_eq!(fast.gas_used(), slow.gas_used());
        prop_assert_eq!(fast.close(), slow.close());
    }

    /// What [`super::check_inclusion`] lets pass the EVM takes, and what it refuses the EVM refuses too: the
    /// gas of the block aside, which the EVM knows nothing of.
    #[test]
    fn inclusion_is_what_the_evm_says(
        accounts in prop::collection::vec((0u64..3, prop_oneof![Just(0u64), 0u64..200]), 7),
        draft in draft(),
    ) {
        let state = random_state(&accounts);
        let transaction = signed(&draft);
        let included = BlockExecutor::resume(&state, environment()).execute(&transaction).is_ok();
        let mut evm = environment().evm(crate::state::PendingState::new(&state));
        prop_assert_eq!(included, evm.execute(&transaction).is_ok());
    }
}

#[test]
fn a_block_has_no_more_gas_than_its_limit() {
    let state = random_state(&[(0, 5_000); 7]);
    let mut executor = BlockExecutor::resume(&state, Environment { gas_limit: 50_000, ..environment() });
    let transfer = |from| Sender::new(SHARD).transfer(&key(from), 0, party(7), U256::ONE);
    executor.execute(&transfer(0)).expect("fits");
    executor.execute(&transfer(1)).expect("fits");
    let error = executor.execute(&transfer(2)).expect_err("8,000 are left");
    assert_eq!(
        error,
        ExecuteError::Inclusion(InclusionError::GasLimitReached { left: 8_000, found: 21_000 })
    );
}

#[test]
fn refusals_have_geth_s_texts() {
    let state = random_state(&[(1, 5_000), (0, 0), (0, 5_000), (0, 5_000), (0, 0), (0, 5_000), (0, 0)]);
    let sender = Sender::new(SHARD);
    let refusal = |transaction: &Transaction| {
        let mut executor = BlockExecutor::resume(&state, environment());
        executor.execute(transaction).expect_err("may not be included").to_string()
    };
    let low = refusal(&sender.transfer(&key(0), 0, party(7), U256::ONE));
    assert_eq!(low, format!("nonce too low: address {}, tx: 0 state: 1", party(0)));
    let high = refusal(&sender.transfer(&key(0), 9, party(7), U256::ONE));
    assert_eq!(high, format!("nonce too high: address {}, tx: 9 state: 1", party(0)));
    let poor = refusal(&sender.transfer(&key(1), 0, party(7), U256::ONE));
    assert!(poor.starts_with("insufficient funds for gas * price + value: address"), "{poor}");
    let contract = refusal(&sender.transfer(&key(5), 0, party(7), U256::ONE));
    assert!(contract.starts_with("sender not an eoa: address"), "{contract}");
    let cheap = TxEip1559 {
        max_fee_per_gas: 1,
        max_priority_fee_per_gas: 0,
        ..sender.unsigned(0, Some(party(7)), U256::ONE, Bytes::new())
    };
    let cheap = refusal(&verified(&sign(cheap, &key(2)), &sender.limits));
    assert!(cheap.starts_with("max fee per gas less than block base fee: address"), "{cheap}");
}

#[test]
fn an_authorization_delegates_and_its_transfer_then_runs_code() {
    let state = random_state(&[(0, 5_000), (0, 5_000), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]);
    let sender = Sender::new(SHARD);
    let authorization = Authorization { chain_id: U256::ZERO, address: party(5), nonce: 0 };
    let signature = key(2).sign(&authorization.signature_hash());
    let set_code = TxEip7702 {
        chain_id: sender.limits.chain_id,
        gas_limit: 200_000,
        max_fee_per_gas: 2 * u128::from(BASE_FEE),
        to: party(7),
        authorization_list: vec![authorization.into_signed(signature)],
        ..Default::default()
    };
    let mut executor = BlockExecutor::resume(&state, environment());
    executor.execute(&verified(&sign(set_code, &key(0)), &sender.limits)).expect("is valid");
    let call = sender.transaction(&key(1), 0, Some(party(2)), U256::from(9), Bytes::new());
    assert!(executor.execute(&call).expect("is valid").success());
    let mut after = state.clone();
    after.apply(&executor.close().0);
    assert_eq!(after.storage(&party(2), &B256::ZERO), Ok(U256::from(9)));
    let code_hash = after.account(&party(2)).expect("in memory").expect("exists").code_hash;
    let code = after.code(&code_hash).expect("in memory").expect("was stored");
    assert_eq!(code, Bytecode::new_eip7702(party(5)).original_bytes());
}

#[test]
fn a_contract_that_destroys_itself_while_it_is_created_leaves_nothing() {
    let state = random_state(&[(0, 5_000); 7]);
    // SSTORE(0, 1), SELFDESTRUCT(party 7)
    let mut initcode = vec![0x60, 1, 0x5f, 0x55, 0x73];
    initcode.extend(party(7));
    initcode.push(0xff);
    let create = Sender::new(SHARD).transaction(&key(0), 0, None, U256::from(3), initcode);
    let mut executor = BlockExecutor::resume(&state, environment());
    assert!(executor.execute(&create).expect("is valid").success());
    let mut after = state.clone();
    after.apply(&executor.close().0);
    let created = key(0).address().create(0);
    assert_eq!(after.account(&created), Ok(None));
    assert_eq!(after.slots(created).count(), 0);
    assert_eq!(after.account(&party(7)).expect("in memory").expect("was paid").balance, U256::from(3));
}

fn with_contract(code: &[u8]) -> (MemoryState, Address) {
    let mut state = random_state(&[(0, 5_000); 5]);
    let (address, code_hash) = (Address::repeat_byte(0xc0), state.set_code(Bytes::copy_from_slice(code)));
    state.set_account(address, Account { nonce: 1, code_hash, ..Account::default() });
    (state, address)
}

#[test]
fn a_call_that_reverts_gives_its_data() {
    // MSTORE(0, 42), REVERT(0, 32)
    let (state, to) = with_contract(&[0x60, 42, 0x5f, 0x52, 0x60, 32, 0x5f, 0xfd]);
    let request = CallRequest { to: Some(to), ..CallRequest::default() };
    let called = call(&state, &environment(), &request, 1_000_000).expect("runs");
    let CallOutcome::Revert { output, .. } = called else { panic!("{called:?}") };
    assert_eq!(U256::from_be_slice(&output), U256::from(42));
    let error = estimate_gas(&state, &environment(), &request, 1_000_000).expect_err("reverts");
    assert_eq!(error, CallError::Reverted { output });
    assert_eq!(error.to_string(), "execution reverted");
}

#[test]
fn a_call_may_come_from_a_contract_and_sees_a_base_fee_only_if_it_pays() {
    // Returns BASEFEE.
    let (state, to) = with_contract(&[0x48, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    let base_fee = |from: Address, gas_price: u128| {
        let request = CallRequest { from, to: Some(to), gas_price, ..CallRequest::default() };
        match call(&state, &environment(), &request, 1_000_000).expect("runs") {
            CallOutcome::Success { output, .. } => U256::from_be_slice(&output),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(base_fee(to, 0), U256::ZERO);
    assert_eq!(base_fee(party(0), u128::from(BASE_FEE)), U256::from(BASE_FEE));
}

#[test]
fn a_call_that_cannot_be_paid_is_refused() {
    let (state, to) = with_contract(&[]);
    let value = ETHER * U256::from(6);
    let request = CallRequest { from: party(0), to: Some(to), value, ..CallRequest::default() };
    let error = call(&state, &environment(), &request, 1_000_000).expect_err("has five");
    let found = ETHER * U256::from(5);
    assert_eq!(error, CallError::InsufficientFunds { sender: party(0), needed: value, found });
}

#[test]
fn a_transfer_is_estimated_at_21_000() {
    let state = random_state(&[(0, 5_000); 5]);
    let request = CallRequest { from: party(0), to: Some(party(7)), value: ETHER, ..CallRequest::default() };
    assert_eq!(estimate_gas(&state, &environment(), &request, 500_000_000), Ok(21_000));
}

#[test]
fn an_estimate_suffices_although_calls_keep_a_64th_back_and_refunds_come_late() {
    // Calls itself with one byte of data until there is some; then clears a slot that was set: 63/64 and a refund.
    let code = [
        0x36, 0x60, 0x11, 0x57, 0x5f, 0x5f, 0x60, 1, 0x5f, 0x5f, 0x30, 0x5a, 0xf1, 0x60, 0x15, 0x57, 0xfe,
        0x5b, 0x5f, 0x5f, 0x55, 0x5b, 0x00,
    ];
    let (mut state, to) = with_contract(&code);
    state.set_storage(to, B256::ZERO, U256::ONE);
    let request = CallRequest { from: party(0), to: Some(to), ..CallRequest::default() };
    let estimate = estimate_gas(&state, &environment(), &request, 500_000_000).expect("succeeds");
    let used_with = |gas| {
        let request = CallRequest { gas: Some(gas), ..request.clone() };
        match call(&state, &environment(), &request, 500_000_000).expect("runs") {
            CallOutcome::Success { gas_used, .. } => Some(gas_used),
            _ => None,
        }
    };
    let used = used_with(estimate).expect("the estimate suffices");
    assert!(used < estimate, "a refund makes what is used less than what is needed");
    assert_eq!(used_with(estimate * 97 / 100), None, "and it is tight");
}

#[test]
fn an_estimate_names_the_allowance_that_is_too_small() {
    // An endless loop.
    let (state, to) = with_contract(&[0x5b, 0x5f, 0x56]);
    let request = CallRequest { from: party(0), to: Some(to), gas: Some(80_000), ..CallRequest::default() };
    let error = estimate_gas(&state, &environment(), &request, 500_000_000).expect_err("never ends");
    assert_eq!(error, CallError::GasAllowance { allowance: 80_000 });
    assert_eq!(error.to_string(), "gas required exceeds allowance (80000)");
}

/// Calls `inner` with all gas, then goes on with `rest`, on whose stack is whether that succeeded.
fn calling_with_all_gas(inner: Address, rest: &[u8]) -> Vec<u8> {
    [&[0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x73], inner.as_slice(), &[0x5a, 0xf1], rest].concat()
}

/// Such a contract succeeds with whatever gas it gets: the 64th that it keeps is enough to say `false`.
#[test]
fn an_estimate_is_enough_for_contracts_that_say_false_instead_of_failing() {
    // Sets three slots.
    let inner_code = [0x60, 1, 0x5f, 0x55, 0x60, 1, 0x60, 1, 0x55, 0x60, 1, 0x60, 2, 0x55, 0x00];
    let inner = Address::repeat_byte(0xc1);
    let returning = [0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];
    let logging = [0x5f, 0x5f, 0xa1, 0x00];
    for rest in [returning.as_slice(), &logging] {
        let (mut state, to) = with_contract(&calling_with_all_gas(inner, rest));
        let code_hash = state.set_code(Bytes::copy_from_slice(&inner_code));
        state.set_account(inner, Account { nonce: 1, code_hash, ..Account::default() });
        let request = CallRequest { from: party(0), to: Some(to), ..CallRequest::default() };
        let says_yes = |gas: u64| {
            let request = CallRequest { gas: Some(gas), ..request.clone() };
            match call(&state, &environment(), &request, 500_000_000).expect("runs") {
                CallOutcome::Success { output, logs, .. } => {
                    let said = logs.first().map_or_else(|| B256::from_slice(&output), |log| log.topics()[0]);
                    said == B256::with_last_byte(1)
                }
                other => panic!("it succeeds with whatever gas: {other:?}"),
            }
        };
        let estimate = estimate_gas(&state, &environment(), &request, 500_000_000).expect("succeeds");
        assert!(says_yes(estimate));
        assert!(!says_yes(estimate * 97 / 100), "and it is tight");
    }
}

/// What depends on the gas there is, as GAS does, does not make an estimate as large as the allowance.
#[test]
fn an_estimate_does_not_mind_answers_that_depend_on_the_gas() {
    // Returns GAS, and leaves it in a log's data.
    let (state, to) = with_contract(&[0x5a, 0x5f, 0x52, 0x60, 32, 0x5f, 0xa0, 0x60, 32, 0x5f, 0xf3]);
    let request = CallRequest { from: party(0), to: Some(to), ..CallRequest::default() };
    let estimate = estimate_gas(&state, &environment(), &request, 500_000_000).expect("succeeds");
    assert!(estimate < 25_000, "{estimate}");
}

#[test]
fn a_call_runs_the_code_that_its_authorizations_bring() {
    // Returns 7.
    let (state, to) = with_contract(&[0x60, 7, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    let authorization = Authorization { chain_id: U256::from(environment().chain_id), address: to, nonce: 0 };
    let signature = key(1).sign(&authorization.signature_hash());
    let signed = authorization.into_signed(signature);
    let request = CallRequest {
        from: party(0),
        to: Some(party(1)),
        authorizations: recover_authorizations(&[signed]),
        ..CallRequest::default()
    };
    let output = |request: &CallRequest| match call(&state, &environment(), request, 1_000_000) {
        Ok(CallOutcome::Success { output, .. }) => output,
        other => panic!("{other:?}"),
    };
    assert_eq!(U256::from_be_slice(&output(&request)), U256::from(7));
    let without = CallRequest { authorizations: Vec::new(), ..request.clone() };
    assert_eq!(output(&without), Bytes::new(), "nothing of it was written");
    let estimate = estimate_gas(&state, &environment(), &request, 500_000_000).expect("succeeds");
    assert!((46_000..60_000).contains(&estimate), "an authorization costs 25,000: {estimate}");
    let creating = CallRequest { to: None, ..request };
    let refused = call(&state, &environment(), &creating, 1_000_000);
    assert_eq!(refused, Err(CallError::Authorizing { sender: party(0) }));
}
