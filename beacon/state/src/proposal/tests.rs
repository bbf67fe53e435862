use super::*;
use crate::testing::{Brought, Network, SHARD_EPOCH_HEIGHTS, STALL_HEIGHTS, places};
use crate::{CommitteeSource, Event};
use consensus::authority::Authority;
use crypto::mmr::MmrProof;
use primitives::{
    Address, B256, BeaconBundle, Chain, Crosslink, Epoch, Height, InboxCursor, InboxCursors, ShardId,
    SourceAncestry, ValidatorIndex,
};
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::sync::Arc;
use xshard::{Deposit, Exit, Payload, TopUp, WithdrawalAccount};

const BOUNDARY: u64 = SHARD_EPOCH_HEIGHTS - 1;

fn network(shards: u32) -> Network {
    Network::new(shards, &[1, 1, 1, 1])
}

/// Chooses, checks that the choice applies, and says what it is.
fn chosen(network: &Network, offers: &[(u32, &[u64])]) -> Vec<(u32, u64)> {
    let crosslinks = network.choose(offers);
    let (block, built) = network.build(crosslinks.clone(), vec![]).unwrap();
    assert_eq!(network.apply(&block).unwrap(), built);
    places(&crosslinks)
}

#[test]
fn the_newest_header_is_chosen_whatever_the_order_of_the_offers() {
    let mut network = network(2);
    network.grow(0, 4);
    network.grow(1, 2);
    assert_eq!(chosen(&network, &[(0, &[2, 4, 3]), (1, &[1, 2])]), [(0, 4), (1, 2)]);
    assert_eq!(chosen(&network, &[]), []);
}

#[test]
fn headers_beyond_the_boundary_wait_for_it() {
    let mut network = network(1);
    network.grow(0, BOUNDARY + 3);
    assert_eq!(chosen(&network, &[(0, &[BOUNDARY + 3, BOUNDARY, BOUNDARY - 1])]), [(0, BOUNDARY)]);
    assert_eq!(chosen(&network, &[(0, &[BOUNDARY + 3])]), []);
    network.step(network.choose(&[(0, &[BOUNDARY])]), vec![]).unwrap();
    assert_eq!(chosen(&network, &[(0, &[BOUNDARY + 3, BOUNDARY])]), [(0, BOUNDARY + 3)]);
}

#[test]
fn a_shard_falls_back_to_the_newest_header_whose_sources_are_accepted() {
    let mut network = network(2);
    network.grow(1, 5);
    network.grow(0, 1);
    network.consume(0, &[(1, 2)]);
    network.consume(0, &[(1, 4)]);
    assert_eq!(chosen(&network, &[(0, &[3, 2, 1])]), [(0, 1)]);
    assert_eq!(chosen(&network, &[(0, &[3, 2, 1]), (1, &[3])]), [(0, 2), (1, 3)]);
    assert_eq!(chosen(&network, &[(0, &[3, 2, 1]), (1, &[5])]), [(0, 3), (1, 5)]);
    assert_eq!(chosen(&network, &[(0, &[3]), (1, &[3])]), [(1, 3)]);
}

#[test]
fn a_fall_back_makes_those_fall_back_who_relied_on_it() {
    let mut network = network(3);
    network.grow(0, 1);
    network.consume(0, &[(2, 0)]);
    network.grow(2, 2);
    // 1 needs 0 at height 3, which needs 2 at height 2.
    network.consume(0, &[(2, 2)]);
    network.grow(1, 1);
    network.consume(1, &[(0, 3)]);
    let offers: [(u32, &[u64]); 2] = [(0, &[3, 2, 1]), (1, &[2, 1])];
    assert_eq!(chosen(&network, &offers), [(0, 2), (1, 1)]);
    assert_eq!(chosen(&network, &[offers[0], offers[1], (2, &[2])]), [(0, 3), (1, 2), (2, 2)]);
}

#[test]
fn a_ring_of_shards_that_need_each_other_is_chosen_as_a_whole() {
    let mut network = network(3);
    (0..3).for_each(|shard| network.grow(shard, 1));
    (0..3).for_each(|shard| network.consume(shard, &[((shard + 1) % 3, 1)]));
    (0..3).for_each(|shard| network.grow(shard, 1));
    (0..3).for_each(|shard| network.consume(shard, &[((shard + 1) % 3, 3)]));
    let offers: [(u32, &[u64]); 3] = [(0, &[4]), (1, &[4]), (2, &[4])];
    assert_eq!(chosen(&network, &offers), [(0, 4), (1, 4), (2, 4)]);
    assert_eq!(chosen(&network, &offers[..2]), []);
}

#[test]
fn a_wrong_certificate_is_left_out_with_whoever_relied_on_it() {
    let mut network = network(3);
    network.grow(1, 2);
    network.grow(2, 2);
    network.consume(0, &[(1, 2)]);
    let mut candidates = Candidates::new();
    for (shard, heights) in [(0, vec![1]), (1, vec![2, 1]), (2, vec![2])] {
        let crosslinks = heights.into_iter().map(|height| network.crosslink(shard, height)).collect();
        candidates.insert(ShardId::new(shard), crosslinks);
    }
    let choose = |candidates: &Candidates| {
        choose_crosslinks(&network.spec, network.state(), candidates, &network.committees, &network.shards)
    };
    assert_eq!(places(&choose(&candidates)), [(0, 1), (1, 2), (2, 2)]);
    let forged = &mut candidates.get_mut(&ShardId::new(1)).unwrap()[0];
    forged.certificate.signature = network.crosslink(1, 1).certificate.signature;
    assert_eq!(places(&choose(&candidates)), [(1, 1), (2, 2)]);
}

#[test]
fn offers_that_lie_about_their_shard_or_header_are_left_out() {
    let mut network = network(2);
    network.grow(0, 2);
    network.grow(1, 2);
    let mut other_header = network.crosslink(1, 2);
    other_header.certificate = network.crosslink(1, 1).certificate;
    let candidates = Candidates::from([(
        ShardId::new(1),
        vec![network.crosslink(0, 2), other_header, network.crosslink(1, 1)],
    )]);
    let chosen =
        choose_crosslinks(&network.spec, network.state(), &candidates, &network.committees, &network.shards);
    assert_eq!(places(&chosen), [(1, 1)]);
}

#[test]
fn a_history_proof_that_is_out_of_date_is_replaced() {
    let mut network = network(1);
    network.grow(0, 4);
    let stale = network.crosslink(0, 4);
    network.step(vec![network.crosslink(0, 2)], vec![]).unwrap();
    let candidates = Candidates::from([(ShardId::new(0), vec![stale.clone()])]);
    let choose = |histories: &dyn HistorySource| {
        choose_crosslinks(&network.spec, network.state(), &candidates, &network.committees, histories)
    };
    let chosen = choose(&network.shards);
    assert_eq!(chosen[0].history, network.crosslink(0, 4).history);
    assert_ne!(chosen[0].history, stale.history);
    assert!(network.build(chosen, vec![]).is_ok());
    assert_eq!(choose(&Always(vec![])), []);
}

/// Always gives the same proofs.
struct Always(Vec<MmrProof>);

impl HistorySource for Always {
    fn ancestries(&self, _: ShardId, _: Height, _: B256, _: Height) -> Vec<MmrProof> {
        self.0.clone()
    }
}

#[test]
fn without_ancestry_of_its_source_a_crosslink_waits() {
    let mut network = network(2);
    network.grow(1, 3);
    network.accept(1);
    network.consume(0, &[(1, 2)]);
    let candidates = Candidates::from([(ShardId::new(0), vec![network.crosslink(0, 1)])]);
    let choose = |histories: &dyn HistorySource| {
        choose_crosslinks(&network.spec, network.state(), &candidates, &network.committees, histories)
    };
    let wrong = network.shards[1].ancestry(Height::new(3), Height::new(1));
    assert_eq!(choose(&Always(vec![])), []);
    assert_eq!(choose(&Always(vec![wrong.clone()])), []);
    let right = network.shards[1].ancestry(Height::new(3), Height::new(2));
    let attached = [SourceAncestry::Ancestor(right.clone())];
    // A wrong one does not stand in the way of the right one.
    assert_eq!(choose(&Always(vec![wrong, right]))[0].sources, attached);
}

/// Has no committees at all.
struct NoCommittees;

impl CommitteeSource for NoCommittees {
    fn authority(&self, _: Chain, _: Epoch) -> Option<Arc<Authority>> {
        None
    }
}

#[test]
fn a_crosslink_of_a_committee_that_is_not_at_hand_waits() {
    let mut network = network(1);
    network.grow(0, 1);
    let candidates = Candidates::from([(ShardId::new(0), vec![network.crosslink(0, 1)])]);
    let chosen =
        choose_crosslinks(&network.spec, network.state(), &candidates, &NoCommittees, &network.shards);
    assert_eq!(chosen, []);
}

#[test]
fn beyond_the_cap_the_shards_that_waited_longest_go_first() {
    let mut network = network(4);
    network.spec.crosslinks_max = 2;
    (0..4).for_each(|shard| network.grow(shard, 1));
    let offers: [(u32, &[u64]); 4] = [(0, &[1]), (1, &[1]), (2, &[1]), (3, &[1])];
    let first = network.choose(&offers);
    assert_eq!(places(&first), [(0, 1), (1, 1)]);
    network.step(first, vec![]).unwrap();
    (0..4).for_each(|shard| network.grow(shard, 1));
    let offers: [(u32, &[u64]); 4] = [(0, &[2]), (1, &[2]), (2, &[2]), (3, &[2])];
    assert_eq!(chosen(&network, &offers), [(2, 2), (3, 2)]);
}

#[test]
fn beyond_the_cap_a_shard_brings_along_what_it_requires() {
    let mut network = network(4);
    (0..4).for_each(|shard| network.grow(shard, 1));
    network.step(network.choose(&[(3, &[1])]), vec![]).unwrap();
    network.grow(3, 1);
    network.consume(0, &[(3, 2)]);
    let offers: [(u32, &[u64]); 4] = [(0, &[2, 1]), (1, &[1]), (2, &[1]), (3, &[2])];
    network.spec.crosslinks_max = 2;
    assert_eq!(chosen(&network, &offers), [(0, 2), (3, 2)]);
    // Where even that does not fit, it falls back to what needs nobody.
    network.spec.crosslinks_max = 1;
    assert_eq!(chosen(&network, &offers), [(1, 1)]);
    network.spec.crosslinks_max = 3;
    assert_eq!(chosen(&network, &offers), [(0, 2), (1, 1), (3, 2)]);
}

#[test]
fn evidence_is_chosen_once_for_each_offence_up_to_the_limit() {
    let mut network = network(1);
    let evidence = |seat, view| network.equivocation(Chain::Beacon, 0, seat, view);
    let mut innocent = evidence(2, 1);
    innocent.second = innocent.first;
    let pool = [evidence(0, 1), evidence(0, 1), innocent, evidence(1, 1), evidence(0, 2)];
    let chosen = choose_evidence(&network.spec, network.state(), &pool);
    assert_eq!(chosen, [pool[0].clone(), pool[3].clone()]);
    assert!(network.build(vec![], chosen).is_ok());
    network.spec.evidence_max = 1;
    assert_eq!(choose_evidence(&network.spec, network.state(), &pool), pool[..1]);
}

/// What the world does before a beacon block.
#[derive(Clone, Debug)]
enum Move {
    /// A shard produces headers.
    Grow(u32, u64),
    /// A shard consumes another one's header, so many below its tip.
    Consume(u32, u32, u64),
    /// A shard sends a receipt to the beacon chain: what it asks, for whom, and how many units.
    Send(u32, u8, u64, u32),
    /// A shard consumes all that the beacon chain has for it.
    Take(u32),
    /// A seat equivocates.
    Equivocate(u32, u64),
    /// All shards offer their headers, except those in the mask.
    Block(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..3u32, 1..5u64).prop_map(|(shard, count)| Move::Grow(shard, count)),
        3 => (0..3u32, 0..3u32, 0..4u64).prop_map(|(shard, source, below)| Move::Consume(shard, source, below)),
        4 => (0..3u32, 0..4u8, 0..6u64, 0..4u32)
            .prop_map(|(shard, kind, validator, units)| Move::Send(shard, kind, validator, units)),
        1 => (0..3u32).prop_map(Move::Take),
        1 => (0..6u32, 1..3u64).prop_map(|(seat, view)| Move::Equivocate(seat, view)),
        6 => (0..16u8).prop_map(Move::Block),
    ];
    prop::collection::vec(one, 1..40)
}

/// Lets a shard go on until the table's last epoch ends, as its nodes would.
fn grow(network: &mut Network, shard: u32, count: u64) {
    let known = network.record(shard).table.latest().unwrap().first_height.plus(SHARD_EPOCH_HEIGHTS);
    let room = known.above(network.shards[shard as usize].tip().next());
    network.grow(shard, count.min(room));
}

fn consume(network: &mut Network, shard: u32, source: u32, below: u64) {
    let height = network.shards[source as usize].tip().get().saturating_sub(below);
    let before = network.shards[shard as usize].cursors.last().unwrap();
    let from = before.cursor(ShardId::new(source).into()).map_or(0, |cursor| cursor.height.get());
    if shard != source && height >= from {
        network.consume(shard, &[(source, height)]);
    }
}

/// Lets a shard send a receipt: a deposit (0), a top-up (1), an exit (2) or nothing that can be read, from the account that
/// owns the validators of genesis on shard 0 and those that came later on every shard.
fn send(network: &mut Network, (shard, kind, validator, units): (u32, u8, u64, u32)) {
    let known = network.record(shard).table.latest().unwrap().first_height.plus(SHARD_EPOCH_HEIGHTS);
    if known.above(network.shards[shard as usize].tip().next()) == 0 {
        return;
    }
    let number = network.keys.len() as u32;
    let seats = (0..units).map(|unit| network.seat(number + unit)).collect();
    let index = ValidatorIndex::new(validator);
    let address = Address::with_last_byte(validator as u8);
    let owner = network.state().validator(index).map_or(address, |record| record.withdrawal().address);
    let (payload, worth) = match kind {
        0 => {
            let beacon_node = B256::with_last_byte(0x40 + number as u8);
            let shard_node = B256::repeat_byte(0x40 + number as u8);
            let withdrawal = WithdrawalAccount { shard: ShardId::new(shard), address };
            (Payload::Deposit(Deposit { seats, beacon_node, shard_node, withdrawal }), units)
        }
        1 => (Payload::TopUp(TopUp { validator: index, seats }), units),
        _ => (Payload::Exit(Exit { validator: index, units: u64::from(units) }), 0),
    };
    let mut receipt = network.receipt(owner, network.wei(u64::from(worth)), &payload);
    if kind > 2 {
        receipt.payload = Default::default();
    }
    network.send(shard, vec![receipt]);
}

/// Lets a shard consume all that the beacon chain has for it.
fn take(network: &mut Network, shard: u32) {
    let lane = network.state().lane(ShardId::new(shard)).unwrap();
    let (source, sequence) = (Chain::Beacon, lane.next_sequence());
    let (height, id) = (network.chain.header().height, network.chain.id());
    let before = network.shards[shard as usize].cursors.last().unwrap();
    let others = before.as_slice().iter().filter(|cursor| cursor.source != source).copied();
    let cursors = others.chain([InboxCursor { source, height, id, epoch: Epoch::ZERO, sequence }]).collect();
    let known = network.record(shard).table.latest().unwrap().first_height.plus(SHARD_EPOCH_HEIGHTS);
    if known.above(network.shards[shard as usize].tip().next()) > 0 {
        network.grow_with(shard, InboxCursors::new(cursors).unwrap());
    }
}

/// What all shards sent, as it may be brought with these crosslinks.
fn bundles(network: &Network, crosslinks: &[Crosslink]) -> Vec<BeaconBundle> {
    let of_shard = |shard: u32| {
        let chosen = crosslinks.iter().find(|crosslink| crosslink.header.shard == ShardId::new(shard));
        let accepted = network.record(shard).accepted.height;
        network.bundles(shard, chosen.map_or(accepted, |crosslink| crosslink.header.height).get())
    };
    (0..3).flat_map(of_shard).collect()
}

/// Every certified header above the accepted one is offered by the shards that are not silent.
fn offers(network: &Network, silent: u8) -> Vec<Crosslink> {
    let heights: Vec<(u32, Vec<u64>)> = (0..3)
        .filter(|shard| silent >> shard & 1 == 0)
        .map(|shard| {
            let accepted = network.record(shard).accepted.height.get();
            (shard, (accepted + 1..=network.shards[shard as usize].tip().get()).collect())
        })
        .collect();
    let offers: Vec<_> = heights.iter().map(|(shard, heights)| (*shard, heights.as_slice())).collect();
    network.choose(&offers)
}

/// Undoes what an early end made void, and what others consumed of it.
fn undo_void(network: &mut Network, events: &[Event]) {
    if events.iter().any(|event| matches!(event, Event::EarlyEnd { .. })) {
        for shard in 0..3 {
            let accepted = network.record(shard).accepted.height;
            network.shards[shard as usize].undo_above(accepted);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// `step` asserts that what is built applies; nothing is lost, and no epoch is drawn twice.
    #[test]
    fn what_is_chosen_and_built_always_applies_and_conserves_stake(moves in moves(), cap in 1..4u32) {
        let mut network = Network::new(3, &[2, 1, 2, 1]);
        network.spec.slash_permille = 400;
        network.spec.crosslinks_max = cap;
        network.spec.seats_target = 4;
        network.spec.beacon_receipts_max = 3;
        network.spec.registrations_max = 3;
        network.spec.lane_capacity = 2;
        network.spec.exit_delay_heights = NonZeroU64::new(2).unwrap();
        let mut pool = Vec::new();
        for step in moves {
            match step {
                Move::Grow(shard, count) => grow(&mut network, shard, count),
                Move::Consume(shard, source, below) => consume(&mut network, shard, source, below),
                Move::Send(shard, kind, validator, units) => send(&mut network, (shard, kind, validator, units)),
                Move::Take(shard) => take(&mut network, shard),
                Move::Equivocate(seat, view) => {
                    let seats = network.authority(Chain::Beacon, Epoch::ZERO).committee().len();
                    pool.push(network.equivocation(Chain::Beacon, 0, seat % seats, view));
                }
                Move::Block(silent) => {
                    let evidence = choose_evidence(&network.spec, network.state(), &pool);
                    let crosslinks = offers(&network, silent);
                    prop_assert!(crosslinks.len() <= cap as usize);
                    let bundles = bundles(&network, &crosslinks);
                    let brought = Brought { crosslinks, evidence, bundles, ..Brought::default() };
                    let events = network.step_of(brought);
                    prop_assert!(events.is_ok(), "{events:?}");
                    undo_void(&mut network, &events.unwrap());
                }
            }
            let stake = network.state().stake();
            prop_assert_eq!(stake.total_units(), 6 + stake.deposited_units);
            for lane in network.state().lanes() {
                prop_assert!(lane.pending().len() as u64 <= 2 * network.spec.lane_capacity);
            }
            prop_assert!(stake.staked_units > 0);
            prop_assert_eq!(network.state().check(), Ok(()));
        }
    }
}

/// For each shard the height that is accepted in a combination: its newest, or none.
type Heights = [u64; 3];

/// Whether everything that these headers consumed is in the state or below these headers.
fn is_closed(network: &Network, heights: &Heights) -> bool {
    (0..3).all(|shard| {
        let cursors = &network.shards[shard].cursors[heights[shard] as usize];
        cursors.as_slice().iter().all(|cursor| {
            let source = cursor.source.shard().expect("only shards are consumed from").get() as usize;
            cursor.height.get() <= heights[source]
        })
    })
}

/// Of all combinations that are closed, the one that has every shard's highest: found by looking at all.
fn largest(network: &Network) -> Heights {
    let tips: Vec<_> = network.shards.iter().map(|shard| shard.tip().get()).collect();
    let mut best = [0; 3];
    for zero in 0..=tips[0] {
        for one in 0..=tips[1] {
            for two in 0..=tips[2] {
                let heights = [zero, one, two];
                if is_closed(network, &heights) {
                    best = std::array::from_fn(|shard| best[shard].max(heights[shard]));
                }
            }
        }
    }
    assert!(is_closed(network, &best));
    best
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Shards grow and consume at random; nothing is accepted yet.
    #[test]
    fn the_chosen_set_is_the_largest_of_all(
        consumed in prop::collection::vec((0..3u32, 0..3u32, 0..2u64), 1..18),
    ) {
        let mut network = network(3);
        for (shard, source, below) in consumed {
            if network.shards[shard as usize].tip().get() < BOUNDARY {
                network.grow(shard, u64::from(shard == source));
                consume(&mut network, shard, source, below);
            }
        }
        // The boundary of epoch 0 is the highest that can be accepted.
        (0..3).for_each(|shard| network.shards[shard].undo_above(Height::new(BOUNDARY)));
        let chosen = offers(&network, 0);
        let mut heights = [0; 3];
        places(&chosen).into_iter().for_each(|(shard, height)| heights[shard as usize] = height);
        prop_assert_eq!(heights, largest(&network));
        prop_assert!(network.step(chosen, vec![]).is_ok());
    }
}

#[test]
fn after_a_stall_a_shard_that_consumed_void_headers_goes_on() {
    let mut network = network(2);
    network.grow(0, 1);
    network.grow(1, 1);
    network.step(network.choose(&[(0, &[1]), (1, &[1])]), vec![]).unwrap();
    network.grow(1, 2);
    network.grow(0, 1);
    // The headers of shard 1 that shard 0 consumed never reach the beacon chain.
    network.consume(0, &[(1, 3)]);
    network.step(network.choose(&[(0, &[3, 2])]), vec![]).unwrap();
    assert_eq!(network.record(0).accepted.height, Height::new(2));
    network.idle(STALL_HEIGHTS);
    assert_eq!((network.record(0).early_ends, network.record(1).early_ends), (1, 1));
    for shard in 0..2 {
        let accepted = network.record(shard).accepted.height;
        network.shards[shard as usize].undo_above(accepted);
        network.grow(shard, 2);
    }
    assert_eq!(chosen(&network, &[(0, &[4]), (1, &[3])]), [(0, 4), (1, 3)]);
}
