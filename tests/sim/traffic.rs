//! Transactions flowing into every shard, whoever is up to take them.
//!
//! Every account keeps one transaction under way, half of them one that sends something to another shard if there is one: the next one is signed when the last is certified, and until then the
//! same one is submitted again and again, to another validator each time.

use crate::{estate::Estate, wallet, world::Shards};
use engine::simulated::Root;
use std::{sync::Arc, time::Duration};

/// Time between two rounds of submissions.
const ROUND: Duration = Duration::from_millis(700);

/// Submits until the simulation ends.
pub(crate) async fn flow(root: Root, estate: Arc<Estate>, shards: Shards) {
    for round in 0.. {
        root.sleep(ROUND).await;
        for shard in estate.shards() {
            let chains: Vec<_> = shards.lock().values().filter_map(|node| node.chain(shard)).collect();
            let Some(chain) = chains.get(round % chains.len().max(1)) else { continue };
            let view = chain.snapshot().view.clone();
            let chain_id = estate.genesis.spec.evm_chain_id(shard);
            let next = |account| {
                let nonce = view.account(&wallet::address(account)).expect("readable").nonce;
                let others: Vec<_> = estate.shards().filter(|other| *other != shard).collect();
                match others.get((account / 2) as usize % others.len().max(1)) {
                    Some(other) if account % 2 == 0 => wallet::send(chain_id, other.get(), account, nonce),
                    _ => wallet::transfer(chain_id, account, nonce),
                }
            };
            // Known already, or just included: both are fine.
            let _ = chain.submit_transactions((0..wallet::ACCOUNTS).map(next).collect()).await;
        }
    }
}
