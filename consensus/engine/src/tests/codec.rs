//! What is read from peers.

use super::harness::*;
use crate::{
    Block,
    block::BlockLimits,
    scheme::{certificate_of, finalization_of},
};
use bytes::{BufMut as _, BytesMut};
use commonware_codec::{Decode as _, Encode as _};
use primitives::{
    B256, BeaconHeader, Certificate, Chain, Epoch, Height, ShardId, SignatureBytes, Signers, View,
};

const LIMITS: BlockLimits = BlockLimits { chain: Chain::Beacon, body_bytes_max: 1024 };

fn header(height: u64) -> BeaconHeader {
    BeaconHeader { height: Height::new(height), ..BeaconHeader::default() }
}

fn encoded() -> BytesMut {
    BytesMut::from(&block(header(7)).encode()[..])
}

fn read(bytes: BytesMut) -> Option<Block> {
    Block::decode_cfg(bytes.freeze(), &LIMITS).ok()
}

#[test]
fn a_block_survives_its_encoding() {
    assert_eq!(read(encoded()), Some(block(header(7))));
}

#[test]
fn a_block_of_another_chain_is_refused() {
    let limits = BlockLimits { chain: Chain::Shard(ShardId::new(1)), ..LIMITS };
    assert!(Block::decode_cfg(encoded().freeze(), &limits).is_err());
    let mut other_kind = encoded();
    other_kind[0] = 1;
    assert_eq!(read(other_kind), None);
}

#[test]
fn a_block_whose_body_is_not_the_committed_one_is_refused() {
    let mut changed = encoded();
    // The first bytes of the body are the randao reveal.
    let at = changed.len() - 20;
    changed[at] ^= 1;
    assert_eq!(read(changed), None);
}

#[test]
fn a_block_above_its_limit_is_refused() {
    let limits = BlockLimits { body_bytes_max: 10, ..LIMITS };
    assert!(Block::decode_cfg(encoded().freeze(), &limits).is_err());
}

#[test]
fn a_block_cut_short_or_followed_by_something_is_refused() {
    let mut longer = encoded();
    longer.put_u8(0);
    assert_eq!(read(longer), None);
    for length in 0..encoded().len() {
        let mut shorter = encoded();
        shorter.truncate(length);
        assert_eq!(read(shorter), None, "{length} bytes");
    }
}

#[test]
fn a_certificate_keeps_its_meaning_in_the_librarys_form() {
    let signature = sign(
        &seat_secret(0, 0),
        &primitives::Vote {
            kind: primitives::VoteKind::Finalize,
            chain: Chain::Beacon,
            epoch: Epoch::new(3),
            view: View::new(9),
            parent_view: View::new(7),
            id: B256::repeat_byte(5),
        },
    );
    let certificate = Certificate {
        epoch: Epoch::new(3),
        view: View::new(9),
        parent_view: View::new(7),
        id: B256::repeat_byte(5),
        signers: Signers::from_indices(11, [0, 3, 10]),
        signature,
    };
    let finalization = finalization_of(&certificate).unwrap();
    assert_eq!(certificate_of(&finalization), certificate);
    let malformed = Certificate { signature: SignatureBytes::new([0xff; 96]), ..certificate };
    assert!(finalization_of(&malformed).is_none());
}
