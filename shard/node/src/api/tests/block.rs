use super::*;

#[tokio::test]
async fn tags_name_certified_finalized_first_and_pending_blocks() {
    let (chain, api) = served();
    let ids = [chain.seal(), chain.seal(), chain.seal()];
    chain.finalize(2);
    let number = async |tag: Tag| {
        let block = api.block_by_number(tag, false).await.expect("readable");
        block.map(|block| block.header.ethereum.inner.number)
    };
    assert_eq!(api.block_number().await, Ok(3));
    assert_eq!(number(Tag::Latest).await, Some(3));
    assert_eq!(number(Tag::Safe).await, Some(3));
    assert_eq!(number(Tag::Finalized).await, Some(2));
    assert_eq!(number(Tag::Earliest).await, Some(0));
    assert_eq!(number(Tag::Number(1)).await, Some(1));
    assert_eq!(number(Tag::Number(4)).await, None);
    assert_eq!(number(Tag::Pending).await, Some(4));
    let by_hash = api.block_by_hash(ids[1], false).await.expect("readable").expect("known");
    assert_eq!((by_hash.header.ethereum.hash, by_hash.header.ethereum.inner.number), (ids[1], 2));
    assert_eq!(api.block_by_hash(B256::repeat_byte(9), false).await, Ok(None));
}

#[tokio::test]
async fn pending_block_stands_on_the_head_whether_or_not_one_was_proposed() {
    let (chain, api) = served();
    let head = chain.seal();
    let empty = api.block_by_number(Tag::Pending, true).await.expect("readable").expect("never null");
    assert_eq!((empty.header.ethereum.inner.parent_hash, empty.transactions.len()), (head, 0));
    assert_eq!(empty.header.ethereum.inner.base_fee_per_gas, Some(chain.snapshot().next_base_fee()));
    let sent = send(&api, &transfer(0, 0)).await;
    chain.propose();
    let proposed = api.block_by_number(Tag::Pending, false).await.expect("readable").expect("never null");
    assert_eq!(proposed.transactions.as_hashes(), Some(&[sent][..]));
    let pending = api.balance(receiver(), Tag::Pending.into()).await;
    assert_eq!((pending, api.balance(receiver(), latest()).await), (Ok(ETHER), Ok(U256::ZERO)));
}

#[tokio::test]
async fn receipts_of_a_block_are_those_of_its_transactions() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let hashes = [emit(&api, emitter).await, emit(&api, emitter).await, send(&api, &transfer(1, 0)).await];
    let id = chain.seal();
    let mut one_by_one = Vec::new();
    for hash in api.block_by_hash(id, false).await.expect("readable").expect("known").transactions.hashes() {
        one_by_one.push(api.transaction_receipt(hash).await.expect("readable").expect("mined"));
    }
    assert_eq!(one_by_one.len(), hashes.len());
    let logs: Vec<_> =
        one_by_one.iter().flat_map(|receipt| receipt.logs().iter().map(|log| log.log_index)).collect();
    assert_eq!(logs, [Some(0), Some(1)]);
    for block in [latest(), BlockId::number(2), BlockId::hash(id)] {
        assert_eq!(api.block_receipts(block).await, Ok(Some(one_by_one.clone())));
        assert_eq!(api.block_transaction_count(block).await, Ok(Some(3)));
    }
    // Read from disk, too.
    let late = ShardApi::start(Arc::clone(&chain) as Arc<dyn Chain>, ApiConfig::default());
    assert_eq!(late.block_receipts(latest()).await, Ok(Some(one_by_one)));
    for unknown in [BlockId::number(9), BlockId::hash(B256::repeat_byte(9))] {
        assert_eq!(api.block_receipts(unknown).await, Ok(None));
        assert_eq!(api.block_transaction_count(unknown).await, Ok(None));
    }
    assert_eq!(api.block_receipts(Tag::Earliest.into()).await, Ok(Some(Vec::new())));
}

#[tokio::test]
async fn pending_block_has_receipts_and_transactions_of_what_was_proposed() {
    let (chain, api) = served();
    assert_eq!(api.block_receipts(Tag::Pending.into()).await, Ok(Some(Vec::new())));
    let hash = send(&api, &transfer(0, 0)).await;
    chain.propose();
    let receipts = api.block_receipts(Tag::Pending.into()).await.expect("readable").expect("never null");
    assert_eq!((receipts.len(), receipts[0].transaction_hash), (1, hash));
    let found = api.transaction_at(Tag::Pending.into(), 0).await.expect("readable").expect("proposed");
    assert_eq!(found.inner.tx_hash(), &hash);
    assert_eq!(api.transaction_at(Tag::Pending.into(), 1).await, Ok(None));
}
