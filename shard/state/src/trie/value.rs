//! The bytes of the leaves, packed into granules of eight.
//!
//! A freed run of granules is kept on the list of its size and given out again whole; the first four bytes
//! of a free run name the next one, so the lists cost nothing. Runs of up to sixteen granules (an account
//! needs at most fourteen) come in every size, longer ones in powers of two.

const GRANULE_LEN: usize = 8;
/// Up to this many granules a run has exactly the size needed.
const EXACT_SIZES: usize = 16;
/// The end of a list of free runs.
const END: u32 = u32::MAX;

/// Where a value lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueId {
    /// First granule.
    start: u32,
    /// Length in bytes.
    len: u32,
}

/// Values of any length, owned by their ids.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueArena {
    granules: Vec<[u8; GRANULE_LEN]>,
    /// First free run of each size class, grown when a class is first freed.
    free: Vec<u32>,
}

impl ValueArena {
    /// Makes room for values of `bytes` in all.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.granules.reserve(bytes / GRANULE_LEN);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.granules.capacity() * GRANULE_LEN + self.free.capacity() * size_of::<u32>()
    }

    pub(super) fn get(&self, id: ValueId) -> &[u8] {
        let start = id.start as usize * GRANULE_LEN;
        &self.granules.as_flattened()[start..start + id.len as usize]
    }

    pub(super) fn insert(&mut self, value: &[u8]) -> ValueId {
        let size = run_size(value.len());
        let start = match self.take_free(size) {
            Some(start) => start,
            None => {
                let start = self.granules.len();
                self.granules.resize(start + size, [0; GRANULE_LEN]);
                u32::try_from(start)
                    .expect("values take less than 32 GiB: their leaves would not fit in memory")
            }
        };
        let len = u32::try_from(value.len()).expect("a value is shorter than 4 GiB");
        let id = ValueId { start, len };
        self.bytes_mut(id).copy_from_slice(value);
        id
    }

    /// Overwrites the value, moving it if it needs a run of another size.
    pub(super) fn replace(&mut self, id: ValueId, value: &[u8]) -> ValueId {
        if run_size(id.len as usize) != run_size(value.len()) {
            self.remove(id);
            return self.insert(value);
        }
        let id = ValueId { start: id.start, len: value.len() as u32 }; // no more than the run, which fitted
        self.bytes_mut(id).copy_from_slice(value);
        id
    }

    pub(super) fn remove(&mut self, id: ValueId) {
        let class = class(run_size(id.len as usize));
        if self.free.len() <= class {
            self.free.resize(class + 1, END);
        }
        self.granules[id.start as usize][..4].copy_from_slice(&self.free[class].to_le_bytes());
        self.free[class] = id.start;
    }

    fn take_free(&mut self, size: usize) -> Option<u32> {
        let head = self.free.get_mut(class(size))?;
        if *head == END {
            return None;
        }
        let start = *head;
        let [a, b, c, d, ..] = self.granules[start as usize];
        *head = u32::from_le_bytes([a, b, c, d]);
        Some(start)
    }

    fn bytes_mut(&mut self, id: ValueId) -> &mut [u8] {
        let start = id.start as usize * GRANULE_LEN;
        &mut self.granules.as_flattened_mut()[start..start + id.len as usize]
    }
}

/// Granules in the run that holds a value of `len` bytes.
fn run_size(len: usize) -> usize {
    let granules = len.div_ceil(GRANULE_LEN).max(1);
    if granules <= EXACT_SIZES { granules } else { granules.next_power_of_two() }
}

/// The list on which free runs of `size` granules are kept.
fn class(size: usize) -> usize {
    const EXACT_LOG2: usize = EXACT_SIZES.ilog2() as usize;
    if size <= EXACT_SIZES { size - 1 } else { EXACT_SIZES + size.ilog2() as usize - EXACT_LOG2 - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was freed is given out again before the arena grows.
    #[test]
    fn freed_run_of_same_size_is_reused() {
        for len in [1, 8, 9, 110, 128, 129, 300, 5_000] {
            let mut arena = ValueArena::default();
            let ids: Vec<_> = (0..4).map(|fill| arena.insert(&vec![fill; len])).collect();
            let grown = arena.granules.len();
            arena.remove(ids[1]);
            arena.remove(ids[2]);
            let again = [arena.insert(&vec![7; len]), arena.insert(&vec![8; len])];
            assert_eq!(arena.granules.len(), grown, "length {len}");
            assert_eq!(arena.get(again[0]), vec![7; len]);
            assert_eq!(arena.get(again[1]), vec![8; len]);
            assert_eq!(arena.get(ids[0]), vec![0; len]);
            assert_eq!(arena.get(ids[3]), vec![3; len]);
        }
    }

    /// A value keeps its place while its run fits, and moves without touching others when it does not.
    #[test]
    fn replaced_value_leaves_its_neighbours_alone() {
        let mut arena = ValueArena::default();
        let before = arena.insert(&[1; 20]);
        let value = arena.insert(&[2; 20]);
        let after = arena.insert(&[3; 20]);
        let same = arena.replace(value, &[4; 24]);
        assert_eq!(same.start, value.start);
        let moved = arena.replace(same, &[5; 25]);
        assert_ne!(moved.start, value.start);
        assert_eq!(arena.insert(&[6; 20]).start, value.start, "the run left behind is free");
        assert_eq!(arena.get(before), [1; 20]);
        assert_eq!(arena.get(moved), [5; 25]);
        assert_eq!(arena.get(after), [3; 20]);
    }

    /// Every run size has a list of its own.
    #[test]
    fn size_classes_are_distinct() {
        let sizes: Vec<usize> = (1..=16).chain((5..30).map(|log2| 1 << log2)).collect();
        let classes: Vec<usize> = sizes.iter().map(|size| class(*size)).collect();
        assert_eq!(classes, (0..sizes.len()).collect::<Vec<_>>());
    }
}
