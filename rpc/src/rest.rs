//! Serves an axum router: the beacon node's REST interface, and every process's metrics page.
//!
//! What holds: connections are bounded in number, and one over which nothing moves is closed.

mod connection;

use crate::server::{Cors, ServeError};
use axum::Router;
use connection::BoundedListener;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower::util::option_layer;

/// How long requests in work may go on once the server stops: event streams never end by themselves.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a router is served, and to how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestConfig {
    /// Where it listens; port zero is any free one.
    pub listen: SocketAddr,
    /// Most connections at once; more wait in the system's queue.
    pub max_connections: usize,
    /// Which web pages may call it.
    pub cors: Cors,
}

impl RestConfig {
    /// A server at `listen` with limits that suit a node.
    pub const fn new(listen: SocketAddr) -> Self {
        Self { listen, max_connections: 500, cors: Cors::Off }
    }
}

/// A running server; it stops when the handle is dropped.
#[derive(Debug)]
pub struct RestHandle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RestHandle {
    /// Where it listens, with the port it was given.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets requests in work end for a moment, and returns when all is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// Starts serving `router`; must be called inside a tokio runtime.
pub async fn serve_rest(config: RestConfig, router: Router) -> Result<RestHandle, ServeError> {
    let listen = config.listen;
    let cors = option_layer(config.cors.layer()?);
    let listener = TcpListener::bind(listen).await.map_err(|source| ServeError::bind(listen, source))?;
    let address = listener.local_addr().map_err(|source| ServeError::bind(listen, source))?;
    let listener = BoundedListener::new(listener, config.max_connections);
    let (stop, mut stopped) = watch::channel(false);
    let shutdown = async move {
        // An error means that the handle is gone, which is a reason to stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let server = axum::serve(listener, router.layer(cors)).with_graceful_shutdown(shutdown);
    let task = tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, %address, "server ended");
        }
    });
    Ok(RestHandle { address, stop, task })
}

#[cfg(test)]
mod tests;
