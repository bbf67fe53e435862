use super::*;
use crate::testing::{ETHER, Sender, TestNet, key};

use alloy_primitives::Address;
use alloy_sol_types::SolCall as _;
use consensus::testing::{GENESIS, Members, State, idle_lanes, table, with_one_bit_flipped};
use portal::{PORTAL, abi::IPortal::transferCall};
use ssz::Encode as _;

const TO: Address = Address::repeat_byte(0xaa);

/// A transfer from shard 0 that shard 1 took in, some blocks ago.
struct Fixture {
    net: TestNet,
    id: B256,
    sent: Inclusion,
    consumed: Inclusion,
}

impl Fixture {
    fn new() -> Self {
        let mut net = TestNet::new();
        let call = transferCall { shard: 1, to: TO }.abi_encode();
        let transaction = Sender::new(ShardId::ZERO).transaction(&key(0), 0, Some(PORTAL), ETHER, call);
        let executed = net.advance(0, &[transaction], &[]);
        let (id, _) = executed.outbox.receipts().next().expect("one was sent");
        let sent_at = executed.header.height;
        let bundles = net.outgoing(0, 1, 0);
        let consumed_at = net.advance(1, &[], &bundles).header.height;
        net.settle();
        net.crosslink();
        let (sent, consumed) = (net.inclusion(0, sent_at, 0), net.inclusion(1, consumed_at, 0));
        Self { net, id, sent, consumed }
    }

    /// Who has followed the beacon chain up to now.
    fn client(&self) -> LightClient {
        let members = Members::new(9, 4);
        let proofs = self.net.beacon.records(1);
        let state = State {
            mix: B256::ZERO,
            beacon_table: table(&[(0, &members)]),
            records: proofs.iter().map(|proof| proof.record.clone()).collect(),
            cursors: proofs.into_iter().map(|proof| proof.cursors).collect(),
            lanes: idle_lanes(3),
        };
        let (table, committee) = (state.beacon_table.clone(), members.committee.clone());
        let mut client =
            LightClient::new(GENESIS, state.header(0, 0), table, vec![committee]).expect("whole");
        client.update(Unverified::new(state.update(0, 1, &members))).expect("is certified");
        client
    }

    fn verify(&self, sent: &Inclusion, consumed: &Inclusion) -> Result<Journey, JourneyError> {
        let unverified = |inclusion: &Inclusion| Unverified::new(inclusion.clone());
        verify(&self.client(), self.id, unverified(sent), unverified(consumed))
    }
}

#[test]
fn a_journey_is_proven_in_kilobytes_from_accepted_headers_alone() {
    let fixture = Fixture::new();
    let Fixture { id, sent, consumed, .. } = &fixture;
    let journey = fixture.verify(sent, consumed).expect("is finalized");
    assert_eq!((journey.receipt.id(), journey.receipt.value), (*id, ETHER));
    assert_eq!((journey.sent_by, journey.sent_at), (sent.hash, sent.header.height));
    assert_eq!((journey.consumed_at, journey.success), (consumed.header.height, true));
    assert_eq!(journey.logs.len(), 1, "it was credited");
    let bytes = sent.ssz_bytes_len() + consumed.ssz_bytes_len();
    assert!(bytes < 8 << 10, "{bytes} bytes");
}

#[test]
fn no_bit_of_a_journey_can_flip() {
    let fixture = Fixture::new();
    let Fixture { sent, consumed, .. } = &fixture;
    let client = fixture.client();
    let holds = |sent: Inclusion, consumed: Inclusion| {
        verify(&client, fixture.id, Unverified::new(sent), Unverified::new(consumed)).is_ok()
    };
    assert!(with_one_bit_flipped(sent).all(|changed| !holds(changed, consumed.clone())));
    assert!(with_one_bit_flipped(consumed).all(|changed| !holds(sent.clone(), changed)));
}

#[test]
fn halves_of_other_journeys_prove_nothing() {
    let fixture = Fixture::new();
    let Fixture { id, sent, consumed, .. } = &fixture;
    let not_sent = JourneyError::NotSent { hash: *id, id: *id };
    assert_eq!(fixture.verify(consumed, consumed), Err(not_sent));
    let (expected, found) = (ShardId::new(1).into(), ShardId::ZERO);
    assert_eq!(fixture.verify(sent, sent), Err(JourneyError::OtherShard { expected, found }));
    let bare = Inclusion { history: Vec::new(), ..sent.clone() };
    let missing = InclusionError::Histories { expected: 1, found: 0 };
    assert_eq!(fixture.verify(&bare, consumed), Err(JourneyError::Source(missing)));
}
