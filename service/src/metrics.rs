//! The Prometheus page: a process's counters, and `GET /metrics` on a port of its own.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use prometheus_client::{
    encoding::text,
    registry::{Metric, Registry},
};
use rpc::{RestConfig, RestHandle, ServeError, serve_rest};
use std::{fmt, net::SocketAddr, sync::Arc};

/// Media type of the text that is served.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The line that ends a page.
const END: &str = "# EOF\n";

/// A page that is being set up: metrics are added to it, and counted through what [`Page::add`] returns.
#[derive(Debug, Default)]
pub struct Page(Registry);

impl Page {
    /// Adds a metric.
    pub fn add<M: Clone + Metric>(&mut self, name: &'static str, help: &'static str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    /// Adds a metric that needs nothing to be made.
    pub fn plain<M: Clone + Default + Metric>(&mut self, name: &'static str, help: &'static str) -> M {
        self.add(name, help, M::default())
    }

    /// The page as it is served from now on.
    pub fn finish(self) -> Encoder {
        Encoder(Arc::new(self.0))
    }
}

/// Writes a page; clones write the same one.
#[derive(Clone)]
pub struct Encoder(Arc<Registry>);

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// The page, followed by that of `others` if it is not empty.
    pub fn encode(&self, others: &str) -> String {
        let mut page = String::new();
        if text::encode(&mut page, &self.0).is_err() {
            // Writing to a string does not fail.
            tracing::error!("metrics cannot be encoded");
        }
        if !others.is_empty() {
            page.truncate(page.strip_suffix(END).map_or(page.len(), str::len));
            page.push_str(others);
        }
        page
    }
}

/// A value for a gauge, which is signed.
pub fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Serves what `encode` returns, anew for each request, until the handle is dropped.
pub async fn serve(
    address: SocketAddr,
    encode: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Result<RestHandle, ServeError> {
    let page = move || {
        let encode = encode.clone();
        async move { ([(CONTENT_TYPE, OPEN_METRICS)], encode()) }
    };
    serve_rest(RestConfig::new(address), Router::new().route("/metrics", get(page))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;

    /// Two pages become one, which ends once.
    #[test]
    fn pages_are_joined_under_one_end() {
        let mut page = Page::default();
        let dropped: Counter = page.plain("atoll_gossip_dropped", "Messages that were of no use");
        dropped.inc();
        let encoder = page.finish();
        let joined = encoder.encode("# TYPE engine_views counter\nengine_views_total 7\n# EOF\n");
        assert!(joined.contains("atoll_gossip_dropped_total 1\n"), "{joined}");
        assert!(joined.ends_with("engine_views_total 7\n# EOF\n"), "{joined}");
        assert_eq!(joined.matches("# EOF").count(), 1);
        assert_eq!(encoder.encode("").matches("# EOF").count(), 1);
    }
}
