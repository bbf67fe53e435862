//! The interpreter: revm with the rules of Osaka, one instance for a block.

use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::{eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY};
use revm::{
    Context, ExecuteEvm as _, InspectEvm as _, Inspector, Journal, SystemCallEvm as _,
    bytecode::Bytecode,
    context::{
        BlockEnv, CfgEnv, ContextSetters as _, FrameStack, TxEnv,
        result::{EVMError, ExecutionResult, ResultAndState},
    },
    context_interface::{ContextTr as _, JournalTr as _, either::Either},
    handler::{EthFrame, FrameResult, Handler as _, MainnetHandler, instructions::EthInstructions},
    inspector::{
        InspectorHandler as _,
        handler::{frame_end, frame_start},
    },
    interpreter::{
        CallInput, CallInputs, CallOutcome, CallScheme, CallValue, FrameInput, Gas, InstructionResult,
        InterpreterResult, interpreter::EthInterpreter,
    },
    state::EvmState,
};

use super::{
    Environment, ExecuteError, Outcome,
    precompiles::{PrecompileChanges, Precompiles},
};
use crate::{
    portal::PortalRules,
    state::{PendingState, StateError},
    transaction::Transaction,
};

pub(crate) type ShardContext<'a> =
    Context<BlockEnv, TxEnv, CfgEnv, PendingState<'a>, Journal<PendingState<'a>>, ()>;

type Instructions<'a> = EthInstructions<EthInterpreter, ShardContext<'a>>;
type Inner<'a, I> =
    revm::context::Evm<ShardContext<'a>, I, Instructions<'a>, Precompiles, EthFrame<EthInterpreter>>;

type Handling<E> = MainnetHandler<E, EVMError<StateError>, EthFrame<EthInterpreter>>;

/// An EVM and the state it writes to. With an inspector it can also execute watched; what is not watched costs the
/// same with one as without.
#[derive(Debug)]
pub(super) struct Evm<'a, I = ()> {
    inner: Inner<'a, I>,
}

impl<'a> Evm<'a> {
    pub(super) fn new(state: PendingState<'a>, config: CfgEnv, block: BlockEnv, portal: PortalRules) -> Self {
        let mut context = ShardContext::new(state, config.spec);
        context.cfg = config;
        context.block = block;
        context.journaled_state.set_spec_id(context.cfg.spec);
        let instruction = EthInstructions::new_mainnet_with_spec(context.cfg.spec);
        let precompiles = Precompiles::new(PrecompileChanges::default(), portal);
        // Frames are made as they are needed: few requests need many, and each has a large stack.
        let frame_stack = FrameStack::new();
        Self { inner: Inner { ctx: context, inspector: (), instruction, precompiles, frame_stack } }
    }

    /// The same EVM with precompiles elsewhere.
    pub(super) fn with_precompiles(mut self, changes: PrecompileChanges) -> Self {
        self.inner.precompiles = Precompiles::new(changes, self.inner.precompiles.portal());
        self
    }

    /// The same EVM with an inspector.
    pub(super) fn with_inspector<I>(self, inspector: I) -> Evm<'a, I> {
        Evm { inner: self.inner.with_inspector(inspector) }
    }
}

impl<'a, I> Evm<'a, I> {
    pub(super) fn state(&mut self) -> &mut PendingState<'a> {
        &mut self.inner.ctx.journaled_state.database
    }

    pub(super) fn into_state(self) -> PendingState<'a> {
        self.inner.ctx.journaled_state.database
    }

    /// Executes a checked transaction and writes what it leaves behind.
    pub(super) fn execute(&mut self, transaction: &Transaction) -> Result<Outcome, ExecuteError> {
        let transaction = self.prepare(transaction);
        Ok(self.transact(transaction)?.into())
    }

    /// Gets ready for a checked transaction, and says what it is to the interpreter.
    pub(super) fn prepare(&mut self, transaction: &Transaction) -> TxEnv {
        self.inner.ctx.cfg.disable_eip3607 = transaction.is_impersonated();
        environment_of(transaction)
    }

    /// Executes a transaction and writes what it leaves behind.
    pub(super) fn transact(&mut self, transaction: TxEnv) -> Result<ExecutionResult, ExecuteError> {
        let executed = self.run(transaction)?;
        self.state().commit(executed.state)?;
        Ok(executed.result)
    }

    /// Executes a transaction and writes nothing.
    pub(super) fn run(&mut self, transaction: TxEnv) -> Result<ResultAndState, ExecuteError> {
        Ok(self.inner.transact(transaction)?)
    }

    /// Executes a call for which nobody pays and whose caller's nonce stays, and writes nothing.
    pub(super) fn run_unpaid(&mut self, call: TxEnv) -> Result<ResultAndState, ExecuteError> {
        self.prepare_unpaid(call)?;
        let result = Handling::<Inner<'a, I>>::default().run_system_call(&mut self.inner)?;
        Ok(ResultAndState::new(result, self.inner.finalize()))
    }

    fn prepare_unpaid(&mut self, call: TxEnv) -> Result<(), ExecuteError> {
        // The frame takes the value from an account that it believes to be loaded.
        self.inner.ctx.journal_mut().load_account(call.caller).map_err(ExecuteError::State)?;
        self.inner.ctx.set_tx(call);
        Ok(())
    }

    /// Sets BASEFEE, wei per gas, for what comes.
    pub(super) fn set_base_fee(&mut self, wei: u64) {
        self.inner.ctx.block.basefee = wei;
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

impl<'a, I: Inspector<ShardContext<'a>>> Evm<'a, I> {
    /// Executes a transaction before the inspector's eyes, and writes nothing.
    pub(super) fn inspect(&mut self, transaction: TxEnv) -> Result<ResultAndState, ExecuteError> {
        Ok(self.inner.inspect_tx(transaction)?)
    }

    /// Like [`Self::run_unpaid`], before the inspector's eyes.
    pub(super) fn inspect_unpaid(&mut self, call: TxEnv) -> Result<ResultAndState, ExecuteError> {
        self.prepare_unpaid(call)?;
        let result = Handling::<Inner<'a, I>>::default().inspect_run_system_call(&mut self.inner)?;
        Ok(ResultAndState::new(result, self.inner.finalize()))
    }

    /// Shows the inspector a call that runs nothing: its value arrives, or it fails at once. Writes nothing; what would
    /// be written.
    pub(super) fn show(&mut self, call: &TxEnv, succeeds: bool) -> Result<EvmState, ExecuteError> {
        let to = call.kind.into_to().unwrap_or_default();
        let mut input = FrameInput::Call(Box::new(CallInputs {
            input: CallInput::Bytes(call.data.clone()),
            return_memory_offset: 0..0,
            gas_limit: call.gas_limit,
            reservoir: 0,
            bytecode_address: to,
            known_bytecode: (KECCAK256_EMPTY, Bytecode::default()),
            target_address: to,
            caller: call.caller,
            value: CallValue::Transfer(call.value),
            scheme: CallScheme::Call,
            is_static: false,
            charged_new_account_state_gas: false,
        }));
        let result = if succeeds { InstructionResult::Stop } else { InstructionResult::Revert };
        let result = InterpreterResult::new(result, Bytes::new(), Gas::new(call.gas_limit));
        let mut outcome = FrameResult::Call(CallOutcome::new(result, 0..0));
        let (context, inspector) = (&mut self.inner.ctx, &mut self.inner.inspector);
        context.set_tx(call.clone());
        if succeeds {
            let journal = context.journal_mut();
            journal.load_account(to).map_err(ExecuteError::State)?;
            journal.balance_incr(to, call.value).map_err(ExecuteError::State)?;
        }
        frame_start(context, inspector, &mut input);
        frame_end(context, inspector, &input, &mut outcome);
        Ok(self.inner.finalize())
    }

    /// The inspector, the block and the state, which stand apart.
    pub(super) fn parts(&mut self) -> (&mut I, &BlockEnv, &mut PendingState<'a>) {
        let context = &mut self.inner.ctx;
        (&mut self.inner.inspector, &context.block, &mut context.journaled_state.database)
    }
}

impl From<ExecutionResult> for Outcome {
    fn from(result: ExecutionResult) -> Self {
        let (success, gas_used) = (result.is_success(), result.tx_gas_used());
        let logs = if success { result.into_logs() } else { Vec::new() };
        Self { success, gas_used, logs }
    }
}

impl Environment {
    pub(super) fn evm<'a>(&self, state: PendingState<'a>) -> Evm<'a> {
        Evm::new(state, self.config(), self.block(), self.portal)
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
