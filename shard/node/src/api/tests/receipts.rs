//! Receipts to other shards.

use super::*;
use alloy_sol_types::SolCall as _;
use rpc::view::Passage;
use shard_state::portal::{PORTAL, abi::IPortal};

fn sending(nonce: u64) -> PooledTransaction {
    let call = IPortal::transferCall { shard: 2, to: receiver() };
    Sender::new(SHARD).transaction(&key(0), nonce, Some(PORTAL), ETHER, call.abi_encode())
}

#[tokio::test]
async fn a_receipt_that_was_sent_is_found_by_its_id_and_told_to_subscribers() {
    let (chain, api) = served();
    let mut told = api.receipts().expect("a stream");
    let hash = send(&api, &sending(0)).await;
    let block = chain.seal();
    let journey = told.next().await.expect("one was sent");
    assert_eq!((journey.source, journey.destination, journey.sequence), (1, 2, 0));
    assert_eq!((&*journey.kind, journey.to, journey.value), ("transfer", Some(receiver()), ETHER));
    let sent = journey.sent.clone().expect("from here");
    assert_eq!((sent.block_number, sent.block_hash, sent.transaction_hash), (1, block, hash));
    assert!(sent.success && !sent.finalized);
    assert_eq!(journey.consumed, None);
    assert_eq!(api.receipt(journey.id, true).await.expect("readable"), Some(journey.clone()));

    chain.finalize(1);
    let passage = async |proofs| {
        let journey = api.receipt(journey.id, proofs).await.expect("readable").expect("is there");
        journey.sent.expect("from here")
    };
    let proof = api.inclusion(hash, Some(1)).await.expect("readable");
    assert!(proof.is_some());
    assert_eq!(passage(true).await, Passage { finalized: true, proof, ..sent.clone() });
    assert_eq!(passage(false).await, Passage { finalized: true, ..sent });
    // Nobody certified the block in these tests.
    assert_eq!(api.bundle(journey.id).await.expect("readable"), None);
    assert_eq!(api.receipt(B256::repeat_byte(1), true).await.expect("readable"), None);
}

#[tokio::test]
async fn a_receipt_of_a_block_that_is_undone_was_never_sent() {
    let (chain, api) = served();
    let mut told = api.receipts().expect("a stream");
    chain.seal();
    send(&api, &sending(0)).await;
    chain.seal();
    let id = told.next().await.expect("one was sent").id;
    chain.undo_above(1);
    assert_eq!(api.receipt(id, true).await.expect("readable"), None);
    let lane = api.lane(2).await.expect("there is one");
    assert_eq!((lane.sent, lane.received), (0, 0));
}

#[tokio::test]
async fn a_lane_tells_what_is_under_way() {
    let (chain, api) = served();
    for nonce in 0..2 {
        send(&api, &sending(nonce)).await;
    }
    chain.seal();
    let lane = api.lane(2).await.expect("there is one");
    assert_eq!((lane.sent, lane.acknowledged, lane.in_flight, lane.received), (2, 0, 2, 0));
    assert_eq!(lane.capacity, short_spec().lane_capacity);
    let (_, refused) = text(api.lane(1).await);
    assert_eq!(refused, "shard 1 has lanes to shards 0 to 2 and to the beacon chain (4294967295), not to 1");
}
