use super::*;
use crate::testing::{Network, spec};
use primitives::{Committee, ShardId, ValidatorIndex};
use std::num::NonZeroU64;

const STAKES: [u32; 8] = [10, 5, 3, 2, 2, 1, 1, 1];
const SEATS: u32 = 8;
const EPOCHS: u64 = 200;

/// Pearson's statistic of `found` against counts in proportion to the stakes.
fn chi_square(found: &[u64; 8]) -> f64 {
    let (stakes, total) = (f64::from(STAKES.iter().sum::<u32>()), found.iter().sum::<u64>() as f64);
    (STAKES.iter().zip(found))
        .map(|(stake, found)| {
            let expected = total * f64::from(*stake) / stakes;
            (*found as f64 - expected).powi(2) / expected
        })
        .sum()
}

fn seats_by_validator(committees: &[Committee]) -> [u64; 8] {
    let mut counts = [0; 8];
    for seat in committees.iter().flat_map(Committee::seats) {
        counts[seat.validator.get() as usize] += 1;
    }
    counts
}

fn drawn(events: &[Event], of: Chain) -> impl Iterator<Item = Committee> + '_ {
    events.iter().filter_map(move |event| match event {
        Event::Drawn { chain, committee, .. } if *chain == of => Some(committee.clone()),
        _ => None,
    })
}

/// The 5 % quantile with 7 degrees of freedom is 14.07; drawing without replacement varies less still.
#[test]
fn over_200_epochs_seats_are_proportional_to_stake_and_membership_changes_every_epoch() {
    let mut spec = spec(1);
    spec.seats_target = SEATS;
    spec.beacon_epoch_heights = NonZeroU64::MIN;
    spec.shard_epoch_heights = NonZeroU64::MIN;
    let mut network = Network::with_spec(spec, &STAKES);
    let shard = Chain::Shard(ShardId::new(0));
    network.shards[0].undo_above(Height::ZERO);
    let (mut of_beacon, mut of_shard) = (Vec::new(), Vec::new());
    for _ in 0..EPOCHS {
        network.grow(0, 1);
        let events = network.accept(0);
        of_beacon.extend(drawn(&events, Chain::Beacon));
        of_shard.extend(drawn(&events, shard));
    }
    for committees in [of_beacon, of_shard] {
        assert_eq!(committees.len() as u64, EPOCHS);
        assert!(committees.iter().all(|committee| committee.len() == SEATS));
        assert!(committees.windows(2).all(|pair| pair[0].root() != pair[1].root()));
        let counts = seats_by_validator(&committees);
        assert!(chi_square(&counts) < 14.07, "{counts:?}");
    }
}

#[test]
fn seats_that_ignore_stake_would_be_noticed() {
    assert!(chi_square(&[EPOCHS; 8]) > 1000.0);
}

#[test]
fn two_chains_and_two_epochs_have_different_committees() {
    let mut network = Network::new(2, &STAKES);
    network.spec.seats_target = SEATS;
    let lottery = Lottery::new(&network.spec, network.state().mix());
    let draw = |chain: Chain, count| {
        let (mut table, mut events) = (EpochTable::default(), Vec::new());
        for _ in 0..count {
            lottery.draw_next(network.state(), chain, &mut table, &mut events).unwrap();
        }
        drawn(&events, chain).map(|committee| validators(&committee)).collect::<Vec<_>>()
    };
    let (zero, one) = (draw(ShardId::new(0).into(), 2), draw(ShardId::new(1).into(), 1));
    assert_ne!(zero[0], zero[1]);
    assert_ne!(zero[0], one[0]);
    assert_eq!(zero, draw(ShardId::new(0).into(), 2));
}

fn validators(committee: &Committee) -> Vec<(primitives::PublicKeyBytes, ValidatorIndex)> {
    committee.seats().iter().map(|seat| (seat.key, seat.validator)).collect()
}

#[test]
fn a_draw_without_seats_to_fill_is_refused() {
    let mut network = Network::new(1, &[1, 1]);
    network.spec.seats_target = 0;
    let lottery = Lottery::new(&network.spec, network.state().mix());
    let mut table = EpochTable::default();
    let error = lottery.draw_next(network.state(), Chain::Beacon, &mut table, &mut Vec::new()).unwrap_err();
    let expected = DrawError::NoCommittee { chain: Chain::Beacon, epoch: Epoch::ZERO, target: 0, units: 2 };
    assert_eq!((error, table), (expected, EpochTable::default()));
}

#[test]
fn an_epoch_that_starts_below_the_last_one_is_refused() {
    let network = Network::new(1, &[1, 1]);
    let lottery = Lottery::new(&network.spec, network.state().mix());
    let mut table = network.state().beacon_table().clone();
    let (chain, epoch, height) = (Chain::Beacon, Epoch::new(2), Height::new(1));
    let error = lottery.draw(network.state(), chain, &mut table, epoch, height, &mut Vec::new()).unwrap_err();
    assert_eq!(error, DrawError::Exhausted { chain, epoch, height });
}
