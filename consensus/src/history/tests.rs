use super::*;
use crypto::mmr::MmrTree;
use proptest::prelude::*;

fn id(height: u64) -> B256 {
    B256::from(alloy_primitives::U256::from(height + 1))
}

/// History of a header at `height`.
fn history(height: u64) -> MmrTree {
    (0..height).map(id).collect()
}

proptest! {
    #[test]
    fn a_header_proves_each_of_its_ancestors(height in 1u64..200, place in any::<prop::sample::Index>()) {
        let (tree, ancestor) = (history(height), place.index(height as usize) as u64);
        let proof = tree.proof(ancestor, height).unwrap();
        let verify = |id| {
            verify_ancestor(tree.root(), Height::new(height), Height::new(ancestor), id, &proof)
        };
        prop_assert_eq!(verify(id(ancestor)), Ok(()));
        prop_assert_eq!(verify(id(ancestor + 1)), Err(HistoryError::Path { ancestor: Height::new(ancestor) }));
    }
}

#[test]
fn a_header_is_not_its_own_ancestor_nor_that_of_one_below() {
    let tree = history(5);
    let proof = tree.proof(3, 5).unwrap();
    for found in [5, 6] {
        let (descendant, ancestor) = (Height::new(5), Height::new(found));
        let expected = Err(HistoryError::NotBelow { descendant, ancestor });
        assert_eq!(verify_ancestor(tree.root(), descendant, ancestor, id(3), &proof), expected);
    }
}

#[test]
fn a_proof_against_another_history_is_refused() {
    let tree = history(8);
    let proof = tree.proof(3, 7).unwrap();
    let verify = |root| verify_ancestor(root, Height::new(8), Height::new(3), id(3), &proof);
    let expected = Err(HistoryError::LeafCount { expected: Height::new(8), found: 7 });
    assert_eq!(verify(tree.root()), expected);
    assert_eq!(verify(tree.root_at(7).unwrap()), expected);
}

#[test]
fn a_proof_of_another_height_is_refused() {
    let tree = history(8);
    let proof = tree.proof(4, 8).unwrap();
    let expected = Err(HistoryError::LeafIndex { expected: Height::new(3), found: 4 });
    assert_eq!(verify_ancestor(tree.root(), Height::new(8), Height::new(3), id(4), &proof), expected);
}
