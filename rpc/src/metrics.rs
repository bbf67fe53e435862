//! `GET /metrics`: a process's counters in Prometheus' text format.

use axum::{Router, http::header, routing::get};

/// Media type of the OpenMetrics text that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves what `encode` writes, anew for each request.
pub fn metrics_router(encode: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    Router::new().route(
        "/metrics",
        get(move || {
            let encode = encode.clone();
            async move { ([(header::CONTENT_TYPE, OPEN_METRICS)], encode()) }
        }),
    )
}
