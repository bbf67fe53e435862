use super::*;
use crate::kind::{Payload, Withdrawal};
use crate::testing::SourceChain;

use consensus::layout::{FIELD_LANES, SHARDS_DEPTH, lane_branch, list_root, state_root};
use consensus::{history::HistoryError, testing::with_one_bit_flipped};
use primitives::{Address, Height, U256, ValidatorIndex};
use tree_hash::TreeHash as _;

const SHARD: ShardId = ShardId::ZERO;
const BELOW: Height = Height::new(1);
const ACCEPTED: Height = Height::new(3);

/// Receipt `sequence` to the beacon chain.
fn sent(sequence: u64) -> Receipt {
    let lane = Lane { source: SHARD.into(), destination: Chain::Beacon };
    Receipt { lane, ..crate::testing::receipt(0, sequence) }
}

/// A shard that sent 3 receipts in block 1 and 2 in block 3, which is accepted.
struct Fixture {
    source: SourceChain,
    accepted: AcceptedHeader,
}

impl Fixture {
    fn new() -> Self {
        let mut source = SourceChain::new(SHARD);
        source.send((0..3).map(sent).collect());
        source.send(Vec::new());
        source.send((3..5).map(sent).collect());
        let header = source.header(ACCEPTED).clone();
        let accepted = AcceptedHeader {
            height: header.height,
            id: header.id(),
            history_root: header.history_root,
            ..AcceptedHeader::default()
        };
        Self { source, accepted }
    }

    fn bundle(&self, height: Height) -> BeaconBundle {
        let whole = self.source.whole(Chain::Beacon, height, ACCEPTED, None);
        let ancestor = whole.ancestor.into_iter().next();
        BeaconBundle {
            header: self.source.header(height).clone(),
            ancestry: ancestor.map(|ancestor| ancestor.proof).into_iter().collect(),
            outbox: whole.outbox,
            receipts: whole.receipts,
            range_proof: Vec::new(),
        }
    }

    fn verify(&self, bundle: &BeaconBundle, next: u64) -> Result<Vec<u64>, BundleError> {
        let arrivals = verify_bundle(bundle, SHARD, &self.accepted, next)?;
        Ok(arrivals.iter().map(|arrival| arrival.receipt.sequence).collect())
    }
}

#[test]
fn receipts_reach_the_beacon_chain_once_and_in_order() {
    let fixture = Fixture::new();
    let (below, accepted) = (fixture.bundle(BELOW), fixture.bundle(ACCEPTED));
    assert_eq!(fixture.verify(&below, 0), Ok(vec![0, 1, 2]));
    assert_eq!(fixture.verify(&accepted, 3), Ok(vec![3, 4]));
    let part = narrow(&below, 1, 9).expect("two are left");
    assert_eq!(fixture.verify(&part, 1), Ok(vec![1, 2]));
    let one = narrow(&part, 1, 1).expect("two are left");
    assert_eq!(fixture.verify(&one, 1), Ok(vec![1]));
    let last = narrow(&part, 2, 9).expect("one is left");
    assert_eq!(fixture.verify(&last, 2), Ok(vec![2]));
    assert_eq!(narrow(&part, 3, 9), None);
    let lane = Lane { source: SHARD.into(), destination: Chain::Beacon };
    let again = BundleError::NotContiguous { lane, expected: 3, found: 0 };
    assert_eq!(fixture.verify(&below, 3), Err(again));
    let skipped = BundleError::NotContiguous { lane, expected: 0, found: 3 };
    assert_eq!(fixture.verify(&accepted, 0), Err(skipped));
}

#[test]
fn only_accepted_headers_bring_receipts() {
    let fixture = Fixture::new();
    let below = fixture.bundle(BELOW);
    let (height, expected, found) = (ACCEPTED, fixture.accepted.id, below.header.id());
    let unproven = BeaconBundle { ancestry: Vec::new(), ..below.clone() };
    assert_eq!(fixture.verify(&unproven, 0), Err(BundleError::OtherBranch { height, expected, found }));
    let mut other = below;
    other.header.gas_used += 1;
    assert_eq!(fixture.verify(&other, 0), Err(BundleError::Ancestor(HistoryError::Path { ancestor: BELOW })));
    let foreign = verify_bundle(&fixture.bundle(ACCEPTED), ShardId::new(1), &fixture.accepted, 3);
    assert_eq!(foreign, Err(BundleError::AncestorShard { expected: ShardId::new(1), found: SHARD }));
}

#[test]
fn no_bit_of_a_bundle_to_the_beacon_chain_can_flip() {
    let fixture = Fixture::new();
    let part = narrow(&fixture.bundle(BELOW), 1, 1).expect("two are left");
    for changed in with_one_bit_flipped(&part) {
        assert!(fixture.verify(&changed, 1).is_err(), "{changed:?}");
    }
}

/// `count` payouts to the shard from sequence 7 on, and the state root that has them.
fn delivery(count: u64) -> (BeaconDelivery, B256) {
    let payload = Payload::Withdrawal(Withdrawal { validator: ValidatorIndex::new(4), to: Address::ZERO });
    let receipt = |sequence| receipt(SHARD, sequence, U256::from(32), &payload);
    let receipts: Vec<Receipt> = (7..7 + count).map(receipt).collect();
    let ids: Vec<B256> = receipts.iter().map(Receipt::id).collect();
    let lane = lane(SHARD, 3, 7, &ids);
    let roots = [lane.tree_hash_root(), B256::repeat_byte(9)];
    let mut fields = std::array::from_fn(|field| B256::repeat_byte(field as u8));
    fields[FIELD_LANES as usize] = list_root(&roots, SHARDS_DEPTH);
    let branch = lane_branch(&roots, 0, &fields).expect("is the first");
    (deliver(lane, branch, &receipts, &ids), state_root(&fields))
}

#[test]
fn a_shard_takes_what_it_has_not_consumed_yet() {
    for count in [0, 1, 5, DELIVERY_RECEIPTS_MAX as u64, DELIVERY_RECEIPTS_MAX as u64 + 3] {
        let (delivery, root) = delivery(count);
        let last = 7 + count.min(DELIVERY_RECEIPTS_MAX as u64);
        for next in [7, 8, last, last + 1] {
            let narrow = narrow_delivery(&delivery, next).expect("its proof is right");
            let arrivals = verify_delivery(&narrow, SHARD, root, next).expect("in the state");
            let found: Vec<u64> = arrivals.iter().map(|arrival| arrival.receipt.sequence).collect();
            assert_eq!(found, (next..last).collect::<Vec<_>>());
        }
    }
}

#[test]
fn no_bit_of_a_delivery_can_flip() {
    let (delivery, root) = delivery(5);
    for changed in with_one_bit_flipped(&delivery) {
        assert!(verify_delivery(&changed, SHARD, root, 7).is_err(), "{changed:?}");
    }
    let (error, found) = (verify_delivery(&delivery, ShardId::new(1), root, 7), SHARD);
    assert_eq!(error, Err(DeliveryError::Shard { expected: ShardId::new(1), found }));
    let fewer = BeaconDelivery { receipts: delivery.receipts[..4].to_vec(), ..delivery.clone() };
    let range = DeliveryError::Range { first: 7, count: 4 };
    assert_eq!(verify_delivery(&fewer, SHARD, root, 7), Err(range));
    let consumed = DeliveryError::NotContiguous { expected: 8, found: 7 };
    assert_eq!(verify_delivery(&delivery, SHARD, root, 8), Err(consumed));
}
