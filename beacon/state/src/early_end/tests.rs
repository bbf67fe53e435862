use crate::operation::crosslink::CrosslinkError;
use crate::testing::{Network, SHARD_EPOCH_HEIGHTS, STALL_HEIGHTS};
use crate::{BlockError, EndCause, Event};
use primitives::{Chain, Epoch, Height, ShardId};

const SHARD: ShardId = ShardId::new(0);

fn ends(events: &[Event]) -> Vec<(Epoch, Epoch, Height)> {
    let end = |event: &Event| match event {
        Event::EarlyEnd { shard: SHARD, epoch, successor, last, cause: EndCause::Stall } => {
            Some((*epoch, *successor, last.height))
        }
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

fn entries(network: &Network) -> Vec<(u64, u64)> {
    let entries = network.record(0).table.entries();
    entries.iter().map(|entry| (entry.epoch.get(), entry.first_height.get())).collect()
}

#[test]
fn a_stalled_shard_gets_a_fresh_committee_one_height_above_the_accepted_header() {
    let mut network = Network::new(1, &[10, 10, 10, 10]);
    network.spec.seats_target = 8;
    network.grow(0, 3);
    network.accept(0);
    assert_eq!(ends(&network.idle(STALL_HEIGHTS - 1)), []);
    assert_eq!(network.record(0).early_ends, 0);

    let events = network.idle(1);
    assert_eq!(ends(&events), [(Epoch::ZERO, Epoch::new(2), Height::new(3))]);
    let drawn: Vec<_> = (events.iter())
        .filter_map(|event| match event {
            Event::Drawn { chain: Chain::Shard(SHARD), epoch, .. } => Some(epoch.get()),
            _ => None,
        })
        .collect();
    assert_eq!(drawn, [2, 3]);
    assert_eq!(entries(&network), [(0, 0), (2, 4), (3, 4 + SHARD_EPOCH_HEIGHTS)]);
    assert_eq!(network.record(0).early_ends, 1);
    let roots: Vec<_> = network.record(0).table.entries().iter().map(|entry| entry.committee_root).collect();
    assert_ne!(roots[0], roots[1]);
}

#[test]
fn certificates_of_the_ended_epoch_are_void_and_the_fresh_committee_goes_on() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    network.grow(0, 5);
    network.step(vec![network.crosslink(0, 3)], vec![]).unwrap();
    let void = network.crosslink(0, 5);
    network.idle(STALL_HEIGHTS);
    let error = CrosslinkError::Epoch { height: Height::new(5), expected: Epoch::new(2), found: Epoch::ZERO };
    assert_eq!(network.build(vec![void], vec![]), Err(BlockError::Crosslink { shard: SHARD, error }));

    network.shards[0].undo_above(Height::new(3));
    network.grow(0, 2);
    network.accept(0);
    let accepted = network.record(0).accepted;
    assert_eq!((accepted.height, accepted.epoch), (Height::new(5), Epoch::new(2)));
    let last = 4 + SHARD_EPOCH_HEIGHTS - 1;
    network.grow(0, last - 5);
    network.accept(0);
    assert_eq!(entries(&network).last(), Some(&(4, 4 + 2 * SHARD_EPOCH_HEIGHTS)));
}

#[test]
fn an_epoch_that_never_started_leaves_the_table_and_its_number_is_not_used_again() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    network.idle(STALL_HEIGHTS);
    assert_eq!(entries(&network), [(0, 0), (2, 1), (3, 1 + SHARD_EPOCH_HEIGHTS)]);
    let events = network.idle(STALL_HEIGHTS);
    assert_eq!(ends(&events), [(Epoch::new(2), Epoch::new(4), Height::ZERO)]);
    assert_eq!(entries(&network), [(0, 0), (4, 1), (5, 1 + SHARD_EPOCH_HEIGHTS)]);
    let voided = network.state().progress(SHARD).unwrap().voided().iter().map(|entry| entry.epoch.get());
    assert_eq!(voided.collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_shard_that_stalls_at_its_boundary_loses_the_epoch_that_could_not_start() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    network.grow(0, SHARD_EPOCH_HEIGHTS - 1);
    network.accept(0);
    let before = network.record(0).accepted.height;
    let events = network.idle(STALL_HEIGHTS);
    assert_eq!(ends(&events), [(Epoch::new(1), Epoch::new(3), before)]);
    assert_eq!(entries(&network), [(0, 0), (3, SHARD_EPOCH_HEIGHTS), (4, 2 * SHARD_EPOCH_HEIGHTS)]);
}

#[test]
fn a_crosslink_in_time_keeps_the_committee() {
    let mut network = Network::new(2, &[1, 1, 1, 1]);
    network.grow(0, 2);
    network.step(vec![network.crosslink(0, 1)], vec![]).unwrap();
    network.idle(STALL_HEIGHTS - 1);
    assert_eq!(ends(&network.accept(0)), []);
    assert_eq!(network.record(0).early_ends, 0);
    // The other shard never brought anything.
    assert_eq!(network.record(1).early_ends, 1);
}

#[test]
fn the_committee_of_an_ended_shard_has_no_units_of_the_slashed() {
    let mut network = Network::new(1, &[1, 1, 1, 1, 1]);
    let evidence = network.equivocation(Chain::Shard(SHARD), 0, 2, 1);
    let guilty = network.authority(Chain::Shard(SHARD), Epoch::ZERO).committee().seats()[2].validator;
    network.step(vec![], vec![evidence]).unwrap();
    network.idle(STALL_HEIGHTS - 1);
    let fresh = network.authority(Chain::Shard(SHARD), Epoch::new(2));
    assert_eq!(fresh.committee().len(), 4);
    assert!(fresh.committee().seats().iter().all(|seat| seat.validator != guilty));
}
