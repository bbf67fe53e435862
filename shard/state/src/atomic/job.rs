//! Calls of tokens, one after another, inside one call of the Atomic.
//!
//! What is still to be done stands in transient storage while a token runs, so it is gone with the transaction, and with
//! whatever reverts; while it stands there, nothing else that writes is let in.

use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, U256};
use alloy_sol_types::{SolCall as _, SolValue as _};
use revm::context_interface::{ContextTr as _, JournalTr as _};

use super::{
    ATOMIC,
    abi::{IAtomic, IToken},
    bundle::{bit, is_native, members},
    contract::Frame,
    gas,
    ledger::{self, Escrow, Status},
    program::{Called, Wish},
};
use crate::portal::contract::{Stop, revert};

/// Keys in transient storage.
const STATE: U256 = U256::ZERO;
const BUNDLE: U256 = U256::ONE;
const BALANCE: U256 = U256::from_limbs([2, 0, 0, 0]);

/// The call whose result comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    /// None.
    #[default]
    None,
    /// The balance before a token comes in.
    Before,
    /// The token comes in.
    Pull,
    /// The balance after it.
    After,
    /// A token goes out.
    Pay,
}

/// What is to be done for one bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Job {
    /// The bundle.
    pub id: B256,
    /// Legs whose token comes in, a bit each.
    pub pull: u8,
    /// Legs whose escrow is paid out, a bit each.
    pub pay: u8,
    /// Whether it opens the bundle: then it is decided if nobody is waited for, and its id returned.
    pub opens: bool,
    /// Whether it fails if a token is not paid out.
    pub is_strict: bool,
    /// What it waits for.
    pub step: Step,
    /// What the Atomic had of a token before it came in.
    pub balance: U256,
}

impl Job {
    fn leg(&self) -> u8 {
        members(if self.pull == 0 { self.pay } else { self.pull }).next().unwrap_or_default()
    }
}

impl Frame<'_, '_> {
    /// Whether a token is running.
    pub(super) fn is_entered(&mut self) -> bool {
        !self.transient(STATE).is_zero()
    }

    /// Goes on with a job until a token is to be called, or to its end.
    pub(super) fn proceed(&mut self, mut job: Job) -> Result<Wish, Stop> {
        if job.pull != 0 {
            let Escrow { token, .. } = ledger::escrow(&mut self.own(), job.id, job.leg())?;
            job.step = Step::Before;
            return self.ask_balance(&job, token);
        }
        if job.opens {
            let mut bundle = ledger::bundle(&mut self.own(), job.id)?;
            if bundle.status == Status::Open && bundle.waiting == 0 {
                job.pay |= self.decide(job.id, &mut bundle, true)?;
            }
        }
        for leg in members(job.pay) {
            let escrow = ledger::escrow(&mut self.own(), job.id, leg)?;
            if is_native(escrow.token) {
                self.charge(gas::NATIVE)?;
                let journal = self.context.journal_mut();
                if journal.transfer(ATOMIC, escrow.owner(), escrow.amount)?.is_none() {
                    self.release_escrow(job.id, leg, &escrow)?;
                }
                job.pay &= !bit(leg);
            }
        }
        if job.pay != 0 {
            return self.pay(job);
        }
        self.keep(&Job::default());
        let output = if job.opens { job.id.abi_encode() } else { Vec::new() };
        Ok(Wish::Return(output.into()))
    }

    /// Goes on with the job that stands in transient storage, after the call that it wished for.
    pub(super) fn resume(&mut self, called: Called) -> Result<Wish, Stop> {
        self.charge(gas::STEP)?;
        let mut job = self.kept();
        let (id, leg) = (job.id, job.leg());
        let escrow = ledger::escrow(&mut self.own(), id, leg)?;
        let Escrow { token, from, amount, .. } = escrow;
        let refused = |owner| revert(IAtomic::TokenRefused { token, owner, amount });
        match job.step {
            Step::None => return Err(Stop::Revert(Bytes::new())),
            Step::Before => {
                job.balance = called.number().ok_or_else(|| refused(from))?;
                job.step = Step::Pull;
                let input = IToken::transferFromCall { from, to: ATOMIC, amount }.abi_encode().into();
                self.keep(&job);
                return Ok(Wish::Call { to: token, gas: u64::MAX, input });
            }
            Step::Pull if called.is_transfer() => {
                job.step = Step::After;
                return self.ask_balance(&job, token);
            }
            Step::Pull => return Err(refused(from)),
            Step::After => {
                let found = called.number().ok_or_else(|| refused(from))?.saturating_sub(job.balance);
                if found != amount {
                    return Err(revert(IAtomic::WrongAmount { token, expected: amount, found }));
                }
                self.log(&IAtomic::Escrowed { id, leg, from, token, amount });
                job.pull &= !bit(leg);
            }
            Step::Pay => {
                if called.is_transfer() {
                    self.release_escrow(id, leg, &escrow)?;
                } else if job.is_strict {
                    return Err(refused(escrow.owner()));
                }
                job.pay &= !bit(leg);
            }
        }
        self.proceed(job)
    }

    fn ask_balance(&mut self, job: &Job, token: alloy_primitives::Address) -> Result<Wish, Stop> {
        self.keep(job);
        let input = IToken::balanceOfCall { owner: ATOMIC }.abi_encode().into();
        Ok(Wish::Call { to: token, gas: u64::MAX, input })
    }

    /// Has the next token paid out. A token may fail, but not for want of gas that the caller kept from it.
    fn pay(&mut self, mut job: Job) -> Result<Wish, Stop> {
        let leg = job.leg();
        let escrow = ledger::escrow(&mut self.own(), job.id, leg)?;
        let Escrow { token, amount, .. } = escrow;
        let account = self.context.journal_mut().load_account(token)?;
        if account.info.code_hash == KECCAK256_EMPTY || account.info.code_hash.is_zero() {
            if job.is_strict {
                return Err(revert(IAtomic::TokenRefused { token, owner: escrow.owner(), amount }));
            }
            job.pay &= !bit(leg);
            return self.proceed(job);
        }
        if self.gas.remaining() < gas::PAYOUT_READY {
            return Err(Stop::OutOfGas);
        }
        job.step = Step::Pay;
        self.keep(&job);
        let gas = if job.is_strict { u64::MAX } else { gas::PAYOUT };
        let input = IToken::transferCall { to: escrow.owner(), amount }.abi_encode().into();
        Ok(Wish::Call { to: token, gas, input })
    }

    fn release_escrow(&mut self, id: B256, leg: u8, escrow: &Escrow) -> Result<(), Stop> {
        ledger::set_escrow(&mut self.own(), id, leg, &Escrow::default())?;
        let Escrow { token, amount, .. } = *escrow;
        self.log(&IAtomic::Released { id, leg, owner: escrow.owner(), token, amount });
        Ok(())
    }

    /// Puts a job into transient storage; the empty one is none.
    fn keep(&mut self, job: &Job) {
        let Job { id, pull, pay, opens, is_strict, step, balance } = *job;
        let state = [step as u8, pull, pay, u8::from(opens), u8::from(is_strict), 0, 0, 0];
        self.set_transient(STATE, U256::from(u64::from_le_bytes(state)));
        self.set_transient(BUNDLE, id.into());
        self.set_transient(BALANCE, balance);
    }

    fn kept(&mut self) -> Job {
        let [step, pull, pay, opens, is_strict, ..] =
            self.transient(STATE).saturating_to::<u64>().to_le_bytes();
        let steps = [Step::None, Step::Before, Step::Pull, Step::After, Step::Pay];
        Job {
            id: self.transient(BUNDLE).into(),
            pull,
            pay,
            opens: opens != 0,
            is_strict: is_strict != 0,
            step: steps.get(usize::from(step)).copied().unwrap_or_default(),
            balance: self.transient(BALANCE),
        }
    }

    fn transient(&mut self, key: U256) -> U256 {
        self.context.journal_mut().tload(ATOMIC, key)
    }

    fn set_transient(&mut self, key: U256, value: U256) {
        self.context.journal_mut().tstore(ATOMIC, key, value);
    }
}
