use super::*;

#[tokio::test]
async fn refused_transactions_are_refused_in_geths_words() {
    let (chain, api) = served();
    let first = transfer(0, 0);
    send(&api, &first).await;
    let refusal = async |encoded: Bytes| text(api.send_raw_transaction(encoded).await);
    assert_eq!(refusal(first.encoded().clone()).await, (-32000, "already known".into()));
    chain.seal();
    let again = Sender::new(SHARD).transfer(&key(0), 0, receiver(), U256::ONE);
    assert_eq!(
        refusal(again.encoded().clone()).await,
        (-32000, "nonce too low: next nonce 1, tx nonce 0".into())
    );
    let elsewhere = Sender::new(primitives::ShardId::new(2)).transfer(&key(0), 1, receiver(), ETHER);
    let (here, there) = (api.chain_id(), api.chain_id() + 1);
    let expected = format!("invalid chain id for signer: have {there} want {here}");
    assert_eq!(refusal(elsewhere.encoded().clone()).await, (-32000, expected));
    let unfunded = Sender::new(SHARD).transfer(&key(99), 0, receiver(), U256::from(5));
    let cost = U256::from(21_000 * GAS_PRICE + 5);
    let expected =
        format!("insufficient funds for gas * price + value: balance 0, tx cost {cost}, overshot {cost}");
    assert_eq!(refusal(unfunded.encoded().clone()).await, (-32000, expected));
    assert_eq!(
        refusal(bytes!("03c0")).await.1,
        "transaction type not supported: type 3, this chain takes legacy, 1, 2 and 4"
    );
    assert!(refusal(bytes!("02c0")).await.1.starts_with("rlp: "));
    let large = vec![0; 131_073];
    assert_eq!(
        api.send_raw_transaction(large.into()).await,
        Err(TransactionError::Oversized { found: 131_073, limit: 131_072 }.into())
    );
}

#[tokio::test]
async fn transaction_has_no_block_until_it_is_certified_and_then_its_block_is_the_latest() {
    let (chain, api) = served();
    let hash = send(&api, &transfer(0, 0)).await;
    let pooled = api.transaction(hash).await.expect("readable").expect("pooled");
    assert_eq!((pooled.block_hash, pooled.block_number, pooled.transaction_index), (None, None, None));
    assert_eq!(api.transaction_receipt(hash).await, Ok(None));
    let id = chain.seal();
    let mined = api.transaction(hash).await.expect("readable").expect("mined");
    assert_eq!((mined.block_hash, mined.block_number, mined.transaction_index), (Some(id), Some(1), Some(0)));
    assert_eq!(mined.inner.signer(), key(0).address());
    let receipt = api.transaction_receipt(hash).await.expect("readable").expect("mined");
    assert_eq!((receipt.block_hash, receipt.gas_used, receipt.status()), (Some(id), 21_000, true));
    let price = mined.inner.effective_gas_price(chain.snapshot().header().base_fee.into());
    assert_eq!(
        (receipt.effective_gas_price, receipt.from, receipt.to),
        (price, key(0).address(), Some(receiver()))
    );
    assert_eq!(api.balance(receiver(), latest()).await, Ok(ETHER));
    let unknown = B256::repeat_byte(9);
    assert_eq!(
        (api.transaction(unknown).await, api.transaction_receipt(unknown).await),
        (Ok(None), Ok(None))
    );
}

#[tokio::test]
async fn memory_and_disk_answer_the_same() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let sender = Sender::new(SHARD);
    let (transfer, call) =
        (transfer(1, 0), sender.transaction(&key(0), 1, Some(emitter), U256::ZERO, Bytes::new()));
    let hashes = [send(&api, &transfer).await, send(&api, &call).await];
    let id = chain.seal();
    // Its own task fills the memory; the other one starts too late to have the block.
    while api.recent.in_memory(&chain.snapshot(), Height::new(2)).expect("readable").is_none() {
        tokio::task::yield_now().await;
    }
    let late = ShardApi::start(Arc::clone(&chain) as Arc<dyn Chain>, ApiConfig::default());
    for hash in hashes {
        assert_eq!(api.transaction(hash).await, late.transaction(hash).await);
        assert_eq!(api.transaction_receipt(hash).await, late.transaction_receipt(hash).await);
        assert!(
            late.transaction_receipt(hash).await.expect("readable").is_some_and(|receipt| receipt.status())
        );
    }
    for full in [true, false] {
        let block = late.block_by_hash(id, full).await.expect("readable").expect("known");
        assert_eq!(block.transactions.len(), 2);
        assert_eq!(api.block_by_hash(id, full).await, Ok(Some(block)));
    }
    let history = api.fee_history(5, Tag::Latest, vec![50.0]).await;
    assert_eq!(history, late.fee_history(5, Tag::Latest, vec![50.0]).await);
}

#[tokio::test]
async fn receipt_of_a_creation_names_the_contract_whose_code_and_slots_can_be_read() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let block = api.block_by_number(Tag::Latest, false).await.expect("readable").expect("known");
    let hash = block.transactions.as_hashes().expect("hashes")[0];
    let receipt = api.transaction_receipt(hash).await.expect("readable").expect("mined");
    assert_eq!((receipt.contract_address, receipt.to), (Some(emitter), None));
    assert_eq!(api.code(emitter, latest()).await, Ok(EMITTER));
    assert_eq!(api.code(receiver(), latest()).await, Ok(Bytes::new()));
    let call = Sender::new(SHARD).transaction(&key(0), 1, Some(emitter), U256::ZERO, Bytes::new());
    send(&api, &call).await;
    chain.seal();
    let forty_two = B256::from(U256::from(42));
    assert_eq!(api.storage_at(emitter, B256::ZERO, latest()).await, Ok(forty_two));
    assert_eq!(api.storage_at(emitter, B256::ZERO, BlockId::number(1)).await, Ok(B256::ZERO));
}

#[tokio::test]
async fn second_transaction_of_a_nonce_is_refused_unless_it_pays_a_tenth_more() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    let offering = |percent: u128| {
        let unsigned = Sender::new(SHARD).unsigned(0, Some(receiver()), U256::ONE, Bytes::new());
        let (fee, tip) = (unsigned.max_fee_per_gas, unsigned.max_priority_fee_per_gas);
        let (max_fee_per_gas, max_priority_fee_per_gas) = (fee * percent / 100, tip * percent / 100);
        let unsigned = alloy_consensus::TxEip1559 { max_fee_per_gas, max_priority_fee_per_gas, ..unsigned };
        let limits = TransactionLimits::new(&short_spec(), SHARD);
        shard_state::testing::verified(&shard_state::testing::sign(unsigned, &key(0)), &limits)
    };
    let underpriced = api.send_raw_transaction(offering(109).encoded().clone()).await;
    assert_eq!(text(underpriced), (-32000, "replacement transaction underpriced".into()));
    let replacement = send(&api, &offering(110)).await;
    chain.seal();
    assert!(api.transaction_receipt(replacement).await.expect("readable").is_some());
}

#[tokio::test]
async fn transaction_is_found_by_its_place_and_as_it_was_sent() {
    let (chain, api) = served();
    let sent = [transfer(0, 0), transfer(1, 0)];
    let hash = send(&api, &sent[0]).await;
    let raw = |index: usize| Some(sent[index].encoded().clone());
    assert_eq!(api.raw_transaction(hash).await, Ok(raw(0)), "from the pool");
    send(&api, &sent[1]).await;
    let id = chain.seal();
    let places = api.block_by_hash(id, false).await.expect("readable").expect("known");
    for (index, hash) in (0..).zip(places.transactions.hashes()) {
        let by_hash = api.transaction(hash).await.expect("readable");
        let encoded = sent.iter().find(|one| one.hash() == hash).map(|one| one.encoded().clone());
        assert!(by_hash.is_some() && encoded.is_some());
        assert_eq!(api.raw_transaction(hash).await, Ok(encoded.clone()));
        for block in [latest(), BlockId::hash(id)] {
            assert_eq!(api.transaction_at(block, index).await, Ok(by_hash.clone()));
            assert_eq!(api.raw_transaction_at(block, index).await, Ok(encoded.clone()));
        }
    }
    assert_eq!(api.transaction_at(latest(), 2).await, Ok(None));
    assert_eq!(api.transaction_at(latest(), u64::MAX).await, Ok(None));
    assert_eq!(api.raw_transaction_at(BlockId::number(9), 0).await, Ok(None));
    assert_eq!(api.raw_transaction(B256::repeat_byte(9)).await, Ok(None));
}

/// Whoever has a receipt reads its effects at once, at `latest`, by whatever method.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latest_shows_the_effects_of_a_receipt_right_after_it() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    for round in 2..12 {
        let nonce = api.transaction_count(key(0).address(), latest()).await.expect("known");
        let hash = emit(&api, emitter).await;
        let sealing = tokio::task::spawn_blocking({
            let chain = Arc::clone(&chain);
            move || chain.seal()
        });
        let receipt = loop {
            match api.transaction_receipt(hash).await.expect("readable") {
                Some(receipt) => break receipt,
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!(api.block_number().await, Ok(round));
        assert_eq!(api.transaction_count(key(0).address(), latest()).await, Ok(nonce + 1));
        let block = api.block_by_number(Tag::Latest, false).await.expect("readable").expect("never null");
        assert_eq!(Some(block.header.ethereum.hash), receipt.block_hash);
        let logs = api.logs(Filter::new().address(emitter)).await.expect("in the limits");
        assert_eq!(logs, receipt.logs());
        sealing.await.expect("sealed");
    }
}
