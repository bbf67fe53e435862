//! Consenting to a leg, taking its amount into escrow, and paying it out.

use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolCall as _;
use revm::context_interface::{ContextTr as _, JournalTr as _};

use super::{
    ATOMIC,
    abi::{
        IArrivals,
        IAtomic::{self, Leg},
    },
    bundle::{bit, bundle_id, check_legs, is_native, members, numbered, terms},
    contract::Frame,
    gas,
    job::Job,
    ledger::{self, Escrow, Status},
    program::Wish,
};
use crate::portal::contract::{Stop, revert};

impl Frame<'_, '_> {
    pub(super) fn consent(&mut self, call: &IAtomic::consentCall) -> Result<Wish, Stop> {
        let IAtomic::consentCall { coordinator, legs, deadline, salt } = call;
        let (coordinator, deadline) = (*coordinator, *deadline);
        self.charge(gas::SLOT.saturating_add(gas::LEG * legs.len() as u64))?;
        check_legs(self.rules, legs)?;
        if coordinator >= self.rules.shards {
            return Err(revert(IAtomic::UnknownShard { shard: coordinator }));
        }
        self.check_ahead(deadline)?;
        let id = bundle_id(coordinator, legs, deadline, *salt);
        if ledger::bundle(&mut self.own(), id)?.status != Status::None {
            return Err(revert(IAtomic::AlreadyOpened { id }));
        }
        let (here, owner) = (self.here(), self.inputs.caller);
        let mut mask = 0;
        for (number, leg) in numbered(legs).filter(|(_, leg)| leg.shard == here && leg.from == owner) {
            self.charge(gas::SLOT)?;
            ledger::set_terms(&mut self.own(), id, number, terms(coordinator, deadline, leg))?;
            mask |= bit(number);
        }
        if mask == 0 {
            return Err(revert(IAtomic::NoLeg { caller: owner }));
        }
        ledger::set_consent(&mut self.own(), id, owner, mask)?;
        Ok(Wish::Return(IAtomic::consentCall::abi_encode_returns(&id).into()))
    }

    pub(super) fn revoke(&mut self, id: B256) -> Result<Wish, Stop> {
        self.charge(gas::SLOT)?;
        let owner = self.inputs.caller;
        for leg in members(ledger::consent(&mut self.own(), id, owner)?) {
            self.charge(gas::READ)?;
            ledger::set_terms(&mut self.own(), id, leg, B256::ZERO)?;
        }
        ledger::set_consent(&mut self.own(), id, owner, 0)?;
        Ok(Wish::Return(Bytes::new()))
    }

    /// Takes a leg into escrow that another shard's bundle has here.
    pub(super) fn prepare(&mut self, call: IArrivals::prepareCall) -> Result<Wish, Stop> {
        let IArrivals::prepareCall { coordinator, id, deadline, leg: number, token, from, to, amount } = call;
        self.check_ahead(deadline)?;
        let leg = Leg { shard: self.here(), token, from, to, amount };
        self.charge(2 * gas::READ)?;
        if !self.take_consent(id, number, coordinator, deadline, &leg)? {
            return Err(revert(IAtomic::NoConsent { id, leg: number, owner: from }));
        }
        let pull = self.take(id, number, coordinator, &leg)?;
        self.proceed(Job { id, pull, ..Job::default() })
    }

    /// Does with an escrow what its coordinator decided.
    pub(super) fn decided(&mut self, call: &IArrivals::decidedCall) -> Result<Wish, Stop> {
        let IArrivals::decidedCall { coordinator, id, leg, committed } = *call;
        self.charge(2 * gas::READ)?;
        let escrow = ledger::escrow(&mut self.own(), id, leg)?;
        if escrow.status != Status::Open || escrow.coordinator != coordinator {
            return Err(revert(IAtomic::NoEscrow { id, leg }));
        }
        if committed {
            self.log(&IAtomic::Committed { id });
        } else {
            self.log(&IAtomic::Aborted { id });
        }
        self.settle(id, leg, committed)?;
        self.proceed(Job { id, pay: bit(leg), ..Job::default() })
    }

    pub(super) fn release(&mut self, id: B256, leg: u8) -> Result<Wish, Stop> {
        self.charge(2 * gas::READ)?;
        match ledger::escrow(&mut self.own(), id, leg)?.status {
            Status::None => Err(revert(IAtomic::NoEscrow { id, leg })),
            Status::Open => Err(revert(IAtomic::Undecided { id, leg })),
            Status::Committed | Status::Aborted => {
                self.proceed(Job { id, pay: bit(leg), is_strict: true, ..Job::default() })
            }
        }
    }

    /// Notes on an escrow what was decided.
    pub(super) fn settle(&mut self, id: B256, leg: u8, committed: bool) -> Result<(), Stop> {
        let escrow = ledger::escrow(&mut self.own(), id, leg)?;
        let status = Status::decided(committed);
        Ok(ledger::set_escrow(&mut self.own(), id, leg, &Escrow { status, ..escrow })?)
    }

    /// Uses up the consent to exactly this leg; whether there was one.
    pub(super) fn take_consent(
        &mut self,
        id: B256,
        number: u8,
        coordinator: u32,
        deadline: u64,
        leg: &Leg,
    ) -> Result<bool, Stop> {
        let legs = ledger::consent(&mut self.own(), id, leg.from)?;
        let expected = terms(coordinator, deadline, leg);
        if legs & bit(number) == 0 || ledger::terms(&mut self.own(), id, number)? != expected {
            return Ok(false);
        }
        ledger::set_consent(&mut self.own(), id, leg.from, legs & !bit(number))?;
        ledger::set_terms(&mut self.own(), id, number, B256::ZERO)?;
        Ok(true)
    }

    /// Takes an amount into escrow. A token has still to be called: the bit of the leg, then.
    pub(super) fn take(&mut self, id: B256, number: u8, coordinator: u32, leg: &Leg) -> Result<u8, Stop> {
        self.charge(gas::ESCROW)?;
        let Leg { token, from, to, amount, .. } = *leg;
        let escrow = Escrow { status: Status::Open, coordinator, token, from, to, amount };
        ledger::set_escrow(&mut self.own(), id, number, &escrow)?;
        if !is_native(token) {
            return Ok(bit(number));
        }
        self.charge(gas::NATIVE)?;
        let journal = self.context.journal_mut();
        let found = journal.load_account(from)?.info.balance;
        if journal.transfer(from, ATOMIC, amount)?.is_some() {
            return Err(revert(IAtomic::BalanceTooLow { owner: from, needed: amount, found }));
        }
        self.log(&IAtomic::Escrowed { id, leg: number, from, token, amount });
        Ok(0)
    }
}
