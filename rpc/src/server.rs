//! JSON-RPC over HTTP and WebSocket on one port.
//!
//! - `connections`: taken one by one, served, and ended
//! - `http_lane`: plain calls over HTTP, which are most of what is asked
//! - the library behind it: WebSockets, subscriptions, and whatever is no plain call
//! - `answers`: the library's refusals in geth's words
//!
//! What holds: everything that comes from outside is bounded by [`ServerConfig`] (connections, bytes, batch
//! entries, subscriptions, waiting notifications), and what exceeds a bound is answered, or waits, and is never obeyed.

mod answers;
mod connections;
mod http_lane;
mod plain_call;
mod subscription_id;

use crate::Methods;
use answers::GethAnswers;
use axum::http::{
    HeaderMap, HeaderValue,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, VARY},
};
use connections::{Connections, Patience};
use http_lane::Lane;
use jsonrpsee::server::{
    BatchRequestConfig, PingConfig, Server, ServerConfig as Transport, middleware::rpc::RpcServiceBuilder,
    stop_channel,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use subscription_id::HexIds;
use tokio::{net::TcpListener, sync::Semaphore};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// Notifications that may wait for one connection; a subscriber that lets more wait is dropped.
const BUFFER_MESSAGES: u32 = 1_024;
/// How often an idle WebSocket is asked whether anyone is there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long it may take to answer.
const PING_PATIENCE: Duration = Duration::from_secs(40);

/// Open connections for each request or WebSocket that may be in work: most of them sleep.
const CONNECTIONS_PER_PLACE: usize = 4;

/// What an answer depends on where some web pages may call.
const VARIES_WITH: &str = "origin, access-control-request-method, access-control-request-headers";

/// Which web pages may call the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// None.
    #[default]
    Off,
    /// All: as development networks do.
    Any,
    /// Those of these origins, like `https://example.org`.
    Origins(Vec<String>),
}

impl Cors {
    /// The layer that tells browsers which pages may call.
    pub(crate) fn layer(&self) -> Result<Option<CorsLayer>, ServeError> {
        let layer = CorsLayer::new().allow_methods(Any).allow_headers(Any);
        let origin = match self {
            Self::Off => return Ok(None),
            // The answer is the same for everybody.
            Self::Any => return Ok(Some(layer.allow_origin(Any).vary([]))),
            Self::Origins(origins) => {
                let origins = origins
                    .iter()
                    .map(|origin| header(origin).ok_or_else(|| ServeError::Origin { origin: origin.clone() }))
                    .collect::<Result<Vec<_>, _>>()?;
                AllowOrigin::list(origins)
            }
        };
        Ok(Some(layer.allow_origin(origin)))
    }

    /// Tells a browser whether the page of this origin may read an answer, as the layer does.
    fn mark(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
        let allowed = match self {
            Self::Off => None,
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Origins(origins) => {
                headers.insert(VARY, HeaderValue::from_static(VARIES_WITH));
                let is_allowed = |found: &&HeaderValue| origins.iter().any(|origin| **found == **origin);
                origin.filter(is_allowed).cloned()
            }
        };
        if let Some(allowed) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
    }
}

/// What a server takes, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where it listens; port zero is any free one.
    pub listen: SocketAddr,
    /// Most requests in work and WebSockets at once; four times as many connections may be open.
    pub max_connections: u32,
    /// Largest request, bytes.
    pub max_request_bytes: u32,
    /// Largest response, bytes; a batch's responses count together.
    pub max_response_bytes: u32,
    /// Most calls in one batch.
    pub batch_max: u32,
    /// Most subscriptions of one connection.
    pub subscriptions_max: u32,
    /// Which web pages may call it.
    pub cors: Cors,
}

impl ServerConfig {
    /// A server at `listen` with limits that suit a public endpoint.
    pub const fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            max_connections: 500,
            max_request_bytes: 5 * 1024 * 1024,
            max_response_bytes: 25 * 1024 * 1024,
            batch_max: 1_000,
            subscriptions_max: 100,
            cors: Cors::Off,
        }
    }
}

/// An origin as browsers send it.
fn header(origin: &str) -> Option<HeaderValue> {
    let has_scheme = origin.starts_with("https://") || origin.starts_with("http://");
    has_scheme.then(|| origin.parse().ok()).flatten()
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error("port {} of {} is taken by another process: stop it, or listen on another port", listen.port(), listen.ip())]
    PortTaken {
        /// Where it was to listen.
        listen: SocketAddr,
    },
    /// The system does not let it listen there.
    #[error(
        "cannot listen on {listen}: {source}; choose an address of this machine and a port this user may open"
    )]
    Bind {
        /// Where it was to listen.
        listen: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An origin that no browser would send.
    #[error("`{origin}` is no origin: expected something like https://example.org")]
    Origin {
        /// As configured.
        origin: String,
    },
}

impl ServeError {
    pub(crate) fn bind(listen: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortTaken { listen },
            _ => Self::Bind { listen, source },
        }
    }
}

/// A running server; it stops when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    inner: jsonrpsee::server::ServerHandle,
}

impl ServerHandle {
    /// Where it listens, with the port it was given.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, lets those in work end, and returns when the last connection is closed.
    pub async fn stop(self) {
        if self.inner.stop().is_ok() {
            self.inner.stopped().await;
        }
    }

    /// Returns when the server has stopped.
    pub async fn stopped(self) {
        self.inner.stopped().await;
    }
}

/// Starts serving `methods`; must be called inside a tokio runtime.
pub async fn serve(config: ServerConfig, methods: Methods) -> Result<ServerHandle, ServeError> {
    serve_with(Patience::default(), config, methods).await
}

async fn serve_with(
    patience: Patience,
    config: ServerConfig,
    methods: Methods,
) -> Result<ServerHandle, ServeError> {
    let listen = config.listen;
    let transport = Transport::builder()
        .max_connections(config.max_connections)
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(config.max_response_bytes)
        .max_subscriptions_per_connection(config.subscriptions_max)
        .set_batch_request_config(BatchRequestConfig::Limit(config.batch_max))
        .set_message_buffer_capacity(BUFFER_MESSAGES)
        .enable_ws_ping(PingConfig::new().ping_interval(PING_INTERVAL).inactive_limit(PING_PATIENCE))
        .set_id_provider(HexIds)
        .build();
    let max_response_bytes = config.max_response_bytes as usize;
    let answers =
        RpcServiceBuilder::new().layer_fn(move |service| GethAnswers::new(service, max_response_bytes));
    let lane = Lane {
        methods: methods.clone(),
        places: Arc::new(Semaphore::new(config.max_connections as usize)),
        request_bytes_max: config.max_request_bytes,
        response_bytes_max: max_response_bytes,
        batch_max: config.batch_max as usize,
        cors: config.cors.clone(),
    };
    let cors = tower::ServiceBuilder::new().option_layer(config.cors.layer()?);
    let library = Server::builder()
        .set_config(transport)
        .set_http_middleware(cors)
        .set_rpc_middleware(answers)
        .to_service_builder();
    let listener = TcpListener::bind(listen).await.map_err(|source| ServeError::bind(listen, source))?;
    let address = listener.local_addr().map_err(|source| ServeError::bind(listen, source))?;
    let (stop, inner) = stop_channel();
    let methods = methods.library();
    let connections = Connections {
        lane: Arc::new(lane),
        library: move |stop| library.clone().build(methods.clone(), stop),
        places: Arc::new(Semaphore::new(CONNECTIONS_PER_PLACE * config.max_connections as usize)),
        patience,
        stop,
    };
    tokio::spawn(connections.take_from(listener));
    Ok(ServerHandle { address, inner })
}

#[cfg(test)]
mod tests;
