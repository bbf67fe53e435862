use crate::authority::{AuthorityError, CertificateError};
use crate::history::HistoryError;
use crate::light::{LightClient, LightError};
use crate::testing::{GENESIS, Members, State, finalization, idle_lanes, table, with_one_bit_flipped};
use crypto::mmr::{MmrProof, MmrTree};
use primitives::{
    AcceptedHeader, B256, BeaconHeader, CertifiedShardHeader, Chain, Committee, Epoch, EpochTable, Height,
    InboxCursor, InboxCursors, LightUpdate, ShardHeader, ShardId, ShardRecord, Unverified,
};
use ssz::{Decode as _, Encode as _};

const SHARD: ShardId = ShardId::new(1);

/// A beacon chain of two epochs and two shards, the second of which has an accepted header.
struct Network {
    /// Of beacon epochs 0 and 1.
    beacon: [Members; 2],
    /// Of the shards' epochs 0 and 1.
    shard: [Members; 2],
    accepted: ShardHeader,
    state: State,
}

impl Network {
    fn new() -> Self {
        let beacon = [Members::new(1, 4), Members::new(2, 4)];
        let shard = [Members::new(3, 4), Members::new(4, 4)];
        let history_root = Self::history(66).root();
        let inbox_cursors_root = Self::cursors().root();
        let accepted = ShardHeader { history_root, inbox_cursors_root, ..Self::shard_header(66) };
        let nothing = InboxCursors::default();
        let genesis = AcceptedHeader { inbox_cursors_root: nothing.root(), ..AcceptedHeader::default() };
        let record = |id, accepted| ShardRecord {
            shard: id,
            table: table(&[(0, &shard[0]), (64, &shard[1])]),
            accepted,
            ..ShardRecord::default()
        };
        let newest = AcceptedHeader {
            height: accepted.height,
            id: accepted.id(),
            epoch: accepted.epoch,
            history_root,
            inbox_cursors_root,
            ..AcceptedHeader::default()
        };
        let state = State {
            mix: B256::repeat_byte(9),
            beacon_table: table(&[(0, &beacon[0]), (32, &beacon[1])]),
            records: vec![record(ShardId::new(0), genesis), record(SHARD, newest)],
            cursors: vec![nothing, Self::cursors()],
            lanes: idle_lanes(2),
        };
        Self { beacon, shard, accepted, state }
    }

    /// What the accepted header has consumed.
    fn cursors() -> InboxCursors {
        let cursor = |source, sequence| InboxCursor {
            source: Chain::Shard(ShardId::new(source)),
            height: Height::new(9),
            id: B256::repeat_byte(7),
            epoch: Epoch::ZERO,
            sequence,
        };
        InboxCursors::new(vec![cursor(0, 3), cursor(2, 4)]).unwrap()
    }

    fn shard_header(height: u64) -> ShardHeader {
        let epoch = Epoch::new(u64::from(height >= 64));
        ShardHeader { shard: SHARD, epoch, height: Height::new(height), ..ShardHeader::default() }
    }

    /// The ids below `height`.
    fn history(height: u64) -> MmrTree {
        (0..height).map(|height| Self::shard_header(height).id()).collect()
    }

    fn client(&self) -> LightClient {
        let committees = vec![self.beacon[0].committee.clone()];
        LightClient::new(GENESIS, BeaconHeader::default(), self.state.beacon_table.clone(), committees)
            .unwrap()
    }

    /// A client that holds all committees and the state at height 5.
    fn synced(&self) -> LightClient {
        let mut client = self.client();
        client.update(Unverified::new(self.update(0, 5))).unwrap();
        for (chain, members) in [(Chain::Beacon, &self.beacon), (SHARD.into(), &self.shard)] {
            for (members, epoch) in members.iter().zip(0..) {
                accept(&mut client, chain, epoch, members).unwrap();
            }
        }
        client
    }

    fn update(&self, epoch: u64, height: u64) -> LightUpdate {
        self.state.update(epoch, height, &self.beacon[epoch as usize])
    }

    fn certified(&self, header: ShardHeader) -> CertifiedShardHeader {
        let epoch = header.epoch.get();
        let certificate = self.shard[epoch as usize].certify(header.shard.into(), epoch, header.id(), 3);
        CertifiedShardHeader { header, certificate }
    }
}

fn accept(client: &mut LightClient, chain: Chain, epoch: u64, members: &Members) -> Result<(), LightError> {
    client.committee(chain, Epoch::new(epoch), Unverified::new(members.committee.clone()))
}

fn apply(client: &mut LightClient, update: LightUpdate) -> Result<(), LightError> {
    client.update(Unverified::new(update)).map(|_| ())
}

fn no_proof() -> MmrProof {
    MmrProof { leaf_count: 0, leaf_index: 0, path: vec![] }
}

#[test]
fn a_certified_update_is_taken_with_all_it_tells() {
    let network = Network::new();
    let mut client = network.client();
    assert!(client.view().is_none());
    let update = network.update(0, 5);
    let header = update.certified.header.clone();
    let view = client.update(Unverified::new(update)).unwrap();
    assert_eq!((&view.header, view.mix), (&header, network.state.mix));
    assert_eq!((&view.beacon_table, &view.records), (&network.state.beacon_table, &network.state.records));
    assert_eq!(**client.header(), header);
    let accepted = client.finalized_shard(SHARD).unwrap();
    assert_eq!(accepted.id, network.accepted.id());
}

#[test]
fn a_client_starts_with_the_committee_of_the_first_block() {
    let network = Network::new();
    let start = |table: &EpochTable, members: &[&Members]| {
        let committees = members.iter().map(|members| members.committee.clone()).collect();
        LightClient::new(GENESIS, BeaconHeader::default(), table.clone(), committees).map(|_| ())
    };
    let table = &network.state.beacon_table;
    assert_eq!(start(table, &[&network.beacon[0], &network.beacon[1]]), Ok(()));
    let missing = LightError::NoFirstCommittee { epoch: Epoch::ZERO };
    assert_eq!(start(table, &[]), Err(missing));
    assert_eq!(start(table, &[&network.beacon[1]]), Err(missing));
    let unknown = LightError::UnknownCommittee { found: network.shard[0].committee.root() };
    assert_eq!(start(table, &[&network.shard[0]]), Err(unknown));
    let empty = LightError::EmptyTable { height: Height::new(1) };
    assert_eq!(start(&EpochTable::default(), &[&network.beacon[0]]), Err(empty));
}

#[test]
fn the_held_header_needs_no_certificate_to_tell_its_state() {
    let network = Network::new();
    let mut update = network.update(0, 0);
    let certificate = network.beacon[0].certify(Chain::Beacon, 0, B256::ZERO, 1);
    update.certified.certificate = certificate;
    let (header, table) = (update.certified.header.clone(), network.state.beacon_table.clone());
    let committees = vec![network.beacon[0].committee.clone()];
    let mut client = LightClient::new(GENESIS, header.clone(), table, committees).unwrap();
    assert_eq!(apply(&mut client, update.clone()), Ok(()));
    update.mix = B256::ZERO;
    assert_eq!(apply(&mut client, update), Err(LightError::Mix));
    let other = network.update(1, 0);
    let found = other.certified.header.id();
    let expected = LightError::Conflict { height: Height::ZERO, held: header.id(), found };
    assert_eq!(apply(&mut client, other), Err(expected));
}

#[test]
fn an_older_update_is_stale() {
    let network = Network::new();
    let mut client = network.client();
    assert_eq!(apply(&mut client, network.update(0, 5)), Ok(()));
    let expected = LightError::Stale { held: Height::new(5), found: Height::new(4) };
    assert_eq!(apply(&mut client, network.update(0, 4)), Err(expected));
    assert_eq!(apply(&mut client, network.update(0, 6)), Ok(()));
}

#[test]
fn an_update_of_the_next_epoch_needs_its_committee() {
    let network = Network::new();
    let mut client = network.client();
    let (chain, epoch) = (Chain::Beacon, Epoch::new(1));
    let expected = LightError::NeedsCommittee { chain, epoch };
    assert_eq!(apply(&mut client, network.update(1, 32)), Err(expected));
    assert_eq!(accept(&mut client, chain, 1, &network.beacon[1]), Ok(()));
    assert_eq!(apply(&mut client, network.update(1, 32)), Ok(()));
}

#[test]
fn an_update_of_an_unknown_epoch_or_one_that_does_not_rule_is_refused() {
    let network = Network::new();
    let mut client = network.synced();
    let (chain, epoch) = (Chain::Beacon, Epoch::new(2));
    let unknown = network.state.update(2, 70, &network.beacon[1]);
    assert_eq!(apply(&mut client, unknown), Err(LightError::UnknownEpoch { chain, epoch }));
    let (height, found) = (Height::new(32), Epoch::ZERO);
    let expected = LightError::Epoch { chain, height, expected: Some(Epoch::new(1)), found };
    assert_eq!(apply(&mut client, network.update(0, 32)), Err(expected));
}

#[test]
fn a_certificate_of_another_header_or_without_quorum_is_refused() {
    let network = Network::new();
    let mut client = network.client();
    let update = network.update(0, 5);
    let id = update.certified.header.id();
    let mut other = update.clone();
    other.certified.certificate = network.beacon[0].certify(Chain::Beacon, 0, B256::ZERO, 3);
    let expected = LightError::CertifiedId { expected: id, found: B256::ZERO };
    assert_eq!(apply(&mut client, other), Err(expected));
    let mut few = update.clone();
    few.certified.certificate = network.beacon[0].certify(Chain::Beacon, 0, id, 2);
    let expected = CertificateError::NoQuorum { expected: 3, found: 2 };
    assert_eq!(apply(&mut client, few), Err(expected.into()));
    let mut strangers = update;
    strangers.certified.certificate = network.shard[0].certify(Chain::Beacon, 0, id, 3);
    assert_eq!(apply(&mut client, strangers), Err(CertificateError::Signature.into()));
}

#[test]
fn an_update_with_a_part_of_another_state_is_refused() {
    let network = Network::new();
    let mut client = network.client();
    let mut refused = |change: &dyn Fn(&mut LightUpdate)| {
        let mut update = network.update(0, 5);
        change(&mut update);
        apply(&mut client, update).unwrap_err()
    };
    assert_eq!(refused(&|update| update.mix = B256::ZERO), LightError::Mix);
    let default = EpochTable::default();
    assert_eq!(refused(&|update| update.beacon_table = default.clone()), LightError::BeaconTable);
    let changed = refused(&|update| update.records[1].record.accepted.id = B256::ZERO);
    assert_eq!(changed, LightError::Record { shard: SHARD });
}

#[test]
fn cursors_that_the_accepted_header_does_not_commit_to_are_refused() {
    let network = Network::new();
    let mut client = network.client();
    let mut refused = |cursors: InboxCursors| {
        let mut update = network.update(0, 5);
        update.records[1].cursors = cursors;
        apply(&mut client, update).unwrap_err()
    };
    let expected = Network::cursors().root();
    let nothing = InboxCursors::default();
    let found = nothing.root();
    assert_eq!(refused(nothing), LightError::Cursors { shard: SHARD, expected, found });
    let mut later = Network::cursors().as_slice().to_vec();
    later[1].sequence += 1;
    let later = InboxCursors::new(later).unwrap();
    let found = later.root();
    assert_eq!(refused(later), LightError::Cursors { shard: SHARD, expected, found });
    let exchanged: Vec<_> = Network::cursors().as_slice().iter().rev().copied().collect();
    let exchanged = InboxCursors::from_ssz_bytes(&exchanged.as_ssz_bytes()).unwrap();
    assert_eq!(refused(exchanged), LightError::CursorsOrder { shard: SHARD });
}

#[test]
fn an_update_that_leaves_out_or_exchanges_records_is_refused() {
    let network = Network::new();
    let mut client = network.client();
    let mut refused = |change: &dyn Fn(&mut LightUpdate)| {
        let mut update = network.update(0, 5);
        change(&mut update);
        apply(&mut client, update).unwrap_err()
    };
    assert_eq!(refused(&|update| update.records.truncate(1)), LightError::RecordCount { found: 1 });
    assert_eq!(refused(&|update| update.records.clear()), LightError::RecordCount { found: 0 });
    let exchanged = refused(&|update| update.records.reverse());
    assert_eq!(exchanged, LightError::RecordOrder { expected: 0, found: SHARD });
    let fewer = refused(&|update| update.deliveries.truncate(1));
    assert_eq!(fewer, LightError::LaneCount { expected: 2, found: 1 });
    let exchanged = refused(&|update| update.deliveries.reverse());
    assert_eq!(exchanged, LightError::LaneOrder { expected: 0, found: SHARD });
    let forged = refused(&|update| update.deliveries[1].lane.received = 1);
    assert_eq!(forged, LightError::Lane { shard: SHARD });
}

#[test]
fn a_refused_update_changes_nothing() {
    let network = Network::new();
    let mut client = network.synced();
    let before = format!("{client:?}");
    let mut update = network.update(0, 6);
    update.records.truncate(1);
    assert!(apply(&mut client, update).is_err());
    assert_eq!(format!("{client:?}"), before);
}

#[test]
fn every_byte_of_an_update_matters() {
    let network = Network::new();
    let client = network.client();
    for tampered in with_one_bit_flipped(&network.update(0, 5)) {
        assert!(client.clone().update(Unverified::new(tampered.clone())).is_err(), "{tampered:?}");
    }
}

#[test]
fn a_committee_is_taken_if_a_table_names_it() {
    let network = Network::new();
    let mut client = network.client();
    let unknown = LightError::UnknownShard { shard: SHARD };
    assert_eq!(accept(&mut client, SHARD.into(), 0, &network.shard[0]), Err(unknown));
    apply(&mut client, network.update(0, 5)).unwrap();
    assert_eq!(accept(&mut client, SHARD.into(), 0, &network.shard[0]), Ok(()));
    assert_eq!(accept(&mut client, SHARD.into(), 0, &network.shard[0]), Ok(()));
    let (chain, epoch) = (SHARD.into(), Epoch::new(1));
    let (expected, found) = (network.shard[1].committee.root(), network.shard[0].committee.root());
    let wrong = LightError::Committee { chain, epoch, expected, found };
    assert_eq!(accept(&mut client, chain, 1, &network.shard[0]), Err(wrong));
    let unknown = LightError::UnknownEpoch { chain, epoch: Epoch::new(2) };
    assert_eq!(accept(&mut client, chain, 2, &network.shard[1]), Err(unknown));
    assert!(client.authority(chain, Epoch::ZERO).is_some());
    assert!(client.authority(chain, epoch).is_none());
}

#[test]
fn a_committee_that_a_table_names_but_that_cannot_sign_is_refused() {
    let members = Members::new(1, 4);
    let seats: Vec<_> = members.committee.seats().iter().rev().copied().collect();
    let unordered = Committee::from_ssz_bytes(&seats.as_ssz_bytes()).unwrap();
    let entry =
        primitives::EpochEntry { committee_root: unordered.root(), ..table(&[(0, &members)]).entries()[0] };
    let table = EpochTable::new(vec![entry]).unwrap();
    let error = LightClient::new(GENESIS, BeaconHeader::default(), table, vec![unordered]).unwrap_err();
    assert_eq!(error, AuthorityError::NotWellFormed.into());
}

#[test]
fn missing_names_the_committees_of_now_and_next_until_they_are_held() {
    let network = Network::new();
    let mut client = network.client();
    let root = |members: &Members| members.committee.root();
    let next_beacon = (Chain::Beacon, Epoch::new(1), root(&network.beacon[1]));
    assert_eq!(client.missing(), [next_beacon]);
    apply(&mut client, network.update(0, 5)).unwrap();
    let zero = Chain::Shard(ShardId::new(0));
    let expected = [
        next_beacon,
        (zero, Epoch::new(0), root(&network.shard[0])),
        (zero, Epoch::new(1), root(&network.shard[1])),
        // Its accepted header is of epoch 1 already.
        (SHARD.into(), Epoch::new(1), root(&network.shard[1])),
    ];
    assert_eq!(client.missing(), expected);
    assert_eq!(accept(&mut client, Chain::Beacon, 1, &network.beacon[1]), Ok(()));
    assert_eq!(client.missing(), expected[1..]);
    // One committee of two chains is fetched once.
    assert_eq!(accept(&mut client, zero, 1, &network.shard[1]), Ok(()));
    assert_eq!(client.missing(), expected[1..2]);
    assert_eq!(accept(&mut client, zero, 0, &network.shard[0]), Ok(()));
    assert_eq!(client.missing(), []);
}

/// A network of few units draws the same committee again and again.
#[test]
fn a_committee_held_for_one_epoch_is_appointed_to_the_next() {
    let members = Members::new(1, 4);
    let mut state = Network::new().state;
    state.beacon_table = table(&[(0, &members), (32, &members)]);
    state.records.iter_mut().for_each(|record| record.table = table(&[(0, &members), (64, &members)]));
    let committees = vec![members.committee.clone()];
    let header = BeaconHeader::default();
    let mut client = LightClient::new(GENESIS, header, state.beacon_table.clone(), committees).unwrap();
    assert_eq!(client.missing(), []);
    assert_eq!(apply(&mut client, state.update(0, 31, &members)), Ok(()));
    assert_eq!(apply(&mut client, state.update(1, 32, &members)), Ok(()));
    assert_eq!(client.missing(), []);
}

#[test]
fn committees_that_no_table_names_any_more_are_dropped() {
    let mut network = Network::new();
    let mut client = network.synced();
    let (chain, redrawn) = (Chain::Shard(SHARD), Members::new(5, 4));
    let held = |client: &LightClient, epoch| client.authority(chain, Epoch::new(epoch)).is_some();
    assert!(held(&client, 0) && held(&client, 1));
    network.state.records[1].table = table(&[(0, &network.shard[0]), (40, &redrawn)]);
    assert_eq!(apply(&mut client, network.update(0, 6)), Ok(()));
    assert!(held(&client, 0) && !held(&client, 1));
    let missing = (chain, Epoch::new(1), redrawn.committee.root());
    assert!(client.missing().contains(&missing));
    assert_eq!(accept(&mut client, chain, 1, &redrawn), Ok(()));
    assert!(held(&client, 1));
}

#[test]
fn a_clone_goes_its_own_way() {
    let network = Network::new();
    let client = network.synced();
    let mut clone = client.clone();
    assert_eq!(apply(&mut clone, network.update(1, 32)), Ok(()));
    assert_eq!((client.header().height, clone.header().height), (Height::new(5), Height::new(32)));
}

#[test]
fn a_certified_shard_header_verifies_under_its_own_committee() {
    let network = Network::new();
    let client = network.synced();
    for height in [1, 63, 64, 67] {
        let certified = network.certified(Network::shard_header(height));
        assert_eq!(client.verify_shard_certificate(&certified), Ok(()));
    }
}

#[test]
fn a_shard_header_with_another_certificate_is_refused() {
    let network = Network::new();
    let client = network.synced();
    let mut certified = network.certified(Network::shard_header(64));
    let found = certified.certificate.id;
    certified.header.gas_used = 1;
    let expected = LightError::CertifiedId { expected: certified.header.id(), found };
    assert_eq!(client.verify_shard_certificate(&certified), Err(expected));
    certified.certificate.id = certified.header.id();
    let expected = CertificateError::Signature.into();
    assert_eq!(client.verify_shard_certificate(&certified), Err(expected));
    let vote = finalization(Chain::Beacon, 1, certified.header.id());
    certified.certificate = network.shard[1].aggregate(vote, 3);
    assert_eq!(client.verify_shard_certificate(&certified), Err(expected));
}

#[test]
fn a_shard_header_of_an_epoch_that_does_not_rule_it_is_refused() {
    let network = Network::new();
    let client = network.synced();
    let verify = |header| client.verify_shard_certificate(&network.certified(header));
    let (chain, height, found) = (SHARD.into(), Height::new(64), Epoch::ZERO);
    let void = ShardHeader { epoch: found, ..Network::shard_header(64) };
    let expected = LightError::Epoch { chain, height, expected: Some(Epoch::new(1)), found };
    assert_eq!(verify(void), Err(expected));
    let unknown = ShardHeader { shard: ShardId::new(2), ..Network::shard_header(64) };
    assert_eq!(verify(unknown), Err(LightError::UnknownShard { shard: ShardId::new(2) }));
}

#[test]
fn a_shard_header_needs_its_committee() {
    let network = Network::new();
    let mut client = network.client();
    apply(&mut client, network.update(0, 5)).unwrap();
    let certified = network.certified(Network::shard_header(64));
    let (chain, epoch) = (SHARD.into(), Epoch::new(1));
    let expected = LightError::NeedsCommittee { chain, epoch };
    assert_eq!(client.verify_shard_certificate(&certified), Err(expected));
    assert_eq!(accept(&mut client, chain, 1, &network.shard[1]), Ok(()));
    assert_eq!(client.verify_shard_certificate(&certified), Ok(()));
}

#[test]
fn an_accepted_header_and_its_ancestors_are_finalized() {
    let network = Network::new();
    let client = network.synced();
    let accepted = client.finalized_ancestor(SHARD, &network.accepted, &no_proof());
    assert_eq!(accepted.unwrap().into_inner(), network.accepted);
    for height in [0, 40, 65] {
        let header = Network::shard_header(height);
        let proof = Network::history(66).proof(height, 66).unwrap();
        assert_eq!(client.finalized_ancestor(SHARD, &header, &proof).as_deref(), Ok(&header));
    }
}

#[test]
fn a_header_outside_the_accepted_history_is_not_finalized() {
    let network = Network::new();
    let client = network.synced();
    let finalize = |shard, header: &ShardHeader, proof: &MmrProof| {
        client.finalized_ancestor(shard, header, proof).map(|_| ())
    };
    let proof = Network::history(66).proof(40, 66).unwrap();
    let forged = ShardHeader { gas_used: 1, ..Network::shard_header(40) };
    let expected = HistoryError::Path { ancestor: Height::new(40) };
    assert_eq!(finalize(SHARD, &forged, &proof), Err(expected.into()));
    let above = Network::shard_header(67);
    let (descendant, ancestor) = (Height::new(66), Height::new(67));
    let expected = HistoryError::NotBelow { descendant, ancestor };
    assert_eq!(finalize(SHARD, &above, &proof), Err(expected.into()));
    let rival = ShardHeader { gas_used: 1, ..network.accepted.clone() };
    let expected =
        LightError::NotAccepted { shard: SHARD, expected: network.accepted.id(), found: rival.id() };
    assert_eq!(finalize(SHARD, &rival, &proof), Err(expected));
    let expected = LightError::Shard { expected: ShardId::new(0), found: SHARD };
    assert_eq!(finalize(ShardId::new(0), &Network::shard_header(40), &proof), Err(expected));
}
