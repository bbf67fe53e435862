use super::*;
use crypto::secp256k1::SecretKey;
use primitives::ShardId;
use proptest::prelude::*;
use shard_state::testing::{ETHER, Sender, key, sign, verified};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

const GWEI: u128 = 1_000_000_000;
const GAS: u64 = 21_000;

/// A transfer of nothing: fee cap and tip in gwei.
fn offering(key: &SecretKey, nonce: u64, fee_gwei: u128, tip_gwei: u128) -> PooledTransaction {
    let sender = Sender::new(ShardId::new(1));
    let unsigned = alloy_consensus::TxEip1559 {
        gas_limit: GAS,
        max_fee_per_gas: fee_gwei * GWEI,
        max_priority_fee_per_gas: tip_gwei * GWEI,
        ..sender.unsigned(nonce, Some(Address::ZERO), U256::ZERO, primitives::Bytes::new())
    };
    verified(&sign(unsigned, key), &sender.limits)
}

fn cheap(key: &SecretKey, nonce: u64) -> PooledTransaction {
    offering(key, nonce, 10, 1)
}

/// Carries so many bytes.
fn heavy(key: &SecretKey, nonce: u64, bytes: usize) -> PooledTransaction {
    let sender = Sender::new(ShardId::new(1));
    verified(
        &sign(sender.unsigned(nonce, Some(Address::ZERO), U256::ZERO, vec![0; bytes]), key),
        &sender.limits,
    )
}

fn at(nonce: u64) -> AccountState {
    AccountState { nonce, balance: ETHER }
}

fn limits() -> PoolLimits {
    PoolLimits {
        transactions_max: 100,
        bytes_max: 100_000,
        account_transactions_max: 64,
        account_queued_max: 16,
        tip_min: 1,
    }
}

fn small(transactions_max: usize) -> Pool {
    Pool::new(PoolLimits { transactions_max, ..limits() })
}

fn insert(pool: &mut Pool, transaction: &PooledTransaction, state: AccountState) -> Result<bool, PoolError> {
    let inserted = pool.insert(Arc::clone(transaction), state).map(|inserted| inserted.executable());
    check(pool);
    inserted
}

/// What always holds, computed anew.
fn check(pool: &Pool) {
    let limits = pool.limits;
    let all: Vec<_> =
        pool.content().flat_map(|(_, pending, queued)| pending.into_iter().chain(queued)).collect();
    assert_eq!(all.len(), pool.len());
    assert_eq!(all.iter().map(|transaction| transaction.encoded().len()).sum::<usize>(), pool.bytes());
    assert!(pool.len() <= limits.transactions_max && pool.bytes() <= limits.bytes_max);
    assert!(all.iter().all(|transaction| pool.lookup(&transaction.hash()).is_some()));
    let queued: usize = pool.content().map(|(_, _, queued)| queued.len()).sum();
    assert_eq!(pool.counts(), Counts { executable: pool.len() - queued, queued });
    for (sender, pending, queued) in pool.content() {
        let (own_pending, own_queued) = pool.content_of(sender);
        let hashes = |list: &[&PooledTransaction]| list.iter().map(|one| one.hash()).collect::<Vec<_>>();
        assert_eq!((hashes(&own_pending), hashes(&own_queued)), (hashes(&pending), hashes(&queued)));
        assert!(!pending.is_empty() || !queued.is_empty());
        assert!(pending.len() + queued.len() <= limits.account_transactions_max);
        let account = &pool.accounts[sender];
        let nonces: Vec<_> = pending.iter().map(|transaction| transaction.envelope().nonce()).collect();
        let expected: Vec<_> = (account.state().nonce..).take(nonces.len()).collect();
        assert_eq!(nonces, expected, "executable without a gap");
        let cost = pending.iter().fold(U256::ZERO, |sum, one| sum + one.cost_max().expect("small"));
        assert!(cost <= account.state().balance, "executable is paid for");
        assert_eq!(
            account.bytes(),
            pending.iter().chain(&queued).map(|one| one.encoded().len()).sum::<usize>()
        );
        assert_eq!(account.queued(), queued.len());
    }
    let mut anew = Index::new();
    pool.accounts.iter().for_each(|(sender, account)| anew.add(*sender, account, &limits));
    assert_eq!(format!("{anew:?}"), format!("{:?}", pool.index));
}

fn pending_of(pool: &Pool, key: &SecretKey) -> Vec<u64> {
    let own = pool.content().find(|(sender, ..)| **sender == key.address());
    own.map_or_else(Vec::new, |(_, pending, _)| pending.iter().map(|one| one.envelope().nonce()).collect())
}

fn queued_of(pool: &Pool, key: &SecretKey) -> Vec<u64> {
    let own = pool.content().find(|(sender, ..)| **sender == key.address());
    own.map_or_else(Vec::new, |(_, _, queued)| queued.iter().map(|one| one.envelope().nonce()).collect())
}

#[test]
fn transaction_behind_a_gap_waits_until_the_gap_is_filled() {
    let (mut pool, alice) = (small(100), key(0));
    assert_eq!(insert(&mut pool, &cheap(&alice, 6), at(5)), Ok(false));
    assert_eq!((pending_of(&pool, &alice), queued_of(&pool, &alice)), (vec![], vec![6]));
    assert_eq!(pool.nonce_after(&alice.address()), Some(5));
    assert_eq!(insert(&mut pool, &cheap(&alice, 5), at(5)), Ok(true));
    assert_eq!((pending_of(&pool, &alice), queued_of(&pool, &alice)), (vec![5, 6], vec![]));
    assert_eq!(pool.nonce_after(&alice.address()), Some(7));
    assert_eq!(pool.nonce_after(&key(1).address()), None);
}

#[test]
fn refusals_have_geths_words() {
    let (mut pool, alice) = (small(100), key(0));
    let first = cheap(&alice, 5);
    insert(&mut pool, &first, at(5)).expect("room");
    let mut refusal = |transaction: &PooledTransaction, state| {
        insert(&mut pool, transaction, state).expect_err("refused").to_string()
    };
    assert_eq!(refusal(&first, at(5)), "already known");
    assert_eq!(refusal(&cheap(&alice, 3), at(5)), "nonce too low: next nonce 5, tx nonce 3");
    assert_eq!(refusal(&cheap(&alice, 69), at(5)), "nonce too high: next nonce 5, tx nonce 69");
    assert_eq!(refusal(&offering(&alice, 5, 11, 1), at(5)), "replacement transaction underpriced");
    assert_eq!(
        refusal(&offering(&alice, 7, 10, 0), at(5)),
        "transaction underpriced: gas tip cap 0, minimum needed 1"
    );
    let poor = AccountState { nonce: 0, balance: U256::from(1) };
    let cost = u128::from(GAS) * 10 * GWEI;
    assert_eq!(
        refusal(&cheap(&key(1), 0), poor),
        format!(
            "insufficient funds for gas * price + value: balance 1, tx cost {cost}, overshot {}",
            cost - 1
        )
    );
    assert_eq!(pool.len(), 1);
}

#[test]
fn replacement_pays_a_tenth_more_for_fee_cap_and_for_tip() {
    let alice = key(0);
    let takes = |fee, tip| {
        let mut pool = small(100);
        let old = offering(&alice, 0, 100, 10);
        insert(&mut pool, &old, at(0)).expect("room");
        let new = offering(&alice, 0, fee, tip);
        let outcome = pool.insert(Arc::clone(&new), at(0));
        check(&pool);
        let (kept, gone) = if outcome.is_ok() { (new, old) } else { (old, new) };
        assert!(pool.lookup(&kept.hash()).is_some() && pool.lookup(&gone.hash()).is_none());
        outcome.map(|inserted| inserted.replaced == Some(gone.hash()))
    };
    assert_eq!(takes(110, 11), Ok(true));
    assert_eq!(takes(109, 11), Err(PoolError::ReplacementUnderpriced));
    assert_eq!(takes(110, 10), Err(PoolError::ReplacementUnderpriced));
    assert_eq!(takes(100, 11), Err(PoolError::ReplacementUnderpriced));
}

#[test]
fn replacement_that_leaves_later_transactions_unpaid_is_refused() {
    let (mut pool, alice) = (small(100), key(0));
    let cost = |fee: u128| U256::from(u128::from(GAS) * fee * GWEI);
    let state = AccountState { nonce: 0, balance: cost(10) * U256::from(3) };
    for nonce in 0..3 {
        assert_eq!(insert(&mut pool, &cheap(&alice, nonce), state), Ok(true));
    }
    let expected =
        PoolError::InsufficientFunds { balance: state.balance, cost: cost(10) * U256::from(2) + cost(20) };
    assert_eq!(insert(&mut pool, &offering(&alice, 0, 20, 2), state), Err(expected));
    assert_eq!(pending_of(&pool, &alice), [0, 1, 2]);
}

#[test]
fn transactions_together_cost_no_more_than_the_balance() {
    let (mut pool, alice) = (small(100), key(0));
    let cost = U256::from(u128::from(GAS) * 10 * GWEI);
    let state = AccountState { nonce: 0, balance: cost * U256::from(2) };
    assert_eq!(insert(&mut pool, &cheap(&alice, 0), state), Ok(true));
    assert_eq!(insert(&mut pool, &cheap(&alice, 1), state), Ok(true));
    let expected = PoolError::InsufficientFunds { balance: state.balance, cost: cost * U256::from(3) };
    assert_eq!(insert(&mut pool, &cheap(&alice, 2), state), Err(expected));
}

#[test]
fn block_drops_what_it_mined_and_promotes_nothing_that_is_not_paid_for() {
    let (mut pool, alice) = (small(100), key(0));
    for nonce in 0..4 {
        insert(&mut pool, &cheap(&alice, nonce), at(0)).expect("room");
    }
    let cost = U256::from(u128::from(GAS) * 10 * GWEI);
    pool.update_accounts([(alice.address(), AccountState { nonce: 2, balance: cost })]);
    check(&pool);
    assert_eq!((pending_of(&pool, &alice), queued_of(&pool, &alice)), (vec![2], vec![3]));
    pool.update_accounts([(alice.address(), AccountState { nonce: 2, balance: cost * U256::from(2) })]);
    check(&pool);
    assert_eq!(pending_of(&pool, &alice), [2, 3]);
    pool.update_accounts([(alice.address(), AccountState { nonce: 2, balance: cost - U256::from(1) })]);
    check(&pool);
    assert!(pool.is_empty(), "neither could be paid even alone");
}

#[test]
fn undone_block_gives_its_transactions_back_in_front() {
    let (mut pool, alice) = (small(100), key(0));
    let transactions: Vec<_> = (0..4).map(|nonce| cheap(&alice, nonce)).collect();
    for transaction in &transactions {
        insert(&mut pool, transaction, at(0)).expect("room");
    }
    pool.update_accounts([(alice.address(), at(2))]);
    pool.update_accounts([(alice.address(), at(0))]);
    check(&pool);
    assert_eq!((pending_of(&pool, &alice), queued_of(&pool, &alice)), (vec![], vec![2, 3]));
    for transaction in &transactions[..2] {
        assert_eq!(insert(&mut pool, transaction, at(0)), Ok(true));
    }
    assert_eq!(pending_of(&pool, &alice), [0, 1, 2, 3]);
}

#[test]
fn sender_that_holds_its_share_of_transactions_gets_no_more_in() {
    let (mut pool, alice) =
        (Pool::new(PoolLimits { account_transactions_max: 3, account_queued_max: 1, ..limits() }), key(0));
    insert(&mut pool, &cheap(&alice, 2), at(0)).expect("one may be queued");
    let refused = Err(PoolError::AccountLimit { found: 1, limit: 1 });
    assert_eq!(insert(&mut pool, &cheap(&alice, 1), at(0)), refused);
    assert_eq!(insert(&mut pool, &cheap(&alice, 0), at(0)), Ok(true));
    assert_eq!(insert(&mut pool, &cheap(&alice, 1), at(0)), Ok(true));
    assert_eq!(
        insert(&mut pool, &cheap(&alice, 3), at(0)),
        Err(PoolError::NonceTooHigh { expected: 0, found: 3 })
    );
    // The account's nonce falls when blocks are undone: what is there still counts.
    pool.update_accounts([(alice.address(), at(1))]);
    insert(&mut pool, &cheap(&alice, 3), at(1)).expect("room again");
    pool.update_accounts([(alice.address(), at(0))]);
    assert_eq!(
        insert(&mut pool, &cheap(&alice, 0), at(0)),
        Err(PoolError::AccountLimit { found: 3, limit: 3 })
    );
}

#[test]
fn flood_from_one_account_leaves_everybody_else_alone() {
    let mut pool = small(40);
    let (flooder, others): (_, Vec<_>) = (key(0), (1..9).map(key).collect());
    for (nonce, other) in (0..2).flat_map(|nonce| others.iter().map(move |other| (nonce, other))) {
        insert(&mut pool, &cheap(other, nonce), at(0)).expect("room");
    }
    for nonce in 0..64 {
        let outcome = insert(&mut pool, &offering(&flooder, nonce, 1_000, 900), at(0));
        assert_eq!(outcome, if nonce < 24 { Ok(true) } else { Err(PoolError::Full) });
    }
    assert!(others.iter().all(|other| pending_of(&pool, other) == [0, 1]));
    // And there is still room for a newcomer, at the flooder's cost.
    assert_eq!(insert(&mut pool, &cheap(&key(9), 0), at(0)), Ok(true));
    assert_eq!(pending_of(&pool, &flooder).len(), 23);
}

#[test]
fn flood_of_bytes_gives_way_to_many_small_ones() {
    let (mut pool, flooder, others) = (small(100), key(0), [key(1), key(2)]);
    for nonce in 0..9 {
        insert(&mut pool, &heavy(&flooder, nonce, 10_000), at(0)).expect("room");
    }
    for (nonce, other) in (0..45).flat_map(|nonce| others.iter().map(move |other| (nonce, other))) {
        insert(&mut pool, &cheap(other, nonce), at(0)).expect("the flooder has much more of the pool");
    }
    assert_eq!(insert(&mut pool, &heavy(&flooder, 8, 10_000), at(0)), Err(PoolError::Full));
    assert!(others.iter().all(|other| pending_of(&pool, other).len() == 45));
    assert_eq!(pending_of(&pool, &flooder).len(), 8);
}

#[test]
fn queued_transactions_give_way_to_executable_ones_and_never_push_one_out() {
    let mut pool = small(4);
    let senders: Vec<_> = (0..6).map(key).collect();
    for sender in &senders[..3] {
        insert(&mut pool, &cheap(sender, 1), at(0)).expect("queued");
    }
    insert(&mut pool, &cheap(&senders[3], 0), at(0)).expect("room");
    assert_eq!(insert(&mut pool, &cheap(&senders[4], 1), at(0)), Err(PoolError::Full));
    assert_eq!(insert(&mut pool, &cheap(&senders[4], 0), at(0)), Ok(true));
    assert_eq!(insert(&mut pool, &cheap(&senders[5], 0), at(0)), Ok(true));
    assert_eq!(pool.content().filter(|(_, pending, _)| !pending.is_empty()).count(), 3);
    assert_eq!(pool.len(), 4);
}

#[test]
fn many_cheap_senders_cannot_keep_out_one_that_offers_more() {
    let mut pool = small(8);
    for number in 0..8 {
        insert(&mut pool, &offering(&key(number), 0, 5 + u128::from(number), 1), at(0)).expect("room");
    }
    assert_eq!(insert(&mut pool, &offering(&key(8), 0, 5, 1), at(0)), Err(PoolError::Full));
    assert_eq!(insert(&mut pool, &offering(&key(8), 0, 6, 1), at(0)), Ok(true));
    assert_eq!(pending_of(&pool, &key(0)), [] as [u64; 0], "it offered least");
    assert_eq!(
        insert(&mut pool, &offering(&key(8), 1, 100, 1), at(0)),
        Err(PoolError::Full),
        "it has its share"
    );
}

#[test]
fn full_pool_takes_a_replacement() {
    let mut pool = small(2);
    insert(&mut pool, &cheap(&key(0), 0), at(0)).expect("room");
    insert(&mut pool, &cheap(&key(1), 0), at(0)).expect("room");
    assert_eq!(insert(&mut pool, &offering(&key(0), 0, 20, 2), at(0)), Ok(true));
    assert_eq!((pending_of(&pool, &key(0)), pending_of(&pool, &key(1))), (vec![0], vec![0]));
}

#[test]
fn transaction_for_which_no_room_can_be_made_pushes_nothing_out() {
    let (mut pool, many) = (small(100), key(0));
    for nonce in (0..40).chain(41..50) {
        insert(&mut pool, &cheap(&many, nonce), at(0)).expect("room");
    }
    assert_eq!(queued_of(&pool, &many).len(), 9, "these would give way, and that would not be enough");
    let before = format!("{pool:?}");
    assert_eq!(insert(&mut pool, &heavy(&key(1), 0, 99_000), at(0)), Err(PoolError::Full));
    assert_eq!(format!("{pool:?}"), before);
}

#[test]
fn best_tip_comes_first_and_ties_go_by_arrival() {
    let mut pool = small(100);
    let offers = [(0, 50, 3), (1, 50, 7), (2, 50, 3), (3, 12, 9)];
    for (number, fee, tip) in offers {
        insert(&mut pool, &offering(&key(number), 0, fee, tip), at(0)).expect("room");
    }
    let order = |base_fee: u128| -> Vec<Address> {
        pool.pending((base_fee * GWEI) as u64).map(|transaction| transaction.sender()).collect()
    };
    let senders =
        |numbers: &[u64]| -> Vec<Address> { numbers.iter().map(|number| key(*number).address()).collect() };
    assert_eq!(order(1), senders(&[3, 1, 0, 2]));
    assert_eq!(order(11), senders(&[1, 0, 2, 3]), "a fee cap of 12 leaves a tip of 1");
    assert_eq!(order(13), senders(&[1, 0, 2]), "a fee cap of 12 does not pay the base fee");
}

/// Signed once: three senders, ten nonces, four offers.
fn transactions() -> &'static BTreeMap<(u64, u64, u128), PooledTransaction> {
    static ALL: OnceLock<BTreeMap<(u64, u64, u128), PooledTransaction>> = OnceLock::new();
    ALL.get_or_init(|| {
        let all = (0..6)
            .flat_map(|sender| (0..8).flat_map(move |nonce| (0..3).map(move |offer| (sender, nonce, offer))));
        all.map(|(sender, nonce, offer)| {
            ((sender, nonce, offer), offering(&key(sender), nonce, 10 + 5 * offer, 1 + offer))
        })
        .collect()
    })
}

#[derive(Clone, Debug)]
enum Step {
    Insert { sender: u64, nonce: u64, offer: u128 },
    State { sender: u64, nonce: u64, affords: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..6, 0u64..8, 0u128..3).prop_map(|(sender, nonce, offer)| Step::Insert { sender, nonce, offer }),
        1 => (0u64..6, 0u64..5, 0u64..9).prop_map(|(sender, nonce, affords)| Step::State { sender, nonce, affords }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever comes in whatever order, the bounds hold, a refusal changes nothing but the sender's state, and what
    /// was executable stays so as long as there is room.
    #[test]
    fn no_input_breaks_the_pool(steps in prop::collection::vec(step(), 0..80), transactions_max in 1usize..48) {
        let mut pool = Pool::new(PoolLimits { transactions_max, account_queued_max: 3, ..limits() });
        let mut states: BTreeMap<u64, AccountState> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Insert { sender, nonce, offer } => {
                    let state = states.get(&sender).copied().unwrap_or(at(0));
                    let (before, had_room) = (executable(&pool), pool.len() < transactions_max);
                    let outcome = insert(&mut pool, &transactions()[&(sender, nonce, offer)], state);
                    let after = executable(&pool);
                    let lost: Vec<_> = before.difference(&after).collect();
                    // At most the one that is replaced, as long as nothing has to give way.
                    if had_room {
                        prop_assert!(lost.iter().all(|(who, at, _)| *who == key(sender).address() && *at == nonce));
                    }
                    if outcome.is_err() {
                        prop_assert!(lost.is_empty());
                    }
                }
                Step::State { sender, nonce, affords } => {
                    let cost = U256::from(u128::from(GAS) * 20 * GWEI);
                    let state = AccountState { nonce, balance: cost * U256::from(affords) };
                    states.insert(sender, state);
                    pool.update_accounts([(key(sender).address(), state)]);
                    check(&pool);
                }
            }
        }
    }

    /// Everything executable that pays the base fee is offered once, each sender's in order of nonce, and no
    /// transaction before one that is ready and pays more.
    #[test]
    fn order_is_by_tip_and_within_a_sender_by_nonce(
        steps in prop::collection::vec((0u64..6, 0u64..8, 0u128..3), 0..60),
        base_fee in 0u64..25,
    ) {
        let base_fee = base_fee * GWEI as u64;
        let mut pool = small(100);
        for (sender, nonce, offer) in steps {
            let _ = insert(&mut pool, &transactions()[&(sender, nonce, offer)], at(0));
        }
        let offered: Vec<_> = pool.pending(base_fee).collect();
        let mut next: BTreeMap<Address, u64> = BTreeMap::new();
        let tip = |transaction: &PooledTransaction| transaction.envelope().effective_tip_per_gas(base_fee);
        for transaction in &offered {
            let expected = next.entry(transaction.sender()).or_default();
            prop_assert_eq!(transaction.envelope().nonce(), *expected);
            *expected += 1;
            let others = pool.content().filter(|(sender, ..)| **sender != transaction.sender());
            let ready = others.filter_map(|(sender, pending, _)| {
                let nonce = next.get(sender).copied().unwrap_or_default();
                pending.get(nonce as usize).copied()
            });
            prop_assert!(ready.filter_map(tip).max() <= tip(transaction));
        }
        for (sender, pending, _) in pool.content() {
            let paying = pending.iter().take_while(|transaction| tip(transaction).is_some()).count();
            prop_assert_eq!(next.get(sender).copied().unwrap_or_default(), paying as u64);
        }
    }
}

fn executable(pool: &Pool) -> BTreeSet<(Address, u64, B256)> {
    let all = pool.content().flat_map(|(sender, pending, _)| {
        pending.into_iter().map(|one| (*sender, one.envelope().nonce(), one.hash())).collect::<Vec<_>>()
    });
    all.collect()
}
