//! The JSON-RPC methods of a shard node, one file per area.
//!
//! Each area is a trait that the node implements, in Rust's words, and a list (`methods!`) that says for each
//! method its name on the wire, its parameters, what it gives, and how the trait answers it. [`reference()`] is all
//! of these lists.

mod debug;
mod dev;
mod eth;
mod net;
mod reference;
mod signature;
mod txpool;
mod web3;

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

use crate::{RpcError, argument::Arguments, subscription};
use jsonrpsee::{RpcModule, server::Methods, types::ErrorObjectOwned};
use serde::Serialize;
use std::{future::Future, sync::Arc};

/// Every method of a shard node, served by `api`.
pub fn shard_methods<A: EthApi + DebugApi + NetApi + TxpoolApi + Web3Api>(api: Arc<A>) -> Methods {
    let mut module = RpcModule::from_arc(api);
    eth::add(&mut module);
    debug::add(&mut module);
    net::add(&mut module);
    txpool::add(&mut module);
    web3::add(&mut module);
    module.into()
}

/// What there is to say of every method of a shard node, area by area.
pub fn reference() -> impl Iterator<Item = &'static Signature> {
    let areas = eth::METHODS.into_iter().chain([
        subscription::METHODS,
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
/// with parameters of types that are an `Argument`. Makes `METHODS`, what the reference says
/// of them, and `add`, which adds them to a server.
macro_rules! methods {
    (
        $api:path;
        $(
            $(#[doc = $about:literal])+
            $name:ident($($param:ident: $kind:ty),*) -> $result:literal = |$this:ident| $answer:expr;
        )*
    ) => {
        pub(super) const METHODS: &[$crate::method::Signature] = &[$(
            $crate::method::Signature {
                name: stringify!($name),
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
        pub(super) fn add<A: $api>(module: &mut jsonrpsee::RpcModule<A>) {
            $(
                $crate::method::add_method(
                    module,
                    stringify!($name),
                    |_arguments| Ok(($(<$kind as $crate::method::signature::Argument>::read(_arguments)?,)*)),
                    |$this, ($($param,)*)| async move { $answer },
                );
            )*
        }
    };
}
use methods;

/// Adds one method: `read` takes the arguments apart, `call` answers.
fn add_method<A, Read, Args, Call, Answer, Out>(
    module: &mut RpcModule<A>,
    name: &'static str,
    read: Read,
    call: Call,
) where
    A: Send + Sync + 'static,
    Read: Fn(&mut Arguments<'_>) -> Result<Args, RpcError> + Clone + Send + Sync + 'static,
    Args: Send,
    Call: Fn(Arc<A>, Args) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = Result<Out, RpcError>> + Send,
    Out: Serialize + Clone + 'static,
{
    module
        .register_async_method(name, move |params, api, _| {
            let arguments = Arguments::new(&params).and_then(|mut arguments| {
                let read = read(&mut arguments)?;
                arguments.finish()?;
                Ok(read)
            });
            let call = call.clone();
            async move { call(api, arguments?).await.map_err(ErrorObjectOwned::from) }
        })
        .expect("each name is added once: a second one fails every test that builds a server");
}
