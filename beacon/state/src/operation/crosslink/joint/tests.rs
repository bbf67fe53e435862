use super::*;
use crate::BlockError;
use crate::testing::{Network, places};
use primitives::InboxCursors;

fn refusal(network: &Network, crosslinks: Vec<Crosslink>) -> RequirementError {
    match network.build(crosslinks, vec![]) {
        Err(BlockError::Requirement { error, .. }) => error,
        other => panic!("expected an unmet requirement, found {other:?}"),
    }
}

fn network() -> Network {
    Network::new(3, &[1, 1, 1, 1])
}

#[test]
fn two_shards_that_consumed_from_each_other_are_accepted_together_or_not_at_all() {
    let mut network = network();
    network.grow(0, 1);
    network.grow(1, 1);
    network.consume(0, &[(1, 1)]);
    network.consume(1, &[(0, 2)]);
    network.grow(0, 1);
    network.consume(0, &[(1, 2)]);
    let (zero, one) = (ShardId::new(0), ShardId::new(1));
    let alone =
        |source_shard, found| RequirementError::NotAccepted { source_shard, accepted: Height::ZERO, found };
    assert_eq!(refusal(&network, vec![network.crosslink(0, 4)]), alone(one, Height::new(2)));
    assert_eq!(refusal(&network, vec![network.crosslink(1, 2)]), alone(zero, Height::new(2)));

    let both = network.choose(&[(0, &[4]), (1, &[2])]);
    assert_eq!(places(&both), [(0, 4), (1, 2)]);
    network.step(both, vec![]).unwrap();
    assert_eq!(network.record(0).accepted.height, Height::new(4));
    assert_eq!(network.record(1).accepted.height, Height::new(2));
}

#[test]
fn a_source_that_the_state_has_accepted_needs_no_crosslink() {
    let mut network = network();
    network.grow(1, 2);
    network.accept(1);
    network.consume(0, &[(1, 2)]);
    network.accept(0);
    assert_eq!(network.record(0).accepted.height, Height::new(1));
}

#[test]
fn a_cursor_below_the_sources_head_needs_its_ancestry() {
    let mut network = network();
    network.grow(1, 4);
    network.accept(1);
    network.consume(0, &[(1, 2)]);
    let (source_shard, height) = (ShardId::new(1), Height::new(2));
    let mut crosslink = network.crosslink(0, 1);
    let error = RequirementError::AncestryMissing { source_shard, height };
    assert_eq!(refusal(&network, vec![crosslink.clone()]), error);

    let proof = |ancestor| network.shards[1].ancestry(Height::new(4), Height::new(ancestor));
    crosslink.sources = vec![SourceAncestry::Ancestor(proof(1))];
    let error = HistoryError::LeafIndex { expected: height, found: 1 };
    assert_eq!(
        refusal(&network, vec![crosslink.clone()]),
        RequirementError::Ancestry { source_shard, error }
    );

    crosslink.sources = vec![SourceAncestry::Ancestor(proof(2))];
    assert!(network.build(vec![crosslink], vec![]).is_ok());
}

#[test]
fn the_ancestry_is_one_of_the_head_after_the_block() {
    let mut network = network();
    network.grow(1, 2);
    network.accept(1);
    network.consume(0, &[(1, 2)]);
    let consumer = network.crosslink(0, 1);
    assert!(network.build(vec![consumer.clone()], vec![]).is_ok());
    network.grow(1, 2);
    let error = RequirementError::AncestryMissing { source_shard: ShardId::new(1), height: Height::new(2) };
    assert_eq!(refusal(&network, vec![consumer, network.crosslink(1, 4)]), error);
    let both = network.choose(&[(0, &[1]), (1, &[4])]);
    assert_eq!(places(&both), [(0, 1), (1, 4)]);
    network.step(both, vec![]).unwrap();
}

#[test]
fn an_ancestry_where_none_is_needed_is_refused() {
    let mut network = network();
    network.grow(1, 2);
    network.accept(1);
    network.consume(0, &[(1, 2)]);
    let mut crosslink = network.crosslink(0, 1);
    let source_chain = Chain::Shard(ShardId::new(1));
    crosslink.sources = vec![SourceAncestry::Direct(1)];
    assert_eq!(refusal(&network, vec![crosslink]), RequirementError::AncestryNeedless { source_chain });
}

#[test]
fn consuming_from_another_branch_is_refused() {
    let mut network = network();
    network.grow(1, 2);
    network.accept(1);
    let expected = network.shards[1].id(Height::new(2));
    for (height, salt) in [(2, 8), (1, 9)] {
        network.shards[0].undo_above(Height::ZERO);
        let mut cursor = network.shards[1].cursor(Height::new(height));
        cursor.id = B256::repeat_byte(salt);
        network.grow_with(0, InboxCursors::new(vec![cursor]).unwrap());
        let mut crosslink = network.crosslink(0, 1);
        let source_shard = ShardId::new(1);
        let error = if height == 2 {
            RequirementError::OtherBranch { source_shard, height: cursor.height, expected, found: cursor.id }
        } else {
            let proof = network.shards[1].ancestry(Height::new(2), cursor.height);
            crosslink.sources = vec![SourceAncestry::Ancestor(proof)];
            RequirementError::Ancestry { source_shard, error: HistoryError::Path { ancestor: cursor.height } }
        };
        assert_eq!(refusal(&network, vec![crosslink]), error);
    }
}

#[test]
fn a_shard_consumes_only_from_other_shards() {
    let shard = ShardId::new(0);
    for found in [Chain::Shard(shard), Chain::Shard(ShardId::new(9))] {
        let mut network = Network::new(1, &[1, 1, 1, 1]);
        let mut cursor = network.shards[0].cursor(Height::ZERO);
        cursor.source = found;
        network.grow_with(0, InboxCursors::new(vec![cursor]).unwrap());
        let error = RequirementError::NoSuchSource { shard, found };
        assert_eq!(refusal(&network, vec![network.crosslink(0, 1)]), error);
    }
}

/// Of the beacon chain's receipts a shard has consumed no more than were sent; nothing else is asked of that cursor.
#[test]
fn the_beacon_chains_own_receipts_are_consumed_as_far_as_they_were_sent() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    let exit = xshard::Exit { validator: primitives::ValidatorIndex::new(9), units: 1 };
    let payload = xshard::Payload::Exit(exit);
    let refused = |network: &Network| network.receipt(Default::default(), Default::default(), &payload);
    let receipts = vec![refused(&network), refused(&network)];
    network.send_and_deliver(0, receipts);
    let shard = ShardId::new(0);
    for (sequence, is_met) in [(3, false), (2, true)] {
        network.shards[0].undo_above(Height::new(1));
        let (source, id) = (Chain::Beacon, B256::repeat_byte(7));
        let epoch = Default::default();
        let cursor = InboxCursor { source, height: Height::new(1), id, epoch, sequence };
        network.grow_with(0, InboxCursors::new(vec![cursor]).unwrap());
        let crosslink = network.crosslink(0, 2);
        if is_met {
            assert_eq!(places(&network.choose(&[(0, &[2])])), [(0, 2)]);
            let proof = network.shards[0].ancestry(Height::new(2), Height::new(1));
            let needless = Crosslink { sources: vec![SourceAncestry::Ancestor(proof)], ..crosslink };
            let error = RequirementError::AncestryNeedless { source_chain: source };
            assert_eq!(refusal(&network, vec![needless]), error);
            network.accept(0);
        } else {
            assert_eq!(network.choose(&[(0, &[2])]), []);
            let error = RequirementError::NeverSent { shard, sent: 2, found: 3 };
            assert_eq!(refusal(&network, vec![crosslink]), error);
        }
    }
    assert_eq!(network.state().lane(shard).unwrap().first_sequence(), 2);
}

#[test]
fn a_cursor_that_has_not_moved_requires_nothing() {
    let mut network = network();
    network.grow(1, 2);
    network.accept(1);
    network.consume(0, &[(1, 2)]);
    network.accept(0);
    network.grow(1, 3);
    network.accept(1);
    network.grow(0, 1);
    assert_eq!(network.crosslink(0, 2).sources, [SourceAncestry::Direct(0)]);
    network.accept(0);
    assert_eq!(network.record(0).accepted.height, Height::new(2));
}
