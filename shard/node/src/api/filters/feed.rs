//! The newest entries of an endless list.

use std::collections::VecDeque;

/// Numbered entries, of which the newest are kept: as many as a weight allows.
#[derive(Debug)]
pub(super) struct Feed<T> {
    /// Each with its weight.
    entries: VecDeque<(T, usize)>,
    /// Number of the entry that comes next.
    end: u64,
    weight: usize,
    weight_max: usize,
}

impl<T: Clone> Feed<T> {
    pub(super) const fn new(weight_max: usize) -> Self {
        Self { entries: VecDeque::new(), end: 0, weight: 0, weight_max }
    }

    /// Number of the entry that comes next.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// Adds an entry; the oldest give way to it.
    pub(super) fn push(&mut self, entry: T, weight: usize) {
        self.entries.push_back((entry, weight));
        self.weight = self.weight.saturating_add(weight);
        self.end += 1;
        while self.weight > self.weight_max
            && let Some((_, weight)) = self.entries.pop_front()
        {
            self.weight -= weight;
        }
    }

    /// The entries from this number on; `None` if one of them is not kept any more.
    pub(super) fn since(&self, number: u64) -> Option<Vec<T>> {
        let first = self.end - self.entries.len() as u64;
        let skipped = usize::try_from(number.checked_sub(first)?).ok()?;
        Some(self.entries.iter().skip(skipped).map(|(entry, _)| entry.clone()).collect())
    }

    /// An entry was missed: whoever waits for it is behind what is kept.
    pub(super) fn miss(&mut self) {
        self.entries.clear();
        self.weight = 0;
        self.end += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Feed;

    #[test]
    fn entries_are_kept_while_their_weight_allows_and_what_is_gone_is_never_skipped() {
        let mut feed = Feed::new(10);
        for entry in 0..4 {
            feed.push(entry, 3);
        }
        assert_eq!(feed.since(0), None, "three of weight three are kept");
        assert_eq!(feed.since(1), Some(vec![1, 2, 3]));
        assert_eq!(feed.since(feed.end()), Some(vec![]));
        feed.push(9, 11);
        assert_eq!(feed.since(4), None, "too heavy to be kept at all");
        assert_eq!(feed.since(feed.end()), Some(vec![]));
    }

    #[test]
    fn missed_entry_leaves_everybody_behind() {
        let mut feed = Feed::new(10);
        feed.push(1, 1);
        let waiting = feed.end();
        feed.miss();
        assert_eq!(feed.since(waiting), None);
        assert_eq!(feed.since(feed.end()), Some(vec![]));
    }
}
