//! How much may be under way on a lane, and which source is served first.
//!
//! A source refuses to send while its lane is full. What a destination answers goes the other way on a lane that may be
//! full as well: answers have room of their own, as much as there is for everything else, and what would be answered
//! is not consumed while even that is used up. Two chains cannot wait for each other so: on both lanes together there
//! is room for 4 capacities, and since only a lane below one capacity takes anything new, never more than 3 are used.
//!
//! What will have to be sent later, whatever happens, has its place reserved when that begins: a reserved place counts as
//! one that is used, so the sum stays what it was when it becomes one, and nothing can take it away.

use primitives::ShardId;

/// What a source knows of one of its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCounters {
    /// Receipts sent: the sequence of the next one.
    pub sent: u64,
    /// Receipts that the destination has consumed, as far as the source has been shown.
    pub acknowledged: u64,
    /// Places kept for receipts that will be sent whether or not there is room then.
    pub reserved: u64,
}

impl LaneCounters {
    /// Receipts that may still be under way.
    pub const fn in_flight(self) -> u64 {
        self.sent.saturating_sub(self.acknowledged)
    }

    /// Whether one more may be sent, or one more place reserved.
    pub const fn has_room(self, capacity: u64) -> bool {
        self.used() < capacity
    }

    /// Whether one more answer may be sent.
    pub const fn has_answer_room(self, capacity: u64) -> bool {
        self.used() < capacity.saturating_mul(2)
    }

    /// What the destination has to have consumed before the lane has room again.
    pub const fn room_from(self, capacity: u64) -> u64 {
        self.sent.saturating_add(self.reserved).saturating_add(1).saturating_sub(capacity)
    }

    /// Places under way and reserved.
    const fn used(self) -> u64 {
        self.in_flight().saturating_add(self.reserved)
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
        let lane = LaneCounters { sent: 10, acknowledged: 6, reserved: 0 };
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
    fn a_reserved_place_is_a_used_one() {
        let lane = LaneCounters { sent: 10, acknowledged: 7, reserved: 1 };
        assert_eq!(lane.in_flight(), 3);
        assert!(lane.has_room(5));
        assert!(!lane.has_room(4));
        assert!(!lane.has_answer_room(2));
        let acknowledged = lane.room_from(4);
        assert!(LaneCounters { acknowledged, ..lane }.has_room(4));
        // Once it is used, there is as much room as before.
        let sent = LaneCounters { sent: 11, reserved: 0, ..lane };
        assert_eq!((sent.has_room(5), sent.has_room(4)), (true, false));
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

    /// What is under way in the model of bundles, one letter for each.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Sent {
        /// A call: answered by `Last`.
        Call,
        /// A prepare: answered by `Prepared` or `Refused`.
        Prepare,
        /// The answer to a prepare that was done: a decision follows.
        Prepared,
        /// The answer to one that was not: no decision follows.
        Refused,
        /// An answer or a decision: nothing follows.
        Last,
    }

    /// One lane of the model.
    #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    struct ModelLane {
        sent: Vec<Sent>,
        /// Places kept for decisions.
        reserved: usize,
        /// Of them, for how many the answer has come, so that a decision may be sent any time.
        due: usize,
    }

    impl ModelLane {
        fn counters(&self) -> LaneCounters {
            let (sent, reserved) = (self.sent.len() as u64, self.reserved as u64);
            LaneCounters { sent, acknowledged: 0, reserved }
        }

        /// How many events are still to come of what is here.
        fn left(&self) -> usize {
            let left = |sent: &Sent| match sent {
                Sent::Call => 2,
                Sent::Prepare => 4,
                Sent::Prepared => 3,
                Sent::Refused | Sent::Last => 1,
            };
            self.sent.iter().map(left).sum::<usize>() + 2 * self.due
        }
    }

    type Model = [ModelLane; 2];

    /// What may become of a state without anything new: for each lane, its next receipt is consumed if the answer has
    /// room, or a decision that is due is sent, at any time, without asking for room.
    fn steps(lanes: &Model, capacity: u64) -> Vec<Model> {
        let mut next = Vec::new();
        for lane in [0, 1] {
            if lanes[lane].due > 0 {
                let mut decided = lanes.clone();
                decided[lane].due -= 1;
                decided[lane].reserved -= 1;
                decided[lane].sent.push(Sent::Last);
                next.push(decided);
            }
            let Some(first) = lanes[lane].sent.first() else { continue };
            let mut consumed = lanes.clone();
            consumed[lane].sent.remove(0);
            let has_room = lanes[1 - lane].counters().has_answer_room(capacity);
            let back = &mut consumed[1 - lane];
            match first {
                Sent::Call | Sent::Prepare if !has_room => continue,
                Sent::Call => back.sent.push(Sent::Last),
                Sent::Prepare => {
                    let mut refused = lanes.clone();
                    refused[lane].sent.remove(0);
                    refused[1 - lane].sent.push(Sent::Refused);
                    next.push(refused);
                    consumed[1 - lane].sent.push(Sent::Prepared);
                }
                Sent::Prepared => back.due += 1,
                Sent::Refused => back.reserved -= 1,
                Sent::Last => {}
            }
            next.push(consumed);
        }
        next
    }

    /// What may be begun: a call, or a bundle's prepare with the place for its decision.
    fn begun(lanes: &Model, capacity: u64) -> Vec<Model> {
        let mut next = Vec::new();
        for lane in [0, 1] {
            let mut begun = lanes.clone();
            if begun[lane].counters().has_room(capacity) {
                begun[lane].sent.push(Sent::Call);
                next.push(begun.clone());
                begun[lane].sent.pop();
                begun[lane].sent.push(Sent::Prepare);
                if begun[lane].counters().has_room(capacity) {
                    begun[lane].reserved += 1;
                    next.push(begun);
                }
            }
        }
        next
    }

    /// Decisions always have their place: whatever the order of events, what was begun comes to its end, and no lane holds
    /// more than two capacities.
    #[test]
    fn nothing_waits_for_ever_while_bundles_are_decided() {
        const CAPACITY: u64 = 3;
        let mut open = vec![Model::default()];
        let mut seen = std::collections::BTreeSet::from_iter(open.clone());
        while let Some(lanes) = open.pop() {
            let left = |lanes: &Model| lanes.iter().map(ModelLane::left).sum::<usize>();
            let next = steps(&lanes, CAPACITY);
            // Whatever goes on brings the end nearer; something goes on until nothing is left.
            assert!(next.iter().all(|next| left(next) < left(&lanes)), "{lanes:?}");
            assert_eq!(next.is_empty(), lanes == Model::default(), "{lanes:?}");
            assert!(lanes.iter().all(|lane| lane.counters().used() <= 2 * CAPACITY), "{lanes:?}");
            let next = next.into_iter().chain(begun(&lanes, CAPACITY));
            open.extend(next.filter(|next| seen.insert(next.clone())));
        }
        assert!(seen.len() > 20_000, "{}", seen.len());
    }
}
