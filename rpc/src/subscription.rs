//! `eth_subscribe`: copies a node's stream into one client's connection.
//!
//! What holds: nothing here waits for a client. A connection's buffer is bounded; a client that lets it fill
//! loses the subscription, and the log says so.

use crate::{
    RpcError,
    argument::Arguments,
    error::RpcResult,
    method::{Param, Signature},
    methods::Gathering,
    view::{Header, Log, Pooled, ReceiptJourney, SyncNotice},
};
use alloy_rpc_types_eth::Filter;
use futures::{
    FutureExt as _, StreamExt as _,
    future::{Either, select},
    stream::BoxStream,
};
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionSink, TrySendError,
    types::{ErrorObjectOwned, Params},
};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;

/// One notification's content, or why it cannot be written.
type Item = Result<Box<RawValue>, serde_json::Error>;

/// What happens, as it happens. Each stream's buffer is bounded; a stream ends where it would skip.
pub trait SubscriptionApi: Send + Sync + 'static {
    /// Headers as they are certified.
    fn new_heads(&self) -> RpcResult<BoxStream<'static, Header>>;

    /// Logs as their blocks are certified, and again with `removed` should their block be undone.
    fn new_logs(&self, filter: Filter) -> RpcResult<BoxStream<'static, Log>>;

    /// Transactions that a block can take, as they come; `full` is all of them instead of their hashes.
    fn new_pending_transactions(&self, full: bool) -> RpcResult<BoxStream<'static, Pooled>>;

    /// Receipts between shards, as blocks of this one that sent or consumed them are certified.
    fn receipts(&self) -> RpcResult<BoxStream<'static, ReceiptJourney>>;

    /// That the node begins to catch up, and that it has.
    fn sync_notices(&self) -> RpcResult<BoxStream<'static, SyncNotice>>;
}

/// What the reference says of subscribing; these two are not calls like others.
pub(crate) const METHODS: &[Signature] = &[
    Signature {
        name: "eth_subscribe",
        aliases: &[],
        params: &[
            Param { name: "kind", kind: "subscription kind", required: true },
            Param { name: "options", kind: "subscription options", required: false },
        ],
        result: "subscription id",
        about: "Tells of `newHeads`, of `logs` that match a filter, of `newPendingTransactions` (with `true`: all of \
                them instead of their hashes), of `receipts` between shards that this one sent or consumed, or of the \
                node's `syncing`, by notifications on this WebSocket.",
    },
    Signature {
        name: "eth_unsubscribe",
        aliases: &[],
        params: &[Param { name: "id", kind: "subscription id", required: true }],
        result: "boolean",
        about: "Ends a subscription of this WebSocket.",
    },
];

pub(crate) fn add<A: SubscriptionApi>(methods: &mut Gathering<A>) {
    methods
        .subscriptions()
        .register_subscription(
            "eth_subscribe",
            "eth_subscription",
            "eth_unsubscribe",
            |params, pending, api, _| async move {
                match open(&params, &api) {
                    Ok(stream) => pump(pending, stream).await,
                    Err(error) => pending.reject(ErrorObjectOwned::from(error)).await,
                }
            },
        )
        .expect("each name is added once: a second one fails every test that builds a server");
}

/// The stream that the arguments of `eth_subscribe` ask for.
fn open<A: SubscriptionApi>(params: &Params<'_>, api: &Arc<A>) -> Result<BoxStream<'static, Item>, RpcError> {
    let mut arguments = Arguments::new(params.as_str())?;
    let kind: String = arguments.required()?;
    match kind.as_str() {
        "newHeads" => {
            arguments.finish()?;
            Ok(api.new_heads()?.map(|header| to_raw_value(&header)).boxed())
        }
        "logs" => {
            let filter: Filter = arguments.optional()?.unwrap_or_default();
            arguments.finish()?;
            Ok(api.new_logs(filter)?.map(|log| to_raw_value(&log)).boxed())
        }
        "newPendingTransactions" => {
            let full = arguments.optional()?.unwrap_or(false);
            arguments.finish()?;
            Ok(api.new_pending_transactions(full)?.map(|pooled| to_raw_value(&pooled)).boxed())
        }
        "receipts" => {
            arguments.finish()?;
            Ok(api.receipts()?.map(|receipt| to_raw_value(&receipt)).boxed())
        }
        "syncing" => {
            arguments.finish()?;
            Ok(api.sync_notices()?.map(|notice| to_raw_value(&notice)).boxed())
        }
        _ => Err(RpcError::SubscriptionNotFound { kind: kind.chars().take(64).collect(), namespace: "eth" }),
    }
}

async fn pump(pending: PendingSubscriptionSink, mut stream: BoxStream<'static, Item>) {
    let Ok(mut sink) = pending.accept().await else {
        return; // the client left before it had its answer
    };
    loop {
        let item = {
            let closed = sink.closed().boxed();
            match select(closed, stream.next()).await {
                Either::Left(_) => return,
                Either::Right((item, _)) => item,
            }
        };
        let Some(item) = item else { return };
        if !forward(&mut sink, item) {
            return;
        }
    }
}

/// Whether the subscription goes on.
fn forward(sink: &mut SubscriptionSink, item: Item) -> bool {
    let message = match item {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(%error, "a notification cannot be written as JSON");
            return false;
        }
    };
    match sink.try_send(message) {
        Ok(()) => true,
        Err(TrySendError::Closed(_)) => false,
        Err(TrySendError::Full(_)) => {
            tracing::warn!(
                connection = sink.connection_id().0,
                buffered_max = sink.max_capacity(),
                "subscriber too slow, subscription dropped"
            );
            false
        }
    }
}
