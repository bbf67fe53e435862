//! The JSON-RPC methods of a shard node, one file per area.
//!
//! Each area is a trait that the node implements, in Rust's words, and a list (`methods!`) that says for each
//! method its name on the wire, its parameters, what it gives, and how the trait answers it. [`reference()`] is all
//! of these lists.

mod atoll;
mod debug;
mod dev;
mod eth;
mod named_block;
mod net;
mod reference;
mod signature;
mod txpool;
mod web3;

pub use atoll::AtollApi;
pub use debug::DebugApi;
pub use dev::{DevApi, dev_methods};
pub use eth::{
    AccountApi, BlockApi, ChainApi, EthApi, ExecutionApi, FeeApi, FilterApi, SimulateApi, StateApi,
    SubscriptionApi, TransactionApi,
};
pub use net::NetApi;
pub use reference::reference_page;
pub use signature::{Param, Signature};
pub use txpool::TxpoolApi;
pub use web3::Web3Api;

use crate::{
    methods::{Gathering, Methods},
    subscription,
};
use std::sync::Arc;

/// Every method of a shard node, served by `api`.
pub fn shard_methods<A: EthApi + AtollApi + DebugApi + NetApi + TxpoolApi + Web3Api>(api: Arc<A>) -> Methods {
    let mut methods = Gathering::new(api);
    eth::add(&mut methods);
    atoll::add(&mut methods);
    debug::add(&mut methods);
    net::add(&mut methods);
    txpool::add(&mut methods);
    web3::add(&mut methods);
    methods.finish()
}

/// What there is to say of what only the owner of a development chain may do.
pub fn dev_reference() -> impl Iterator<Item = &'static Signature> {
    dev::METHODS.iter()
}

/// What there is to say of every method of a shard node, area by area.
pub fn reference() -> impl Iterator<Item = &'static Signature> {
    let areas = eth::METHODS.into_iter().chain([
        subscription::METHODS,
        atoll::METHODS,
        debug::METHODS,
        net::METHODS,
        txpool::METHODS,
        web3::METHODS,
    ]);
    areas.flatten()
}

/// The methods of one area. Each is written as
///
/// ```text
/// /// What it is for.
/// eth_getBalance(address: Address, block: Option<BlockId>) -> "quantity"
///     = |api| api.balance(address, block.unwrap_or_default()).await;
/// ```
///
/// with parameters of types that are an `Argument`; `|` stands between several names. Makes `METHODS`, what the reference says
/// of them, and `add`, which adds them to a server.
macro_rules! methods {
    (
        $api:path;
        $(
            $(#[doc = $about:literal])+
            $name:ident $(| $alias:ident)* ($($param:ident: $kind:ty),*) -> $result:literal = |$this:ident| $answer:expr;
        )*
    ) => {
        pub(super) const METHODS: &[$crate::method::Signature] = &[$(
            $crate::method::Signature {
                name: stringify!($name),
                aliases: &[$(stringify!($alias)),*],
                params: &[$(
                    $crate::method::Param {
                        name: stringify!($param),
                        kind: <$kind as $crate::method::signature::Argument>::KIND,
                        required: <$kind as $crate::method::signature::Argument>::REQUIRED,
                    }
                ),*],
                result: $result,
                about: concat!($($about),+).trim_ascii(),
            }
        ),*];

        #[allow(unused_variables, reason = "the answer may be the same whatever is asked")]
        pub(super) fn add<A: $api>(methods: &mut $crate::methods::Gathering<A>) {
            $(
                for name in [stringify!($name) $(, stringify!($alias))*] {
                    methods.add(
                        name,
                        |_arguments| Ok(($(<$kind as $crate::method::signature::Argument>::read(_arguments)?,)*)),
                        |$this, ($($param,)*)| async move { $answer },
                    );
                }
            )*
        }
    };
}
use methods;
