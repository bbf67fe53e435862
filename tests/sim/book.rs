//! What every node certified, written down as it happens.
//!
//! The book outlives crashes: what a node once published must still be true after it.

use beacon_state::Event;
use parking_lot::Mutex;
use primitives::{B256, Chain, Epoch, Height, ShardId, ValidatorIndex};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that nodes published.
#[derive(Debug, Default)]
pub(crate) struct Book {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By chain, epoch and height; early ends make heights of a shard certified in two epochs.
    certified: BTreeMap<(Chain, Epoch, Height), B256>,
    /// Newest height that each validator's node published on each chain, and its epoch.
    published: BTreeMap<(usize, Chain), (Epoch, Height)>,
    slashed: BTreeSet<ValidatorIndex>,
    /// Shard, first epoch that counts again, last height that counts of those before.
    early_ends: BTreeSet<(ShardId, Epoch, Height)>,
    violations: Vec<String>,
}

impl Book {
    /// A node of `validator` published a certified block.
    pub(crate) fn certified(&self, validator: usize, chain: Chain, epoch: Epoch, height: Height, id: B256) {
        let mut inner = self.inner.lock();
        let known = *inner.certified.entry((chain, epoch, height)).or_insert(id);
        if known != id {
            let violation = format!(
                "fork: chain {chain} epoch {epoch} height {height}: {known}, and {id} at validator {validator}"
            );
            inner.violations.push(violation);
        }
        inner.published.insert((validator, chain), (epoch, height));
    }

    /// A node of `validator` took back what was above `height`.
    pub(crate) fn undone(&self, validator: usize, chain: Chain, height: Height) {
        if let Some((_, published)) = self.inner.lock().published.get_mut(&(validator, chain)) {
            *published = height;
        }
    }

    /// Something that must never be, was.
    pub(crate) fn violation(&self, what: String) {
        self.inner.lock().violations.push(what);
    }

    /// What beacon blocks did.
    pub(crate) fn events(&self, guilty: Option<usize>, events: &[Event]) {
        let mut inner = self.inner.lock();
        for event in events {
            match event {
                Event::Slashed { validator, chain, .. } => {
                    inner.slashed.insert(*validator);
                    if guilty.is_none_or(|guilty| guilty as u64 != validator.get()) {
                        inner
                            .violations
                            .push(format!("honest validator {validator} was slashed for chain {chain}"));
                    }
                }
                Event::EarlyEnd { shard, successor, last, .. } => {
                    inner.early_ends.insert((*shard, *successor, last.height));
                }
                Event::Accepted { .. }
                | Event::Drawn { .. }
                | Event::Registered { .. }
                | Event::ToppedUp { .. }
                | Event::Exited { .. }
                | Event::Refused { .. }
                | Event::Withdrawn { .. } => {}
            }
        }
    }

    /// Whether what an epoch certified at a height does not count.
    pub(crate) fn is_void(&self, shard: ShardId, epoch: Epoch, height: Height) -> bool {
        let inner = self.inner.lock();
        inner
            .early_ends
            .iter()
            .any(|(of, successor, last)| *of == shard && epoch < *successor && height > *last)
    }

    /// How many times a shard's epoch was ended early.
    pub(crate) fn early_ends(&self, shard: ShardId) -> usize {
        self.inner.lock().early_ends.iter().filter(|(of, ..)| *of == shard).count()
    }

    /// What must never have been, but was.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.inner.lock().violations.clone()
    }

    /// The newest height that a validator's node published, of what no early end took back since.
    pub(crate) fn published(&self, validator: usize, chain: Chain) -> Height {
        let inner = self.inner.lock();
        let Some((epoch, height)) = inner.published.get(&(validator, chain)) else { return Height::ZERO };
        let of_shard = inner.early_ends.iter().filter(|(shard, ..)| chain == Chain::Shard(*shard));
        let later = of_shard.filter(|(_, successor, _)| epoch < successor);
        later.map(|(.., last)| *last).chain([*height]).min().unwrap_or_default()
    }

    /// Every certified id, by epoch, of one height of a chain.
    pub(crate) fn ids(&self, chain: Chain) -> BTreeMap<(Epoch, Height), B256> {
        let inner = self.inner.lock();
        let of_chain = inner.certified.iter().filter(|((of, ..), _)| *of == chain);
        of_chain.map(|((_, epoch, height), id)| ((*epoch, *height), *id)).collect()
    }

    /// Whether a validator was ever slashed.
    pub(crate) fn is_slashed(&self, validator: usize) -> bool {
        self.inner.lock().slashed.contains(&ValidatorIndex::new(validator as u64))
    }
}

#[test]
fn two_blocks_certified_in_one_epoch_at_one_height_are_a_fork() {
    let book = Book::default();
    let say = |validator, id| {
        book.certified(validator, Chain::Beacon, Epoch::ZERO, Height::new(3), B256::repeat_byte(id))
    };
    say(0, 1);
    say(1, 1);
    assert_eq!(book.violations(), Vec::<String>::new());
    say(1, 2);
    assert_eq!(book.violations().len(), 1);
}

#[test]
fn what_was_published_stays_unless_an_early_end_took_it_back() {
    let (book, shard) = (Book::default(), Chain::Shard(ShardId::ZERO));
    let end = |successor, last| {
        book.inner.lock().early_ends.insert((ShardId::ZERO, Epoch::new(successor), Height::new(last)));
        book.published(0, shard)
    };
    book.certified(0, shard, Epoch::new(2), Height::new(22), B256::ZERO);
    assert_eq!(book.published(0, shard), Height::new(22));
    assert_eq!(end(2, 9), Height::new(22), "of the epoch that followed");
    assert_eq!(end(3, 11), Height::new(11));
    book.undone(0, shard, Height::new(10));
    assert_eq!(book.published(0, shard), Height::new(10));
    assert_eq!(book.published(1, shard), Height::ZERO);
}

#[test]
fn only_what_an_early_end_undid_is_void() {
    let (book, shard) = (Book::default(), ShardId::ZERO);
    book.inner.lock().early_ends.insert((shard, Epoch::new(4), Height::new(20)));
    assert!(book.is_void(shard, Epoch::new(2), Height::new(21)));
    assert!(!book.is_void(shard, Epoch::new(2), Height::new(20)));
    assert!(!book.is_void(shard, Epoch::new(4), Height::new(21)));
    assert!(!book.is_void(ShardId::new(1), Epoch::new(2), Height::new(21)));
}
