//! Logs of moved value, as an ERC-20 token would leave them.
//!
//! The log of a call stands before those of the call itself. It is there only if the value stays moved: a call that
//! fails takes its log back, and one that fails around it takes both.

use alloy_primitives::{Address, B256, Log, LogData, U256};
use revm::{
    Inspector,
    context::JournalTr as _,
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome},
};
use revm_inspectors::transfer::{TRANSFER_EVENT_TOPIC, TRANSFER_LOG_EMITTER};

use crate::executor::evm::ShardContext;

/// Leaves a log for every transfer of value.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// For each frame that is open, how many logs there were before it.
    open: Vec<usize>,
    /// What a contract that just destroyed itself sent, and to whom.
    destroyed: Option<(Address, Address, U256)>,
}

impl Transfers {
    fn enter(&mut self, context: &mut ShardContext<'_>, transfer: Option<(Address, Address, U256)>) {
        if self.open.is_empty() {
            // What an execution that could not end left behind.
            self.destroyed = None;
        }
        self.open.push(context.journaled_state.inner.logs.len());
        log(context, transfer);
    }

    fn leave(&mut self, context: &mut ShardContext<'_>, succeeded: bool) {
        let before = self.open.pop();
        let destroyed = self.destroyed.take();
        if succeeded {
            log(context, destroyed);
        } else if let Some(before) = before {
            context.journaled_state.inner.logs.truncate(before);
        }
    }
}

fn log(context: &mut ShardContext<'_>, transfer: Option<(Address, Address, U256)>) {
    let Some((from, to, value)) = transfer.filter(|(.., value)| !value.is_zero()) else { return };
    let topics = vec![TRANSFER_EVENT_TOPIC, from.into_word(), to.into_word()];
    let data = LogData::new_unchecked(topics, B256::from(value).into());
    context.journaled_state.log(Log { address: TRANSFER_LOG_EMITTER, data });
}

impl<'a> Inspector<ShardContext<'a>> for Transfers {
    fn call(&mut self, context: &mut ShardContext<'a>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let value = inputs.transfer_value();
        self.enter(context, value.map(|value| (inputs.transfer_from(), inputs.transfer_to(), value)));
        None
    }

    fn call_end(&mut self, context: &mut ShardContext<'a>, _: &CallInputs, outcome: &mut CallOutcome) {
        self.leave(context, outcome.instruction_result().is_ok());
    }

    fn create(&mut self, context: &mut ShardContext<'a>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let caller = context.journaled_state.load_account(inputs.caller());
        // A state that cannot be read ends the execution where the account is read next.
        let nonce = caller.map_or(0, |account| account.data.info.nonce);
        let created = inputs.created_address(nonce);
        self.enter(context, Some((inputs.caller(), created, inputs.value())));
        None
    }

    fn create_end(&mut self, context: &mut ShardContext<'a>, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.leave(context, outcome.instruction_result().is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.destroyed = Some((contract, target, value)).filter(|_| contract != target);
    }
}
