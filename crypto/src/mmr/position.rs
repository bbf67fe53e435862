//! Where the nodes of a range are: pure arithmetic on leaf counts and post-order positions.

/// One mountain of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mountain {
    /// Index of its first leaf.
    pub(super) first_leaf: u64,
    /// It has 2^height leaves.
    pub(super) height: u32,
}

impl Mountain {
    /// Position of its peak.
    pub(super) fn peak(self) -> u64 {
        node_count(self.first_leaf) + nodes_in(self.height) - 1
    }

    /// Whether it holds leaf `index`.
    pub(super) fn contains(self, index: u64) -> bool {
        index >= self.first_leaf && (index - self.first_leaf) >> self.height == 0
    }
}

/// The mountains of a range of `leaf_count` leaves, from the left: one for each bit set.
pub(super) fn mountains(leaf_count: u64) -> impl DoubleEndedIterator<Item = Mountain> + Clone {
    (0..u64::BITS).rev().filter(move |height| leaf_count >> height & 1 == 1).map(move |height| Mountain {
        first_leaf: leaf_count & !(u64::MAX >> (u64::BITS - 1 - height)),
        height,
    })
}

/// Number of nodes of a range of `leaf_count` leaves, which is also the position of the next leaf.
pub(super) fn node_count(leaf_count: u64) -> u64 {
    2 * leaf_count - u64::from(leaf_count.count_ones())
}

/// Number of nodes of a perfect tree of `height`.
pub(super) fn nodes_in(height: u32) -> u64 {
    (1 << (height + 1)) - 1
}
