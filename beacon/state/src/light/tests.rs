use super::*;
use crate::testing::{Network, STALL_HEIGHTS};
use consensus::layout::{verify_beacon_table, verify_mix, verify_record, verify_shard_count};
use consensus::light::LightClient;
use primitives::{BeaconHeader, Chain, Committee, Height, Unverified};
use xshard::beacon::{DeliveryError, narrow_delivery, verify_delivery};

fn network() -> Network {
    let mut network = Network::new(3, &[1, 1, 1, 1]);
    network.grow(1, 3);
    network.accept(1);
    network
}

/// The update of the newest header, certified.
fn update(network: &Network) -> LightUpdate {
    let header = network.chain.header();
    light_update(&network.chain, network.certify(Chain::Beacon, header.epoch, header.id()))
}

fn client(network: &Network) -> LightClient {
    let table = network.state().beacon_table().clone();
    let committees: Vec<Committee> = (table.entries().iter())
        .map(|entry| network.authority(Chain::Beacon, entry.epoch).committee().clone())
        .collect();
    let header: BeaconHeader = network.chain.header().clone();
    LightClient::new(network.state().genesis_hash(), header, table, committees).unwrap()
}

#[test]
fn every_part_of_an_update_is_where_the_layout_says() {
    let network = network();
    let update = update(&network);
    let root = network.chain.header().state_root;
    assert!(verify_mix(root, update.mix, &update.mix_branch));
    assert!(verify_beacon_table(root, &update.beacon_table, &update.beacon_table_branch));
    assert_eq!(update.records.len(), 3);
    for proof in &update.records {
        assert!(verify_record(root, &proof.record, &proof.branch));
        assert!(verify_shard_count(&proof.branch, 3));
    }
}

#[test]
fn a_part_of_another_state_is_not_in_the_update() {
    let mut network = network();
    let before = update(&network);
    network.idle(1);
    let root = network.chain.header().state_root;
    assert!(!verify_mix(root, before.mix, &before.mix_branch));
    assert!(!verify_record(root, &before.records[1].record, &before.records[1].branch));
}

#[test]
fn all_proofs_at_once_are_those_of_each() {
    let network = network();
    let proofs = record_proofs(network.state());
    for (shard, proof) in (0..).map(ShardId::new).zip(&proofs) {
        assert_eq!(record_proof(network.state(), shard).as_ref(), Some(proof));
    }
    assert_eq!(record_proof(network.state(), ShardId::new(3)), None);
}

/// A network whose beacon chain has refused receipts of shard 1, so that answers wait for it.
fn with_answers(count: u64) -> Network {
    let mut network = network();
    refuse(&mut network, count);
    network
}

fn refuse(network: &mut Network, count: u64) {
    let exit = xshard::Exit { validator: primitives::ValidatorIndex::new(9), units: 1 };
    let payload = xshard::Payload::Exit(exit);
    let receipts = (0..count).map(|_| network.receipt(Default::default(), Default::default(), &payload));
    let receipts = receipts.collect();
    network.send_and_deliver(1, receipts);
}

#[test]
fn what_there_is_for_every_shard_is_proven() {
    for count in [1, 7] {
        let mut network = network();
        let mut client = client(&network);
        refuse(&mut network, count);
        let (update, root) = (update(&network), network.chain.header().state_root);
        assert_eq!(update.deliveries.len(), 3);
        for (shard, expected) in (0..).map(ShardId::new).zip([0, count, 0]) {
            let delivery = &update.deliveries[shard.get() as usize];
            let arrivals = verify_delivery(delivery, shard, root, 0).unwrap();
            let sequences: Vec<_> = arrivals.iter().map(|arrival| arrival.receipt.sequence).collect();
            assert_eq!(sequences, (0..expected).collect::<Vec<_>>());
            assert_eq!(delivery.lane.received, expected);
            let other = verify_delivery(delivery, shard, B256::repeat_byte(1), 0);
            assert_eq!(other, Err(DeliveryError::Lane { shard }));
        }
        client.update(Unverified::new(update)).unwrap();
    }
}

#[test]
fn what_is_left_of_a_delivery_is_proven_as_well() {
    let network = with_answers(5);
    let root = network.chain.header().state_root;
    for next in 0..5 {
        let delivery = narrow_delivery(&deliveries(network.state())[1], next).unwrap();
        let arrivals = verify_delivery(&delivery, ShardId::new(1), root, next).unwrap();
        assert_eq!(arrivals.len() as u64, 5 - next);
    }
}

#[test]
fn a_light_client_follows_over_epochs_and_early_ends() {
    let mut network = Network::new(2, &[1, 1, 1, 1]);
    let mut client = client(&network);
    for _ in 0..3 * STALL_HEIGHTS {
        network.grow(1, 1);
        network.accept(1);
        client.update(Unverified::new(update(&network))).unwrap();
        for (chain, epoch, _) in client.missing() {
            let committee = network.authority(chain, epoch).committee().clone();
            client.committee(chain, epoch, Unverified::new(committee)).unwrap();
        }
    }
    assert_eq!(client.header().height, Height::new(3 * STALL_HEIGHTS));
    let (stalled, running) = (ShardId::new(0), ShardId::new(1));
    assert_eq!(client.record(stalled), Ok(network.record(0)));
    assert_eq!(client.record(stalled).unwrap().early_ends, 3);
    assert_eq!(*client.finalized_shard(running).unwrap(), network.record(1).accepted);
}

#[test]
fn a_light_client_is_told_what_an_accepted_header_has_consumed() {
    let mut network = network();
    let mut client = client(&network);
    network.consume(0, &[(1, 3)]);
    network.accept(0);
    let update = update(&network);
    let consumed = network.shards[0].cursors[1].clone();
    assert_eq!(update.records[0].cursors, consumed);
    assert_eq!(record_proof(network.state(), ShardId::new(0)).as_ref(), Some(&update.records[0]));
    client.update(Unverified::new(update)).unwrap();
    assert_eq!(client.record(ShardId::new(0)).unwrap().accepted.inbox_cursors_root, consumed.root());
}
