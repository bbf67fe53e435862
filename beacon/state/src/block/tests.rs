use super::*;
use crate::testing::{BEACON_EPOCH_HEIGHTS, Network};
use primitives::ValidatorIndex;
use std::sync::Arc;

fn network() -> Network {
    let mut network = Network::new(2, &[1, 1, 1, 1]);
    network.idle(1);
    network.grow(0, 2);
    network
}

/// A valid block with one crosslink.
fn block(network: &Network) -> BeaconBlock {
    network.build(vec![network.crosslink(0, 2)], vec![]).unwrap().0
}

/// The error of a valid block after `change`.
fn refusal(change: impl FnOnce(&mut BeaconBlock)) -> BlockError {
    let network = network();
    let mut block = block(&network);
    change(&mut block);
    network.apply(&block).unwrap_err()
}

#[test]
fn a_block_that_was_built_applies_and_its_header_commits_to_all_of_it() {
    let network = network();
    let (block, built) = network.build(vec![network.crosslink(0, 2)], vec![]).unwrap();
    let applied = network.apply(&block).unwrap();
    assert_eq!(applied, built);
    assert_eq!(applied.chain.header(), &block.header);
    assert_eq!(applied.chain.state().root(), block.header.state_root);
    assert_eq!(applied.chain.state().height(), Height::new(2));
    assert_eq!(applied.chain.history().leaf_count(), 3);
    assert_ne!(applied.chain.state().mix(), network.state().mix());
}

#[test]
fn a_block_above_another_parent_is_refused() {
    let parent = network().chain.id();
    let found = B256::repeat_byte(9);
    assert_eq!(refusal(|block| block.header.parent = found), BlockError::Parent { expected: parent, found });
}

#[test]
fn a_block_that_skips_a_height_is_refused() {
    let (expected, found) = (Height::new(2), Height::new(3));
    assert_eq!(refusal(|block| block.header.height = found), BlockError::Height { expected, found });
}

#[test]
fn a_block_no_later_than_its_parent_is_refused() {
    let parent = network().chain.header().timestamp_ms;
    let error = refusal(|block| block.header.timestamp_ms = parent);
    assert_eq!(error, BlockError::Timestamp { parent, found: parent });
}

#[test]
fn a_block_of_an_epoch_that_has_not_started_is_refused() {
    let error = refusal(|block| block.header.epoch = Epoch::new(1));
    let (expected, found) = (Epoch::ZERO, Epoch::new(1));
    assert_eq!(error, BlockError::Epoch { height: Height::new(2), expected, found });
}

#[test]
fn a_block_with_another_history_is_refused() {
    let expected = network().chain.history().root();
    let error = refusal(|block| block.header.history_root = B256::ZERO);
    assert_eq!(error, BlockError::HistoryRoot { expected, found: B256::ZERO });
}

#[test]
fn a_block_with_another_body_is_refused() {
    let network = network();
    let mut block = block(&network);
    let found = block.header.body_root;
    block.body.crosslinks.clear();
    let expected = block.body.root();
    assert_eq!(network.apply(&block), Err(BlockError::BodyRoot { expected, found }));
}

#[test]
fn a_block_with_another_state_is_refused() {
    let network = network();
    let mut block = block(&network);
    let expected = std::mem::replace(&mut block.header.state_root, B256::ZERO);
    assert_eq!(network.apply(&block), Err(BlockError::StateRoot { expected, found: B256::ZERO }));
}

#[test]
fn a_proposer_who_does_not_own_the_leading_seat_is_refused() {
    let network = network();
    let mut block = block(&network);
    let expected = block.header.proposer;
    let found = ValidatorIndex::new(expected.get() ^ 1);
    block.header.proposer = found;
    let error = RandaoError::Proposer { seat: network.leader(), expected, found };
    assert_eq!(network.apply(&block), Err(error.into()));
}

#[test]
fn a_block_of_another_leader_is_refused() {
    let network = network();
    let block = block(&network);
    let apply = |leader| apply_block(&network.spec, &network.chain, &block, leader, &network.committees);
    assert!(apply(network.leader()).is_ok());
    let error = RandaoError::NoSuchSeat { seats: 4, found: 4 };
    assert_eq!(apply(4), Err(error.into()));
    assert!(matches!(apply(network.leader() ^ 1), Err(BlockError::Randao(RandaoError::Proposer { .. }))));
}

#[test]
fn a_reveal_of_another_seat_is_refused() {
    let network = network();
    let mut block = block(&network);
    block.body.randao_reveal = network.reveal(network.leader() ^ 1);
    block.header.body_root = block.body.root();
    let error = RandaoError::Signature { seat: network.leader(), height: Height::new(2) };
    assert_eq!(network.apply(&block), Err(error.into()));
}

#[test]
fn a_reveal_that_is_no_signature_is_refused() {
    let error = refusal(|block| {
        block.body.randao_reveal = primitives::SignatureBytes::new([1; 96]);
        block.header.body_root = block.body.root();
    });
    assert_eq!(error, RandaoError::Point(crypto::bls::DecompressError::Encoding).into());
}

#[test]
fn a_committee_that_is_not_at_hand_is_said_to_be_missing() {
    let mut network = network();
    let block = block(&network);
    let (chain, epoch) = (Chain::Shard(ShardId::new(0)), Epoch::ZERO);
    network.committees.authorities.remove(&(chain, epoch));
    assert_eq!(network.apply(&block), Err(CommitteeError::Missing { chain, epoch }.into()));
}

#[test]
fn a_source_with_another_committee_is_refused() {
    let mut network = network();
    let block = block(&network);
    let (chain, epoch) = (Chain::Shard(ShardId::new(0)), Epoch::ZERO);
    let mut seats = network.authority(chain, epoch).committee().seats().to_vec();
    seats.pop();
    let committee = primitives::Committee::new(seats).unwrap();
    let (expected, found) = (network.authority(chain, epoch).committee_root(), committee.root());
    let genesis_hash = network.state().genesis_hash();
    let authority = consensus::authority::Authority::new(committee, chain, epoch, genesis_hash).unwrap();
    network.committees.authorities.insert((chain, epoch), Arc::new(authority));
    assert_eq!(network.apply(&block), Err(CommitteeError::Root { chain, epoch, expected, found }.into()));
}

#[test]
fn more_crosslinks_than_allowed_are_refused() {
    let mut network = network();
    network.grow(1, 1);
    let crosslinks = vec![network.crosslink(0, 2), network.crosslink(1, 1)];
    assert!(network.build(crosslinks.clone(), vec![]).is_ok());
    network.spec.crosslinks_max = 1;
    let error = BlockError::TooManyCrosslinks { max: 1, found: 2 };
    assert_eq!(network.build(crosslinks, vec![]), Err(error));
}

#[test]
fn two_crosslinks_of_one_shard_are_refused() {
    let network = network();
    let crosslinks = vec![network.crosslink(0, 1), network.crosslink(0, 2)];
    let (previous, found) = (ShardId::new(0), ShardId::new(0));
    assert_eq!(network.build(crosslinks, vec![]), Err(BlockError::CrosslinkOrder { previous, found }));
}

#[test]
fn more_evidence_than_allowed_is_refused() {
    let mut network = network();
    network.spec.evidence_max = 0;
    let evidence = network.equivocation(Chain::Beacon, 0, 0, 1);
    let error = BlockError::TooMuchEvidence { max: 0, found: 1 };
    assert_eq!(network.build(vec![], vec![evidence]), Err(error));
}

#[test]
fn the_beacon_chain_draws_each_epoch_one_epoch_ahead() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    for height in 1..=4 * BEACON_EPOCH_HEIGHTS {
        let events = network.step(vec![], vec![]).unwrap();
        let drawn: Vec<_> = (events.iter())
            .filter_map(|event| match event {
                Event::Drawn { chain: Chain::Beacon, epoch, first_height, .. } => {
                    Some((*epoch, *first_height))
                }
                _ => None,
            })
            .collect();
        let epoch = height / BEACON_EPOCH_HEIGHTS;
        let next = (Epoch::new(epoch + 1), Height::new((epoch + 1) * BEACON_EPOCH_HEIGHTS));
        let starts = height % BEACON_EPOCH_HEIGHTS == 0;
        assert_eq!(drawn, if starts { vec![next] } else { vec![] }, "height {height}");
        assert_eq!(network.chain.header().epoch, Epoch::new(epoch));
        assert_eq!(network.state().beacon_table().latest().unwrap().epoch, next.0);
    }
}
