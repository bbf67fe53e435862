//! Taking in what bundles that take effect together send: prepares, their answers, and decisions.
//!
//! Each is a call that the Portal makes of the Atomic, with gas that was paid for when the bundle was opened. Where a bundle
//! would be left undecided otherwise, there is enough gas whatever the receipt says.

use alloy_primitives::{B256, Bytes, Log, U256};
use alloy_sol_types::{SolCall as _, SolEvent as _};
use primitives::Receipt;
use xshard::{Answer, Arrival, Prepare, Verdict};

use super::{
    BlockExecutor, ExecuteError, Outcome,
    arrival::{Ran, answered},
};
use crate::{
    atomic::{
        ATOMIC, LEGS_MAX,
        abi::{IArrivals, IAtomic},
        gas,
    },
    portal::PORTAL,
};

impl<I> BlockExecutor<'_, I> {
    /// Takes a leg into escrow, or says why not; the coordinator is told in any case.
    pub(super) fn receive_prepare(
        &mut self,
        arrival: &Arrival,
        prepare: &Prepare,
    ) -> Result<Outcome, ExecuteError> {
        let receipt = &arrival.receipt;
        let Prepare { bundle: id, leg, token, from, to, amount, answer_gas } = *prepare;
        let ran = if receipt.sender != ATOMIC {
            Ran::without_running(Verdict::Unreadable)
        } else if self.is_late(receipt) {
            Ran::without_running(Verdict::Expired)
        } else {
            let (coordinator, deadline) = (receipt.lane.source.code(), receipt.deadline);
            let call = IArrivals::prepareCall { coordinator, id, deadline, leg, token, from, to, amount };
            self.run_atomic(receipt.gas, call.abi_encode())?
        };
        let Ran { verdict, gas_used, data, mut logs } = ran;
        let reason = if verdict.is_bounce() { data } else { Bytes::new() };
        let reason = reason.slice(..reason.len().min(gas::REASON_BYTES_MAX));
        if verdict.is_bounce() {
            let refused = IAtomic::Refused { id, leg, verdict: verdict.code(), reason: reason.clone() };
            logs.push(Log { address: ATOMIC, data: refused.encode_log_data() });
        }
        let (id, to, refund) = (arrival.id, receipt.sender, U256::ZERO);
        let answer = Answer { id, to, verdict, refund, gas_price: 0, data: reason };
        logs.push(self.answer(receipt.lane, receipt.value, answer_gas, answer)?);
        Ok(Outcome { success: !verdict.is_bounce(), gas_used, logs })
    }

    /// Does with an escrow what its coordinator decided. What nobody decided, or somebody else, changes nothing.
    pub(super) fn receive_decision(
        &mut self,
        arrival: &Arrival,
        id: B256,
        leg: u8,
        committed: bool,
    ) -> Result<Outcome, ExecuteError> {
        let receipt = &arrival.receipt;
        let ran = if receipt.sender == ATOMIC {
            let coordinator = receipt.lane.source.code();
            let call = IArrivals::decidedCall { coordinator, id, leg, committed };
            self.run_atomic(receipt.gas.max(gas::SETTLE), call.abi_encode())?
        } else {
            Ran::without_running(Verdict::Unreadable)
        };
        self.finish(receipt, ran)
    }

    /// Tells the Atomic how a prepare went that it sent.
    pub(super) fn receive_bundle_answer(
        &mut self,
        arrival: &Arrival,
        answer: &Answer,
    ) -> Result<Outcome, ExecuteError> {
        let Answer { id: receipt, verdict, .. } = *answer;
        let reason = answer.data.slice(..answer.data.len().min(gas::REASON_BYTES_MAX));
        let call = IArrivals::answeredCall { receipt, verdict: verdict.code(), reason };
        let gas = arrival.receipt.gas.max(gas::decision(LEGS_MAX as u64, LEGS_MAX as u64));
        let mut ran = self.run_atomic(gas, call.abi_encode())?;
        ran.logs.push(answered(receipt, ATOMIC, verdict, arrival.receipt.value));
        self.finish(&arrival.receipt, ran)
    }

    fn run_atomic(&mut self, gas: u64, input: Vec<u8>) -> Result<Ran, ExecuteError> {
        self.run(PORTAL, ATOMIC, U256::ZERO, gas, 0, input.into())
    }

    /// What nobody sends along belongs to nobody, but is there.
    fn finish(&mut self, receipt: &Receipt, ran: Ran) -> Result<Outcome, ExecuteError> {
        self.credit(&ATOMIC, receipt.value)?;
        let gas_used = ran.gas_used.min(receipt.gas);
        Ok(Outcome { success: !ran.verdict.is_bounce(), gas_used, logs: ran.logs })
    }
}
