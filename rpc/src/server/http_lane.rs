//! Plain calls over HTTP, answered at once: what most requests are, with none of the server library's general ways.
//!
//! What holds: whatever is not understood here goes on to the library as it came, so it alone decides what is refused and
//! how; and a call is answered by the same handler, in the same bytes, whichever way it goes.

use super::{Cors, answers::CALLS_AT_ONCE, plain_call::PlainCall};
use crate::{
    error::RpcResult,
    methods::{Handler, Methods, Page},
};
use axum::{
    body::Bytes,
    http::{
        HeaderValue, Method,
        header::{CONTENT_TYPE, ORIGIN, UPGRADE},
    },
};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesOrdered};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use jsonrpsee::{
    core::BoxError,
    server::{HttpBody, HttpRequest, HttpResponse, http},
    types::{ErrorObjectOwned, error::reject_too_big_batch_response},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt as _};

/// Where a call begins at the latest: behind more blanks, the library takes none either.
const BLANKS_MAX: usize = 128;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What is sent: an answer of the lane, or whatever the library says.
type Response = HttpResponse<Either<Full<Bytes>, HttpBody>>;

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

/// How many requests a connection has sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(Arc<AtomicU64>);

impl Asked {
    pub(super) fn times(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn once_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The lane of one connection, and the library behind it.
#[derive(Debug)]
pub(super) struct HttpLane<S> {
    lane: Arc<Lane>,
    library: Arc<S>,
    asked: Asked,
}

impl<S> HttpLane<S> {
    pub(super) fn new(lane: Arc<Lane>, library: S) -> Self {
        Self { lane, library: Arc::new(library), asked: Asked::default() }
    }

    pub(super) fn asked(&self) -> Asked {
        self.asked.clone()
    }
}

impl<S> hyper::service::Service<HttpRequest<Incoming>> for HttpLane<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response, BoxError>>;

    fn call(&self, request: HttpRequest<Incoming>) -> Self::Future {
        self.asked.once_more();
        let (lane, library) = (Arc::clone(&self.lane), Arc::clone(&self.library));
        async move {
            // What a browser asks beforehand is nothing to wait for.
            if request.method() == Method::OPTIONS {
                return leave(request.map(HttpBody::new), &library).await;
            }
            let origin = request.headers().get(ORIGIN).cloned();
            let mut response = match Arc::clone(&lane.places).try_acquire_owned() {
                Err(_) => http::response::too_many_requests().map(Either::Right),
                Ok(place) => match lane.answer(request).await {
                    Ok(response) => response,
                    Err(mut request) => {
                        // A WebSocket keeps its request's extensions, and with them its place, for as long as it lives.
                        request.extensions_mut().insert(Arc::new(place));
                        return leave(request, &library).await;
                    }
                },
            };
            lane.cors.mark(response.headers_mut(), origin.as_ref());
            Ok(response)
        }
        .boxed()
    }
}

/// Leaves a request to the library.
async fn leave<S>(request: HttpRequest, library: &Arc<S>) -> Result<Response, BoxError>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone,
{
    Ok(S::clone(library).oneshot(request).await?.map(Either::Right))
}

impl Lane {
    /// The answer to a request, or the request, to be answered by the library.
    async fn answer(&self, request: HttpRequest<Incoming>) -> Result<Response, HttpRequest> {
        let is_call = request.method() == Method::POST
            && http::content_type_is_json(&request)
            && !request.headers().contains_key(UPGRADE);
        if !is_call {
            return Err(request.map(HttpBody::new));
        }
        let (head, body) = request.into_parts();
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(refusal) => return Ok(refusal.map(Either::Right)),
        };
        let answer = match body.iter().take(BLANKS_MAX).find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => self.call(&body).await,
            Some(b'[') => self.batch(&body).await,
            _ => None,
        };
        match answer {
            Some(answer) => {
                let mut response = HttpResponse::new(Either::Left(Full::from(answer)));
                response.headers_mut().insert(CONTENT_TYPE, JSON);
                Ok(response)
            }
            None => Err(HttpRequest::from_parts(head, HttpBody::new(Full::from(body)))),
        }
    }

    /// The whole of a request's body, or why it is not taken.
    async fn read(&self, body: Incoming) -> Result<Bytes, HttpResponse> {
        let too_large = || http::response::too_large(self.request_bytes_max);
        if body.size_hint().lower() > u64::from(self.request_bytes_max) {
            return Err(too_large());
        }
        match Limited::new(body, self.request_bytes_max as usize).collect().await {
            Ok(read) => Ok(read.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
            Err(error) => {
                tracing::debug!(%error, "a request's body broke off");
                Err(http::response::internal_error())
            }
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
