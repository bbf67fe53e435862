//! The Prometheus page: `GET /metrics` on a port of its own.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

const TEXT_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The port could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve metrics on {address}: {source}; free the port or choose another with --metrics")]
pub struct MetricsError {
    address: SocketAddr,
    source: io::Error,
}

/// Serves what `encode` returns, a page in the OpenMetrics text format, until the task is aborted.
pub async fn serve(
    address: SocketAddr,
    encode: impl Fn() -> String + Send + Sync + 'static,
) -> Result<(SocketAddr, JoinHandle<()>), MetricsError> {
    let error = |source| MetricsError { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    let encode = Arc::new(encode);
    let page = move || {
        let encode = encode.clone();
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], encode()) }
    };
    let router = Router::new().route("/metrics", get(page));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics page ended");
        }
    });
    Ok((bound, task))
}
