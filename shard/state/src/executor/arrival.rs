//! Taking in a receipt from another chain.
//!
//! Whatever it says, it is taken in: what fails goes back as a bounce, and the lane goes on. A call runs as if its sender
//! had made it here, except that nobody's nonce moves and nobody pays: gas was paid for at the source.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Log, TxKind, U256};
use alloy_sol_types::{SolCall as _, SolEvent};
use primitives::{Chain, InboxCursors, Lane, Receipt};
use revm::context::{TxEnv, result::ExecutionResult};
use xshard::{Abort, Answer, Arrival, Call, Commit, LaneCounters, Payload, Verdict};

use super::{BlockExecutor, ExecuteError, Outcome};
use crate::{
    account::Account,
    atomic::ATOMIC,
    portal::{
        PORTAL,
        abi::{IPortal, IReceiptSender},
        gas, ledger, outbox_event,
    },
    receipt::TransactionReceipt,
    state::StateError,
};

/// A call that a receipt asks for.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) caller: Address,
    pub(super) to: Address,
    /// Comes with the receipt.
    pub(super) value: U256,
    pub(super) gas: u64,
    /// Wei per gas, as the call is told.
    pub(super) gas_price: u64,
    pub(super) data: Bytes,
}

impl Run {
    pub(super) fn call(&self) -> TxEnv {
        let Self { caller, to, value, gas: gas_limit, gas_price, ref data } = *self;
        let (kind, gas_price, data) = (TxKind::Call(to), u128::from(gas_price), data.clone());
        TxEnv { caller, kind, value, gas_limit, data, gas_price, ..TxEnv::default() }
    }
}

/// What came of running a receipt.
pub(super) struct Ran {
    pub(super) verdict: Verdict,
    pub(super) gas_used: u64,
    pub(super) data: Bytes,
    pub(super) logs: Vec<Log>,
}

impl Ran {
    pub(super) const fn without_running(verdict: Verdict) -> Self {
        Self { verdict, gas_used: 0, data: Bytes::new(), logs: Vec::new() }
    }
}

impl<I> BlockExecutor<'_, I> {
    /// Takes in the next receipt of its lane. It was verified, and the lane back has room for an answer.
    pub fn receive(&mut self, arrival: &Arrival) -> Result<&TransactionReceipt, ExecuteError> {
        let receipt = &arrival.receipt;
        let outcome = match Payload::decode(receipt.kind, &receipt.payload) {
            Ok(Payload::Transfer(transfer)) => self.receive_transfer(arrival, transfer.to)?,
            Ok(Payload::Call(call)) => self.receive_call(arrival, &call)?,
            Ok(Payload::Answer(answer)) => self.receive_answer(arrival, &answer)?,
            Ok(Payload::Prepare(prepare)) => self.receive_prepare(arrival, &prepare)?,
            Ok(Payload::Commit(commit)) => self.receive_decision(arrival, commit.bundle, commit.leg, true)?,
            Ok(Payload::Abort(abort)) => self.receive_decision(arrival, abort.bundle, abort.leg, false)?,
            Ok(Payload::Withdrawal(withdrawal)) => self.receive_transfer(arrival, withdrawal.to)?,
            // What is for the beacon chain alone means nothing here.
            Ok(Payload::Deposit(_) | Payload::TopUp(_) | Payload::Exit(_)) | Err(_) => {
                self.bounce_unread(arrival)?
            }
        };
        self.count(receipt.lane.source)?;
        let own = gas::arrival(receipt.payload.len(), 0);
        let outcome = Outcome { gas_used: outcome.gas_used.saturating_add(own), ..outcome };
        Ok(self.include_arrival(outcome))
    }

    /// The call that a receipt asks for, if it asks for one in time.
    pub(super) fn asked(&self, arrival: &Arrival) -> Option<Run> {
        let receipt = &arrival.receipt;
        match Payload::decode(receipt.kind, &receipt.payload).ok()? {
            Payload::Call(call) => self.asked_by_call(receipt, &call),
            Payload::Answer(answer) if answer.to == ATOMIC => {
                Some(Self::asked_by_bundle_answer(receipt, &answer))
            }
            Payload::Answer(answer) => Self::asked_by_answer(receipt, &answer),
            Payload::Prepare(prepare) => self.asked_by_prepare(receipt, &prepare),
            Payload::Commit(commit) => Self::asked_by_decision(receipt, commit.bundle, commit.leg, true),
            Payload::Abort(abort) => Self::asked_by_decision(receipt, abort.bundle, abort.leg, false),
            _ => None,
        }
    }

    fn asked_by_call(&self, receipt: &Receipt, call: &Call) -> Option<Run> {
        if self.is_late(receipt) {
            return None;
        }
        let Receipt { value, gas, .. } = *receipt;
        let caller = call.caller(receipt.lane.source, receipt.sender);
        let (to, gas_price, data) = (call.to, call.gas_price, call.data.clone());
        Some(Run { caller, to, value, gas, gas_price, data })
    }

    fn asked_by_answer(receipt: &Receipt, answer: &Answer) -> Option<Run> {
        let Receipt { value, gas, .. } = *receipt;
        if gas == 0 {
            return None;
        }
        let Answer { id, to, gas_price, verdict, .. } = *answer;
        let (ok, data) = (!verdict.is_bounce(), answer.data.clone());
        let data = IReceiptSender::onReceiptResultCall { id, ok, data }.abi_encode().into();
        Some(Run { caller: PORTAL, to, value, gas, gas_price, data })
    }

    /// Takes note that a chain has consumed the receipts below `sequence` that were sent to it.
    pub fn acknowledge(&mut self, destination: Chain, sequence: u64) -> Result<(), StateError> {
        let lane = ledger::outgoing(self.state(), destination)?;
        let acknowledged = lane.acknowledged.max(sequence.min(lane.sent));
        ledger::set_outgoing(self.state(), destination, LaneCounters { acknowledged, ..lane })
    }

    /// How far receipts of other chains are consumed now.
    pub fn cursors(&mut self) -> Result<InboxCursors, StateError> {
        let shards = self.environment.portal.shards;
        ledger::cursors(self.state(), shards)
    }

    /// Counts a receipt as received, so that the next one is told so.
    fn count(&mut self, source: Chain) -> Result<(), StateError> {
        let cursor = ledger::cursor(self.state(), source)?;
        let received = cursor.map_or(0, |cursor| cursor.sequence);
        ledger::set_received(self.state(), source, received + 1)
    }

    /// Whether a receipt arrives after its deadline.
    pub(super) const fn is_late(&self, receipt: &Receipt) -> bool {
        receipt.deadline != 0 && receipt.deadline < self.environment.timestamp
    }

    fn receive_transfer(&mut self, arrival: &Arrival, to: Address) -> Result<Outcome, ExecuteError> {
        let value = arrival.receipt.value;
        self.credit(&to, value)?;
        Ok(Outcome { success: true, gas_used: 0, logs: vec![credited(arrival, to, value)] })
    }

    fn receive_call(&mut self, arrival: &Arrival, call: &Call) -> Result<Outcome, ExecuteError> {
        let receipt = &arrival.receipt;
        let ran = match self.asked_by_call(receipt, call) {
            Some(run) => self.run(&run)?,
            None => Ran::without_running(Verdict::Expired),
        };
        let Ran { verdict, gas_used, data, mut logs } = ran;
        logs.push(if verdict.is_bounce() {
            bounced(arrival, call.to, verdict)
        } else {
            credited(arrival, call.to, receipt.value)
        });

        // Gas that is left pays for the answer's data first, and goes back then.
        let left = receipt.gas.saturating_sub(gas_used);
        let wanted = if call.callback_gas == 0 { Bytes::new() } else { data };
        let bytes =
            wanted.len().min((left / gas::BYTE) as usize).min(self.environment.portal.data_max as usize);
        let data_gas = gas::BYTE.saturating_mul(bytes as u64);
        let refund = U256::from(left - data_gas).saturating_mul(U256::from(call.gas_price));
        let returned = if verdict.is_bounce() { receipt.value } else { U256::ZERO };
        let value = returned.saturating_add(refund);
        if !value.is_zero() || call.callback_gas != 0 {
            let (id, to, gas_price) = (arrival.id, receipt.sender, call.gas_price);
            let answer = Answer { id, to, verdict, refund, gas_price, data: wanted.slice(..bytes) };
            logs.push(self.answer(receipt.lane, value, call.callback_gas, answer)?);
        }
        let gas_used = gas_used.saturating_add(data_gas);
        Ok(Outcome { success: !verdict.is_bounce(), gas_used, logs })
    }

    fn receive_answer(&mut self, arrival: &Arrival, answer: &Answer) -> Result<Outcome, ExecuteError> {
        let receipt = &arrival.receipt;
        if answer.to == ATOMIC {
            return self.receive_bundle_answer(arrival, answer);
        }
        let Answer { id, to: sender, verdict, .. } = *answer;
        let answered = answered(id, sender, verdict, receipt.value);
        let Some(run) = Self::asked_by_answer(receipt, answer) else {
            self.credit(&sender, receipt.value)?;
            let logs = vec![answered, credited(arrival, sender, receipt.value)];
            return Ok(Outcome { success: true, gas_used: 0, logs });
        };
        let Ran { verdict, gas_used, mut logs, .. } = self.run(&run)?;
        logs.push(answered);
        if verdict.is_bounce() {
            let held = ledger::claimable(self.state(), sender)?.saturating_add(receipt.value);
            ledger::set_claimable(self.state(), sender, held)?;
            logs.push(log(&IPortal::Withheld { owner: sender, value: receipt.value }));
        } else {
            logs.push(credited(arrival, sender, receipt.value));
        }
        let left = U256::from(receipt.gas.saturating_sub(gas_used));
        self.credit(&sender, left.saturating_mul(U256::from(answer.gas_price)))?;
        Ok(Outcome { success: !verdict.is_bounce(), gas_used, logs })
    }

    /// A receipt that this software cannot read: what it brings goes back.
    fn bounce_unread(&mut self, arrival: &Arrival) -> Result<Outcome, ExecuteError> {
        let Receipt { lane, value, sender: to, .. } = arrival.receipt;
        let verdict = Verdict::Unreadable;
        if matches!(arrival.receipt.kind, Commit::KIND | Abort::KIND) {
            // No answer has room; the Atomic sends no value.
            self.credit(&ATOMIC, value)?;
            return Ok(Outcome {
                success: false,
                gas_used: 0,
                logs: vec![bounced(arrival, ATOMIC, verdict)],
            });
        }
        let (id, refund, data) = (arrival.id, U256::ZERO, Bytes::new());
        let answer = Answer { id, to, verdict, refund, gas_price: 0, data };
        let logs = vec![bounced(arrival, PORTAL, verdict), self.answer(lane, value, 0, answer)?];
        Ok(Outcome { success: false, gas_used: 0, logs })
    }

    /// Sends an answer on the lane back; the event that tells of it.
    pub(super) fn answer(
        &mut self,
        lane: Lane,
        value: U256,
        gas: u64,
        answer: Answer,
    ) -> Result<Log, StateError> {
        let back = Lane { source: lane.destination, destination: lane.source };
        let mut counters = ledger::outgoing(self.state(), back.destination)?;
        let sequence = counters.sent;
        counters.sent += 1;
        ledger::set_outgoing(self.state(), back.destination, counters)?;
        let payload = Payload::Answer(answer);
        let (kind, payload) = (payload.kind(), payload.encode());
        let receipt =
            Receipt { lane: back, sequence, kind, sender: PORTAL, value, gas, deadline: 0, payload };
        Ok(outbox_event(&receipt))
    }

    /// Whether there is what can be called.
    pub(super) fn has_callee(&mut self, run: &Run) -> Result<bool, StateError> {
        let callee = self.state().account(&run.to)?;
        Ok(run.data.is_empty() || callee.is_some_and(|account| account.code_hash != KECCAK256_EMPTY))
    }

    /// Makes the call with what the receipt brings; if it fails, nothing was written.
    pub(super) fn run(&mut self, run: &Run) -> Result<Ran, ExecuteError> {
        if !self.has_callee(run)? {
            return Ok(Ran::without_running(Verdict::NoCode));
        }
        let Run { caller, value, gas, .. } = *run;
        let before = self.state().account(&caller)?.unwrap_or_default();
        self.credit(&caller, value)?;
        let executed = self.evm.run_unpaid(run.call())?;
        let gas_used = executed.result.tx_gas_used().min(gas);
        match executed.result {
            ExecutionResult::Success { output, logs, .. } => {
                self.state().commit(executed.state)?;
                Ok(Ran { verdict: Verdict::Done, gas_used, data: output.into_data(), logs })
            }
            failed => {
                self.state().set_account(&caller, before)?;
                let (verdict, data) = match failed {
                    ExecutionResult::Revert { output, .. } => (Verdict::Reverted, output),
                    _ => (Verdict::Halted, Bytes::new()),
                };
                Ok(Ran { verdict, gas_used, data, logs: Vec::new() })
            }
        }
    }

    /// Adds to a balance. All value there is fits, so the sum does.
    pub(super) fn credit(&mut self, address: &Address, wei: U256) -> Result<(), StateError> {
        if wei.is_zero() {
            return Ok(());
        }
        let account = self.state().account(address)?.unwrap_or_default();
        let balance = account.balance.saturating_add(wei);
        self.state().set_account(address, Account { balance, ..account })
    }
}

fn credited(arrival: &Arrival, to: Address, value: U256) -> Log {
    let (id, source) = (arrival.id, arrival.receipt.lane.source);
    log(&IPortal::Credited { id, shard: source.code(), to, value })
}

fn bounced(arrival: &Arrival, to: Address, verdict: Verdict) -> Log {
    let (id, source) = (arrival.id, arrival.receipt.lane.source);
    log(&IPortal::Bounced { id, shard: source.code(), to, verdict: verdict.code() })
}

/// The event that tells of an answer.
pub(super) fn answered(id: B256, sender: Address, verdict: Verdict, value: U256) -> Log {
    log(&IPortal::Answered { id, sender, verdict: verdict.code(), value })
}

fn log(event: &impl SolEvent) -> Log {
    Log { address: PORTAL, data: event.encode_log_data() }
}
