use super::*;

#[tokio::test]
async fn call_runs_in_the_block_it_names() {
    let (chain, api) = served();
    chain.seal();
    chain.seal();
    let number = async |block: Tag| {
        let request = TransactionRequest::default().input(NUMBER.into());
        api.call(request, block.into(), None, None).await.map(|output| U256::from_be_slice(&output))
    };
    assert_eq!(number(Tag::Latest).await, Ok(U256::from(2)));
    assert_eq!(number(Tag::Number(1)).await, Ok(U256::from(1)));
    assert_eq!(number(Tag::Pending).await, Ok(U256::from(3)));
    assert_eq!(number(Tag::Number(3)).await, Err(RpcError::HeaderNotFound));
    let overrides =
        alloy_rpc_types_eth::BlockOverrides { number: Some(U256::from(77)), ..Default::default() };
    let request = TransactionRequest::default().input(NUMBER.into());
    let output = api.call(request, latest(), None, Some(overrides)).await.expect("runs");
    assert_eq!(U256::from_be_slice(&output), U256::from(77));
}

/// A cap is what a transaction pays at most: it pays the base fee and its tip.
#[tokio::test]
async fn call_with_a_fee_cap_alone_pays_the_base_fee() {
    let (chain, api) = served();
    let base_fee = u128::from(chain.snapshot().header().base_fee);
    // GASPRICE PUSH0 MSTORE PUSH1 20 PUSH0 RETURN
    let asking =
        || TransactionRequest::default().from(key(0).address()).input(bytes!("3a5f5260205ff3").into());
    let price = async |request: TransactionRequest| {
        let output = api.call(request.gas_limit(100_000), latest(), None, None).await.expect("runs");
        U256::from_be_slice(&output)
    };
    let capped = TransactionRequest { max_fee_per_gas: Some(3 * base_fee), ..asking() };
    assert_eq!(price(capped).await, U256::from(base_fee));
    let legacy = TransactionRequest { gas_price: Some(3 * base_fee), ..asking() };
    assert_eq!(price(legacy).await, U256::from(3 * base_fee));
}

#[tokio::test]
async fn call_that_fails_says_how() {
    let (chain, api) = served();
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let halter = deploy(&chain, &api, &HALTER).await;
    let call = async |request| api.call(request, latest(), None, None).await;
    let reverted = RpcError::Reverted { data: bytes!("deadbeef") };
    assert_eq!(call(calling(reverter)).await, Err(reverted.clone()));
    assert_eq!(reverted.code(), 3);
    assert_eq!(text(call(calling(halter)).await), (-32000, "invalid jump destination".into()));
    let both = TransactionRequest { gas_price: Some(1), max_fee_per_gas: Some(1), ..calling(reverter) };
    let expected = "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified";
    assert_eq!(text(call(both).await), (-32000, expected.into()));
    let (have, want) = (1, api.chain_id());
    let elsewhere = TransactionRequest { chain_id: Some(1), ..calling(reverter) };
    let expected = format!("chainId does not match node's (have={have}, want={want})");
    assert_eq!(text(call(elsewhere).await), (-32000, expected));
    let poor = TransactionRequest::default().from(key(99).address()).to(receiver()).value(U256::ONE);
    assert!(text(call(poor).await).1.starts_with("insufficient funds for gas * price + value: "));
}

#[tokio::test]
async fn overridden_accounts_are_other_than_they_are_for_one_call() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    // Returns slot 0.
    let reader = bytes!("5f545f5260205ff3");
    let value = B256::from(U256::from(5));
    let state = StateOverridesBuilder::default()
        .with_code(emitter, reader)
        .with_state_diff(emitter, [(B256::ZERO, value)])
        .with_balance(key(99).address(), U256::ONE)
        .build();
    let request = TransactionRequest::default().from(key(99).address()).to(emitter).value(U256::ONE);
    let output = api.call(request.clone(), latest(), Some(state), None).await;
    assert_eq!(output, Ok(Bytes::copy_from_slice(value.as_slice())));
    assert!(api.call(request, latest(), None, None).await.is_err());
    let both = StateOverridesBuilder::default()
        .with_state(emitter, [(B256::ZERO, value)])
        .with_state_diff(emitter, [(B256::ZERO, value)])
        .build();
    let expected = format!("account {emitter} has both 'state' and 'stateDiff'");
    assert_eq!(text(api.call(calling(emitter), latest(), Some(both), None).await), (-32000, expected));
}

#[tokio::test]
async fn estimate_is_enough_and_names_what_no_gas_cures() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let estimate = async |request| api.estimate_gas(request, latest(), None).await;
    assert_eq!(estimate(calling(receiver()).value(U256::ONE)).await, Ok(21_000));
    let gas = estimate(calling(emitter)).await.expect("succeeds");
    let enough = TransactionRequest { gas: Some(gas), ..calling(emitter) };
    assert_eq!(api.call(enough, latest(), None, None).await, Ok(Bytes::new()));
    assert_eq!(estimate(calling(reverter)).await, Err(RpcError::Reverted { data: bytes!("deadbeef") }));
    let little = TransactionRequest { gas: Some(30_000), ..calling(emitter) };
    assert_eq!(estimate(little).await, Err(RpcError::GasAllowance { allowance: 30_000 }));
}

#[tokio::test]
async fn work_beyond_the_limit_is_answered_by_the_deadline() {
    let workers = Workers::new(1, Duration::from_millis(50));
    let slow = workers.run(|| {
        std::thread::sleep(Duration::from_millis(300));
        Ok(())
    });
    let (slow, waiting) = tokio::join!(slow, workers.run(|| Ok(())));
    assert_eq!(text(slow), (-32000, "execution aborted (timeout = 0.05s)".into()));
    assert_eq!(waiting, Err(RpcError::Busy("too many calls are running, try again")));
}

#[tokio::test]
async fn call_with_authorizations_runs_the_code_that_they_bring() {
    let (chain, api) = served();
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let authority = key(3);
    let authorization = alloy_eips::eip7702::Authorization {
        chain_id: U256::from(api.chain_id()),
        address: reverter,
        nonce: 0,
    };
    let signature = authority.sign(&authorization.signature_hash());
    let signed = authorization.into_signed(signature);
    let request = |times: usize| TransactionRequest {
        authorization_list: Some(vec![signed.clone(); times]),
        ..calling(authority.address())
    };
    let reverted = RpcError::Reverted { data: bytes!("deadbeef") };
    assert_eq!(api.call(request(1), latest(), None, None).await, Err(reverted.clone()));
    assert_eq!(api.estimate_gas(request(1), latest(), None).await, Err(reverted));
    assert_eq!(api.call(calling(authority.address()), latest(), None, None).await, Ok(Bytes::new()));
    let many = text(api.call(request(2_001), latest(), None, None).await);
    let expected = "intrinsic gas too low: gas 50000000, minimum needed 50025000";
    assert_eq!(many, (-32000, expected.into()));
    let creating = TransactionRequest { to: None, ..request(1) };
    let refused = text(api.call(creating, latest(), None, None).await).1;
    assert!(refused.starts_with("EIP-7702 transaction cannot be used to create contract"), "{refused}");
}

#[tokio::test]
async fn call_may_believe_in_another_id_of_an_earlier_block() {
    let (chain, api) = served();
    // BLOCKHASH of the block before.
    let asking = deploy(&chain, &api, &bytes!("60014303405f5260205ff3")).await;
    let genesis = chain.snapshot().reader.id(Height::ZERO).expect("readable").expect("it is there");
    let own = api.call(calling(asking), latest(), None, None).await;
    assert_eq!(own, Ok(Bytes::copy_from_slice(genesis.as_slice())));
    let other = B256::repeat_byte(7);
    let header = alloy_rpc_types_eth::BlockOverrides {
        number: Some(U256::from(77)),
        block_hash: Some([(76, other)].into()),
        ..Default::default()
    };
    let believed = api.call(calling(asking), latest(), None, Some(header)).await;
    assert_eq!(believed, Ok(Bytes::copy_from_slice(other.as_slice())));
}

/// A call that is not short ends as one that is: its gas is what the caller allows.
#[tokio::test]
async fn long_call_is_made_on_another_thread() {
    let (chain, api) = served();
    // JUMPDEST PUSH0 JUMP.
    let endless = deploy(&chain, &api, &bytes!("5b5f56")).await;
    let request = TransactionRequest { gas: Some(2_000_000), ..calling(endless) };
    assert_eq!(text(api.call(request, latest(), None, None).await), (-32000, "out of gas".into()));
}
