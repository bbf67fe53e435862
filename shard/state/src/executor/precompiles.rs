//! Precompiles, some of which a request believes to be elsewhere or not there: geth's `movePrecompileToAddress`.
//!
//! An account that is overridden is no precompile any more; its code, if there is any, is what runs. What it did may be
//! moved to another address, where it goes before the code of whoever lives there.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, map::AddressSet};
use revm::{
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, InterpreterResult},
    primitives::hardfork::SpecId,
};

use super::evm::ShardContext;
use crate::{
    atomic::{self, ATOMIC},
    portal::{self, PORTAL, PortalRules},
};

/// Precompiles that are elsewhere or gone, for the length of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecompileChanges {
    /// From where a precompile is now to where it was.
    moved: BTreeMap<Address, Address>,
    /// Where there is none any more.
    gone: BTreeSet<Address>,
}

/// Why a precompile cannot be moved. Texts are geth's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MovePrecompileError {
    /// There is none.
    #[error("account {found} is not a precompile")]
    NoPrecompile {
        /// Where it was to be taken from.
        found: Address,
    },
    /// Two are to be at one place, or one at the place of an account that is overridden.
    #[error("account {found} is already overridden")]
    Taken {
        /// Where it was to go.
        found: Address,
    },
}

impl PrecompileChanges {
    /// Takes the precompile away, if there is one, because its account is overridden.
    pub fn remove(&mut self, address: Address) {
        if is_precompile(&address) {
            self.gone.insert(address);
        }
    }

    /// Moves a precompile.
    pub fn relocate(&mut self, from: Address, to: Address) -> Result<(), MovePrecompileError> {
        if !is_precompile(&from) {
            return Err(MovePrecompileError::NoPrecompile { found: from });
        }
        if self.moved.insert(to, from).is_some() {
            return Err(MovePrecompileError::Taken { found: to });
        }
        self.gone.insert(from);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.gone.is_empty()
    }
}

/// Whether there is a precompile at the address.
pub(super) fn is_precompile(address: &Address) -> bool {
    EthPrecompiles::new(SpecId::OSAKA).contains(address)
}

/// The precompiles of a shard.
#[derive(Debug)]
pub(super) struct Precompiles {
    ethereum: EthPrecompiles,
    portal: PortalRules,
    changes: PrecompileChanges,
    /// Where there is one, if anything changed.
    changed: AddressSet,
}

impl Precompiles {
    pub(super) fn new(changes: PrecompileChanges, portal: PortalRules) -> Self {
        let ethereum = EthPrecompiles::new(SpecId::OSAKA);
        let mut changed = AddressSet::default();
        if !changes.is_empty() {
            changed.clone_from(ethereum.warm_addresses());
            changed.retain(|address| !changes.gone.contains(address));
            changed.extend(changes.moved.keys());
        }
        Self { ethereum, portal, changes, changed }
    }

    pub(super) const fn portal(&self) -> PortalRules {
        self.portal
    }
}

impl<'a> PrecompileProvider<ShardContext<'a>> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<ShardContext<'a>>::set_spec(&mut self.ethereum, spec)
    }

    fn run(
        &mut self,
        context: &mut ShardContext<'a>,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        if inputs.bytecode_address == PORTAL {
            return portal::contract::run(&self.portal, context, inputs).map(Some);
        }
        if inputs.bytecode_address == ATOMIC {
            return atomic::contract::run(&self.portal, context, inputs);
        }
        if self.changes.is_empty() {
            return self.ethereum.run(context, inputs);
        }
        let address = &inputs.bytecode_address;
        match self.changes.moved.get(address) {
            Some(original) => {
                let inputs = CallInputs { bytecode_address: *original, ..inputs.clone() };
                self.ethereum.run(context, &inputs)
            }
            None if self.changes.gone.contains(address) => Ok(None),
            None => self.ethereum.run(context, inputs),
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        if self.changes.is_empty() { self.ethereum.warm_addresses() } else { &self.changed }
    }
}
