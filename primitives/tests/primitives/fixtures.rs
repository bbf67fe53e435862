//! Every container's encoding, frozen.
//!
//! A change of a file under `tests/fixtures` is a change of the protocol. To make it, run the tests with
//! `ATOLL_WRITE_FIXTURES=1` and look at the difference.

use crate::sample::{Sample, Sampler, every_container};
use primitives::*;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::path::PathBuf;
use tree_hash::TreeHash;

/// What a file holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Fixture {
    /// The encoding.
    ssz: Bytes,
    /// What the protocol refers to the container by, where it does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    root: Option<B256>,
}

/// What the protocol refers to a container by.
trait Root {
    fn root(&self) -> Option<B256>;
}

macro_rules! roots {
    (tree: $($tree:ty),*; body: $($body:ty),*; none: $($none:ty),* $(,)?) => {
        $(impl Root for $tree { fn root(&self) -> Option<B256> { Some(self.tree_hash_root()) } })*
        $(impl Root for $body { fn root(&self) -> Option<B256> { Some(self.root()) } })*
        $(impl Root for $none { fn root(&self) -> Option<B256> { None } })*
    };
}
roots! {
    tree: AcceptedHeader, AnchorRef, BeaconHeader, BeaconLane, Chain, Committee, EpochEntry, EpochTable, InboxCursor,
        InboxCursors, Lane, OutboxLeaf, Seat, ShardHeader, ShardKind, ShardRecord, ShardStatus;
    body: BeaconBody, ShardBody;
    none: AncestorHeader, AnchorProof, BeaconBlock, BeaconBundle, BeaconDelivery, Bundle, Bypassed, Certificate, CertifiedBeaconHeader,
        CertifiedShardHeader, Conflict, Consumption, Crosslink, CrosslinkOffer, Divergence, Evidence, Inclusion, LightUpdate,
        crypto::mmr::MmrProof, OtherAncestor, OutboxProof, Receipt, ReceiptKind, RecordProof, ShardBlock, SignedVote, Signers,
        SourceAncestry, VoidSource, Vote, VoteKind,
}

fn check<T: Root + ssz::Encode + ssz::Decode + PartialEq + Debug>(name: &str, value: T) {
    let found = Fixture { ssz: value.as_ssz_bytes().into(), root: value.root() };
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", &format!("{name}.json")].iter().collect();
    if std::env::var_os("ATOLL_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&path).expect("every container has a fixture");
    let frozen: Fixture = serde_json::from_str(&text).unwrap();
    assert_eq!(found, frozen, "the encoding of {name} has changed");
    assert_eq!(T::from_ssz_bytes(&frozen.ssz).as_ref(), Ok(&value));
}

fn sample<T: Sample>() -> T {
    Sampler::new(1, Some(2)).sample()
}

macro_rules! fixture_tests {
    ($($name:ident: $container:ty,)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name), sample::<$container>());
        }
    )*};
}

/// One test for each container: its encoding is the frozen one.
mod the_encoding_is_frozen_of {
    use super::*;
    use crypto::mmr::MmrProof;

    every_container!(fixture_tests);

    #[test]
    fn every_variant() {
        check("chain_beacon", Chain::Beacon);
        check("divergence_same_height", Divergence::SameHeight(0));
        check("divergence_below", Divergence::Below(sample()));
        check("void_source_ended", VoidSource::Ended(sample()));
        check("void_source_bypassed", VoidSource::Bypassed(sample()));
        check("source_ancestry_direct", SourceAncestry::Direct(0));
        check("source_ancestry_ancestor", SourceAncestry::Ancestor(sample()));
        check("vote_kind_notarize", VoteKind::Notarize);
        check("vote_kind_nullify", VoteKind::Nullify);
        check("vote_kind_finalize", VoteKind::Finalize);
        check("shard_kind_defi", ShardKind::Defi);
        check("shard_kind_nft", ShardKind::Nft);
        check("shard_kind_ai", ShardKind::Ai);
        check("shard_status_active", ShardStatus::Active);
        check("shard_status_retired", ShardStatus::Retired);
    }
}
