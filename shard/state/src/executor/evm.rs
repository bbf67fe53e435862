//! The interpreter: revm with the rules of Osaka, one instance for a block.

use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::{eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS};
use alloy_primitives::{Address, B256};
use revm::{
    Context, ExecuteEvm as _, Journal, MainBuilder as _, MainnetEvm, SystemCallEvm as _,
    context::{BlockEnv, CfgEnv, TxEnv, result::ExecutionResult},
    context_interface::either::Either,
};

use super::{Environment, ExecuteError, Outcome};
use crate::{state::PendingState, transaction::Transaction};

type ShardContext<'a> = Context<BlockEnv, TxEnv, CfgEnv, PendingState<'a>, Journal<PendingState<'a>>, ()>;

/// An EVM and the state it writes to.
#[derive(Debug)]
pub(super) struct Evm<'a> {
    inner: MainnetEvm<ShardContext<'a>>,
}

impl<'a> Evm<'a> {
    pub(super) fn new(state: PendingState<'a>, config: CfgEnv, block: BlockEnv) -> Self {
        let mut context = ShardContext::new(state, config.spec);
        context.cfg = config;
        context.block = block;
        context.journaled_state.set_spec_id(context.cfg.spec);
        Self { inner: context.build_mainnet() }
    }

    pub(super) fn state(&mut self) -> &mut PendingState<'a> {
        &mut self.inner.ctx.journaled_state.database
    }

    pub(super) fn into_state(self) -> PendingState<'a> {
        self.inner.ctx.journaled_state.database
    }

    /// Executes a checked transaction and writes what it leaves behind.
    pub(super) fn execute(&mut self, transaction: &Transaction) -> Result<Outcome, ExecuteError> {
        self.inner.ctx.cfg.disable_eip3607 = transaction.is_impersonated();
        let result = self.transact(environment_of(transaction))?;
        let (success, gas_used) = (result.is_success(), result.tx_gas_used());
        let logs = if success { result.into_logs() } else { Vec::new() };
        Ok(Outcome { success, gas_used, logs })
    }

    /// Executes a transaction and writes what it leaves behind.
    pub(super) fn transact(&mut self, transaction: TxEnv) -> Result<ExecutionResult, ExecuteError> {
        let executed = self.inner.transact(transaction)?;
        self.state().commit(executed.state)?;
        Ok(executed.result)
    }

    /// What every block does first: EIP-4788 stores the anchor's id, EIP-2935 the parent's.
    pub(super) fn open_block(&mut self, parent: B256, anchor: B256) -> Result<(), ExecuteError> {
        self.system_call(BEACON_ROOTS_ADDRESS, anchor)?;
        self.system_call(HISTORY_STORAGE_ADDRESS, parent)
    }

    fn system_call(&mut self, contract: Address, input: B256) -> Result<(), ExecuteError> {
        let called = self.inner.system_call(contract, input.into())?;
        if !called.result.is_success() {
            return Err(ExecuteError::SystemCall { contract });
        }
        self.state().commit(called.state)?;
        Ok(())
    }
}

impl Environment {
    pub(super) fn evm<'a>(&self, state: PendingState<'a>) -> Evm<'a> {
        Evm::new(state, self.config(), self.block())
    }
}

fn environment_of(transaction: &Transaction) -> TxEnv {
    let envelope = transaction.envelope();
    TxEnv {
        tx_type: envelope.ty(),
        caller: transaction.sender(),
        gas_limit: envelope.gas_limit(),
        gas_price: envelope.max_fee_per_gas(),
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
        access_list: envelope.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: envelope.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: transaction.authorizations().iter().cloned().map(Either::Right).collect(),
    }
}
