//! What benches ask a node.

use rpc::client::Client;
use serde_json::{Value, json};
use std::{ops::RangeInclusive, time::Instant};

/// A call that must succeed.
pub async fn call(client: &Client, method: &str, params: Value) -> Value {
    client.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
}

/// A hexadecimal quantity.
pub fn quantity(value: &Value) -> u64 {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).expect("a quantity")
}

/// Height of a block by tag.
pub async fn height(client: &Client, tag: &str) -> u64 {
    quantity(&call(client, "eth_getBlockByNumber", json!([tag, false])).await["number"])
}

/// Epochs of a shard's blocks, and when they were proposed, milliseconds since the Unix epoch.
pub async fn block_times(client: &Client, heights: RangeInclusive<u64>) -> (Vec<u64>, Vec<u64>) {
    let (mut epochs, mut times) = (Vec::new(), Vec::new());
    for number in heights {
        let block = call(client, "eth_getBlockByNumber", json!([format!("0x{number:x}"), false])).await;
        epochs.push(quantity(&block["atoll"]["epoch"]));
        times.push(quantity(&block["atoll"]["timestampMs"]));
    }
    (epochs, times)
}

/// Milliseconds since then.
pub fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
