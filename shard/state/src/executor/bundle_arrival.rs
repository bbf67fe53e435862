//! Taking in what bundles that take effect together send: prepares, their answers, and decisions.
//!
//! Each is a call that the Portal makes of the Atomic, with gas that was paid for when the bundle was opened. Where a bundle
//! would be left undecided otherwise, there is enough gas whatever the receipt says.

use alloy_primitives::{B256, Bytes, Log, U256};
use alloy_sol_types::{SolCall, SolEvent as _};
use primitives::Receipt;
use xshard::{Answer, Arrival, Prepare, Verdict};

use super::{
    BlockExecutor, ExecuteError, Outcome,
    arrival::{Ran, Run, answered},
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
        let Prepare { bundle: id, leg, answer_gas, .. } = *prepare;
        let ran = match self.asked_by_prepare(receipt, prepare) {
            Some(run) => self.run(&run)?,
            None if receipt.sender != ATOMIC => Ran::without_running(Verdict::Unreadable),
            None => Ran::without_running(Verdict::Expired),
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
        let ran = match Self::asked_by_decision(receipt, id, leg, committed) {
            Some(run) => self.run(&run)?,
            None => Ran::without_running(Verdict::Unreadable),
        };
        self.finish(receipt, ran)
    }

    /// Tells the Atomic how a prepare went that it sent.
    pub(super) fn receive_bundle_answer(
        &mut self,
        arrival: &Arrival,
        answer: &Answer,
    ) -> Result<Outcome, ExecuteError> {
        let receipt = &arrival.receipt;
        let mut ran = self.run(&Self::asked_by_bundle_answer(receipt, answer))?;
        ran.logs.push(answered(answer.id, ATOMIC, answer.verdict, receipt.value));
        self.finish(receipt, ran)
    }

    pub(super) fn asked_by_prepare(&self, receipt: &Receipt, prepare: &Prepare) -> Option<Run> {
        let Prepare { bundle: id, leg, token, from, to, amount, .. } = *prepare;
        let (coordinator, deadline) = (receipt.lane.source.code(), receipt.deadline);
        let call = IArrivals::prepareCall { coordinator, id, deadline, leg, token, from, to, amount };
        (receipt.sender == ATOMIC && !self.is_late(receipt)).then(|| of_atomic(receipt.gas, &call))
    }

    pub(super) fn asked_by_decision(receipt: &Receipt, id: B256, leg: u8, committed: bool) -> Option<Run> {
        let coordinator = receipt.lane.source.code();
        let call = IArrivals::decidedCall { coordinator, id, leg, committed };
        (receipt.sender == ATOMIC).then(|| of_atomic(receipt.gas.max(gas::SETTLE), &call))
    }

    pub(super) fn asked_by_bundle_answer(receipt: &Receipt, answer: &Answer) -> Run {
        let reason = answer.data.slice(..answer.data.len().min(gas::REASON_BYTES_MAX));
        let call = IArrivals::answeredCall { receipt: answer.id, verdict: answer.verdict.code(), reason };
        of_atomic(receipt.gas.max(gas::decision(LEGS_MAX as u64, LEGS_MAX as u64)), &call)
    }

    /// What nobody sends along belongs to nobody, but is there.
    fn finish(&mut self, receipt: &Receipt, ran: Ran) -> Result<Outcome, ExecuteError> {
        self.credit(&ATOMIC, receipt.value)?;
        let gas_used = ran.gas_used.min(receipt.gas);
        Ok(Outcome { success: !ran.verdict.is_bounce(), gas_used, logs: ran.logs })
    }
}

/// A call that the Portal makes of the Atomic.
fn of_atomic(gas: u64, call: &impl SolCall) -> Run {
    let (caller, to, data) = (PORTAL, ATOMIC, call.abi_encode().into());
    Run { caller, to, value: U256::ZERO, gas, gas_price: 0, data }
}
