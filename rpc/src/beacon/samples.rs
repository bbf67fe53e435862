//! One of each container, for the tests.

use super::{LightBootstrap, Takeover};
use alloy_primitives::{Address, B256};
use crypto::mmr::MmrProof;
use primitives::{
    AnchorRef, BeaconBlock, BeaconBody, BeaconBundle, BeaconHeader, Certificate, CertifiedBeaconHeader,
    CertifiedShardHeader, Chain, Committee, Conflict, Consumption, Crosslink, CrosslinkOffer, Divergence,
    Epoch, EpochEntry, EpochTable, Evidence, Height, InboxCursors, Lane, LightUpdate, OutboxLeaf,
    OutboxProof, PublicKeyBytes, Receipt, ReceiptKind, Seat, ShardHeader, ShardId, SignatureBytes,
    SignedVote, Signers, ValidatorIndex, View, VoidSource, Vote, VoteKind,
};

pub(super) fn signature(byte: u8) -> SignatureBytes {
    SignatureBytes::new([byte; SignatureBytes::LENGTH])
}

pub(super) fn key(byte: u8) -> PublicKeyBytes {
    PublicKeyBytes::new([byte; PublicKeyBytes::LENGTH])
}

pub(super) fn committee() -> Committee {
    let seat = |byte: u8| Seat {
        key: key(byte),
        validator: ValidatorIndex::new(byte.into()),
        node: B256::repeat_byte(byte),
        fee_recipient: Address::repeat_byte(byte),
    };
    Committee::new(vec![seat(1), seat(2)]).expect("two keys")
}

pub(super) fn header() -> BeaconHeader {
    BeaconHeader {
        epoch: Epoch::new(2),
        view: View::new(9),
        parent_view: View::new(8),
        height: Height::new(70),
        parent: B256::repeat_byte(1),
        timestamp_ms: 1_700_000_000_123,
        proposer: ValidatorIndex::new(3),
        state_root: B256::repeat_byte(2),
        body_root: B256::repeat_byte(3),
        history_root: B256::repeat_byte(4),
    }
}

fn certificate(id: B256) -> Certificate {
    Certificate {
        epoch: Epoch::new(2),
        view: View::new(9),
        parent_view: View::new(8),
        id,
        signers: Signers::from_indices(4, [0, 1, 3]),
        signature: signature(5),
    }
}

pub(super) fn crosslink() -> Crosslink {
    let header = ShardHeader {
        shard: ShardId::new(1),
        epoch: Epoch::new(6),
        height: Height::new(140),
        timestamp_ms: 1_700_000_000_000,
        anchor: AnchorRef { height: Height::new(68), id: B256::repeat_byte(8) },
        state_root: B256::repeat_byte(9),
        outbox_root: B256::repeat_byte(10),
        ..Default::default()
    };
    Crosslink {
        certificate: certificate(B256::repeat_byte(11)),
        header,
        history: history(),
        cursors: InboxCursors::default(),
        sources: Vec::new(),
    }
}

pub(super) fn offer() -> CrosslinkOffer {
    let ancestry = MmrProof { leaf_count: 140, leaf_index: 139, path: vec![B256::repeat_byte(12)] };
    CrosslinkOffer { crosslink: crosslink(), ancestries: vec![ancestry, history()], bundles: Vec::new() }
}

fn history() -> MmrProof {
    MmrProof { leaf_count: 1, leaf_index: 0, path: Vec::new() }
}

pub(super) fn evidence() -> Evidence {
    let signed = |kind, id, byte| SignedVote {
        vote: Vote {
            kind,
            chain: Chain::Shard(ShardId::new(1)),
            epoch: Epoch::new(6),
            view: View::new(12),
            parent_view: View::new(11),
            id,
        },
        seat: 1,
        signature: signature(byte),
    };
    Evidence {
        first: signed(VoteKind::Finalize, B256::repeat_byte(1), 1),
        second: signed(VoteKind::Nullify, B256::ZERO, 2),
        committee: committee(),
    }
}

fn certified() -> CertifiedShardHeader {
    let Crosslink { header, certificate, .. } = crosslink();
    CertifiedShardHeader { header, certificate }
}

pub(super) fn conflict() -> Conflict {
    let mut second = certified();
    second.certificate.id = B256::repeat_byte(13);
    Conflict { first: certified(), second, divergence: Divergence::SameHeight(0) }
}

fn consumption() -> Consumption {
    Consumption {
        certified: certified(),
        cursors: InboxCursors::default(),
        source: VoidSource::Ended(ShardId::new(2)),
    }
}

pub(super) fn block() -> BeaconBlock {
    let body = BeaconBody {
        randao_reveal: signature(6),
        crosslinks: vec![crosslink()],
        evidence: vec![evidence()],
        conflicts: vec![conflict()],
        consumptions: vec![consumption()],
        bundles: vec![bundle()],
    };
    BeaconBlock { header: header(), body }
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        lane: Lane { source: ShardId::new(1).into(), destination: Chain::Beacon },
        sequence: 5,
        kind: ReceiptKind::new(5),
        sender: Address::repeat_byte(2),
        value: Default::default(),
        gas: 0,
        deadline: 0,
        payload: Default::default(),
    }
}

fn bundle() -> BeaconBundle {
    let leaf =
        OutboxLeaf { destination: Chain::Beacon, first_sequence: 5, count: 1, root: B256::repeat_byte(14) };
    BeaconBundle {
        header: crosslink().header,
        ancestry: Vec::new(),
        outbox: OutboxProof { leaf, index: 0, branch: Vec::new() },
        receipts: vec![receipt()],
        range_proof: Vec::new(),
    }
}

fn table() -> EpochTable {
    let entry =
        EpochEntry { epoch: Epoch::ZERO, first_height: Height::new(1), committee_root: committee().root() };
    EpochTable::new(vec![entry]).expect("one entry")
}

pub(super) fn bootstrap() -> LightBootstrap {
    LightBootstrap { header: header(), beacon_table: table(), committees: vec![committee()] }
}

pub(super) fn update() -> LightUpdate {
    LightUpdate {
        certified: CertifiedBeaconHeader { header: header(), certificate: certificate(header().id()) },
        mix: B256::repeat_byte(7),
        mix_branch: vec![B256::repeat_byte(8)],
        beacon_table: table(),
        beacon_table_branch: Vec::new(),
        records: Vec::new(),
        deliveries: Vec::new(),
    }
}

pub(super) fn takeover() -> Takeover {
    Takeover {
        units: 4.into(),
        adversary_units: 1.into(),
        stalling_seats: 2.into(),
        quorum: 3.into(),
        liveness_loss: "0".into(),
        safety_loss: "0".into(),
    }
}
