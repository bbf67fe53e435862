use super::*;
use crate::BlockError;
use crate::proposal::choose_disputes;
use crate::testing::{Brought, Network, SimShard};
use primitives::{CertifiedShardHeader, Conflict, Divergence, InboxCursors, View};

const SOURCE: ShardId = ShardId::ZERO;
const CONSUMER: ShardId = ShardId::new(1);
const THIRD: ShardId = ShardId::new(2);

/// Shard 0 is accepted up to height 2 and forked at 3; shard 1 consumed from the rival at its height 2; shard 2 from
/// that at its height 3.
struct Forked {
    network: Network,
    rival: SimShard,
    conflict: Conflict,
    consumer: Consumption,
    third: Consumption,
}

fn forked() -> Forked {
    let mut network = Network::new(3, &[1; 4]);
    network.grow(0, 2);
    network.accept(0);
    let mut rival = network.shards[0].clone();
    for _ in 0..2 {
        rival.grow(Epoch::ZERO, InboxCursors::default(), 9);
    }
    network.grow(0, 2);
    let kept = std::mem::replace(&mut network.shards[0], rival.clone());
    network.grow(1, 1);
    network.consume(1, &[(0, 3)]);
    network.grow(2, 2);
    network.consume(2, &[(1, 2)]);
    network.shards[0] = kept.clone();
    let conflict = network.conflict((&kept, 3), (&rival, 3));
    let consumer = network.consumption((&network.shards[1], 2), SOURCE);
    let third = network.consumption((&network.shards[2], 3), CONSUMER);
    Forked { network, rival, conflict, consumer, third }
}

fn brought(conflict: &Conflict, consumptions: &[&Consumption]) -> Brought {
    let consumptions = consumptions.iter().map(|consumption| (*consumption).clone()).collect();
    Brought { conflicts: vec![conflict.clone()], consumptions, ..Brought::default() }
}

fn ended(events: &[Event]) -> Vec<(u32, u64, EndCause)> {
    let end = |event: &Event| match event {
        Event::EarlyEnd { shard, last, cause, .. } => Some((shard.get(), last.height.get(), *cause)),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

#[test]
fn a_consumer_is_taken_back_in_the_same_block() {
    let Forked { mut network, conflict, consumer, .. } = forked();
    let events = network.step_of(brought(&conflict, &[&consumer])).unwrap();
    assert_eq!(ended(&events), [(0, 2, EndCause::Conflict), (1, 0, EndCause::Consumption)]);
    // It consumes from the branch that is left, and is accepted again.
    network.shards[0].undo_above(Height::new(2));
    network.shards[1].undo_above(Height::ZERO);
    network.grow(0, 1);
    network.consume(1, &[(0, 3)]);
    network.step(network.choose(&[(0, &[3]), (1, &[1])]), vec![]).unwrap();
    assert_eq!(network.record(1).accepted.height, Height::new(1));
}

#[test]
fn who_consumed_from_a_consumer_is_taken_back_with_it() {
    let Forked { mut network, conflict, consumer, third, .. } = forked();
    let events = network.step_of(brought(&conflict, &[&consumer, &third])).unwrap();
    let causes: Vec<_> = ended(&events).iter().map(|(shard, _, cause)| (*shard, *cause)).collect();
    assert_eq!(causes, [(0, EndCause::Conflict), (1, EndCause::Consumption), (2, EndCause::Consumption)]);
}

/// Without the consumer's own end before it, what the third consumed is not void.
#[test]
fn a_consumption_stands_after_what_it_depends_on() {
    let Forked { network, conflict, consumer, third, .. } = forked();
    let error = ConsumptionError::NotVoid {
        source_shard: CONSUMER,
        height: Height::new(2),
        ruling: Epoch::ZERO,
        found: Epoch::ZERO,
    };
    let expected = Err(BlockError::Consumption { shard: THIRD, error });
    assert_eq!(network.build_of(brought(&conflict, &[&third, &consumer])), expected);
}

/// Whatever the order in which they are offered, they are chosen in one that is valid, beside what is worthless.
#[test]
fn the_proposer_puts_consumptions_in_order() {
    let Forked { mut network, conflict, consumer, third, .. } = forked();
    let nothing = network.consumption((&network.shards[1], 2), THIRD);
    let mut unsigned = conflict.clone();
    unsigned.second.certificate.view = View::new(7);
    let disputes = choose_disputes(
        &network.spec,
        network.state(),
        [&unsigned, &conflict, &conflict],
        [&third, &nothing, &consumer, &consumer],
        &network.committees,
    );
    assert_eq!(
        (&disputes.conflicts[..], &disputes.consumptions[..]),
        (&[conflict][..], &[consumer, third][..])
    );
    // Above them, no crosslink of the disputed epochs is chosen.
    let candidates = [(SOURCE, vec![network.crosslink(0, 3)])].into();
    let chosen = crate::proposal::choose_crosslinks(
        &network.spec,
        &disputes.state,
        &candidates,
        &network.committees,
        &network.shards,
    );
    assert_eq!(chosen, []);
    let (conflicts, consumptions) = (disputes.conflicts, disputes.consumptions);
    network.step_of(Brought { conflicts, consumptions, ..Brought::default() }).unwrap();
}

#[test]
fn a_consumer_that_was_left_out_follows_in_a_later_block() {
    let Forked { mut network, conflict, consumer, .. } = forked();
    network.step_of(brought(&conflict, &[])).unwrap();
    network.idle(1);
    let consumptions = vec![consumer.clone()];
    let events = network.step_of(Brought { consumptions, ..Brought::default() }).unwrap();
    assert_eq!(ended(&events), [(1, 0, EndCause::Consumption)]);
    let error = ConsumptionError::Outdated { shard: CONSUMER, expected: Epoch::new(2), found: Epoch::ZERO };
    assert_eq!(check(network.state(), &consumer), Err(error));
}

#[test]
fn without_a_conflict_nothing_that_was_consumed_is_void() {
    let Forked { network, consumer, .. } = forked();
    let error = ConsumptionError::NotVoid {
        source_shard: SOURCE,
        height: Height::new(3),
        ruling: Epoch::ZERO,
        found: Epoch::ZERO,
    };
    assert_eq!(check(network.state(), &consumer), Err(error));
}

/// Shard 0's other branch is accepted up to `accepted`: what shard 1 consumed from can never be.
fn bypassed(accepted: u64) -> (Network, Consumption, SimShard) {
    let Forked { mut network, rival, mut consumer, .. } = forked();
    network.step(vec![network.crosslink(0, accepted)], vec![]).unwrap();
    let divergence = network.shards[0].divergence(accepted, 3);
    consumer.source = VoidSource::Bypassed(Bypassed { shard: SOURCE, divergence });
    (network, consumer, rival)
}

#[test]
fn what_the_accepted_header_excludes_is_void_without_a_conflict() {
    for accepted in [3, 4] {
        let (mut network, consumer, _) = bypassed(accepted);
        let consumptions = vec![consumer];
        let events = network.step_of(Brought { consumptions, ..Brought::default() }).unwrap();
        assert_eq!(ended(&events), [(1, 0, EndCause::Consumption)]);
    }
}

#[test]
fn what_the_accepted_header_descends_from_is_not_void() {
    let (mut network, _, _) = bypassed(4);
    network.shards[1].undo_above(Height::new(1));
    network.consume(1, &[(0, 3)]);
    let mut honest = network.consumption((&network.shards[1], 2), SOURCE);
    let not_above = ConsumptionError::SourceNotAbove {
        source_shard: SOURCE,
        accepted: Height::new(4),
        found: Height::new(3),
    };
    assert_eq!(check(network.state(), &honest), Err(not_above));
    let divergence = network.shards[0].divergence(4, 3);
    honest.source = VoidSource::Bypassed(Bypassed { shard: SOURCE, divergence });
    let (height, id) = (Height::new(3), network.shards[0].id(Height::new(3)));
    let error = DivergenceError::SameHeader { height, id };
    assert_eq!(
        check(network.state(), &honest),
        Err(ConsumptionError::Divergence { source_shard: SOURCE, error })
    );
    honest.source = VoidSource::Bypassed(Bypassed { shard: SOURCE, divergence: Divergence::SameHeight(0) });
    let error = DivergenceError::Heights { expected: height, found: Height::new(4) };
    assert_eq!(
        check(network.state(), &honest),
        Err(ConsumptionError::Divergence { source_shard: SOURCE, error })
    );
}

/// A header of an epoch that the beacon chain is still to come to is not void: only a lower number can have ended.
#[test]
fn a_header_of_a_coming_epoch_is_not_void() {
    let Forked { mut network, conflict, mut consumer, .. } = forked();
    network.step_of(brought(&conflict, &[])).unwrap();
    let coming =
        consumer.cursors.as_slice().iter().map(|cursor| InboxCursor { epoch: Epoch::new(3), ..*cursor });
    consumer.cursors = InboxCursors::new(coming.collect()).unwrap();
    let error = ConsumptionError::NotVoid {
        source_shard: SOURCE,
        height: Height::new(3),
        ruling: Epoch::new(2),
        found: Epoch::new(3),
    };
    assert_eq!(check(network.state(), &consumer), Err(error));
}

#[test]
fn every_wrong_field_is_refused_by_its_own_error() {
    let Forked { mut network, conflict, consumer, .. } = forked();
    network.step_of(brought(&conflict, &[])).unwrap();
    assert_eq!(verify(&consumer).and_then(|()| check(network.state(), &consumer)), Ok(()));
    let refused = |change: &dyn Fn(&mut Consumption)| {
        let mut changed = consumer.clone();
        change(&mut changed);
        verify(&changed).expect_err("changed")
    };
    let recertify = |certified: &mut CertifiedShardHeader| certified.certificate.id = certified.header.id();
    let id = consumer.certified.certificate.id;

    let found = B256::repeat_byte(9);
    let changed = refused(&|changed| changed.certified.certificate.id = found);
    assert_eq!(changed, CertifiedError::Id { expected: id, found }.into());
    let changed = refused(&|changed| changed.certified.certificate.epoch = Epoch::new(4));
    assert_eq!(changed, CertifiedError::Epoch { expected: Epoch::ZERO, found: Epoch::new(4) }.into());
    let root = consumer.cursors.root();
    let changed = refused(&|changed| {
        changed.certified.header.inbox_cursors_root = found;
        recertify(&mut changed.certified);
    });
    assert_eq!(changed, ConsumptionError::CursorsRoot { expected: found, found: root });
    let changed = refused(&|changed| {
        changed.cursors = InboxCursors::default();
        changed.certified.header.inbox_cursors_root = changed.cursors.root();
        recertify(&mut changed.certified);
    });
    assert_eq!(changed, ConsumptionError::NoCursor { source_shard: SOURCE });
    let changed = refused(&|changed| changed.source = VoidSource::Ended(THIRD));
    assert_eq!(changed, ConsumptionError::NoCursor { source_shard: THIRD });

    let mut elsewhere = consumer.clone();
    elsewhere.certified.header.shard = ShardId::new(9);
    let error = ConsumptionError::NoSuchShard { shard: ShardId::new(9) };
    assert_eq!(check(network.state(), &elsewhere), Err(error));
    let mut low = consumer.clone();
    low.certified.header.height = Height::ZERO;
    let error = ConsumptionError::NotAbove { shard: CONSUMER, accepted: Height::ZERO, found: Height::ZERO };
    assert_eq!(check(network.state(), &low), Err(error));
}

#[test]
fn consumptions_are_certified_and_within_the_limit() {
    let Forked { mut network, conflict, mut consumer, third, .. } = forked();
    let both = brought(&conflict, &[&consumer, &third]);
    network.spec.consumptions_max = 1;
    assert_eq!(network.build_of(both), Err(BlockError::TooManyConsumptions { max: 1, found: 2 }));
    consumer.certified.certificate.view = View::new(8);
    let found = network.build_of(brought(&conflict, &[&consumer])).expect_err("signed for another view");
    assert!(matches!(found, BlockError::DisputedCertificate { shard: CONSUMER, .. }), "{found}");
}
