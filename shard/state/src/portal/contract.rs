//! The Portal's functions, inside the EVM.
//!
//! Everything is written through the EVM's journal, so whatever reverts around a call reverts what it did here.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolInterface as _};
use primitives::{
    Chain, ChainSpec, Lane, PublicKeyBytes, Receipt, SeatRegistration, ShardId, SignatureBytes,
    ValidatorIndex,
};
use revm::{
    context_interface::{
        Block as _, ContextTr as _, JournalTr as _, Transaction as _,
        journaled_state::account::JournaledAccountTr as _,
    },
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
};
use xshard::{Call, Deposit, Exit, Payload, TopUp, Transfer, WithdrawalAccount};

use super::{
    PORTAL,
    abi::IPortal::{self, IPortalCalls},
    gas,
    ledger::{self, Slots},
    outbox,
};
use crate::{executor::ShardContext, state::StateError};

/// Bytes of a payload beside its data; no kind has more.
const PAYLOAD_BYTES: usize = 256;

/// What the Portal has to know of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortalRules {
    /// Where it is.
    pub shard: ShardId,
    /// How many shards there are.
    pub shards: u32,
    /// Most receipts under way on a lane.
    pub lane_capacity: u64,
    /// Most bytes of data in a receipt.
    pub data_max: u32,
    /// Most gas that a block consumes receipts with.
    pub inbox_gas_max: u64,
    /// What there is to stake with; `None` without a beacon chain.
    pub staking: Option<StakingRules>,
}

/// What the Portal has to know of stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StakingRules {
    /// Stake of one unit, wei.
    pub unit_wei: U256,
    /// Most seats in one deposit.
    pub seats_max: u32,
}

impl PortalRules {
    /// Those of a chain that knows of no other one.
    pub const ALONE: Self = Self {
        shard: ShardId::ZERO,
        shards: 1,
        lane_capacity: 0,
        data_max: 0,
        inbox_gas_max: 0,
        staking: None,
    };

    /// Those of a shard of a network.
    pub const fn new(spec: &ChainSpec, shard: ShardId) -> Self {
        Self {
            shard,
            shards: spec.shards.len() as u32,
            lane_capacity: spec.lane_capacity,
            data_max: spec.receipt_data_max,
            inbox_gas_max: spec.inbox_gas_max,
            staking: Some(StakingRules { unit_wei: spec.unit_wei, seats_max: spec.registrations_max }),
        }
    }
}

/// Why a call of a native contract does not succeed.
pub(crate) enum Stop {
    Revert(Bytes),
    OutOfGas,
    Static,
    State(StateError),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

pub(crate) fn revert(error: impl SolError) -> Stop {
    Stop::Revert(error.abi_encode().into())
}

/// Runs a call of the Portal. An error is this node's own.
pub(crate) fn run(
    rules: &PortalRules,
    context: &mut ShardContext<'_>,
    inputs: &CallInputs,
) -> Result<InterpreterResult, String> {
    let mut frame = Frame { rules, context, inputs, gas: Gas::new(inputs.gas_limit) };
    let output = frame.dispatch();
    result(output, frame.gas)
}

/// What a native contract's call gives to the EVM. An error is this node's own.
pub(crate) fn result(output: Result<Bytes, Stop>, mut gas: Gas) -> Result<InterpreterResult, String> {
    let (result, output) = match output {
        Ok(output) => (InstructionResult::Return, output),
        Err(Stop::Revert(output)) => (InstructionResult::Revert, output),
        Err(Stop::OutOfGas) => (InstructionResult::PrecompileOOG, Bytes::new()),
        Err(Stop::Static) => (InstructionResult::StateChangeDuringStaticCall, Bytes::new()),
        Err(Stop::State(error)) => return Err(error.to_string()),
    };
    if !result.is_ok_or_revert() {
        gas.spend_all();
    }
    Ok(InterpreterResult::new(result, output, gas))
}

/// One call of the Portal.
struct Frame<'f, 'a> {
    rules: &'f PortalRules,
    context: &'f mut ShardContext<'a>,
    inputs: &'f CallInputs,
    gas: Gas,
}

/// Whether the other side, and this one for the answer, would ever consume so much at once.
pub(crate) fn check_gas(rules: &PortalRules, found: u64) -> Result<(), Stop> {
    // An answer may carry more than what it answers; one that nobody can consume would end its lane.
    let payload_bytes = (rules.data_max as usize).saturating_add(PAYLOAD_BYTES);
    let limit = rules.inbox_gas_max.saturating_sub(gas::arrival(payload_bytes, 0));
    if found > limit { Err(revert(IPortal::TooMuchGas { limit, found })) } else { Ok(()) }
}

/// What is sent, as the caller said it.
struct Sending {
    destination: Chain,
    payload: Payload,
    gas: u64,
    deadline: u64,
    answers: u64,
}

impl Slots for Frame<'_, '_> {
    type Error = StateError;

    fn slot(&mut self, key: U256) -> Result<U256, StateError> {
        Ok(self.context.journal_mut().sload(PORTAL, key)?.data)
    }

    fn set_slot(&mut self, key: U256, value: U256) -> Result<(), StateError> {
        self.context.journal_mut().sstore(PORTAL, key, value).map(drop)
    }
}

impl Frame<'_, '_> {
    fn dispatch(&mut self) -> Result<Bytes, Stop> {
        // Before it is copied: a contract may call with the same long memory again and again.
        self.charge(gas::input(self.inputs.input.len()))?;
        let input = self.inputs.input.bytes(self.context);
        if self.inputs.target_address != PORTAL {
            return Err(revert(IPortal::NotDelegated {}));
        }
        let Ok(call) = IPortalCalls::abi_decode_validate(&input) else {
            self.charge(gas::READ)?;
            return Err(Stop::Revert(Bytes::new()));
        };
        match call {
            IPortalCalls::transfer(call) => self.transfer(&call),
            IPortalCalls::call(call) => {
                let IPortal::callCall { shard, to, data, gas, deadline } = call;
                self.call(shard, to, data, gas, deadline, 0)
            }
            IPortalCalls::callWithAnswer(call) => {
                let IPortal::callWithAnswerCall { shard, to, data, gas, deadline, callbackGas } = call;
                self.call(shard, to, data, gas, deadline, callbackGas)
            }
            IPortalCalls::deposit(call) => self.deposit(&call),
            IPortalCalls::topUp(call) => self.top_up(&call),
            IPortalCalls::exit(call) => self.exit(&call),
            IPortalCalls::claim(call) => self.claim(call.to),
            IPortalCalls::claimable(call) => {
                self.reading()?;
                let wei = ledger::claimable(self, call.owner)?;
                Ok(IPortal::claimableCall::abi_encode_returns(&wei).into())
            }
            IPortalCalls::lane(call) => self.lane(call.shard),
            IPortalCalls::standIn(call) => {
                self.reading()?;
                let caller = xshard::stand_in(Chain::from_code(call.shard), call.sender);
                Ok(IPortal::standInCall::abi_encode_returns(&caller).into())
            }
        }
    }

    fn transfer(&mut self, call: &IPortal::transferCall) -> Result<Bytes, Stop> {
        let payload = Payload::Transfer(Transfer { to: call.to });
        let destination = self.destination(call.shard)?;
        let id = self.send(Sending { destination, payload, gas: 0, deadline: 0, answers: 0 })?;
        Ok(IPortal::transferCall::abi_encode_returns(&id).into())
    }

    fn call(
        &mut self,
        shard: u32,
        to: Address,
        data: Bytes,
        gas: u64,
        deadline: u64,
        callback_gas: u64,
    ) -> Result<Bytes, Stop> {
        let (limit, found) = (self.rules.data_max as usize, data.len());
        if found > limit {
            return Err(revert(IPortal::DataTooLarge { limit: U256::from(limit), found: U256::from(found) }));
        }
        if gas == 0 {
            return Err(revert(IPortal::ZeroGas {}));
        }
        let time = self.context.block().timestamp().saturating_to();
        if deadline != 0 && deadline < time {
            return Err(revert(IPortal::DeadlinePassed { deadline, time }));
        }
        let is_signed = self.inputs.caller == self.context.tx().caller();
        let gas_price = self.gas_price();
        let call = Call { to, is_signed, gas_price, callback_gas, data };
        let (destination, payload) = (self.destination(shard)?, Payload::Call(call));
        let id = self.send(Sending { destination, payload, gas, deadline, answers: 1 })?;
        Ok(IPortal::callCall::abi_encode_returns(&id).into())
    }

    fn deposit(&mut self, call: &IPortal::depositCall) -> Result<Bytes, Stop> {
        let IPortal::depositCall { seats, beaconNode, shardNode, withdrawalShard, withdrawalAccount } = call;
        let seats = self.seats(seats)?;
        let shard = *withdrawalShard;
        if shard >= self.rules.shards {
            return Err(revert(IPortal::UnknownShard { shard }));
        }
        let withdrawal = WithdrawalAccount { shard: ShardId::new(shard), address: *withdrawalAccount };
        let (beacon_node, shard_node) = (*beaconNode, *shardNode);
        let id =
            self.send_to_beacon(Payload::Deposit(Deposit { seats, beacon_node, shard_node, withdrawal }))?;
        Ok(IPortal::depositCall::abi_encode_returns(&id).into())
    }

    fn top_up(&mut self, call: &IPortal::topUpCall) -> Result<Bytes, Stop> {
        let (validator, seats) = (ValidatorIndex::new(call.validator), self.seats(&call.seats)?);
        let id = self.send_to_beacon(Payload::TopUp(TopUp { validator, seats }))?;
        Ok(IPortal::topUpCall::abi_encode_returns(&id).into())
    }

    fn exit(&mut self, call: &IPortal::exitCall) -> Result<Bytes, Stop> {
        self.check_no_value()?;
        let (validator, units) = (ValidatorIndex::new(call.validator), call.units);
        let id = self.send_to_beacon(Payload::Exit(Exit { validator, units }))?;
        Ok(IPortal::exitCall::abi_encode_returns(&id).into())
    }

    /// Registrations that the call's value is the stake of.
    fn seats(&mut self, seats: &[IPortal::Seat]) -> Result<Vec<SeatRegistration>, Stop> {
        let StakingRules { unit_wei, seats_max } = self.staking()?;
        let (limit, found) = (U256::from(seats_max), U256::from(seats.len()));
        if found.is_zero() || found > limit {
            return Err(revert(IPortal::WrongSeats { limit, found }));
        }
        self.charge(gas::SEAT.saturating_mul(seats.len() as u64))?;
        let (expected, found) = (unit_wei.saturating_mul(found), self.value());
        if expected != found {
            return Err(revert(IPortal::WrongStake { expected, found }));
        }
        let read = |(index, seat): (usize, &IPortal::Seat)| {
            let key = seat.key.as_ref().try_into().map(PublicKeyBytes::new);
            let possession = seat.possession.as_ref().try_into().map(SignatureBytes::new);
            match (key, possession) {
                (Ok(key), Ok(possession)) => Ok(SeatRegistration { key, possession }),
                _ => Err(revert(IPortal::MalformedSeat { index: U256::from(index) })),
            }
        };
        seats.iter().enumerate().map(read).collect()
    }

    fn send_to_beacon(&mut self, payload: Payload) -> Result<B256, Stop> {
        self.staking()?;
        self.send(Sending { destination: Chain::Beacon, payload, gas: 0, deadline: 0, answers: 1 })
    }

    fn staking(&self) -> Result<StakingRules, Stop> {
        let no_beacon = || revert(IPortal::UnknownShard { shard: Chain::Beacon.code() });
        self.rules.staking.ok_or_else(no_beacon)
    }

    /// Sends a receipt with the call's value; its id.
    fn send(&mut self, sending: Sending) -> Result<B256, Stop> {
        let Sending { destination, payload, gas, deadline, answers } = sending;
        let callback_gas = if let Payload::Call(call) = &payload { call.callback_gas } else { 0 };
        let (kind, payload) = (payload.kind(), payload.encode());
        check_gas(self.rules, gas.max(callback_gas))?;
        self.charge(gas::send(payload.len(), answers).saturating_add(gas).saturating_add(callback_gas))?;
        self.check_writing()?;
        let mut lane = ledger::outgoing(self, destination)?;
        if !lane.has_room(self.rules.lane_capacity) {
            let shard = destination.code();
            let until = lane.room_from(self.rules.lane_capacity);
            return Err(revert(IPortal::LaneFull { shard, until }));
        }
        let sequence = lane.sent;
        lane.sent += 1;
        ledger::set_outgoing(self, destination, lane)?;
        let value = self.value();
        // It was given to the Portal; it leaves this chain.
        self.context.journal_mut().load_account_mut(PORTAL)?.decr_balance(value);
        let lane = Lane { source: self.rules.shard.into(), destination };
        let sender = self.inputs.caller;
        let receipt = Receipt { lane, sequence, kind, sender, value, gas, deadline, payload };
        self.context.journal_mut().log(outbox::event(&receipt));
        Ok(receipt.id())
    }

    fn claim(&mut self, to: Address) -> Result<Bytes, Stop> {
        self.charge(gas::CLAIM)?;
        self.check_writing()?;
        self.check_no_value()?;
        let owner = self.inputs.caller;
        let wei = ledger::claimable(self, owner)?;
        if wei.is_zero() {
            return Err(revert(IPortal::NothingToClaim { owner }));
        }
        ledger::set_claimable(self, owner, U256::ZERO)?;
        self.context.journal_mut().balance_incr(to, wei)?;
        Ok(IPortal::claimCall::abi_encode_returns(&wei).into())
    }

    fn lane(&mut self, shard: u32) -> Result<Bytes, Stop> {
        self.reading()?;
        let other = match Chain::from_code(shard) {
            Chain::Beacon => self.staking().map(|_| Chain::Beacon)?,
            Chain::Shard(_) => self.destination(shard)?,
        };
        let outgoing = ledger::outgoing(self, other)?;
        let received = ledger::cursor(self, other)?.map_or(0, |cursor| cursor.sequence);
        let (sent, acknowledged) = (outgoing.sent, outgoing.acknowledged);
        Ok(IPortal::laneCall::abi_encode_returns(&IPortal::laneReturn { sent, acknowledged, received })
            .into())
    }

    /// What a unit of gas is worth that goes on with a receipt, wei: what it was bought for, tip aside. Within a receipt
    /// that may be less than here, and must not become more.
    fn gas_price(&self) -> u64 {
        let base_fee = self.context.block().basefee();
        let paid = self.context.tx().effective_gas_price(u128::from(base_fee));
        base_fee.min(u64::try_from(paid).unwrap_or(u64::MAX))
    }

    /// What the call brings, wei.
    fn value(&self) -> U256 {
        self.inputs.value.transfer().unwrap_or_default()
    }

    /// The shard that a caller named.
    fn destination(&self, shard: u32) -> Result<Chain, Stop> {
        if shard == self.rules.shard.get() {
            return Err(revert(IPortal::SelfLane { shard }));
        }
        if shard >= self.rules.shards {
            return Err(revert(IPortal::UnknownShard { shard }));
        }
        Ok(ShardId::new(shard).into())
    }

    fn reading(&mut self) -> Result<(), Stop> {
        self.charge(gas::READ)?;
        self.check_no_value()
    }

    fn check_no_value(&self) -> Result<(), Stop> {
        if self.inputs.transfers_value() { Err(revert(IPortal::NotPayable {})) } else { Ok(()) }
    }

    const fn check_writing(&self) -> Result<(), Stop> {
        if self.inputs.is_static { Err(Stop::Static) } else { Ok(()) }
    }

    const fn charge(&mut self, gas: u64) -> Result<(), Stop> {
        if self.gas.record_regular_cost(gas) { Ok(()) } else { Err(Stop::OutOfGas) }
    }
}
