//! How much may be under way on a lane, and which source is served first.
//!
//! A source refuses to send while its lane is full. What a destination answers goes the other way on a lane that may be
//! full as well: answers have room of their own, as much as there is for everything else, and what would be answered
//! is not consumed while even that is used up. Two chains cannot wait for each other so: on both lanes together there
//! is room for 4 capacities, and since only a lane below one capacity takes anything new, never more than 3 are used.

use primitives::ShardId;

/// What a source knows of one of its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCounters {
    /// Receipts sent: the sequence of the next one.
    pub sent: u64,
    /// Receipts that the destination has consumed, as far as the source has been shown.
    pub acknowledged: u64,
}

impl LaneCounters {
    /// Receipts that may still be under way.
    pub const fn in_flight(self) -> u64 {
        self.sent.saturating_sub(self.acknowledged)
    }

    /// Whether one more may be sent.
    pub const fn has_room(self, capacity: u64) -> bool {
        self.in_flight() < capacity
    }

    /// Whether one more answer may be sent.
    pub const fn has_answer_room(self, capacity: u64) -> bool {
        self.in_flight() < capacity.saturating_mul(2)
    }

    /// What the destination has to have consumed before the lane has room again.
    pub const fn room_from(self, capacity: u64) -> u64 {
        self.sent.saturating_add(1).saturating_sub(capacity)
    }
}

/// Place of `source` in the order in which a block at `height` serves sources: each of `shards` is first in turn.
pub const fn turn(source: ShardId, height: u64, shards: u32) -> u32 {
    let shards = if shards == 0 { 1 } else { shards };
    let first = (height % shards as u64) as u32;
    (source.get() + shards - first) % shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_full_at_its_capacity_and_says_what_makes_room() {
        let lane = LaneCounters { sent: 10, acknowledged: 6 };
        assert_eq!(lane.in_flight(), 4);
        assert!(lane.has_room(5));
        assert!(!lane.has_room(4));
        assert!(lane.has_answer_room(4));
        assert!(!lane.has_answer_room(2));
        let acknowledged = lane.room_from(4);
        assert!(LaneCounters { acknowledged, ..lane }.has_room(4));
        assert!(!LaneCounters { acknowledged: acknowledged - 1, ..lane }.has_room(4));
    }

    #[test]
    fn every_source_is_first_in_turn() {
        for height in 0..9 {
            let mut turns: Vec<_> = (0..3).map(|shard| turn(ShardId::new(shard), height, 3)).collect();
            assert_eq!(turns[height as usize % 3], 0);
            turns.sort_unstable();
            assert_eq!(turns, [0, 1, 2]);
        }
    }

    /// The module's claim: whatever the order of events, somebody can always go on.
    #[test]
    fn two_chains_never_wait_for_each_other() {
        const CAPACITY: usize = 3;
        // A lane is a queue of sends (true) and answers (false). Everything that can happen is tried from every state.
        type Lanes = [Vec<bool>; 2];
        let mut open: Vec<Lanes> = vec![[Vec::new(), Vec::new()]];
        let mut seen = std::collections::BTreeSet::from_iter(open.clone());
        while let Some(lanes) = open.pop() {
            let mut can_consume = lanes.iter().all(Vec::is_empty);
            let mut next = Vec::new();
            for lane in [0, 1] {
                if lanes[lane].len() < CAPACITY {
                    let mut sent = lanes.clone();
                    sent[lane].push(true);
                    next.push(sent);
                }
                let Some(is_answered) = lanes[lane].first() else { continue };
                if *is_answered && lanes[1 - lane].len() >= 2 * CAPACITY {
                    continue;
                }
                can_consume = true;
                let mut consumed = lanes.clone();
                if consumed[lane].remove(0) {
                    consumed[1 - lane].push(false);
                }
                next.push(consumed);
            }
            assert!(can_consume, "{lanes:?}");
            open.extend(next.into_iter().filter(|lanes| seen.insert(lanes.clone())));
        }
        assert!(seen.len() > 500, "{}", seen.len());
    }
}
