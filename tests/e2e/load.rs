//! Transfers that go on in the background while a test does something to the network.

use crate::{
    network::{Network, block_on},
    wallet::{LOAD, Wallet, chain_id},
};
use alloy_primitives::{Address, B256, U256};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Transfers of one request.
const BATCH: usize = 20;
/// Between requests: two hundred transfers in a second.
const PAUSE: Duration = Duration::from_millis(100);

/// A sender that does not wait for anything.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Vec<B256>>,
}

impl Load {
    /// Starts to send to a shard at a validator.
    pub(crate) fn start(network: &Network, shard: u32, validator: u32) -> Self {
        let client = network.client(shard, validator);
        let mut wallet = Wallet::new(LOAD, chain_id(&network.description(), shard as usize));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let sender = thread::spawn(move || {
            let mut taken = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let first = wallet.nonce;
                let transfers: Vec<_> =
                    (0..BATCH).map(|_| wallet.transfer(Address::repeat_byte(9), U256::from(1))).collect();
                let calls: Vec<_> =
                    transfers.iter().map(|(bytes, _)| ("eth_sendRawTransaction", json!([bytes]))).collect();
                let outcomes = block_on(client.batch(&calls)).unwrap_or_default();
                let accepted = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
                taken.extend(transfers.iter().take(accepted).map(|(_, hash)| *hash));
                // What was refused, because the pool is full or nobody answers, is sent again.
                wallet.nonce = first + accepted as u64;
                thread::sleep(PAUSE);
            }
            taken
        });
        Self { stop, sender }
    }

    /// Stops, and says what the node had taken.
    pub(crate) fn stop(self) -> Vec<B256> {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.join().expect("the sender does not panic")
    }
}
