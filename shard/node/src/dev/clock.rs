//! The clock of a development chain: the machine's, moved by the chain's owner.

/// How the chain's time differs from the machine's, and when the next block is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock {
    ahead_ms: i64,
    next_ms: Option<u64>,
}

impl Clock {
    /// When the next block is, the machine's clock being at `machine_ms`; the clock goes on from there.
    pub(super) fn tick(&mut self, machine_ms: u64) -> u64 {
        let Some(next) = self.next_ms.take() else { return machine_ms.saturating_add_signed(self.ahead_ms) };
        self.ahead_ms = next.checked_signed_diff(machine_ms).unwrap_or(i64::MAX);
        next
    }

    /// Moves ahead; answers by how many seconds the clock is ahead in all.
    pub(super) fn increase(&mut self, seconds: u64) -> u64 {
        let more = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        self.ahead_ms = self.ahead_ms.saturating_add(more);
        u64::try_from(self.ahead_ms / 1_000).unwrap_or_default()
    }

    /// Sets when the next block is.
    pub(super) const fn set_next(&mut self, milliseconds: u64) {
        self.next_ms = Some(milliseconds);
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn an_untouched_clock_is_the_machine_s() {
        assert_eq!(Clock::default().tick(5_000), 5_000);
    }

    #[test]
    fn time_that_was_added_stays_added() {
        let mut clock = Clock::default();
        assert_eq!((clock.increase(60), clock.increase(5)), (60, 65));
        assert_eq!((clock.tick(1_000), clock.tick(2_000)), (66_000, 67_000));
    }

    #[test]
    fn a_timestamp_is_for_one_block_and_time_goes_on_from_it() {
        let mut clock = Clock::default();
        clock.set_next(900_000);
        assert_eq!((clock.tick(1_000), clock.tick(1_500)), (900_000, 900_500));
    }

    #[test]
    fn no_time_is_too_long() {
        let mut clock = Clock::default();
        clock.increase(u64::MAX);
        assert_eq!(clock.tick(u64::MAX), u64::MAX);
    }
}
