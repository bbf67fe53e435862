//! Opening a bundle, taking in the answers to its prepares, and deciding.

use alloy_primitives::{B256, U256};
use primitives::{Lane, Receipt};
use revm::context_interface::{ContextTr as _, JournalTr as _};
use xshard::{Abort, Commit, Payload, Prepare, Verdict};

use super::{
    ATOMIC,
    abi::{
        IArrivals,
        IAtomic::{self, Leg},
    },
    bundle::{bit, bundle_id, check_legs, is_native, members, numbered},
    contract::Frame,
    gas,
    job::Job,
    ledger::{self, Bundle, Status},
    program::Wish,
};
use crate::portal::{
    contract::{Stop, check_gas, revert},
    ledger as lanes, outbox_event,
};

/// A receipt to another shard.
struct Sending {
    shard: u32,
    payload: Payload,
    gas: u64,
    deadline: u64,
}

impl Frame<'_, '_> {
    pub(super) fn open(&mut self, call: &IAtomic::openCall) -> Result<Wish, Stop> {
        let IAtomic::openCall { legs, deadline, salt } = call;
        let (here, deadline) = (self.here(), *deadline);
        self.charge(gas::OPEN.saturating_add(gas::LEG * legs.len() as u64))?;
        check_legs(self.rules, legs)?;
        self.check_ahead(deadline)?;
        let opener = self.inputs.caller;
        if legs.iter().all(|leg| leg.from != opener) {
            return Err(revert(IAtomic::NotParty { caller: opener }));
        }
        let id = bundle_id(here, legs, deadline, *salt);
        if ledger::bundle(&mut self.own(), id)?.status != Status::None {
            return Err(revert(IAtomic::AlreadyOpened { id }));
        }
        self.log(&IAtomic::Opened { id, opener, deadline, legs: legs.clone() });
        let count = |native| {
            legs.iter().filter(|leg| leg.shard == here && is_native(leg.token) == native).count() as u64
        };
        let answer_gas = gas::decision(count(true), count(false));
        let mut bundle = Bundle { status: Status::Open, deadline, ..Bundle::default() };
        let mut job = Job { id, opens: true, ..Job::default() };
        for (number, leg) in numbered(legs) {
            bundle.shards[usize::from(number)] = leg.shard;
            if leg.shard == here {
                bundle.held |= bit(number);
                let is_consented = self.take_consent(id, number, here, deadline, leg)?;
                if !is_consented && leg.from != opener {
                    return Err(revert(IAtomic::NoConsent { id, leg: number, owner: leg.from }));
                }
                job.pull |= self.take(id, number, here, leg)?;
            } else {
                bundle.waiting |= bit(number);
                self.send_prepare(id, number, leg, deadline, answer_gas)?;
            }
        }
        ledger::set_bundle(&mut self.own(), id, &bundle)?;
        self.proceed(job)
    }

    pub(super) fn expire(&mut self, id: B256) -> Result<Wish, Stop> {
        self.charge(gas::DECIDE)?;
        let mut bundle = ledger::bundle(&mut self.own(), id)?;
        if bundle.status != Status::Open {
            return Err(revert(IAtomic::NotOpen { id, status: bundle.status.code() }));
        }
        let (deadline, time) = (bundle.deadline, self.time());
        if deadline >= time {
            return Err(revert(IAtomic::DeadlineAhead { deadline, time }));
        }
        let pay = self.decide(id, &mut bundle, false)?;
        self.proceed(Job { id, pay, ..Job::default() })
    }

    /// Takes in the answer to a prepare. One that comes after the decision is told it at once.
    pub(super) fn answered(&mut self, call: IArrivals::answeredCall) -> Result<Wish, Stop> {
        let IArrivals::answeredCall { receipt, verdict, reason } = call;
        let Some((id, leg)) = ledger::take_pending(&mut self.own(), receipt)? else {
            return Err(revert(IAtomic::NotOpen { id: receipt, status: Status::None.code() }));
        };
        let mut bundle = ledger::bundle(&mut self.own(), id)?;
        bundle.waiting &= !bit(leg);
        let is_done = verdict == Verdict::Done.code();
        if is_done {
            bundle.held |= bit(leg);
        } else {
            self.log(&IAtomic::Refused { id, leg, verdict, reason });
            self.give_up_place(bundle.shards[usize::from(leg)])?;
        }
        let pay = match bundle.status {
            Status::Open if is_done && bundle.waiting != 0 => {
                ledger::set_bundle(&mut self.own(), id, &bundle)?;
                0
            }
            Status::Open => self.decide(id, &mut bundle, is_done)?,
            _ => self.tell(id, &mut bundle, false)?,
        };
        self.proceed(Job { id, pay, ..Job::default() })
    }

    /// Decides a bundle; the legs that are to be paid out here.
    pub(super) fn decide(&mut self, id: B256, bundle: &mut Bundle, committed: bool) -> Result<u8, Stop> {
        bundle.status = Status::decided(committed);
        if committed {
            self.log(&IAtomic::Committed { id });
        } else {
            self.log(&IAtomic::Aborted { id });
        }
        self.tell(id, bundle, committed)
    }

    /// Tells the shards of all legs in escrow what was decided; the legs that are to be paid out here.
    fn tell(&mut self, id: B256, bundle: &mut Bundle, committed: bool) -> Result<u8, Stop> {
        let mut pay = 0;
        for leg in members(bundle.held) {
            let shard = bundle.shards[usize::from(leg)];
            if shard == self.here() {
                self.settle(id, leg, committed)?;
                pay |= bit(leg);
            } else {
                self.send_decision(id, leg, shard, committed)?;
            }
        }
        bundle.held = 0;
        ledger::set_bundle(&mut self.own(), id, bundle)?;
        Ok(pay)
    }

    /// Sends a prepare, and reserves the place of its decision.
    fn send_prepare(
        &mut self,
        id: B256,
        number: u8,
        leg: &Leg,
        deadline: u64,
        answer_gas: u64,
    ) -> Result<(), Stop> {
        let Leg { shard, token, from, to, amount } = *leg;
        let is_token = !is_native(token);
        let gas = gas::prepare(is_token);
        let prepare = Prepare { bundle: id, leg: number, token, from, to, amount, answer_gas };
        let payload = Payload::Prepare(prepare);
        check_gas(self.rules, gas.max(answer_gas).max(gas::SETTLE))?;
        self.charge(gas::remote_leg(payload.encode().len(), is_token, answer_gas))?;
        let receipt = self.send(Sending { shard, payload, gas, deadline })?;
        let mut lane = lanes::outgoing(&mut self.lanes(), Self::chain(shard))?;
        if !lane.has_room(self.rules.lane_capacity) {
            let until = lane.room_from(self.rules.lane_capacity);
            return Err(revert(IAtomic::LaneFull { shard, until }));
        }
        lane.reserved += 1;
        lanes::set_outgoing(&mut self.lanes(), Self::chain(shard), lane)?;
        ledger::set_pending(&mut self.own(), receipt, id, number)?;
        Ok(())
    }

    /// Sends a decision in the place that is reserved for it.
    fn send_decision(&mut self, id: B256, leg: u8, shard: u32, committed: bool) -> Result<(), Stop> {
        let payload = if committed {
            Payload::Commit(Commit { bundle: id, leg })
        } else {
            Payload::Abort(Abort { bundle: id, leg })
        };
        self.give_up_place(shard)?;
        self.send(Sending { shard, payload, gas: gas::SETTLE, deadline: 0 }).map(drop)
    }

    /// Sends a receipt; its id. A prepare needs room.
    fn send(&mut self, sending: Sending) -> Result<B256, Stop> {
        let Sending { shard, payload, gas, deadline } = sending;
        let destination = Self::chain(shard);
        let mut counters = lanes::outgoing(&mut self.lanes(), destination)?;
        let needs_room = matches!(payload, Payload::Prepare(_));
        if needs_room && !counters.has_room(self.rules.lane_capacity) {
            let until = counters.room_from(self.rules.lane_capacity);
            return Err(revert(IAtomic::LaneFull { shard, until }));
        }
        let sequence = counters.sent;
        counters.sent += 1;
        lanes::set_outgoing(&mut self.lanes(), destination, counters)?;
        let lane = Lane { source: self.rules.shard.into(), destination };
        let (kind, payload, value) = (payload.kind(), payload.encode(), U256::ZERO);
        let receipt = Receipt { lane, sequence, kind, sender: ATOMIC, value, gas, deadline, payload };
        self.context.journal_mut().log(outbox_event(&receipt));
        Ok(receipt.id())
    }

    /// Gives up the place of a decision on the lane to a shard.
    fn give_up_place(&mut self, shard: u32) -> Result<(), Stop> {
        let mut lane = lanes::outgoing(&mut self.lanes(), Self::chain(shard))?;
        lane.reserved = lane.reserved.saturating_sub(1);
        Ok(lanes::set_outgoing(&mut self.lanes(), Self::chain(shard), lane)?)
    }

    /// Checks that a deadline has not passed.
    pub(super) fn check_ahead(&self, deadline: u64) -> Result<(), Stop> {
        let time = self.time();
        if deadline < time { Err(revert(IAtomic::DeadlinePassed { deadline, time })) } else { Ok(()) }
    }
}
