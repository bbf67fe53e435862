use super::*;

#[tokio::test]
async fn state_is_read_at_any_block_that_is_kept() {
    let (chain, api) = served();
    for nonce in 0..6 {
        send(&api, &transfer(0, nonce)).await;
        chain.seal();
    }
    let head = chain.snapshot().id();
    let balance = async |block: BlockId| api.balance(receiver(), block).await;
    assert_eq!(balance(latest()).await, Ok(ETHER * U256::from(6)));
    assert_eq!(balance(BlockId::number(4)).await, Ok(ETHER * U256::from(4)));
    assert_eq!(balance(BlockId::hash(head)).await, Ok(ETHER * U256::from(6)));
    assert_eq!(balance(BlockId::number(7)).await, Err(RpcError::HeaderNotFound));
    assert_eq!(balance(BlockId::hash(B256::ZERO)).await, Err(RpcError::HeaderNotFound));
    let gone = RpcError::StateNotAvailable { height: 0, oldest: 2, newest: 6 };
    assert_eq!(balance(Tag::Earliest.into()).await, Err(gone));
    let nonces = api.transaction_count(key(0).address(), BlockId::number(5)).await;
    assert_eq!(nonces, Ok(5));
}

#[tokio::test]
async fn pending_nonce_counts_the_pool_and_the_latest_does_not() {
    let (_chain, api) = served();
    for nonce in [0, 1, 3] {
        send(&api, &transfer(0, nonce)).await;
    }
    let count = async |block: Tag| api.transaction_count(key(0).address(), block.into()).await;
    assert_eq!(count(Tag::Latest).await, Ok(0));
    assert_eq!(count(Tag::Pending).await, Ok(2), "the third is behind a gap");
    assert_eq!(api.transaction_count(receiver(), Tag::Pending.into()).await, Ok(0));
}

#[tokio::test]
async fn proof_is_of_the_block_that_was_asked_for() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    chain.seal();
    send(&api, &transfer(0, 1)).await;
    chain.seal();
    let keys = vec![JsonStorageKey::Hash(B256::ZERO)];
    let older = api.proof(receiver(), keys.clone(), BlockId::number(1)).await.expect("kept");
    assert_eq!((older.balance, older.storage_proof.len(), older.storage_proof[0].key), (ETHER, 1, keys[0]));
    let header = chain.snapshot().reader.header(Height::new(1)).expect("readable").expect("known");
    assert_eq!(keccak256(&older.account_proof[0]), header.state_root);
    let newer = api.proof(receiver(), keys.clone(), latest()).await.expect("kept");
    assert_eq!(newer.balance, ETHER * U256::from(2));
    let absent = api.proof(Address::repeat_byte(0x77), vec![], latest()).await.expect("kept");
    assert_eq!((absent.nonce, absent.balance), (0, U256::ZERO));
    let many = vec![JsonStorageKey::Hash(B256::ZERO); 1_025];
    assert_eq!(
        text(api.proof(receiver(), many, latest()).await),
        (-32602, "too many slots (max 1024)".into())
    );
    let above = api.proof(receiver(), keys, BlockId::number(3)).await;
    assert_eq!(above, Err(RpcError::HeaderNotFound));
}

/// EIP-1898: an object names a block by number or by hash; `requireCanonical` may stand on either side, and asks for
/// nothing more, as what is not canonical is not known.
#[tokio::test]
async fn block_may_be_named_by_an_object_that_requires_it_to_be_canonical() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    let id = chain.seal();
    let ask = Wire::new(&api);
    for block in [
        format!(r#"{{"blockHash":"{id}","requireCanonical":true}}"#),
        format!(r#"{{"requireCanonical":true,"blockHash":"{id}"}}"#),
        format!(r#"{{"blockHash":"{id}","requireCanonical":false}}"#),
        format!(r#"{{"blockHash":"{id}"}}"#),
        r#"{"blockNumber":"0x1"}"#.into(),
        r#"{"blockNumber":"latest"}"#.into(),
        r#"{"blockNumber":"0x1","requireCanonical":true}"#.into(),
        r#"{"requireCanonical":true,"blockNumber":"0x1"}"#.into(),
        r#""0x1""#.into(),
    ] {
        let answer = ask.ask("eth_getBalance", &format!(r#"["{}",{block}]"#, receiver())).await;
        assert_eq!(answer["result"], "0xde0b6b3a7640000", "{block}: {answer}");
    }
    chain.undo_above(0);
    let undone = format!(r#"["{}",{{"blockHash":"{id}","requireCanonical":true}}]"#, receiver());
    let error = ask.ask("eth_getBalance", &undone).await["error"].take();
    assert_eq!((&error["code"], &error["message"]), (&(-32000).into(), &"header not found".into()));
    for block in [r#"{"blockHash":"0x1"}"#, "{}", r#"{"blockNumber":"0x1","blockHash":"0x1"}"#, "true"] {
        let answer = ask.ask("eth_getBalance", &format!(r#"["{}",{block}]"#, receiver())).await;
        assert_eq!(answer["error"]["code"], -32602, "{block}: {answer}");
    }
}
