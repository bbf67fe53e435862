//! The JSON-RPC methods of a shard node, one file per namespace.
//!
//! Each namespace is a trait that the node implements, in Rust's words, and a list that says for each
//! method its name on the wire, its arguments and how its result is written.

mod eth;
mod net;
mod web3;

pub use eth::EthApi;
pub use net::NetApi;
pub use web3::Web3Api;

use crate::{RpcError, argument::Arguments};
use jsonrpsee::{RpcModule, server::Methods, types::ErrorObjectOwned};
use serde::Serialize;
use std::{future::Future, sync::Arc};

/// Every method of a shard node, served by `api`.
pub fn shard_methods<A: EthApi + NetApi + Web3Api>(api: Arc<A>) -> Methods {
    let mut module = RpcModule::from_arc(api);
    eth::add(&mut module);
    net::add(&mut module);
    web3::add(&mut module);
    module.into()
}

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

/// Of a method without arguments.
fn nothing(_: &mut Arguments<'_>) -> Result<(), RpcError> {
    Ok(())
}
