use super::*;
use serde_json::json;

#[tokio::test]
async fn pool_is_told_by_sender_and_nonce_apart_from_what_waits_in_it() {
    let (_chain, api) = served();
    for (sender, nonce) in [(0, 0), (0, 1), (0, 3), (1, 2)] {
        send(&api, &transfer(sender, nonce)).await;
    }
    let [alice, bob] = [0, 1].map(|number| key(number).address().to_string());
    let ask = Wire::new(&api);
    assert_eq!(ask.ask("txpool_status", "[]").await["result"], json!({ "pending": "0x2", "queued": "0x2" }));
    let content = ask.ask("txpool_content", "[]").await["result"].take();
    for (side, sender, nonce) in
        [("pending", &alice, "0"), ("pending", &alice, "1"), ("queued", &alice, "3"), ("queued", &bob, "2")]
    {
        let transaction = &content[side][sender][nonce];
        assert_eq!(transaction["nonce"], format!("0x{nonce}"), "{side} {sender} {nonce}");
        assert_eq!(transaction["blockHash"], json!(null));
    }
    assert_eq!(content["pending"].as_object().map(serde_json::Map::len), Some(1));
    let of_alice = ask.ask("txpool_contentFrom", &format!(r#"["{alice}"]"#)).await["result"].take();
    let expected = json!({ "pending": content["pending"][&alice], "queued": content["queued"][&alice] });
    assert_eq!(of_alice, expected);
    let of_nobody = ask.ask("txpool_contentFrom", &format!(r#"["{}"]"#, receiver())).await["result"].take();
    assert_eq!(of_nobody, json!({ "pending": {}, "queued": {} }));
    let line = format!("{}: {ETHER} wei + 21000 gas × {GAS_PRICE} wei", receiver());
    assert_eq!(
        ask.ask("txpool_inspect", "[]").await["result"],
        json!({
            "pending": { (alice.as_str()): { "0": line, "1": line } },
            "queued": { (alice.as_str()): { "3": line }, (bob.as_str()): { "2": line } },
        })
    );
}

#[tokio::test]
async fn pool_that_is_too_large_for_one_answer_is_told_by_sender_only() {
    let (_chain, api) = served_with(ApiConfig { pool_content_max: 1, ..ApiConfig::default() });
    send(&api, &transfer(0, 0)).await;
    send(&api, &transfer(0, 1)).await;
    let refused = text(api.pool_content().await);
    let expected = "the pool holds 2 transactions, the limit is 1: ask txpool_contentFrom for one sender";
    assert_eq!(refused, (-32005, expected.into()));
    assert_eq!(api.pool_content_of(key(0).address()).await.map(|content| content.pending.len()), Ok(2));
}
