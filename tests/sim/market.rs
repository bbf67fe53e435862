//! Traders who swap native coins across shards in bundles, whatever happens around them.
//!
//! What a trader does next follows from the state that a node shows: it consents where its consent is missing, the first of
//! them opens what is consented to, and somebody ends what waits beyond its deadline. It is submitted again and again, to
//! another validator each time, until it shows.

use crate::{estate::Estate, wallet, world::Shards};
use alloy_sol_types::SolCall;
use engine::simulated::Root;
use parking_lot::Mutex;
use primitives::{B256, Bytes, ShardId, U256};
use shard_state::{
    atomic::{
        ATOMIC,
        abi::IAtomic::{Leg, bundleCall, consentCall, consentedCall, expireCall, openCall},
        bundle_id,
    },
    chain::ChainView,
    executor::{CallOutcome, CallRequest},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Time between two rounds of submissions.
const ROUND: Duration = Duration::from_millis(600);
/// Rounds between two new trades.
const PACE: usize = 3;
/// Parts of a trade; each trader gives one.
const LEGS: u32 = 3;
/// The part of which the consent is missing in a trade that is spoiled: one that is not on the coordinator.
const SPOILED: u32 = 1;
/// Whose trader opens.
const OPENER: u32 = 0;
const GAS: u64 = 5_000_000;

/// Status of a bundle on its coordinator.
pub(crate) const OPEN: u8 = 1;
pub(crate) const COMMITTED: u8 = 2;
pub(crate) const ABORTED: u8 = 3;

/// A bundle that is to be traded.
#[derive(Clone)]
pub(crate) struct Trade {
    pub(crate) coordinator: ShardId,
    pub(crate) legs: Vec<Leg>,
    /// Seconds.
    pub(crate) deadline: u64,
    /// Whether one of the traders never consents; then it cannot be committed.
    pub(crate) is_spoiled: bool,
    salt: B256,
}

impl Trade {
    /// The trade of a number: the coordinators take turns, every fourth is spoiled, and every fourth has little time.
    fn new(number: usize, shards: u32, now: u64) -> Self {
        let index = u32::try_from(number).expect("few trades");
        let leg = |place: u32| Leg {
            shard: (index + place) % shards,
            token: Default::default(),
            from: trader(place),
            to: trader(place + 1),
            amount: U256::from(1 + index),
        };
        Self {
            coordinator: ShardId::new(index % shards),
            legs: (0..LEGS).map(leg).collect(),
            deadline: now + if number % 4 == 3 { 4 } else { 60 },
            is_spoiled: number % 4 == 2,
            salt: B256::with_last_byte(u8::try_from(number).expect("few trades")),
        }
    }

    pub(crate) fn id(&self) -> B256 {
        bundle_id(self.coordinator.get(), &self.legs, self.deadline, self.salt)
    }
}

/// All trades so far.
pub(crate) type Trades = Arc<Mutex<Vec<Trade>>>;

/// The trader who gives a part.
fn trader(place: u32) -> primitives::Address {
    wallet::address(account(place % LEGS))
}

/// The account of a trader: the first after those of the traffic. After them comes who ends.
fn account(place: u32) -> u64 {
    wallet::ACCOUNTS + u64::from(place)
}

/// Trades until the simulation ends; `count` trades in all.
pub(crate) async fn flow(root: Root, estate: Arc<Estate>, shards: Shards, trades: Trades, count: usize) {
    for round in 0.. {
        root.sleep(ROUND).await;
        let (known, now) = (trades.lock().len(), root.now_ms() / 1_000);
        if known < count && round % PACE == 0 {
            let shards = u32::try_from(estate.config.spec.shards.len()).expect("few shards");
            trades.lock().push(Trade::new(known, shards, now));
        }
        let mut chains = BTreeMap::new();
        for shard in estate.shards() {
            let running: Vec<_> = shards.lock().values().filter_map(|node| node.chain(shard)).collect();
            if let Some(chain) = running.get(round % running.len().max(1)) {
                chains.insert(shard, (chain.clone(), chain.snapshot().view.clone()));
            }
        }
        if chains.len() < estate.config.spec.shards.len() {
            continue;
        }
        let views: BTreeMap<_, _> = chains.iter().map(|(shard, (_, view))| (*shard, view.clone())).collect();
        let all = trades.lock().clone();
        let mut wanted = BTreeMap::new();
        for trade in &all {
            want(trade, &views, now, &mut wanted);
        }
        for ((shard, account), input) in wanted {
            let (chain, view) = &chains[&shard];
            let nonce = view.account(&wallet::address(account)).expect("readable").nonce;
            let chain_id = estate.genesis.spec.evm_chain_id(shard);
            // Known already, or just included: both are fine.
            let _ = chain
                .submit_transactions(vec![wallet::call(chain_id, account, nonce, ATOMIC, GAS, input)])
                .await;
        }
    }
}

/// What somebody has to do for a trade next, unless its account is busy with another one.
fn want(
    trade: &Trade,
    views: &BTreeMap<ShardId, ChainView>,
    now: u64,
    wanted: &mut BTreeMap<(ShardId, u64), Bytes>,
) {
    let Trade { coordinator, legs, deadline, is_spoiled, salt } = trade;
    let (id, here) = (trade.id(), &views[coordinator]);
    let status = ask(here, &bundleCall { id }).status;
    if status == OPEN && *deadline < now {
        wanted.entry((*coordinator, account(LEGS))).or_insert_with(|| expireCall { id }.abi_encode().into());
    }
    if status != 0 || *deadline < now {
        return;
    }
    let mut is_ready = true;
    for (place, leg) in (0..).zip(legs) {
        let shard = ShardId::new(leg.shard);
        let consents = !(*is_spoiled && place == SPOILED);
        if consents && !ask(&views[&shard], &consentedCall { id, owner: leg.from }) {
            is_ready = false;
            let (coordinator, legs, deadline) = (coordinator.get(), legs.clone(), *deadline);
            let call = consentCall { coordinator, legs, deadline, salt: *salt };
            wanted.entry((shard, account(place))).or_insert_with(|| call.abi_encode().into());
        }
    }
    if is_ready {
        let call = openCall { legs: legs.clone(), deadline: *deadline, salt: *salt };
        wanted.entry((*coordinator, account(OPENER))).or_insert_with(|| call.abi_encode().into());
    }
}

/// What the Atomic answers on a shard.
pub(crate) fn ask<C: SolCall>(view: &ChainView, call: &C) -> C::Return {
    let request = CallRequest { to: Some(ATOMIC), input: call.abi_encode().into(), ..CallRequest::default() };
    match view.call(&request, GAS).expect("can be called") {
        CallOutcome::Success { output, .. } => C::abi_decode_returns(&output).expect("as declared"),
        other => panic!("a question is answered: {other:?}"),
    }
}
