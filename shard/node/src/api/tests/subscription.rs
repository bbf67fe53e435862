use super::*;
use rpc::view::Pooled;

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
async fn subscribers_hear_of_transactions_when_a_block_can_take_them() {
    let (_chain, api) = served();
    let mut hashes = api.new_pending_transactions(false).expect("open");
    let mut full = api.new_pending_transactions(true).expect("open");
    let second = send(&api, &transfer(0, 1)).await;
    assert_eq!(hashes.next().now_or_never(), None, "it is behind a gap");
    let first = send(&api, &transfer(0, 0)).await;
    assert_eq!(hashes.next().await, Some(Pooled::Hash(first)));
    assert_eq!(hashes.next().await, Some(Pooled::Hash(second)));
    for hash in [first, second] {
        let Some(Pooled::Full(transaction)) = full.next().await else { panic!("all of it was asked for") };
        assert_eq!((transaction.inner.tx_hash(), transaction.block_number), (&hash, None));
    }
}

#[tokio::test]
async fn subscriber_hears_when_the_node_begins_to_catch_up_and_when_it_has() {
    let (chain, api) = served();
    let mut notices = api.sync_notices().expect("open");
    chain.highest.store(50, Ordering::Relaxed);
    let begun = serde_json::to_value(notices.next().await.expect("endless")).expect("JSON");
    let status = serde_json::json!({ "startingBlock": "0x0", "currentBlock": "0x0", "highestBlock": "0x32" });
    assert_eq!(begun, serde_json::json!({ "syncing": true, "status": status }));
    chain.highest.store(0, Ordering::Relaxed);
    assert_eq!(serde_json::to_value(notices.next().await.expect("endless")).expect("JSON"), false);
}
