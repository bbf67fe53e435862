use super::*;
use consensus::history::HistoryError;
use crypto::mmr::MmrTree;
use primitives::{B256, ShardHeader};
use shard_state::genesis::genesis_body;

/// Blocks 1 to `count`, each the parent of the next, above a genesis of no particular kind.
fn chain(count: u64) -> Vec<ShardBlock> {
    let mut parent = ShardHeader::default().id();
    let blocks = (1..=count).map(|height| {
        let body = genesis_body();
        let header = ShardHeader {
            height: Height::new(height),
            parent,
            data_root: body.root(),
            ..ShardHeader::default()
        };
        parent = header.id();
        ShardBlock { header, body }
    });
    blocks.collect()
}

/// The answer that brings blocks `from` to `to` of ten, proven by the tenth, which is accepted.
fn answer(from: usize, to: usize) -> (Blocks, AcceptedHeader) {
    let blocks = chain(10);
    let ids = [ShardHeader::default().id()].into_iter().chain(blocks.iter().map(|block| block.header.id()));
    let tree: MmrTree = ids.collect();
    let leaf = if to < 10 { to as u64 } else { 9 };
    let accepted = AcceptedHeader {
        height: Height::new(10),
        id: blocks[9].header.id(),
        history_root: tree.root_at(10).expect("eleven leaves"),
        ..AcceptedHeader::default()
    };
    let answer = Blocks {
        to: NodeKey::ZERO,
        accepted: accepted.height,
        blocks: blocks[from - 1..to].to_vec(),
        proof: tree.proof(leaf, 10).expect("a leaf of it"),
        certificate: Vec::new(),
    };
    (answer, accepted)
}

/// Ancestors of the accepted header, and that header itself, are taken.
#[test]
fn ancestors_of_the_accepted_header_are_taken() {
    for (from, to) in [(1, 4), (5, 5), (3, 10), (10, 10)] {
        let (answer, accepted) = answer(from, to);
        assert!(verify_answer(&answer, &accepted).is_ok(), "{from} to {to}");
    }
}

/// A block that is no ancestor is refused, whatever it is proven with.
#[test]
fn other_blocks_are_refused() {
    let (mut changed, accepted) = answer(1, 4);
    changed.blocks[3].header.gas_used = 1;
    let error = verify_answer(&changed, &accepted).expect_err("another id");
    assert!(
        matches!(error, AnswerError::History(HistoryError::Path { ancestor }) if ancestor == Height::new(4)),
        "{error}"
    );
    let (mut top, accepted) = answer(10, 10);
    top.blocks[0].header.gas_used = 1;
    let error = verify_answer(&top, &accepted).expect_err("another id");
    assert!(matches!(error, AnswerError::NotAccepted { height } if height == Height::new(10)), "{error}");
}

/// Only the last block is proven, so the others have to lead to it, each with its body.
#[test]
fn blocks_that_do_not_lead_to_the_last_are_refused() {
    let (mut gap, accepted) = answer(1, 5);
    gap.blocks.remove(2);
    let (mut lying, _) = answer(1, 5);
    lying.blocks[1].header.state_root = B256::repeat_byte(1);
    let (mut emptied, _) = answer(1, 5);
    emptied.blocks[1].body.transactions.push(primitives::Bytes::from_static(b"more"));
    for answer in [gap, lying, emptied] {
        let error = verify_answer(&answer, &accepted).expect_err("not a chain");
        assert!(matches!(error, AnswerError::NotChained), "{error}");
    }
    let (mut empty, accepted) = answer(1, 5);
    empty.blocks.clear();
    assert!(matches!(verify_answer(&empty, &accepted), Err(AnswerError::Empty)));
}

/// A proof against another header than the one that was named says nothing.
#[test]
fn proof_against_another_header_is_refused() {
    let (answer, mut accepted) = answer(1, 4);
    accepted.height = Height::new(11);
    let error = verify_answer(&answer, &accepted).expect_err("another height");
    assert!(matches!(error, AnswerError::OtherAccepted { found, .. } if found == Height::new(10)), "{error}");
}
