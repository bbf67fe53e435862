//! Proof that receipts are consecutive leaves of a lane's tree.
//!
//! The tree over a lane's receipts of one block has the fewest levels that hold them; places without a receipt are zero.
//! How many there are stands in the outbox leaf beside the root. A proof holds, from the leaves up, the sibling to the
//! left of the range and then that to its right, where there is one: zeros beyond the last receipt are computed, so
//! there is one proof for each range.

use crypto::hash::sha256_pair;
use crypto::merkle::{merkle_root, zero_hash};
use primitives::B256;
use std::ops::Range;

/// Levels of the tree over `count` receipts, without the root.
pub const fn depth(count: u64) -> usize {
    if count <= 1 { 0 } else { (count - 1).ilog2() as usize + 1 }
}

/// Root over a lane's receipts of one block.
pub fn root(ids: &[B256]) -> B256 {
    merkle_root(ids, depth(ids.len() as u64))
}

/// Proof of the `count` receipts from place `first` on. `None` if there are not so many.
pub fn prove(ids: &[B256], first: usize, count: usize) -> Option<Vec<B256>> {
    let end = first.checked_add(count).filter(|end| *end <= ids.len() && count > 0)?;
    let (mut level, mut low, mut high) = (ids.to_vec(), first, end);
    let mut proof = Vec::new();
    for height in 0..depth(ids.len() as u64) {
        if low % 2 == 1 {
            proof.push(level[low - 1]);
        }
        if high % 2 == 1 && high < level.len() {
            proof.push(level[high]);
        }
        if level.len() % 2 == 1 {
            level.push(zero_hash(height));
        }
        level = level.chunks_exact(2).map(|pair| sha256_pair(&pair[0], &pair[1])).collect();
        (low, high) = (low / 2, high.div_ceil(2));
    }
    Some(proof)
}

/// Proof of the leaves at the places `part`, made of the `proof` that `ids` are those from place `start` on, of `count` in
/// all. `None` if there are none at those places, or the proof has not the nodes that it should.
pub fn narrow(ids: &[B256], start: u64, part: Range<u64>, count: u64, proof: &[B256]) -> Option<Vec<B256>> {
    let end = start.checked_add(ids.len() as u64)?;
    if part.is_empty() || part.start < start || part.end > end {
        return None;
    }
    let (Range { start: mut low, end: mut high }, mut narrowed) = (part, Vec::new());
    climb(ids, start, count, proof, |nodes, start, width| {
        // Both ends of the nodes are even, so the siblings of the part are among them.
        if low % 2 == 1 {
            narrowed.push(nodes[(low - 1 - start) as usize]);
        }
        if high % 2 == 1 && high < width {
            narrowed.push(nodes[(high - start) as usize]);
        }
        (low, high) = (low / 2, high.div_ceil(2));
    })?;
    Some(narrowed)
}

/// Root that receipts lead to which are the leaves from place `first` on, of `count` in all. `None` if the proof has not
/// exactly the nodes that it should.
pub fn root_of(ids: &[B256], first: u64, count: u64, proof: &[B256]) -> Option<B256> {
    climb(ids, first, count, proof, |_, _, _| {})
}

/// Goes from the leaves from place `first` on, of `count` in all, up to the root. `visit` sees the nodes of each level with
/// the siblings that the proof adds, the place of the first, which is even as their number is, and the level's width.
fn climb(
    ids: &[B256],
    first: u64,
    count: u64,
    proof: &[B256],
    mut visit: impl FnMut(&[B256], u64, u64),
) -> Option<B256> {
    let end = first.checked_add(ids.len() as u64)?;
    if ids.is_empty() || end > count {
        return None;
    }
    let (mut nodes, mut low, mut high, mut width) = (ids.to_vec(), first, end, count);
    let mut siblings = proof.iter();
    for height in 0..depth(count) {
        if low % 2 == 1 {
            nodes.insert(0, *siblings.next()?);
            low -= 1;
        }
        if high % 2 == 1 {
            nodes.push(if high < width { *siblings.next()? } else { zero_hash(height) });
            high = high.checked_add(1)?;
        }
        visit(&nodes, low, width);
        nodes = nodes.chunks_exact(2).map(|pair| sha256_pair(&pair[0], &pair[1])).collect();
        (low, high, width) = (low / 2, high / 2, width.div_ceil(2));
    }
    siblings.next().is_none().then(|| nodes[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(count: usize) -> Vec<B256> {
        (0..count).map(|place| crypto::hash::sha256(&place.to_le_bytes())).collect()
    }

    proptest! {
        /// Every range of every lane leads to the lane's root, from its own place only.
        #[test]
        fn a_range_leads_to_the_root_from_its_place_only(count in 1usize..70, from in 0usize..70, length in 1usize..70) {
            let ids = ids(count);
            let first = from % count;
            let length = 1 + (length - 1) % (count - first);
            let proof = prove(&ids, first, length).expect("within the lane");
            let range = &ids[first..first + length];
            let total = count as u64;
            prop_assert_eq!(root_of(range, first as u64, total, &proof), Some(root(&ids)));
            for other in (0..total).filter(|other| *other != first as u64) {
                prop_assert_ne!(root_of(range, other, total, &proof), Some(root(&ids)));
            }
        }

        /// Not one node of a proof, or of the range, can be another one; none can be left out or added.
        #[test]
        fn a_changed_proof_leads_elsewhere(count in 2usize..40, from in 0usize..40, place in any::<prop::sample::Index>()) {
            let ids = ids(count);
            let first = from % count;
            let proof = prove(&ids, first, 1).expect("within the lane");
            let (range, total, expected) = (&ids[first..=first], count as u64, Some(root(&ids)));
            let mut changed = proof.clone();
            if !changed.is_empty() {
                changed[place.index(proof.len())].0[7] ^= 1;
                prop_assert_ne!(root_of(range, first as u64, total, &changed), expected);
                prop_assert_eq!(root_of(range, first as u64, total, &proof[1..]), None);
            }
            let mut longer = proof;
            longer.push(B256::ZERO);
            prop_assert_eq!(root_of(range, first as u64, total, &longer), None);
        }
    }

    #[test]
    fn what_is_not_there_has_no_proof() {
        let ids = ids(5);
        assert_eq!(prove(&ids, 3, 3), None);
        assert_eq!(prove(&ids, 0, 0), None);
        assert_eq!(root_of(&ids[..2], 4, 5, &[]), None);
        assert_eq!(root_of(&[], 0, 5, &[]), None);
        assert_eq!(root_of(&ids[..1], u64::MAX, 5, &[]), None);
    }

    #[test]
    fn a_whole_lane_needs_no_proof() {
        for count in 1..20 {
            assert_eq!(prove(&ids(count), 0, count), Some(Vec::new()));
        }
    }

    fn ranges(start: u64, end: u64) -> impl Iterator<Item = Range<u64>> {
        (start..end).flat_map(move |low| (low + 1..=end).map(move |high| low..high))
    }

    #[test]
    fn a_proof_gives_that_of_each_part() {
        for count in [1, 2, 5, 8, 11] {
            let all = ids(count as usize);
            let proven =
                |range: &Range<u64>| prove(&all, range.start as usize, (range.end - range.start) as usize);
            for known in ranges(0, count) {
                let leaves = &all[known.start as usize..known.end as usize];
                let proof = proven(&known).expect("there are so many");
                for part in ranges(known.start, known.end) {
                    let narrowed = narrow(leaves, known.start, part.clone(), count, &proof);
                    assert_eq!(narrowed, proven(&part), "{part:?} of {known:?} of {count}");
                }
                let beyond = known.start..known.end + 1;
                assert_eq!(narrow(leaves, known.start, beyond, count, &proof), None);
            }
        }
    }
}
