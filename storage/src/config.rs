//! How a store is opened.

/// What a commit that was acknowledged survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// A power cut: every commit waits for the disk.
    Power,
    /// The end of the process, `kill -9` included, but not a power cut: commits wait for the
    /// operating system only.
    Process,
}

impl std::fmt::Display for Durability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Power => "power",
            Self::Process => "process",
        })
    }
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// What acknowledged commits survive.
    pub durability: Durability,
    /// Every table the store holds, by [`Table::NAME`](crate::Table::NAME). Adding one later is
    /// fine; one no longer named keeps its content, unread.
    pub tables: &'static [&'static str],
    /// Size up to which the tables' file may grow, in bytes of address space.
    pub map_bytes_max: usize,
    /// Size at which the journal starts a new file, in bytes. Whole files are pruned.
    pub segment_bytes: u64,
    /// Commits not yet in the tables are written there once they hold this many bytes...
    pub flush_bytes: usize,
    /// ...or are this many: a read looks at each of them.
    pub flush_commits: usize,
    /// Commits wait for the tables when those not yet there exceed this many bytes.
    pub pending_bytes_max: usize,
    /// How many of the last records stay readable. See also [`Store::retain_from`](crate::Store::retain_from).
    pub history_records: u64,
}

impl StoreConfig {
    /// The defaults, with these tables.
    pub const fn new(durability: Durability, tables: &'static [&'static str]) -> Self {
        Self {
            durability,
            tables,
            map_bytes_max: 1 << 38,
            segment_bytes: 64 << 20,
            flush_bytes: 16 << 20,
            flush_commits: 16,
            pending_bytes_max: 256 << 20,
            history_records: 10_000,
        }
    }
}
