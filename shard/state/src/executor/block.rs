//! The transactions of one block, one after another.

use alloy_primitives::{B256, Bloom};

use super::{Environment, ExecuteError, Outcome, evm::Evm, inclusion, transfer};
use crate::{
    account::Account,
    receipt::TransactionReceipt,
    rules::Rules,
    state::{ChangeSet, FlatState, PendingState},
    transaction::Transaction,
};

/// Which way transactions take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Path {
    /// Plain transfers go around the interpreter, all else through it.
    #[default]
    Fastest,
    /// Everything goes through the interpreter. The results are the same; this is what they are compared with.
    Evm,
}

/// A block that is being executed; with a [`Tracer`](super::Tracer), one whose transactions can be watched.
#[derive(Debug)]
pub struct BlockExecutor<'a, I = ()> {
    pub(super) evm: Evm<'a, I>,
    pub(super) environment: Environment,
    path: Path,
    gas_used: u64,
    receipts: Vec<TransactionReceipt>,
}

impl<'a> BlockExecutor<'a> {
    /// Opens a block on the state after its parent: the ids of its parent and of its anchor are stored where
    /// contracts find them.
    pub fn open(
        state: &'a dyn FlatState,
        environment: Environment,
        parent: B256,
        anchor: B256,
    ) -> Result<Self, ExecuteError> {
        let mut executor = Self::resume(state, environment);
        executor.evm.open_block(parent, anchor)?;
        Ok(executor)
    }

    /// Goes on in a block whose opening is part of `state` already.
    pub fn resume(state: &'a dyn FlatState, environment: Environment) -> Self {
        Self::on(environment.evm(PendingState::new(state)), environment)
    }

    /// The same by rules of the caller's choice: for tests that are written for one of Ethereum's forks.
    pub fn under(rules: Rules, state: &'a dyn FlatState, environment: Environment) -> Self {
        let config = environment.config_under(rules);
        Self::on(
            Evm::new(PendingState::new(state), config, environment.block(), environment.portal),
            environment,
        )
    }

    fn on(evm: Evm<'a>, environment: Environment) -> Self {
        Self { evm, environment, path: Path::Fastest, gas_used: 0, receipts: Vec::new() }
    }

    /// The same block with an inspector.
    pub(super) fn with_inspector<I>(self, inspector: I) -> BlockExecutor<'a, I> {
        let Self { evm, environment, path, gas_used, receipts } = self;
        BlockExecutor { evm: evm.with_inspector(inspector), environment, path, gas_used, receipts }
    }
}

impl<'a, I> BlockExecutor<'a, I> {
    /// Chooses the way that transactions take.
    #[must_use]
    pub fn with_path(mut self, path: Path) -> Self {
        self.path = path;
        self
    }

    /// Gas of the transactions so far.
    pub fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// Gas that the block has left.
    pub fn gas_left(&self) -> u64 {
        self.environment.gas_limit.saturating_sub(self.gas_used)
    }

    /// The state as it is now.
    pub fn state(&mut self) -> &mut PendingState<'a> {
        self.evm.state()
    }

    /// Executes a transaction; if it may not be included, nothing changes. A receipt in the form of one is taken in.
    pub fn execute(&mut self, transaction: &Transaction) -> Result<&TransactionReceipt, ExecuteError> {
        if let Some(arrival) = transaction.arrival() {
            return self.receive(arrival);
        }
        let outcome = self.outcome(transaction)?;
        Ok(self.include(transaction, outcome))
    }

    /// Closes the block: what it changed, and a receipt for each transaction.
    pub fn close(self) -> (ChangeSet, Vec<TransactionReceipt>) {
        (self.evm.into_state().into_change_set(), self.receipts)
    }

    /// Union of the receipts' blooms.
    pub fn logs_bloom(&self) -> Bloom {
        crate::receipt::logs_bloom(&self.receipts)
    }

    /// Whether the transaction may be included; its sender's account.
    pub(super) fn check(&mut self, transaction: &Transaction) -> Result<Account, ExecuteError> {
        let gas_left = self.gas_left();
        Ok(inclusion::check(transaction, self.evm.state(), &self.environment, gas_left)??)
    }

    /// Takes a transaction into the block that did what `outcome` says.
    pub(super) fn include(&mut self, transaction: &Transaction, outcome: Outcome) -> &TransactionReceipt {
        self.gas_used = self.gas_used.saturating_add(outcome.gas_used);
        self.receipts.push(TransactionReceipt::new(transaction, outcome, self.gas_used));
        &self.receipts[self.receipts.len() - 1]
    }

    /// Takes in a receipt that did what `outcome` says.
    pub(super) fn include_arrival(&mut self, outcome: Outcome) -> &TransactionReceipt {
        self.gas_used = self.gas_used.saturating_add(outcome.gas_used);
        self.receipts.push(TransactionReceipt::of_arrival(outcome, self.gas_used));
        &self.receipts[self.receipts.len() - 1]
    }

    fn outcome(&mut self, transaction: &Transaction) -> Result<Outcome, ExecuteError> {
        let sender = self.check(transaction)?;
        if self.path == Path::Fastest
            && let Some(outcome) =
                transfer::execute(transaction, sender, self.evm.state(), &self.environment)?
        {
            return Ok(outcome);
        }
        self.evm.execute(transaction)
    }
}
