//! Turns the server library's own errors into geth's, and runs the calls of a batch side by side.
//!
//! Side by side, because a batch of transactions is then one batch of signatures for the pool. Calls are
//! begun in the order they stand in, and answered in it.

use crate::{
    RpcError,
    error::{INTERNAL, METHOD_NOT_FOUND},
};
use futures::{StreamExt as _, stream::FuturesOrdered};
use jsonrpsee::{
    core::server::BatchResponseBuilder,
    server::{
        MethodResponse,
        middleware::rpc::{Batch, BatchEntry, Notification, Request, RpcServiceT},
    },
    types::{ErrorObjectOwned, Id},
};
use std::future::Future;

/// What the library answers to an unknown method; the node's own answers with this code have other texts.
const NO_METHOD: &str = r#""message":"Method not found""#;
/// What the library answers to a subscription over HTTP; the node's own faults have another text.
const NO_SUBSCRIPTIONS: &str = r#""message":"Internal error""#;

/// Calls of one batch that run at once: so many signatures the pool recovers together, and no more
/// responses than these are held while an earlier one is waited for.
pub(super) const CALLS_AT_ONCE: usize = 256;

/// Longest method name that an answer repeats, characters.
const NAME_CHARS_MAX: usize = 128;

#[derive(Clone, Debug)]
pub(super) struct GethAnswers<S> {
    service: S,
    max_response_bytes: usize,
}

impl<S> GethAnswers<S> {
    pub(super) const fn new(service: S, max_response_bytes: usize) -> Self {
        Self { service, max_response_bytes }
    }
}

impl<S> RpcServiceT for GethAnswers<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let service = self.service.clone();
        async move {
            let method = request.method.clone();
            let id = request.id.clone();
            let response = service.call(request).await;
            let says = |text: &str| response.as_json().get().contains(text);
            let error = match response.as_error_code() {
                Some(METHOD_NOT_FOUND) if says(NO_METHOD) => {
                    RpcError::MethodNotFound { method: method.chars().take(NAME_CHARS_MAX).collect() }
                }
                Some(INTERNAL) if method.ends_with("subscribe") && says(NO_SUBSCRIPTIONS) => {
                    RpcError::NotificationsUnsupported
                }
                _ => return response,
            };
            refuse(id, error, response)
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let service = self.clone();
        async move {
            let mut entries = batch.into_iter();
            let mut running = FuturesOrdered::new();
            let mut responses = BatchResponseBuilder::new_with_limit(service.max_response_bytes);
            let mut notifications = false;
            loop {
                while running.len() < CALLS_AT_ONCE
                    && let Some(entry) = entries.next()
                {
                    running.push_back(service.answer(entry));
                }
                let Some(answer) = running.next().await else { break };
                let Some(answer) = answer else {
                    notifications = true;
                    continue;
                };
                if let Err(too_large) = responses.append(answer) {
                    return too_large;
                }
            }
            if responses.is_empty() && notifications {
                return MethodResponse::notification();
            }
            MethodResponse::from_batch(responses.finish())
        }
    }

    fn notification<'a>(&self, n: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(n)
    }
}

impl<S> GethAnswers<S>
where
    Self: RpcServiceT<MethodResponse = MethodResponse, NotificationResponse = MethodResponse>,
{
    /// The answer to one entry of a batch; a notification has none.
    async fn answer<'a>(
        &self,
        entry: Result<BatchEntry<'a>, jsonrpsee::core::middleware::BatchEntryErr<'a>>,
    ) -> Option<MethodResponse> {
        match entry {
            Ok(BatchEntry::Call(request)) => Some(self.call(request).await),
            Ok(BatchEntry::Notification(notification)) => {
                self.notification(notification).await;
                None
            }
            Err(error) => {
                let (error, id) = error.into_parts();
                Some(MethodResponse::error(id, error))
            }
        }
    }
}

fn refuse(id: Id<'_>, error: RpcError, response: MethodResponse) -> MethodResponse {
    let (_, _, extensions) = response.into_parts();
    MethodResponse::error(id, ErrorObjectOwned::from(error)).with_extensions(extensions)
}
