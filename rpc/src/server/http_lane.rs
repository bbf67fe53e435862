//! Plain calls over HTTP, answered at once: what most requests are, with none of the server library's general ways.
//!
//! What holds: whatever is not understood here goes on to the library as it came, so it alone decides what is refused and
//! how; and a call is answered by the same handler, in the same bytes, whichever way it goes.

use super::{Cors, answers::CALLS_AT_ONCE, plain_call::PlainCall};
use crate::{
    error::RpcResult,
    methods::{Handler, Methods, Page},
};
use axum::http::{
    Method,
    header::{ORIGIN, UPGRADE},
};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesOrdered};
use jsonrpsee::{
    core::{
        BoxError,
        http_helpers::{HttpError, read_body},
    },
    server::{HttpBody, HttpRequest, HttpResponse, http},
    types::{ErrorObjectOwned, error::reject_too_big_batch_response},
};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt as _};

/// What the lane answers from, and how much it takes.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) methods: Methods,
    /// Requests in work and WebSockets, together.
    pub(super) places: Arc<Semaphore>,
    pub(super) request_bytes_max: u32,
    pub(super) response_bytes_max: usize,
    pub(super) batch_max: usize,
    pub(super) cors: Cors,
}

/// Puts the lane before the library.
#[derive(Clone, Debug)]
pub(super) struct LaneLayer(pub(super) Arc<Lane>);

impl<S> Layer<S> for LaneLayer {
    type Service = HttpLane<S>;

    fn layer(&self, library: S) -> HttpLane<S> {
        HttpLane { lane: Arc::clone(&self.0), library: Arc::new(library) }
    }
}

/// The lane, and the library behind it.
#[derive(Debug)]
pub(super) struct HttpLane<S> {
    lane: Arc<Lane>,
    library: Arc<S>,
}

impl<S> Clone for HttpLane<S> {
    fn clone(&self) -> Self {
        Self { lane: Arc::clone(&self.lane), library: Arc::clone(&self.library) }
    }
}

impl<S> Service<HttpRequest> for HttpLane<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<HttpResponse, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        let Self { lane, library } = self.clone();
        async move {
            // What a browser asks beforehand is nothing to wait for.
            if request.method() == Method::OPTIONS {
                return S::clone(&library).oneshot(request).await;
            }
            let origin = request.headers().get(ORIGIN).cloned();
            let mut response = match Arc::clone(&lane.places).try_acquire_owned() {
                Err(_) => http::response::too_many_requests(),
                Ok(place) => match lane.answer(request).await {
                    Ok(response) => response,
                    Err(mut request) => {
                        // A WebSocket keeps its request's extensions, and with them its place, for as long as it lives.
                        request.extensions_mut().insert(Arc::new(place));
                        return S::clone(&library).oneshot(request).await;
                    }
                },
            };
            lane.cors.mark(response.headers_mut(), origin.as_ref());
            Ok(response)
        }
        .boxed()
    }
}

impl Lane {
    /// The answer to a request, or the request, to be answered by the library.
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpRequest> {
        let is_call = request.method() == Method::POST
            && http::content_type_is_json(&request)
            && !request.headers().contains_key(UPGRADE);
        if !is_call {
            return Err(request);
        }
        let (head, body) = request.into_parts();
        let (body, is_single) = match read_body(&head.headers, body, self.request_bytes_max).await {
            Ok(read) => read,
            Err(HttpError::TooLarge) => return Ok(http::response::too_large(self.request_bytes_max)),
            Err(HttpError::Malformed) => return Ok(http::response::malformed()),
            Err(HttpError::Stream(error)) => {
                tracing::debug!(%error, "a request's body broke off");
                return Ok(http::response::internal_error());
            }
        };
        let answer = if is_single { self.call(&body).await } else { self.batch(&body).await };
        match answer {
            Some(answer) => Ok(http::response::ok_response(answer)),
            None => Err(HttpRequest::from_parts(head, HttpBody::from(body))),
        }
    }

    /// The answer to one plain call.
    async fn call(&self, body: &[u8]) -> Option<Vec<u8>> {
        let call: PlainCall<'_> = serde_json::from_slice(body).ok()?;
        let handler = self.methods.handler(call.method())?;
        Some(self.respond(&call, handler).await)
    }

    /// The answer to a batch of plain calls, which run side by side.
    async fn batch(&self, body: &[u8]) -> Option<Vec<u8>> {
        let calls: Vec<PlainCall<'_>> = serde_json::from_slice(body).ok()?;
        if calls.is_empty() || calls.len() > self.batch_max {
            return None;
        }
        let handlers = calls.iter().map(|call| self.methods.handler(call.method()));
        let handlers: Vec<_> = handlers.collect::<Option<_>>()?;
        let mut waiting = calls.iter().zip(handlers);
        let mut running = FuturesOrdered::new();
        let mut whole = Ok(Page::new(self.response_bytes_max));
        while whole.is_ok() {
            let free = CALLS_AT_ONCE.saturating_sub(running.len());
            running.extend(waiting.by_ref().take(free).map(|(call, handler)| self.respond(call, handler)));
            let Some(answer) = running.next().await else { break };
            whole = whole.and_then(|page| {
                let separator = if page.is_empty() { b"[" } else { b"," };
                page.bytes(separator)?.bytes(&answer)
            });
        }
        let whole = whole.and_then(|page| page.bytes(b"]"));
        let too_large = |_| refusal("null", reject_too_big_batch_response(self.response_bytes_max));
        Some(whole.map_or_else(too_large, Page::finish))
    }

    /// The whole response to one call.
    async fn respond(&self, call: &PlainCall<'_>, handler: &Handler) -> Vec<u8> {
        let answer = async {
            let page = opened(Page::new(self.response_bytes_max), call.id)?.bytes(br#","result":"#)?;
            handler(call.params(), page).await?.bytes(b"}")
        };
        match answer.await {
            Ok(page) => page.finish(),
            Err(error) => refusal(call.id, error.into()),
        }
    }
}

/// How every response begins.
fn opened(page: Page, id: &str) -> RpcResult<Page> {
    page.bytes(br#"{"jsonrpc":"2.0","id":"#)?.bytes(id.as_bytes())
}

/// A response that says why there is no result. No limit applies: it is short.
fn refusal(id: &str, error: ErrorObjectOwned) -> Vec<u8> {
    let page = opened(Page::new(usize::MAX), id)
        .and_then(|page| page.bytes(br#","error":"#)?.write(&error)?.bytes(b"}"));
    page.map(Page::finish).unwrap_or_default()
}
