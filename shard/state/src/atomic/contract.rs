//! The way in and out of the EVM, and which function is called.
//!
//! Everything is written through the EVM's journal, so whatever reverts around a call reverts what it did here.

use alloy_primitives::{Bytes, Log, U256};
use alloy_sol_types::{SolCall as _, SolEvent, SolInterface as _};
use primitives::Chain;
use revm::{
    context_interface::{Block as _, ContextTr as _, JournalTr as _},
    interpreter::{CallInputs, CallScheme, Gas, InterpreterResult},
};

use super::{
    ATOMIC,
    abi::{
        IArrivals::IArrivalsCalls,
        IAtomic::{self, IAtomicCalls},
    },
    bundle::bundle_id,
    gas,
    ledger::{self, Bundle, Escrow},
    program::{Called, Wish},
};
use crate::{
    executor::ShardContext,
    portal::{
        self, PORTAL, PortalRules,
        contract::{Stop, result, revert},
        ledger::Slots,
    },
    state::StateError,
};

/// The marks that the program puts before what it asks with.
const BEGINS: u8 = 0;
const GOES_ON: u8 = 1;

/// Runs a call of the Atomic's address; `None` if it is for the program there to run. An error is this node's own.
pub(crate) fn run(
    rules: &PortalRules,
    context: &mut ShardContext<'_>,
    inputs: &CallInputs,
) -> Result<Option<InterpreterResult>, String> {
    let mut frame = Frame { rules, context, inputs, gas: Gas::new(inputs.gas_limit) };
    let output = if inputs.target_address != ATOMIC {
        Err(revert(IAtomic::NotDelegated {}))
    } else if inputs.scheme == CallScheme::DelegateCall {
        frame.dispatch().map(|wish| wish.encode())
    } else {
        return Ok(None);
    };
    result(output, frame.gas).map(Some)
}

/// One question of the program: a call that begins, or goes on.
pub(super) struct Frame<'f, 'a> {
    pub(super) rules: &'f PortalRules,
    pub(super) context: &'f mut ShardContext<'a>,
    pub(super) inputs: &'f CallInputs,
    pub(super) gas: Gas,
}

/// The Atomic's own storage.
pub(super) struct Own<'o, 'f, 'a>(&'o mut Frame<'f, 'a>);

impl Slots for Own<'_, '_, '_> {
    type Error = StateError;

    fn slot(&mut self, key: U256) -> Result<U256, StateError> {
        Ok(self.0.context.journal_mut().sload(ATOMIC, key)?.data)
    }

    fn set_slot(&mut self, key: U256, value: U256) -> Result<(), StateError> {
        self.0.context.journal_mut().sstore(ATOMIC, key, value).map(drop)
    }
}

/// The Portal's storage, with the lanes.
pub(super) struct Lanes<'o, 'f, 'a>(&'o mut Frame<'f, 'a>);

impl Slots for Lanes<'_, '_, '_> {
    type Error = StateError;

    fn slot(&mut self, key: U256) -> Result<U256, StateError> {
        let journal = self.0.context.journal_mut();
        // The journal gives slots of accounts that it has loaded.
        journal.load_account(PORTAL)?;
        Ok(journal.sload(PORTAL, key)?.data)
    }

    fn set_slot(&mut self, key: U256, value: U256) -> Result<(), StateError> {
        let journal = self.0.context.journal_mut();
        journal.load_account(PORTAL)?;
        journal.sstore(PORTAL, key, value).map(drop)
    }
}

impl<'f, 'a> Frame<'f, 'a> {
    pub(super) const fn own<'o>(&'o mut self) -> Own<'o, 'f, 'a> {
        Own(self)
    }

    pub(super) const fn lanes<'o>(&'o mut self) -> Lanes<'o, 'f, 'a> {
        Lanes(self)
    }

    fn dispatch(&mut self) -> Result<Wish, Stop> {
        // Before it is copied: a contract may call with the same long memory again and again.
        self.charge(portal::gas::input(self.inputs.input.len()))?;
        let input = self.inputs.input.bytes(self.context);
        match input.split_first() {
            Some((&BEGINS, input)) => self.begin(input),
            Some((&GOES_ON, input)) => {
                let called = Called::decode(input).ok_or(Stop::Revert(Bytes::new()))?;
                self.resume(called)
            }
            _ => Err(Stop::Revert(Bytes::new())),
        }
    }

    fn begin(&mut self, input: &[u8]) -> Result<Wish, Stop> {
        self.charge(gas::READ)?;
        if self.inputs.apparent_value().is_some_and(|value| !value.is_zero()) {
            return Err(revert(IAtomic::NotPayable {}));
        }
        if self.inputs.caller == PORTAL
            && let Ok(arrival) = IArrivalsCalls::abi_decode_validate(input)
        {
            return self.arrive(arrival);
        }
        let Ok(call) = IAtomicCalls::abi_decode_validate(input) else {
            return Err(Stop::Revert(Bytes::new()));
        };
        match call {
            IAtomicCalls::bundleId(call) => {
                let IAtomic::bundleIdCall { coordinator, legs, deadline, salt } = call;
                self.charge(gas::LEG * legs.len() as u64)?;
                let id = bundle_id(coordinator, &legs, deadline, salt);
                Ok(Wish::Return(IAtomic::bundleIdCall::abi_encode_returns(&id).into()))
            }
            IAtomicCalls::consented(call) => {
                let legs = ledger::consent(&mut self.own(), call.id, call.owner)?;
                Ok(Wish::Return(IAtomic::consentedCall::abi_encode_returns(&(legs != 0)).into()))
            }
            IAtomicCalls::bundle(call) => self.bundle(&call),
            IAtomicCalls::escrow(call) => self.escrow(&call),
            IAtomicCalls::consent(call) => self.writing()?.consent(&call),
            IAtomicCalls::revoke(call) => self.writing()?.revoke(call.id),
            IAtomicCalls::open(call) => self.writing()?.open(&call),
            IAtomicCalls::expire(call) => self.writing()?.expire(call.id),
            IAtomicCalls::release(call) => self.writing()?.release(call.id, call.leg),
        }
    }

    /// What a receipt asks for.
    fn arrive(&mut self, arrival: IArrivalsCalls) -> Result<Wish, Stop> {
        match arrival {
            IArrivalsCalls::prepare(call) => self.writing()?.prepare(call),
            IArrivalsCalls::decided(call) => self.writing()?.decided(&call),
            IArrivalsCalls::answered(call) => self.writing()?.answered(call),
        }
    }

    fn bundle(&mut self, call: &IAtomic::bundleCall) -> Result<Wish, Stop> {
        self.charge(gas::READ)?;
        let Bundle { status, waiting, deadline, .. } = ledger::bundle(&mut self.own(), call.id)?;
        let answer = IAtomic::bundleReturn { status: status.code(), waiting, deadline };
        Ok(Wish::Return(IAtomic::bundleCall::abi_encode_returns(&answer).into()))
    }

    fn escrow(&mut self, call: &IAtomic::escrowCall) -> Result<Wish, Stop> {
        self.charge(3 * gas::READ)?;
        let escrow = ledger::escrow(&mut self.own(), call.id, call.leg)?;
        let Escrow { status, token, from, to, amount, .. } = escrow;
        let answer = IAtomic::escrowReturn { status: status.code(), token, from, to, amount };
        Ok(Wish::Return(IAtomic::escrowCall::abi_encode_returns(&answer).into()))
    }

    /// Lets in what writes.
    fn writing(&mut self) -> Result<&mut Self, Stop> {
        if self.inputs.is_static {
            return Err(Stop::Static);
        }
        if self.is_entered() { Err(revert(IAtomic::Reentered {})) } else { Ok(self) }
    }

    /// This shard.
    pub(super) const fn here(&self) -> u32 {
        self.rules.shard.get()
    }

    /// Another shard, as a chain.
    pub(super) const fn chain(shard: u32) -> Chain {
        Chain::from_code(shard)
    }

    /// Seconds since the Unix epoch.
    pub(super) fn time(&self) -> u64 {
        self.context.block().timestamp().saturating_to()
    }

    pub(super) fn log(&mut self, event: &impl SolEvent) {
        self.context.journal_mut().log(Log { address: ATOMIC, data: event.encode_log_data() });
    }

    pub(super) const fn charge(&mut self, gas: u64) -> Result<(), Stop> {
        if self.gas.record_regular_cost(gas) { Ok(()) } else { Err(Stop::OutOfGas) }
    }
}
