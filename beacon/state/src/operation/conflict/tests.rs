use super::*;
use crate::operation::crosslink::CrosslinkError;
use crate::testing::{Brought, Network, STALL_HEIGHTS, SimShard};
use crate::{BlockError, Offence};
use consensus::authority::CertificateError;
use consensus::history::HistoryError;
use primitives::{B256, Chain, Divergence, Height, ValidatorIndex, View};

const SHARD: ShardId = ShardId::new(0);

/// A shard accepted up to height 3, with two branches up to height 6.
fn forked(stakes: &[u32]) -> (Network, SimShard, SimShard) {
    let mut network = Network::new(1, stakes);
    network.grow(0, 3);
    network.accept(0);
    let mut branches = [network.shards[0].clone(), network.shards[0].clone()];
    for (branch, salt) in branches.iter_mut().zip([1, 2]) {
        for _ in 0..3 {
            branch.grow(Epoch::ZERO, Default::default(), salt);
        }
    }
    let [kept, rival] = branches;
    network.shards[0] = kept.clone();
    (network, kept, rival)
}

fn bring(network: &mut Network, conflict: Conflict) -> Result<Vec<Event>, BlockError> {
    network.step_of(Brought { conflicts: vec![conflict], ..Brought::default() })
}

fn ends(events: &[Event]) -> Vec<(u64, u64, u64, EndCause)> {
    let end = |event: &Event| match event {
        Event::EarlyEnd { shard: SHARD, epoch, successor, last, cause } => {
            Some((epoch.get(), successor.get(), last.height.get(), *cause))
        }
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

fn slashed(events: &[Event]) -> Vec<u64> {
    let guilty = |event: &Event| match event {
        Event::Slashed { validator, .. } => Some(validator.get()),
        _ => None,
    };
    let mut guilty: Vec<_> = events.iter().filter_map(guilty).collect();
    guilty.sort_unstable();
    guilty
}

#[test]
fn two_headers_at_one_height_end_the_epoch_at_the_accepted_header() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    let conflict = network.conflict((&kept, 4), (&rival, 4));
    let events = bring(&mut network, conflict).unwrap();
    assert_eq!(ends(&events), [(0, 2, 3, EndCause::Conflict)]);
    assert_eq!(network.record(0).early_ends, 1);
    // The certificates are of different views: they tell nobody's guilt.
    assert!(slashed(&events).is_empty());
    // The next committee goes on above the accepted header.
    network.shards[0].undo_above(Height::new(3));
    network.grow(0, 2);
    network.accept(0);
    assert_eq!((network.record(0).accepted.height.get(), network.record(0).accepted.epoch.get()), (5, 2));
}

#[test]
fn a_higher_header_that_descends_from_another_conflicts() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    let conflict = network.conflict((&kept, 4), (&rival, 6));
    assert_eq!(ends(&bring(&mut network, conflict).unwrap()), [(0, 2, 3, EndCause::Conflict)]);
}

#[test]
fn a_branch_that_is_accepted_in_part_keeps_that_part() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    network.step(vec![network.crosslink(0, 5)], vec![]).unwrap();
    let conflict = network.conflict((&kept, 4), (&rival, 4));
    assert_eq!(ends(&bring(&mut network, conflict).unwrap()), [(0, 2, 5, EndCause::Conflict)]);
    assert_eq!(network.record(0).accepted.id, kept.id(Height::new(5)));
}

#[test]
fn neither_branch_is_accepted_in_the_block_that_brings_the_conflict() {
    let (network, kept, rival) = forked(&[1; 4]);
    let conflicts = vec![network.conflict((&kept, 4), (&rival, 4))];
    let crosslinks = vec![network.crosslink(0, 5)];
    let error = CrosslinkError::Epoch { height: Height::new(5), expected: Epoch::new(2), found: Epoch::ZERO };
    assert_eq!(
        network.build_of(Brought { conflicts, crosslinks, ..Brought::default() }),
        Err(BlockError::Crosslink { shard: SHARD, error })
    );
}

/// Who signed both certificates of one view finalized two headers in it; who signed one of them did not.
#[test]
fn certificates_of_one_view_slash_exactly_those_who_signed_both() {
    let (mut network, kept, rival) = forked(&[1; 7]);
    let authority = network.authority(Chain::Shard(SHARD), Epoch::ZERO);
    let mut conflict = network.conflict((&kept, 4), (&rival, 4));
    let view = View::new(5);
    for (certified, seats) in
        [(&mut conflict.first, [0, 1, 2, 3, 4]), (&mut conflict.second, [2, 3, 4, 5, 6])]
    {
        certified.certificate = network.certify_in(&authority, certified.certificate.id, view, &seats);
    }
    let validators = |seats: &[usize]| {
        let mut validators: Vec<_> =
            seats.iter().map(|seat| authority.committee().seats()[*seat].validator.get()).collect();
        validators.sort_unstable();
        validators
    };
    let events = bring(&mut network, conflict).unwrap();
    assert_eq!(slashed(&events), validators(&[2, 3, 4]));
    assert_eq!(network.state().stake().burned_units, 3);
    // The committee that takes over has none of them.
    let fresh = network.authority(Chain::Shard(SHARD), Epoch::new(2));
    let mut seated: Vec<_> = fresh.committee().seats().iter().map(|seat| seat.validator.get()).collect();
    seated.sort_unstable();
    assert_eq!(seated, validators(&[0, 1, 5, 6]));
}

/// Whoever was punished by evidence of the same view is not punished again by the conflict.
#[test]
fn an_offence_costs_once_whoever_proves_it() {
    let (mut network, kept, rival) = forked(&[1; 7]);
    network.spec.slash_permille = 0;
    let authority = network.authority(Chain::Shard(SHARD), Epoch::ZERO);
    let evidence = network.equivocation(Chain::Shard(SHARD), 0, 1, 1);
    let known = authority.committee().seats()[1].validator;
    network.step(vec![], vec![evidence]).unwrap();
    let mut conflict = network.conflict((&kept, 4), (&rival, 4));
    conflict.second.certificate.view = View::new(1);
    let seats: Vec<_> = (0..authority.quorum()).collect();
    conflict.second.certificate =
        network.certify_in(&authority, conflict.second.certificate.id, View::new(1), &seats);
    let guilty = slashed(&bring(&mut network, conflict).unwrap());
    assert_eq!(guilty.len(), seats.len() - 1);
    assert!(!guilty.contains(&known.get()));
    let offence =
        |validator| Offence { chain: SHARD.into(), epoch: Epoch::ZERO, view: View::new(1), validator };
    let remembered: Vec<_> = network.state().offences().copied().collect();
    assert!(guilty.iter().all(|validator| remembered.contains(&offence(ValidatorIndex::new(*validator)))));
}

#[test]
fn a_conflict_counts_once() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    let conflict = network.conflict((&kept, 4), (&rival, 4));
    bring(&mut network, conflict.clone()).unwrap();
    let error = ConflictError::Outdated { shard: SHARD, expected: Epoch::new(2), found: Epoch::ZERO };
    assert_eq!(bring(&mut network, conflict), Err(BlockError::Conflict { shard: SHARD, error }));
}

#[test]
fn a_conflict_of_an_epoch_that_stalled_is_outdated() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    network.idle(STALL_HEIGHTS);
    let conflict = network.conflict((&kept, 4), (&rival, 4));
    let error = ConflictError::Outdated { shard: SHARD, expected: Epoch::new(2), found: Epoch::ZERO };
    assert_eq!(check(network.state(), &conflict), Err(error));
}

/// Changes one thing and expects its own error.
#[test]
fn every_wrong_field_is_refused_by_its_own_error() {
    let (network, kept, rival) = forked(&[1; 4]);
    let level = network.conflict((&kept, 4), (&rival, 4));
    let above = network.conflict((&kept, 4), (&rival, 6));
    assert_eq!((verify(&level), verify(&above)), (Ok(()), Ok(())));
    let refused = |conflict: &Conflict, change: fn(&mut Conflict)| {
        let mut changed = conflict.clone();
        change(&mut changed);
        verify(&changed).expect_err("changed")
    };
    let (first, second) = (level.first.certificate.id, level.second.certificate.id);
    let other = B256::repeat_byte(9);

    let id = |expected| CertifiedError::Id { expected, found: B256::repeat_byte(9) };
    let changed = refused(&level, |conflict| conflict.first.certificate.id = B256::repeat_byte(9));
    assert_eq!(changed, ConflictError::First(id(first)));
    let changed = refused(&level, |conflict| conflict.second.certificate.id = B256::repeat_byte(9));
    assert_eq!(changed, ConflictError::Second(id(second)));
    let changed = refused(&level, |conflict| conflict.first.certificate.epoch = Epoch::new(1));
    let epoch = CertifiedError::Epoch { expected: Epoch::ZERO, found: Epoch::new(1) };
    assert_eq!(changed, ConflictError::First(epoch));
    let changed = refused(&level, |conflict| {
        conflict.second.header.shard = ShardId::new(1);
        conflict.second.certificate.id = conflict.second.header.id();
    });
    assert_eq!(changed, ConflictError::Shards { first: SHARD, second: ShardId::new(1) });
    let changed = refused(&level, |conflict| {
        conflict.second.header.epoch = Epoch::new(1);
        conflict.second.certificate.epoch = Epoch::new(1);
        conflict.second.certificate.id = conflict.second.header.id();
    });
    assert_eq!(changed, ConflictError::Epochs { first: Epoch::ZERO, second: Epoch::new(1) });

    let changed = refused(&level, |conflict| conflict.divergence = Divergence::SameHeight(1));
    assert_eq!(changed, DivergenceError::NotZero { found: 1 }.into());
    let changed = refused(&level, |conflict| conflict.second = conflict.first.clone());
    assert_eq!(changed, DivergenceError::SameHeader { height: Height::new(4), id: first }.into());
    let changed = refused(&above, |conflict| conflict.divergence = Divergence::SameHeight(0));
    let heights = DivergenceError::Heights { expected: Height::new(4), found: Height::new(6) };
    assert_eq!(changed, heights.into());
    let changed = refused(&above, |conflict| std::mem::swap(&mut conflict.first, &mut conflict.second));
    let below = HistoryError::NotBelow { descendant: Height::new(4), ancestor: Height::new(6) };
    assert_eq!(changed, DivergenceError::from(below).into());

    let mut forged = above.clone();
    forged.divergence = kept.divergence(6, 4);
    let path = HistoryError::Path { ancestor: Height::new(4) };
    assert_eq!(verify(&forged), Err(DivergenceError::from(path).into()));
    let Divergence::Below(ancestor) = &mut forged.divergence else { panic!("it is below") };
    ancestor.id = other;
    assert_eq!(verify(&forged), Err(DivergenceError::from(path).into()));
    // A header does not exclude its own ancestor.
    let mut honest = network.conflict((&rival, 4), (&rival, 6));
    honest.divergence = rival.divergence(6, 4);
    assert_eq!(
        verify(&honest),
        Err(DivergenceError::SameHeader { height: Height::new(4), id: second }.into())
    );
}

#[test]
fn a_conflict_of_a_shard_that_does_not_exist_is_refused() {
    let (network, kept, rival) = forked(&[1; 4]);
    let mut conflict = network.conflict((&kept, 4), (&rival, 4));
    let shard = ShardId::new(7);
    conflict.first.header.shard = shard;
    assert_eq!(check(network.state(), &conflict), Err(ConflictError::NoSuchShard { shard }));
}

#[test]
fn certificates_without_a_quorum_end_nothing() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    let authority = network.authority(Chain::Shard(SHARD), Epoch::ZERO);
    let mut conflict = network.conflict((&kept, 4), (&rival, 4));
    let id = conflict.second.certificate.id;
    conflict.second.certificate = network.certify_by(&authority, id, Some(2));
    let found = bring(&mut network, conflict).expect_err("two of four");
    let BlockError::DisputedCertificate { shard: SHARD, error } = found else { panic!("{found}") };
    assert!(matches!(error, CertificateError::NoQuorum { .. }), "{error}");
}

#[test]
fn conflicts_stand_in_order_and_within_the_limit() {
    let (mut network, kept, rival) = forked(&[1; 4]);
    let conflict = network.conflict((&kept, 4), (&rival, 4));
    let twice = Brought { conflicts: vec![conflict.clone(), conflict.clone()], ..Brought::default() };
    assert_eq!(
        network.build_of(twice.clone()),
        Err(BlockError::ConflictOrder { previous: SHARD, found: SHARD })
    );
    network.spec.conflicts_max = 1;
    assert_eq!(network.build_of(twice), Err(BlockError::TooManyConflicts { max: 1, found: 2 }));
}
