use alloy_primitives::{B256, b256};
use proptest::prelude::*;
use ssz::{Decode, Encode};

use super::*;
use crate::hash::{sha256, sha256_pair};

fn leaf(index: u64) -> B256 {
    sha256(&index.to_be_bytes())
}

fn tree(leaf_count: u64) -> MmrTree {
    (0..leaf_count).map(leaf).collect()
}

/// The definition, recursively and without positions: the largest perfect tree on the left, then the rest.
fn naive_bag(leaves: &[B256]) -> B256 {
    fn perfect(leaves: &[B256]) -> B256 {
        match leaves {
            [leaf] => *leaf,
            _ => sha256_pair(&perfect(&leaves[..leaves.len() / 2]), &perfect(&leaves[leaves.len() / 2..])),
        }
    }
    let largest = 1 << leaves.len().ilog2();
    let (left, rest) = leaves.split_at(largest);
    if rest.is_empty() { perfect(left) } else { sha256_pair(&perfect(left), &naive_bag(rest)) }
}

fn naive_root(leaf_count: u64) -> B256 {
    let leaves: Vec<_> = (0..leaf_count).map(leaf).collect();
    let bag = if leaves.is_empty() { B256::ZERO } else { naive_bag(&leaves) };
    let mut count = [0; 32];
    count[..8].copy_from_slice(&leaf_count.to_le_bytes());
    sha256_pair(&bag, &B256::new(count))
}

#[test]
fn roots_of_all_small_ranges_are_those_of_the_definition() {
    let full = tree(130);
    let mut mmr = Mmr::new();
    for leaf_count in 0..=130 {
        let expected = naive_root(leaf_count);
        assert_eq!(mmr.root(), expected, "pushed, {leaf_count} leaves");
        assert_eq!(full.root_at(leaf_count), Some(expected), "from nodes, {leaf_count} leaves");
        mmr.push(leaf(leaf_count));
    }
    assert_eq!(full.root_at(131), None);
}

#[test]
fn every_leaf_of_all_small_ranges_is_proven_from_the_nodes_of_a_larger_one() {
    let full = tree(70);
    for leaf_count in 1..=70 {
        let root = naive_root(leaf_count);
        for index in 0..leaf_count {
            let proof = full.proof(index, leaf_count).unwrap();
            assert!(proof.verify(&root, &leaf(index)), "leaf {index} of {leaf_count}");
            assert!(!proof.verify(&root, &leaf(index + 1)), "another leaf at {index} of {leaf_count}");
        }
    }
}

#[test]
fn nodes_are_numbered_without_gaps_and_never_renumbered() {
    let mut mmr = Mmr::new();
    let mut nodes = Vec::new();
    for index in 0..100 {
        mmr.push_with(leaf(index), |position, node| {
            assert_eq!(position, nodes.len() as u64);
            nodes.push(node);
        });
    }
    assert_eq!(nodes.len(), 2 * 100 - 100_u64.count_ones() as usize);
}

#[test]
fn a_leaf_outside_the_range_has_no_proof() {
    assert_eq!(tree(5).proof(5, 5), Err(ProveError::NoSuchLeaf { leaf_index: 5, leaf_count: 5 }));
    assert_eq!(tree(5).proof(0, 0), Err(ProveError::NoSuchLeaf { leaf_index: 0, leaf_count: 0 }));
}

#[test]
fn a_range_larger_than_the_store_names_the_missing_node() {
    assert_eq!(tree(5).proof(0, 8), Err(ProveError::MissingNode { position: 13 }));
}

#[test]
fn a_leaf_count_beyond_the_maximum_is_refused_and_does_not_overflow() {
    let found = u64::MAX;
    let max = LEAF_COUNT_MAX;
    assert_eq!(tree(1).proof(0, found), Err(ProveError::TooManyLeaves { max, found }));
    assert_eq!(tree(1).root_at(found), None);
    assert_eq!(Mmr::from_parts(found, vec![B256::ZERO; 64]), Err(MmrError::TooManyLeaves { max, found }));
    let proof = MmrProof { leaf_count: found, leaf_index: found - 1, path: vec![B256::ZERO; 63] };
    assert!(!proof.verify(&B256::ZERO, &B256::ZERO));
}

#[test]
fn the_longest_range_still_appends_and_locates() {
    let mut mmr = Mmr::from_parts(LEAF_COUNT_MAX, vec![B256::ZERO]).unwrap();
    mmr.push(leaf(0));
    assert_eq!((mmr.leaf_count(), mmr.peaks().len()), (LEAF_COUNT_MAX + 1, 2));
    let proof =
        MmrProof { leaf_count: LEAF_COUNT_MAX, leaf_index: LEAF_COUNT_MAX - 1, path: vec![B256::ZERO; 60] };
    assert!(proof.root_of(&B256::ZERO).is_some());
}

#[test]
fn a_state_with_the_wrong_number_of_peaks_is_refused() {
    let peaks = tree(5).mmr().peaks().to_vec();
    assert_eq!(Mmr::from_parts(5, peaks.clone()).unwrap().root(), naive_root(5));
    assert_eq!(Mmr::from_parts(7, peaks), Err(MmrError::PeakCount { leaf_count: 7, expected: 3, found: 2 }));
}

/// Frozen: a change of these roots is a change of the protocol.
#[test]
fn roots_are_frozen() {
    let roots = [0, 1, 2, 3, 7].map(|leaf_count| tree(leaf_count).root().to_string());
    assert_eq!(
        roots,
        [
            "0xf5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b",
            "0xf2bb5b2e693265e4e80fd32f124c3f26b4a54a036ad18d72cac3e8f4db8a15b5",
            "0x8ef3d6475dccaa6a4ba45dda92976f080ca7bbe116e2905f767b752a72283e56",
            "0x60dca2f9903a3e71d83bdef8be14bb2adcd37037a95eff967e159bda6f411222",
            "0x9cb07164e45e645e599b6d3a10b77e2e1e0557b1d24440f2a96eff21639b5c31",
        ]
    );
}

/// Frozen: leaf 4 of 7 has its sibling, the mountain to the right and the one to the left, in this order.
#[test]
fn the_encoding_of_proofs_is_frozen() {
    let proof = tree(7).proof(4, 7).unwrap();
    assert_eq!(proof.path, [leaf(5), leaf(6), tree(4).mmr().peaks()[0]]);
    let expected = b256!("7390cf36f67ab82d951e6e174823480f908a9e22df2f619ec9b8599e54b5784c");
    assert_eq!(sha256(&proof.as_ssz_bytes()), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_proof_verifies_for_its_leaf_alone(leaf_count in 1_u64..600, pick: prop::sample::Index, other: prop::sample::Index) {
        let full = tree(leaf_count);
        let index = pick.index(leaf_count as usize) as u64;
        let other = other.index(leaf_count as usize) as u64;
        let proof = full.proof(index, leaf_count).unwrap();
        prop_assert!(proof.path.len() <= 64);
        prop_assert_eq!(proof.verify(&full.root(), &leaf(other)), index == other);
    }

    #[test]
    fn a_proof_changed_anywhere_is_refused(leaf_count in 2_u64..600, pick: prop::sample::Index, place: prop::sample::Index, bit in 0_u8..8) {
        let full = tree(leaf_count);
        let index = pick.index(leaf_count as usize) as u64;
        let mut bytes = full.proof(index, leaf_count).unwrap().as_ssz_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(proof) = MmrProof::from_ssz_bytes(&bytes) {
            prop_assert!(!proof.verify(&full.root(), &leaf(index)));
        }
    }

    #[test]
    fn a_path_with_one_node_more_or_less_is_refused(leaf_count in 2_u64..600, pick: prop::sample::Index) {
        let full = tree(leaf_count);
        let index = pick.index(leaf_count as usize) as u64;
        let proof = full.proof(index, leaf_count).unwrap();
        let mut longer = proof.clone();
        longer.path.push(B256::ZERO);
        let mut shorter = proof.clone();
        shorter.path.pop();
        prop_assert_eq!(longer.root_of(&leaf(index)), None);
        prop_assert_eq!(shorter.root_of(&leaf(index)), None);
        prop_assert!(proof.is_well_formed() && !longer.is_well_formed() && !shorter.is_well_formed());
    }

    #[test]
    fn proofs_survive_ssz(leaf_count: u64, leaf_index: u64, path: Vec<[u8; 32]>) {
        let proof = MmrProof { leaf_count, leaf_index, path: path.into_iter().map(B256::new).collect() };
        prop_assert_eq!(MmrProof::from_ssz_bytes(&proof.as_ssz_bytes()), Ok(proof));
    }

    #[test]
    fn no_proof_panics(leaf_count: u64, leaf_index: u64, path: Vec<[u8; 32]>, root: [u8; 32], leaf: [u8; 32]) {
        let proof = MmrProof { leaf_count, leaf_index, path: path.into_iter().map(B256::new).collect() };
        prop_assert!(!proof.verify(&B256::new(root), &B256::new(leaf)));
    }
}
