use super::*;
use alloy_primitives::U128;
use rpc::view::FilterChanges;

#[tokio::test]
async fn logs_are_found_by_range_hash_address_and_topic() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let mut ids = Vec::new();
    for nonce in 1..4 {
        let call = Sender::new(SHARD).transaction(&key(0), nonce, Some(emitter), U256::ZERO, Bytes::new());
        send(&api, &call).await;
        ids.push(chain.seal());
    }
    let topic = B256::from(U256::from(7));
    let found = async |filter: Filter| {
        let logs = api.logs(filter).await.expect("in the limits");
        logs.into_iter().map(|log| log.block_number.expect("certified")).collect::<Vec<_>>()
    };
    let everything = || Filter::new().from_block(0).to_block(100);
    assert_eq!(found(everything()).await, [2, 3, 4]);
    assert_eq!(found(Filter::new()).await, [4], "the latest block unless told otherwise");
    assert_eq!(found(everything().address(emitter).event_signature(topic)).await, [2, 3, 4]);
    assert_eq!(found(everything().address(receiver())).await, [] as [u64; 0]);
    assert_eq!(found(everything().event_signature(B256::ZERO)).await, [] as [u64; 0]);
    assert_eq!(found(Filter::new().at_block_hash(ids[1])).await, [3]);
    assert_eq!(found(Filter::new().from_block(50).to_block(60)).await, [] as [u64; 0]);
    let log = api.logs(everything()).await.expect("in the limits").remove(0);
    assert_eq!(
        (log.block_hash, log.log_index, log.removed, log.address()),
        (Some(ids[0]), Some(0), false, emitter)
    );
}

#[tokio::test]
async fn search_for_logs_beyond_a_limit_names_the_limit() {
    let config = ApiConfig { logs_blocks_max: 3, logs_max: 1, ..ApiConfig::default() };
    let (chain, api) = served_with(config);
    let emitter = deploy(&chain, &api, &EMITTER).await;
    for nonce in 1..4 {
        let call = Sender::new(SHARD).transaction(&key(0), nonce, Some(emitter), U256::ZERO, Bytes::new());
        send(&api, &call).await;
        chain.seal();
    }
    let refusal = async |filter: Filter| text(api.logs(filter).await);
    let blocks = refusal(Filter::new().from_block(0).to_block(Tag::Latest)).await;
    assert_eq!(blocks, (-32005, "query covers 5 blocks, the limit is 3: ask for a smaller range".into()));
    let many = "query returned more than 1 results: ask for a range that ends before block 3, or filter more";
    assert_eq!(refusal(Filter::new().from_block(2)).await, (-32005, many.into()));
    assert_eq!(refusal(Filter::new().from_block(3).to_block(2)).await.1, "invalid block range params");
    assert_eq!(refusal(Filter::new().at_block_hash(B256::ZERO)).await, (-32000, "unknown block".into()));
    assert_eq!(refusal(Filter::new().to_block(Tag::Pending)).await.1, "pending logs are not supported");
}

/// The hashes that a filter tells.
async fn hashes(api: &ShardApi, id: U128) -> Vec<B256> {
    match api.filter_changes(id).await.expect("installed") {
        FilterChanges::Hashes(hashes) => hashes,
        other => panic!("{other:?}"),
    }
}

/// The logs that a filter tells: height, and whether they are removed.
async fn told(api: &ShardApi, id: U128) -> Vec<(u64, bool)> {
    match api.filter_changes(id).await.expect("installed") {
        FilterChanges::Logs(logs) => {
            logs.iter().map(|log| (log.block_number.expect("certified"), log.removed)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn filter_tells_what_has_happened_since_it_was_last_asked() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let logs = api.new_filter(Filter::new().address(emitter)).await.expect("room");
    let elsewhere = api.new_filter(Filter::new().address(receiver())).await.expect("room");
    let blocks = api.new_block_filter().await.expect("room");
    let pooled = api.new_pending_transaction_filter(false).await.expect("room");
    assert_eq!((told(&api, logs).await, hashes(&api, blocks).await), (vec![], vec![]));
    let sent = [emit(&api, emitter).await, emit(&api, emitter).await];
    assert_eq!(hashes(&api, pooled).await, sent);
    let ids = [chain.seal(), chain.seal()];
    assert_eq!(told(&api, logs).await, [(2, false), (2, false)]);
    assert_eq!(hashes(&api, blocks).await, ids);
    assert_eq!((told(&api, logs).await, hashes(&api, blocks).await), (vec![], vec![]));
    assert_eq!((hashes(&api, pooled).await, told(&api, elsewhere).await), (vec![], vec![]));
    emit(&api, emitter).await;
    chain.seal();
    assert_eq!(told(&api, logs).await, [(4, false)]);
}

#[tokio::test]
async fn filter_tells_of_whole_transactions_where_that_was_asked_for() {
    let (_chain, api) = served();
    let full = api.new_pending_transaction_filter(true).await.expect("room");
    send(&api, &transfer(0, 1)).await;
    assert_eq!(api.filter_changes(full).await, Ok(FilterChanges::Transactions(vec![])), "behind a gap");
    send(&api, &transfer(0, 0)).await;
    match api.filter_changes(full).await.expect("installed") {
        FilterChanges::Transactions(found) => {
            let nonces: Vec<_> = found.iter().map(|one| (one.inner.nonce(), one.block_hash)).collect();
            assert_eq!(nonces, [(0, None), (1, None)], "the gap is filled");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn logs_of_an_undone_block_come_again_as_removed() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let (often, rarely) = (
        api.new_filter(Filter::new().address(emitter)).await.expect("room"),
        api.new_filter(Filter::new().address(emitter)).await.expect("room"),
    );
    emit(&api, emitter).await;
    chain.seal();
    assert_eq!(told(&api, often).await, [(2, false)]);
    chain.undo_above(1);
    assert_eq!(told(&api, often).await, [(2, true)]);
    chain.seal();
    chain.seal();
    assert_eq!(told(&api, often).await, [], "nothing was sent again");
    assert_eq!(told(&api, rarely).await, [(2, false), (2, true)], "all that it has missed, in order");
}

#[tokio::test]
async fn filter_with_a_range_tells_of_that_range() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let range = Filter::new().address(emitter).from_block(3).to_block(4);
    let id = api.new_filter(range).await.expect("room");
    for _ in 2..=5 {
        emit(&api, emitter).await;
        chain.seal();
    }
    assert_eq!(told(&api, id).await, [(3, false), (4, false)]);
    let all = api.filter_logs(id).await.expect("in the limits");
    assert_eq!(all.iter().map(|log| log.block_number).collect::<Vec<_>>(), [Some(3), Some(4)]);
    let wrong = api.new_filter(Filter::new().from_block(3).to_block(2)).await;
    assert_eq!(wrong, Err(RpcError::InvalidBlockRange));
}

#[tokio::test]
async fn more_logs_than_one_answer_holds_come_with_the_next() {
    let config = ApiConfig { logs_max: 2, ..ApiConfig::default() };
    let (chain, api) = served_with(config);
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let id = api.new_filter(Filter::new().address(emitter)).await.expect("room");
    for _ in 2..=6 {
        emit(&api, emitter).await;
        chain.seal();
    }
    assert_eq!(told(&api, id).await, [(2, false), (3, false)]);
    assert_eq!(told(&api, id).await, [(4, false), (5, false)]);
    assert_eq!(told(&api, id).await, [(6, false)]);
    assert_eq!(told(&api, id).await, []);
}

#[tokio::test]
async fn filter_that_is_not_there_is_named_as_geth_names_it() {
    let (_chain, api) = served();
    let missing = (-32000, "filter not found".to_owned());
    assert_eq!(text(api.filter_changes(U128::ONE).await), missing);
    assert_eq!(text(api.filter_logs(U128::ONE).await), missing);
    let blocks = api.new_block_filter().await.expect("room");
    assert_eq!(text(api.filter_logs(blocks).await), missing, "it does not tell of logs");
    assert_eq!(api.uninstall_filter(blocks).await, Ok(true));
    assert_eq!(api.uninstall_filter(blocks).await, Ok(false));
    assert_eq!(text(api.filter_changes(blocks).await), missing);
}

#[tokio::test]
async fn filters_are_bounded_and_make_room_when_nobody_asks_for_them() {
    let config = ApiConfig { filters_max: 1, filter_idle_ms: 200, ..ApiConfig::default() };
    let (_chain, api) = served_with(config);
    let first = api.new_block_filter().await.expect("room");
    let (code, full) = text(api.new_block_filter().await);
    assert_eq!(code, -32005);
    assert!(full.starts_with("there are 1 filters, which is the limit: "), "{full}");
    tokio::time::sleep(Duration::from_millis(250)).await;
    let second = api.new_block_filter().await.expect("the first has expired");
    assert_eq!(text(api.filter_changes(first).await).1, "filter not found");
    assert!(hashes(&api, second).await.is_empty());
}

/// A client that is told `filter not found` begins anew; one that misses something never knows.
#[tokio::test]
async fn filter_that_would_skip_something_is_gone() {
    let (chain, api) = served();
    let id = api.new_block_filter().await.expect("room");
    for _ in 0..17 {
        chain.seal();
    }
    assert_eq!(text(api.filter_changes(id).await).1, "filter not found");
}
