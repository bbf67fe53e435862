use alloy_primitives::b256;
use proptest::prelude::*;

use super::*;
use crate::hash::sha256;

fn leaves(count: u64) -> Vec<B256> {
    (0..count).map(|index| sha256(&index.to_be_bytes())).collect()
}

/// The definition: all 2^depth leaves written out.
fn naive_root(leaves: &[B256], depth: usize) -> B256 {
    let mut level = leaves.to_vec();
    level.resize(1 << depth, B256::ZERO);
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| sha256_pair(&pair[0], &pair[1])).collect();
    }
    level[0]
}

#[test]
fn zero_hashes_are_those_of_the_deposit_contract() {
    assert_eq!(zero_hash(0), B256::ZERO);
    assert_eq!(zero_hash(1), b256!("f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"));
    assert_eq!(zero_hash(2), b256!("db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71"));
    assert_eq!(zero_hash(65), sha256_pair(&zero_hash(64), &zero_hash(64)));
}

#[test]
fn roots_agree_with_the_ssz_library() {
    for count in 0..=40 {
        let leaves = leaves(count);
        let bytes: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0).collect();
        assert_eq!(merkle_root(&leaves, 6), tree_hash::merkle_root(&bytes, 64));
        assert_eq!(
            mix_in_length(&leaves[..].first().copied().unwrap_or_default(), 40),
            tree_hash::mix_in_length(&leaves.first().copied().unwrap_or_default(), 40)
        );
    }
}

#[test]
fn a_tree_of_depth_64_costs_only_its_leaves() {
    let leaves = leaves(3);
    let root = merkle_root(&leaves, DEPTH_MAX);
    for index in [0, 2, 3, u64::MAX] {
        let siblings = branch(&leaves, index, DEPTH_MAX).unwrap();
        let leaf = leaves.get(index as usize).copied().unwrap_or_default();
        assert!(verify_branch(&leaf, index, DEPTH_MAX, &siblings, &root), "leaf {index}");
    }
    assert_eq!(merkle_root(&[], DEPTH_MAX), zero_hash(DEPTH_MAX));
}

#[test]
fn leaves_beyond_the_depth_are_in_the_root_and_in_no_branch() {
    let leaves = leaves(5);
    assert_eq!(merkle_root(&leaves, 2), naive_root(&leaves, 3));
    assert_eq!(branch(&leaves, 0, 2), None);
    assert_eq!(branch(&leaves[..4], 4, 2), None);
    assert_eq!(branch(&leaves, 0, DEPTH_MAX + 1), None);
}

#[test]
fn an_index_beyond_the_depth_is_refused() {
    let leaves = leaves(4);
    let (root, siblings) = (merkle_root(&leaves, 2), branch(&leaves, 1, 2).unwrap());
    assert!(verify_branch(&leaves[1], 1, 2, &siblings, &root));
    assert!(!verify_branch(&leaves[1], 5, 2, &siblings, &root));
    assert_eq!(root_from_branch(&leaves[1], 5, &siblings), root);
}

#[test]
fn lists_that_differ_in_trailing_zeros_differ_with_their_length() {
    let (one, two) = (vec![B256::ZERO; 1], vec![B256::ZERO; 2]);
    assert_eq!(merkle_root(&one, 3), merkle_root(&two, 3));
    assert_ne!(mix_in_length(&merkle_root(&one, 3), 1), mix_in_length(&merkle_root(&two, 3), 2));
}

proptest! {
    #[test]
    fn roots_are_those_of_the_definition(count in 0_u64..=64, extra in 0_usize..3) {
        let leaves = leaves(count);
        let depth = (count.max(1).next_power_of_two().ilog2() as usize) + extra;
        prop_assert_eq!(merkle_root(&leaves, depth), naive_root(&leaves, depth));
    }

    #[test]
    fn a_branch_leads_from_its_leaf_alone_to_the_root(count in 0_u64..=64, index in 0_u64..64, bit in 0_usize..256) {
        let leaves = leaves(count);
        let root = merkle_root(&leaves, 6);
        let siblings = branch(&leaves, index, 6).unwrap();
        let mut leaf = leaves.get(index as usize).copied().unwrap_or_default();
        prop_assert!(verify_branch(&leaf, index, 6, &siblings, &root));
        leaf[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify_branch(&leaf, index, 6, &siblings, &root));
    }

    #[test]
    fn a_branch_changed_anywhere_is_refused(index in 0_u64..40, bit in 0_usize..6 * 256) {
        let leaves = leaves(40);
        let root = merkle_root(&leaves, 6);
        let mut siblings = branch(&leaves, index, 6).unwrap();
        siblings[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify_branch(&leaves[index as usize], index, 6, &siblings, &root));
    }

    #[test]
    fn a_branch_of_another_length_is_refused(index in 0_u64..40) {
        let leaves = leaves(40);
        let root = merkle_root(&leaves, 6);
        let siblings = branch(&leaves, index, 6).unwrap();
        prop_assert!(!verify_branch(&leaves[index as usize], index, 6, &siblings[..5], &root));
        prop_assert!(!verify_branch(&leaves[index as usize], index, 5, &siblings[..5], &root));
    }
}
