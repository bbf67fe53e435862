use super::*;
use crate::BlockError;
use crate::testing::{Network, SHARD_EPOCH_HEIGHTS};
use consensus::authority::CertificateError;
use primitives::{InboxCursors, SourceAncestry};

const BOUNDARY: u64 = SHARD_EPOCH_HEIGHTS - 1;

fn network() -> Network {
    let mut network = Network::new(2, &[1, 1, 1, 1]);
    network.grow(0, BOUNDARY + 3);
    network.grow(1, 3);
    network
}

/// What the transition says of shard 0's crosslink.
fn refusal(network: &Network, crosslink: Crosslink) -> CrosslinkError {
    match network.build(vec![crosslink], vec![]) {
        Err(BlockError::Crosslink { shard, error }) if shard == ShardId::new(0) => error,
        other => panic!("expected a refused crosslink of shard 0, found {other:?}"),
    }
}

#[test]
fn an_accepted_crosslink_becomes_the_registrys_entry() {
    let mut network = network();
    let crosslink = network.crosslink(0, 3);
    let events = network.step(vec![crosslink.clone()], vec![]).unwrap();
    let (shard, id, height) = (ShardId::new(0), crosslink.header.id(), Height::new(3));
    assert_eq!(events, vec![Event::Accepted { shard, id, height }]);
    let accepted = network.record(0).accepted;
    assert_eq!((accepted.id, accepted.height, accepted.accepted_at), (id, height, Height::new(1)));
    assert_eq!(accepted.history_root, crosslink.header.history_root);
    assert_eq!(accepted.outbox_root, crosslink.header.outbox_root);
    assert_eq!(network.record(1).accepted.height, Height::ZERO);
}

#[test]
fn a_certificate_of_another_header_is_refused() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    crosslink.certificate = network.crosslink(0, 2).certificate;
    let (expected, found) = (crosslink.header.id(), crosslink.certificate.id);
    assert_eq!(refusal(&network, crosslink), CrosslinkError::CertifiedId { expected, found });
}

#[test]
fn a_certificate_of_another_epoch_is_refused() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    crosslink.certificate = network.certify(ShardId::new(0).into(), Epoch::new(1), crosslink.header.id());
    let (expected, found) = (Epoch::ZERO, Epoch::new(1));
    assert_eq!(refusal(&network, crosslink), CrosslinkError::CertifiedEpoch { expected, found });
}

#[test]
fn a_certificate_without_a_quorum_is_refused() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    let authority = network.authority(ShardId::new(0).into(), Epoch::ZERO);
    crosslink.certificate = network.certify_by(&authority, crosslink.header.id(), Some(2));
    let error = CertificateError::NoQuorum { expected: 3, found: 2 };
    let expected = BlockError::Certificate { shard: ShardId::new(0), error };
    assert_eq!(network.build(vec![crosslink], vec![]), Err(expected));
}

#[test]
fn of_several_certificates_the_wrong_one_is_named() {
    let network = network();
    let mut wrong = network.crosslink(1, 2);
    wrong.certificate.signature = network.crosslink(1, 3).certificate.signature;
    let error = BlockError::Certificate { shard: ShardId::new(1), error: CertificateError::Signature };
    assert_eq!(network.build(vec![network.crosslink(0, 2), wrong], vec![]), Err(error));
    assert!(network.build(vec![network.crosslink(0, 2), network.crosslink(1, 2)], vec![]).is_ok());
}

#[test]
fn a_certificate_of_another_shard_is_refused() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    crosslink.certificate = network.certify(ShardId::new(1).into(), Epoch::ZERO, crosslink.header.id());
    let error = BlockError::Certificate { shard: ShardId::new(0), error: CertificateError::Signature };
    assert_eq!(network.build(vec![crosslink], vec![]), Err(error));
}

#[test]
fn cursors_that_the_header_does_not_commit_to_are_refused() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    crosslink.cursors = InboxCursors::new(vec![network.shards[1].cursor(Height::new(1))]).unwrap();
    crosslink.sources = vec![SourceAncestry::Direct(0)];
    let (expected, found) = (crosslink.header.inbox_cursors_root, crosslink.cursors.root());
    assert_eq!(refusal(&network, crosslink), CrosslinkError::CursorsRoot { expected, found });
}

#[test]
fn every_cursor_needs_its_ancestry() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    crosslink.sources = vec![SourceAncestry::Direct(0)];
    assert_eq!(refusal(&network, crosslink), CrosslinkError::Sources { expected: 0, found: 1 });
}

#[test]
fn a_shard_that_does_not_exist_is_refused() {
    let network = network();
    let mut crosslink = network.crosslink(0, 3);
    let shard = ShardId::new(7);
    crosslink.header.shard = shard;
    crosslink.certificate.id = crosslink.header.id();
    let error = BlockError::Crosslink { shard, error: CrosslinkError::NoSuchShard { shard } };
    assert_eq!(network.build(vec![crosslink], vec![]), Err(error));
}

#[test]
fn a_retired_shard_is_refused() {
    let network = network();
    let mut state = network.state().clone();
    let crosslink = network.crosslink(0, 3);
    assert_eq!(check(&network.spec, &state, &crosslink), Ok(()));
    state.shards.write(0).unwrap().status = ShardStatus::Retired;
    let error = CrosslinkError::Retired { shard: ShardId::new(0) };
    assert_eq!(check(&network.spec, &state, &crosslink), Err(error));
}

#[test]
fn the_accepted_header_and_those_below_it_are_refused() {
    let mut network = network();
    let (below, same) = (network.crosslink(0, 2), network.crosslink(0, 3));
    network.step(vec![same.clone()], vec![]).unwrap();
    let accepted = Height::new(3);
    let found = Height::new(2);
    assert_eq!(refusal(&network, below), CrosslinkError::NotAbove { accepted, found });
    assert_eq!(refusal(&network, same), CrosslinkError::NotAbove { accepted, found: accepted });
}

#[test]
fn no_header_of_the_next_epoch_is_accepted_before_the_boundary() {
    let mut network = network();
    let early = network.crosslink(0, BOUNDARY + 1);
    let (expected, found) = (Epoch::ZERO, Epoch::new(1));
    let height = early.header.height;
    assert_eq!(refusal(&network, early), CrosslinkError::Epoch { height, expected, found });
    network.step(vec![network.crosslink(0, BOUNDARY)], vec![]).unwrap();
    network.step(vec![network.crosslink(0, BOUNDARY + 1)], vec![]).unwrap();
    assert_eq!(network.record(0).accepted.epoch, Epoch::new(1));
}

#[test]
fn no_header_of_an_epoch_is_accepted_beyond_its_boundary() {
    let mut network = network();
    network.shards[0].undo_above(Height::new(BOUNDARY));
    network.shards[0].grow(Epoch::ZERO, InboxCursors::default(), 0);
    let late = network.crosslink(0, BOUNDARY + 1);
    let (epoch, last, found) = (Epoch::ZERO, Height::new(BOUNDARY), Height::new(BOUNDARY + 1));
    assert_eq!(refusal(&network, late.clone()), CrosslinkError::BeyondEpoch { epoch, last, found });
    network.step(vec![network.crosslink(0, BOUNDARY)], vec![]).unwrap();
    let error = CrosslinkError::Epoch { height: found, expected: Epoch::new(1), found: epoch };
    assert_eq!(refusal(&network, network.crosslink(0, BOUNDARY + 1)), error);
}

#[test]
fn the_boundary_crosslink_draws_the_epoch_after_the_next() {
    let mut network = network();
    assert_eq!(network.record(0).table.latest().unwrap().epoch, Epoch::new(1));
    let events = network.step(vec![network.crosslink(0, BOUNDARY)], vec![]).unwrap();
    let drawn = events.iter().find_map(|event| match event {
        Event::Drawn { chain, epoch, first_height, committee } => {
            Some((*chain, *epoch, *first_height, committee))
        }
        _ => None,
    });
    let (chain, epoch, first_height, committee) = drawn.unwrap();
    assert_eq!((chain, epoch), (Chain::Shard(ShardId::new(0)), Epoch::new(2)));
    assert_eq!(first_height, Height::new(2 * SHARD_EPOCH_HEIGHTS));
    let entry = *network.record(0).table.latest().unwrap();
    assert_eq!((entry.epoch, entry.committee_root), (epoch, committee.root()));
}

#[test]
fn a_header_below_the_boundary_draws_nothing() {
    let mut network = network();
    network.step(vec![network.crosslink(0, BOUNDARY - 1)], vec![]).unwrap();
    assert_eq!(network.record(0).table.latest().unwrap().epoch, Epoch::new(1));
}

#[test]
fn a_history_without_the_accepted_header_is_refused() {
    let mut network = network();
    network.step(vec![network.crosslink(0, 2)], vec![]).unwrap();
    // Another branch from height 1 on: it has its own height 2.
    network.shards[0].undo_above(Height::new(1));
    let cursors = InboxCursors::default();
    for _ in 0..3 {
        network.shards[0].grow(Epoch::ZERO, cursors.clone(), 9);
    }
    let error = CrosslinkError::History(HistoryError::Path { ancestor: Height::new(2) });
    assert_eq!(refusal(&network, network.crosslink(0, 4)), error);
}

#[test]
fn a_history_proof_of_another_header_is_refused() {
    let mut network = network();
    let stale = network.crosslink(0, 3);
    network.step(vec![network.crosslink(0, 2)], vec![]).unwrap();
    let error = CrosslinkError::History(HistoryError::LeafIndex { expected: Height::new(2), found: 0 });
    assert_eq!(refusal(&network, stale), error);
    let mut other = network.crosslink(0, 4);
    other.history = network.crosslink(0, 3).history;
    let error = CrosslinkError::History(HistoryError::LeafCount { expected: Height::new(4), found: 3 });
    assert_eq!(refusal(&network, other), error);
}

#[test]
fn a_cursor_never_falls() {
    let mut network = Network::new(2, &[1, 1, 1, 1]);
    network.grow(1, 3);
    network.consume(0, &[(1, 2)]);
    network.step(vec![network.crosslink(0, 1), network.crosslink(1, 2)], vec![]).unwrap();

    let before = network.shards[1].cursor(Height::new(2));
    let fell = CrosslinkError::CursorFell { source_chain: before.source, height: before.height, sequence: 2 };
    let mut lower = before;
    lower.sequence = 1;
    let mut elsewhere = before;
    elsewhere.id = B256::repeat_byte(1);
    let back = network.shards[1].cursor(Height::new(1));
    for cursors in [vec![lower], vec![elsewhere], vec![back], vec![]] {
        network.shards[0].undo_above(Height::new(1));
        network.grow_with(0, InboxCursors::new(cursors).unwrap());
        assert_eq!(refusal(&network, network.crosslink(0, 2)), fell);
    }

    network.shards[0].undo_above(Height::new(1));
    let mut onward = before;
    onward.sequence = 5;
    network.grow_with(0, InboxCursors::new(vec![onward]).unwrap());
    network.step(vec![network.crosslink(0, 2)], vec![]).unwrap();
    let progress = network.state().progress(ShardId::new(0)).unwrap();
    assert_eq!(progress.cursors.as_slice(), [onward]);
}
