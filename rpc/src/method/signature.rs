//! What a method takes and gives, told once: `methods!` makes from it both the server's entry and
//! the line of the reference.

use crate::{
    argument::Arguments,
    error::{RpcError, RpcResult},
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy_rpc_types_eth::{
    BlockOverrides, Filter, TransactionRequest, simulate::SimulatePayload, state::StateOverride,
};
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethDebugTracingOptions};
use alloy_serde::JsonStorageKey;

/// What the reference says of one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name on the wire.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// What it takes, in order.
    pub params: &'static [Param],
    /// What it gives.
    pub result: &'static str,
    /// What it is for, in one sentence or two.
    pub about: &'static str,
}

/// One parameter of a method. Parameters are passed by position: the name is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What is written there.
    pub kind: &'static str,
    /// Whether it may not be left out.
    pub required: bool,
}

/// What a parameter is read as.
pub(crate) trait Argument: Sized {
    /// What the reference calls it.
    const KIND: &'static str;
    /// Whether it may not be left out.
    const REQUIRED: bool = true;

    /// Takes the next argument.
    fn read(arguments: &mut Arguments<'_>) -> RpcResult<Self>;
}

impl<T: Argument> Argument for Option<T> {
    const KIND: &'static str = T::KIND;
    const REQUIRED: bool = false;

    fn read(arguments: &mut Arguments<'_>) -> RpcResult<Self> {
        if arguments.pass_missing() { Ok(None) } else { T::read(arguments).map(Some) }
    }
}

/// Types that the reference calls by these names.
macro_rules! kinds {
    ($($type:ty: $kind:literal;)*) => {
        $(
            impl $crate::method::signature::Argument for $type {
                const KIND: &'static str = $kind;

                fn read(arguments: &mut $crate::argument::Arguments<'_>) -> $crate::error::RpcResult<Self> {
                    arguments.required()
                }
            }
        )*
    };
}

pub(super) use kinds;

kinds! {
    Address: "address";
    B256: "hash";
    BlockNumberOrTag: "block number or tag";
    BlockOverrides: "block overrides";
    Bytes: "bytes";
    Filter: "filter";
    GethDebugTracingCallOptions: "trace options";
    GethDebugTracingOptions: "trace options";
    JsonStorageKey: "slot";
    SimulatePayload: "blocks of calls";
    StateOverride: "state overrides";
    String: "text";
    TransactionRequest: "transaction request";
    U64: "quantity";
    U128: "quantity";
    U256: "quantity";
    Vec<JsonStorageKey>: "list of slots";
    bool: "boolean";
}

/// Most percentiles in one request, as in geth.
const PERCENTILES_MAX: usize = 100;

/// Percentiles of a block's tips: 0 to 100, ascending; none where they are left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Percentiles(pub(crate) Vec<f64>);

impl Argument for Percentiles {
    const KIND: &'static str = "list of percentiles";
    const REQUIRED: bool = false;

    fn read(arguments: &mut Arguments<'_>) -> RpcResult<Self> {
        let percentiles: Vec<f64> = arguments.optional()?.unwrap_or_default();
        if percentiles.len() > PERCENTILES_MAX {
            return Err(RpcError::InvalidParams(format!(
                "invalid reward percentile: over the query limit {PERCENTILES_MAX}"
            )));
        }
        let mut floor = 0.0;
        for (index, percentile) in percentiles.iter().enumerate() {
            if !(floor..=100.0).contains(percentile) {
                return Err(RpcError::InvalidParams(format!(
                    "invalid reward percentile: #{index}: {percentile}"
                )));
            }
            floor = *percentile;
        }
        Ok(Self(percentiles))
    }
}
