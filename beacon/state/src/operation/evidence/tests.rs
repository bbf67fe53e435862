use super::*;
use crate::BlockError;
use crate::state::Stake;
use crate::testing::{Network, STALL_HEIGHTS};
use primitives::{ShardId, Vote, VoteKind};

fn refusal(network: &Network, evidence: Evidence) -> EvidenceError {
    match network.build(vec![], vec![evidence]) {
        Err(BlockError::Evidence { index: 0, error }) => error,
        other => panic!("expected refused evidence, found {other:?}"),
    }
}

fn guilty(network: &Network, chain: Chain, seat: usize) -> ValidatorIndex {
    network.authority(chain, Epoch::ZERO).committee().seats()[seat].validator
}

#[test]
fn an_equivocator_loses_its_units_and_is_in_no_later_draw() {
    let mut network = Network::new(1, &[2, 2, 2, 2]);
    let chain = Chain::Shard(ShardId::new(0));
    let validator = guilty(&network, chain, 3);
    let evidence = network.equivocation(chain, 0, 3, 5);
    let events = network.step(vec![], vec![evidence]).unwrap();
    let (epoch, view) = (Epoch::ZERO, View::new(5));
    assert_eq!(events, [Event::Slashed { validator, units: 2, chain, epoch, view }]);
    assert_eq!(network.state().stake(), Stake { staked_units: 6, burned_units: 2, ..Stake::default() });
    assert!(network.state().validator(validator).unwrap().is_slashed());
    assert!(network.state().units(Chain::Beacon).iter().all(|unit| unit.validator != validator));
    assert_eq!(
        network.state().offences().copied().collect::<Vec<_>>(),
        [Offence { chain, epoch, view, validator }]
    );
}

#[test]
fn a_share_of_the_units_is_lost_the_offending_one_first() {
    let mut network = Network::new(1, &[5, 2]);
    network.spec.slash_permille = 500;
    let committee = network.authority(Chain::Beacon, Epoch::ZERO).committee().clone();
    let place = committee.seats().iter().rposition(|seat| seat.validator == ValidatorIndex::ZERO).unwrap();
    let offending = committee.seats()[place].key;
    let before = network.state().validator(ValidatorIndex::ZERO).unwrap().units().to_vec();
    let evidence = network.equivocation(Chain::Beacon, 0, place as u32, 1);
    network.step(vec![], vec![evidence]).unwrap();
    let validator = network.state().validator(ValidatorIndex::ZERO).unwrap();
    let mut kept: Vec<_> = before.into_iter().filter(|key| *key != offending).collect();
    kept.truncate(3);
    assert_eq!((validator.units(), validator.burned_units()), (&*kept, 2));
}

#[test]
fn an_equivocator_loses_at_least_one_unit() {
    let mut network = Network::new(1, &[3, 1]);
    network.spec.slash_permille = 1;
    let committee = network.authority(Chain::Beacon, Epoch::ZERO).committee().clone();
    let seat = committee.seats().iter().position(|seat| seat.validator == ValidatorIndex::ZERO).unwrap();
    let evidence = network.equivocation(Chain::Beacon, 0, seat as u32, 1);
    network.step(vec![], vec![evidence]).unwrap();
    assert_eq!(network.state().stake(), Stake { staked_units: 3, burned_units: 1, ..Stake::default() });
}

#[test]
fn one_offence_is_punished_once() {
    let mut network = Network::new(1, &[4, 4]);
    network.spec.slash_permille = 250;
    let chain = Chain::Beacon;
    let committee = network.authority(chain, Epoch::ZERO).committee().clone();
    let seats: Vec<_> = (0u32..)
        .zip(committee.seats())
        .filter(|(_, seat)| seat.validator == ValidatorIndex::ZERO)
        .map(|(seat, _)| seat)
        .collect();
    let (first, second) = (seats[0], seats[1]);
    network.step(vec![], vec![network.equivocation(chain, 0, first, 1)]).unwrap();
    let offence = Offence { chain, epoch: Epoch::ZERO, view: View::new(1), validator: ValidatorIndex::ZERO };
    // Neither by the same votes nor by another seat of the same view.
    for seat in [first, second] {
        let again = network.equivocation(chain, 0, seat, 1);
        assert_eq!(refusal(&network, again), EvidenceError::Punished(offence));
    }
    network.step(vec![], vec![network.equivocation(chain, 0, first, 2)]).unwrap();
    assert_eq!(network.state().stake().burned_units, 2);
}

#[test]
fn one_offence_twice_in_a_block_is_refused() {
    let network = Network::new(1, &[1, 1, 1]);
    let evidence = network.equivocation(Chain::Beacon, 0, 0, 1);
    let error = network.build(vec![], vec![evidence.clone(), evidence]).unwrap_err();
    assert!(matches!(error, BlockError::Evidence { index: 1, error: EvidenceError::Punished(_) }));
}

#[test]
fn what_an_honest_seat_signs_is_no_evidence() {
    let network = Network::new(1, &[1, 1, 1, 1]);
    let authority = network.authority(Chain::Beacon, Epoch::ZERO);
    let vote = |kind, view, id: u8| Vote {
        kind,
        chain: Chain::Beacon,
        epoch: Epoch::ZERO,
        view: View::new(view),
        parent_view: View::ZERO,
        id: if kind == VoteKind::Nullify { B256::ZERO } else { B256::repeat_byte(id) },
    };
    use VoteKind::{Finalize, Notarize, Nullify};
    let honest = [
        (vote(Notarize, 1, 1), vote(Nullify, 1, 0)),
        (vote(Notarize, 1, 1), vote(Finalize, 1, 1)),
        (vote(Notarize, 1, 1), vote(Notarize, 2, 2)),
        (vote(Finalize, 1, 1), vote(Nullify, 2, 0)),
        (vote(Notarize, 1, 1), vote(Notarize, 1, 1)),
    ];
    for (first, second) in honest {
        let evidence = network.evidence(&authority, 0, first, second);
        assert!(matches!(refusal(&network, evidence), EvidenceError::Proof(_)), "{first:?} {second:?}");
    }
    let guilty = network.evidence(&authority, 0, vote(Finalize, 1, 1), vote(Nullify, 1, 0));
    assert!(network.build(vec![], vec![guilty]).is_ok());
}

#[test]
fn evidence_of_a_committee_that_nobody_drew_is_refused() {
    let network = Network::new(1, &[1, 1, 1, 1]);
    let mut evidence = network.equivocation(Chain::Beacon, 0, 0, 1);
    let mut seats = evidence.committee.seats().to_vec();
    seats.pop();
    evidence.committee = primitives::Committee::new(seats).unwrap();
    let expected = network.authority(Chain::Beacon, Epoch::ZERO).committee_root();
    let (chain, epoch, found) = (Chain::Beacon, Epoch::ZERO, evidence.committee.root());
    let error = EvidenceError::Committee { chain, epoch, expected, found };
    assert_eq!(refusal(&network, evidence), error);
}

/// Evidence of epoch 0, moved to where the votes of `chain` and `epoch` would be.
fn elsewhere(network: &Network, chain: Chain, epoch: Epoch) -> Evidence {
    let committee = network.authority(Chain::Beacon, Epoch::ZERO).committee().clone();
    let genesis_hash = network.state().genesis_hash();
    let authority = consensus::authority::Authority::new(committee, chain, epoch, genesis_hash).unwrap();
    let (kind, view, parent_view) = (VoteKind::Notarize, View::new(1), View::ZERO);
    let vote = |salt| Vote { kind, chain, epoch, view, parent_view, id: B256::repeat_byte(salt) };
    network.evidence(&authority, 0, vote(1), vote(2))
}

#[test]
fn evidence_of_an_epoch_or_a_chain_that_is_not_known_is_refused() {
    let network = Network::new(1, &[1, 1, 1, 1]);
    let (chain, epoch) = (Chain::Beacon, Epoch::new(9));
    assert_eq!(
        refusal(&network, elsewhere(&network, chain, epoch)),
        EvidenceError::NoSuchEpoch { chain, epoch }
    );
    let chain = Chain::Shard(ShardId::new(9));
    assert_eq!(refusal(&network, elsewhere(&network, chain, epoch)), EvidenceError::NoSuchChain { chain });
}

#[test]
fn a_committee_whose_epoch_was_void_is_punished_all_the_same() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    let chain = Chain::Shard(ShardId::new(0));
    let evidence = network.equivocation(chain, 1, 0, 1);
    network.idle(STALL_HEIGHTS);
    assert_eq!(network.record(0).table.entry(Epoch::new(1)), None);
    network.step(vec![], vec![evidence]).unwrap();
    assert_eq!(network.state().stake().burned_units, 1);
}

#[test]
fn a_validator_without_units_cannot_lose_more() {
    let mut network = Network::new(1, &[1, 1, 1]);
    let validator = guilty(&network, Chain::Beacon, 0);
    network.step(vec![], vec![network.equivocation(Chain::Beacon, 0, 0, 1)]).unwrap();
    let again = network.equivocation(Chain::Beacon, 0, 0, 2);
    assert_eq!(refusal(&network, again), EvidenceError::NothingLeft { validator });
}

#[test]
fn the_last_units_of_all_are_not_burned() {
    let mut network = Network::new(1, &[1, 1]);
    network.step(vec![], vec![network.equivocation(Chain::Beacon, 0, 0, 1)]).unwrap();
    let validator = guilty(&network, Chain::Beacon, 1);
    let last = network.equivocation(Chain::Beacon, 0, 1, 1);
    assert_eq!(refusal(&network, last), EvidenceError::LastUnits { validator, found: 1, staked: 1 });
}

/// Two validators of four units, of which the first lets two leave; the seats of both in epoch 0's beacon committee.
fn with_exiting() -> (Network, Vec<primitives::PublicKeyBytes>) {
    let mut network = Network::new(1, &[4, 4]);
    let keys = network.state().validator(ValidatorIndex::ZERO).unwrap().units().to_vec();
    let exit = xshard::Exit { validator: ValidatorIndex::ZERO, units: 2 };
    let owner = network.state().validator(ValidatorIndex::ZERO).unwrap().withdrawal().address;
    let receipt = network.receipt(owner, Default::default(), &xshard::Payload::Exit(exit));
    network.send_and_deliver(0, vec![receipt]);
    assert_eq!(network.state().stake().exiting_units, 2);
    (network, keys)
}

/// Punishes the seat with this key in a view, where an offence costs so many thousandths. Staked and exiting units of the
/// first validator afterwards, by their places in `keys`.
fn punished(
    network: &mut Network,
    keys: &[primitives::PublicKeyBytes],
    offending: usize,
    permille: u32,
) -> (Vec<usize>, Vec<usize>) {
    network.spec.slash_permille = permille;
    let committee = network.authority(Chain::Beacon, Epoch::ZERO).committee().clone();
    let seat = committee.seats().iter().position(|seat| seat.key == keys[offending]).unwrap();
    let evidence = network.equivocation(Chain::Beacon, 0, seat as u32, 1);
    network.step(vec![], vec![evidence]).unwrap();
    assert_eq!(network.state().check(), Ok(()));
    let place = |key: &primitives::PublicKeyBytes| keys.iter().position(|known| known == key).unwrap();
    let staked = network.state().validator(ValidatorIndex::ZERO).unwrap().units().iter().map(place).collect();
    (staked, network.state().exits().map(|unit| place(&unit.key)).collect())
}

#[test]
fn units_on_their_way_out_count_and_go_after_those_that_are_drawn() {
    let cases = [
        // A quarter of four is the offending one.
        (1, 250, vec![0], vec![3, 2]),
        (0, 250, vec![1], vec![3, 2]),
        (3, 250, vec![0, 1], vec![2]),
        (2, 250, vec![0, 1], vec![3]),
        // Then the latest drawn, then those that would be paid last.
        (2, 500, vec![0], vec![3]),
        (0, 500, vec![], vec![3, 2]),
        (0, 750, vec![], vec![3]),
        (2, 750, vec![], vec![3]),
        (3, 750, vec![], vec![2]),
        (3, 1000, vec![], vec![]),
    ];
    for (offending, permille, staked, exiting) in cases {
        let (mut network, keys) = with_exiting();
        let found = punished(&mut network, &keys, offending, permille);
        assert_eq!(found, (staked, exiting), "{offending} {permille}");
        let burned = u64::from(permille) * 4 / 1000;
        let stake = network.state().stake();
        assert_eq!((stake.burned_units, stake.total_units()), (burned, 8));
        assert_eq!(network.state().validator(ValidatorIndex::ZERO).unwrap().burned_units(), burned);
    }
}

#[test]
fn who_was_paid_has_nothing_left_to_lose() {
    let mut network = Network::new(1, &[1, 1, 1, 1]);
    network.spec.exit_delay_heights = std::num::NonZeroU64::MIN;
    let validator = guilty(&network, Chain::Beacon, 0);
    let owner = network.state().validator(validator).unwrap().withdrawal().address;
    let exit = xshard::Payload::Exit(xshard::Exit { validator, units: 0 });
    let receipt = network.receipt(owner, Default::default(), &exit);
    network.send_and_deliver(0, vec![receipt]);
    let evidence = network.equivocation(Chain::Beacon, 0, 0, 1);
    // As long as the unit waits, it is lost.
    assert!(network.build(vec![], vec![evidence.clone()]).is_ok());
    network.idle(1);
    assert_eq!(network.state().stake().withdrawn_units, 1);
    assert_eq!(refusal(&network, evidence), EvidenceError::NothingLeft { validator });
}

#[test]
fn units_on_their_way_out_are_not_the_last_of_all() {
    let mut network = Network::new(1, &[1, 1]);
    let validator = guilty(&network, Chain::Beacon, 0);
    let owner = network.state().validator(validator).unwrap().withdrawal().address;
    let exit = xshard::Payload::Exit(xshard::Exit { validator, units: 0 });
    let receipt = network.receipt(owner, Default::default(), &exit);
    network.send_and_deliver(0, vec![receipt]);
    network.step(vec![], vec![network.equivocation(Chain::Beacon, 0, 0, 1)]).unwrap();
    assert_eq!(network.state().stake(), Stake { staked_units: 1, burned_units: 1, ..Stake::default() });
}

#[test]
fn offences_that_nobody_can_report_any_more_are_forgotten() {
    let network = Network::new(1, &[2, 2]);
    let mut state = network.state().clone();
    let offence = |epoch| Offence {
        chain: Chain::Beacon,
        epoch: Epoch::new(epoch),
        view: View::new(1),
        validator: ValidatorIndex::ZERO,
    };
    remember(&mut state, offence(70));
    remember(&mut state, offence(1));
    remember(&mut state, offence(0));
    assert_eq!(state.offences().copied().collect::<Vec<_>>(), [offence(0), offence(1)]);
}
