use super::*;

#[tokio::test]
async fn fee_history_ends_where_it_is_told_and_names_the_next_base_fee() {
    let (chain, api) = served();
    for nonce in 0..3 {
        send(&api, &transfer(0, nonce)).await;
        chain.seal();
    }
    let snapshot = chain.snapshot();
    let history = api.fee_history(2, Tag::Latest, vec![0.0, 100.0]).await.expect("known");
    assert_eq!(
        (history.oldest_block, history.base_fee_per_gas.len(), history.gas_used_ratio.len()),
        (2, 3, 2)
    );
    assert_eq!(history.base_fee_per_gas[2], snapshot.next_base_fee().into());
    assert_eq!(history.reward, Some(vec![vec![1_000_000; 2]; 2]));
    let all = api.fee_history(5_000, Tag::Number(1), vec![]).await.expect("known");
    assert_eq!((all.oldest_block, all.gas_used_ratio.len(), all.reward), (0, 2, None));
    let pending = api.fee_history(1, Tag::Pending, vec![50.0]).await.expect("known");
    assert_eq!((pending.oldest_block, pending.reward), (4, Some(vec![vec![0]])));
    assert_eq!(pending.base_fee_per_gas[0], snapshot.next_base_fee().into());
    assert_eq!(api.fee_history(0, Tag::Latest, vec![]).await, Ok(Default::default()));
    let beyond = api.fee_history(1, Tag::Number(4), vec![]).await;
    assert_eq!(text(beyond), (-32000, "request beyond head block: requested 4, head 3".into()));
}

#[tokio::test]
async fn gas_price_is_a_gwei_above_the_next_base_fee_while_blocks_have_room() {
    let (chain, api) = served();
    chain.seal();
    let next = u128::from(chain.snapshot().next_base_fee());
    assert_eq!(api.max_priority_fee_per_gas().await, Ok(1_000_000_000));
    assert_eq!(api.gas_price().await, Ok(next + 1_000_000_000));
}

/// A block in which transactions with these tips, in gwei, used all of the gas.
fn busy_block(tips: &[u128]) -> BlockRecord {
    let limits = TransactionLimits::new(&short_spec(), SHARD);
    let offering = |tip: &u128| {
        let unsigned = Sender::new(SHARD).unsigned(0, Some(receiver()), U256::ZERO, Bytes::new());
        let (tip, fee) = (tip * 1_000_000_000, tip * 1_000_000_000 + 7);
        let unsigned =
            alloy_consensus::TxEip1559 { max_priority_fee_per_gas: tip, max_fee_per_gas: fee, ..unsigned };
        shard_state::testing::verified(&shard_state::testing::sign(unsigned, &key(0)), &limits)
    };
    let transactions: Vec<_> = tips.iter().map(offering).collect();
    let outcome = || shard_state::executor::Outcome { success: true, gas_used: 21_000, logs: Vec::new() };
    let receipt =
        |one: &PooledTransaction| shard_state::receipt::TransactionReceipt::new(one, outcome(), 21_000);
    BlockRecord::Executed(Arc::new(shard_state::block::Executed {
        header: primitives::ShardHeader { base_fee: 7, gas_used: 9, gas_limit: 10, ..Default::default() },
        id: B256::ZERO,
        environment: *TestChain::new().snapshot().view.environment(),
        receipts: transactions.iter().map(receipt).collect(),
        transactions,
        change_set: Arc::default(),
        arrivals: Vec::new(),
        acknowledged: Vec::new(),
        outbox: Default::default(),
        cursors: Default::default(),
    }))
}

#[test]
fn tip_follows_the_lowest_that_got_into_busy_blocks() {
    let suggested = |blocks: &[BlockRecord]| fees::suggested_tip(blocks).map(|tip| tip / 1_000_000_000);
    assert_eq!(suggested(&[]), Ok(1));
    assert_eq!(suggested(&[busy_block(&[90, 80, 20, 10, 30, 70])]), Ok(20), "of 10, 20 and 30");
    assert_eq!(suggested(&[busy_block(&[10, 11]), busy_block(&[50, 60, 70])]), Ok(50));
    assert_eq!(suggested(&[busy_block(&[9_000])]), Ok(500));
    assert!(fees::is_busy(busy_block(&[]).header()));
}

/// Wallets ask for fees before the first block, on top of the newest, and without percentiles in every way there is.
#[tokio::test]
async fn fee_history_is_told_at_genesis_on_top_of_the_head_and_without_percentiles() {
    let (chain, api) = served();
    let at_genesis = api.fee_history(5, Tag::Latest, vec![10.0, 90.0]).await.expect("known");
    assert_eq!((at_genesis.oldest_block, at_genesis.gas_used_ratio), (0, vec![0.0]));
    assert_eq!((at_genesis.base_fee_per_gas.len(), at_genesis.reward), (2, Some(vec![vec![0, 0]])));
    let above_genesis = api.fee_history(5, Tag::Pending, vec![50.0]).await.expect("known");
    assert_eq!((above_genesis.oldest_block, above_genesis.gas_used_ratio.len()), (0, 2));
    assert_eq!(above_genesis.base_fee_per_gas.len(), 3);
    send(&api, &transfer(0, 0)).await;
    chain.propose();
    let proposed = api.fee_history(1, Tag::Pending, vec![50.0]).await.expect("known");
    assert_eq!((proposed.oldest_block, proposed.reward), (1, Some(vec![vec![1_000_000]])));
    let ask = Wire::new(&api);
    for params in [
        r#"["0x1","latest",null]"#,
        r#"["0x1","latest"]"#,
        r#"["0x1","latest",[]]"#,
        r#"[1,"latest",[]]"#,
        r#"["0x1","0x0",null]"#,
    ] {
        let result = ask.ask("eth_feeHistory", params).await["result"].take();
        assert_eq!(result["oldestBlock"], "0x0", "{params}");
        assert_eq!(result["baseFeePerGas"].as_array().map(Vec::len), Some(2), "{params}");
        assert_eq!(result.get("reward"), None, "{params}");
        assert_eq!(result["baseFeePerBlobGas"], serde_json::json!(["0x1", "0x1"]), "{params}");
        assert_eq!(result["blobGasUsedRatio"], serde_json::json!([0.0]), "{params}");
    }
}
