//! `eth_`: reading the chain, executing against it, sending to it, listening to it.
//!
//! A block that is not known is `None` where geth answers `null`, and [`RpcError::HeaderNotFound`](crate::RpcError)
//! where state is read. An implementation may write each method as an `async fn`.

mod account;
mod block;
mod chain;
mod execution;
mod fee;
mod filter;
mod simulation;
mod state;
mod transaction;

pub use crate::subscription::SubscriptionApi;
pub use account::AccountApi;
pub use block::BlockApi;
pub use chain::ChainApi;
pub use execution::ExecutionApi;
pub use fee::FeeApi;
pub use filter::FilterApi;
pub use simulation::SimulateApi;
pub use state::StateApi;
pub use transaction::TransactionApi;

use super::Signature;
use crate::{methods::Gathering, subscription};

/// What a shard node answers in the `eth_` namespace: all of its areas.
pub trait EthApi:
    AccountApi
    + BlockApi
    + ChainApi
    + ExecutionApi
    + FeeApi
    + FilterApi
    + SimulateApi
    + StateApi
    + SubscriptionApi
    + TransactionApi
{
}

impl<A> EthApi for A where
    A: AccountApi
        + BlockApi
        + ChainApi
        + ExecutionApi
        + FeeApi
        + FilterApi
        + SimulateApi
        + StateApi
        + SubscriptionApi
        + TransactionApi
{
}

pub(super) const METHODS: [&[Signature]; 9] = [
    chain::METHODS,
    fee::METHODS,
    account::METHODS,
    state::METHODS,
    execution::METHODS,
    simulation::METHODS,
    block::METHODS,
    transaction::METHODS,
    filter::METHODS,
];

pub(super) fn add<A: EthApi>(methods: &mut Gathering<A>) {
    chain::add(methods);
    fee::add(methods);
    account::add(methods);
    state::add(methods);
    execution::add(methods);
    simulation::add(methods);
    block::add(methods);
    transaction::add(methods);
    filter::add(methods);
    subscription::add(methods);
}
