//! Connections: each is served until its client closes it, or the server is stopped.

use super::http_lane::{HttpLane, Lane};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    core::BoxError,
    server::{HttpRequest, HttpResponse, StopHandle},
};
use std::{future::pending, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower::Service;

/// How long a new connection may take to send its first request's head.
const FIRST_REQUEST_PATIENCE: Duration = Duration::from_secs(30);
/// Rest after the system gave no connection: it may have none left to give.
const REST: Duration = Duration::from_millis(100);

/// What every connection is served with.
#[derive(Debug)]
pub(super) struct Connections<L> {
    pub(super) lane: Arc<Lane>,
    /// Makes the library's service for one connection.
    pub(super) library: L,
    pub(super) stop: StopHandle,
}

impl<L, S> Connections<L>
where
    L: Fn(StopHandle) -> S,
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    /// Takes connections until the server is stopped; those that are there then end by themselves.
    pub(super) async fn take_from(self, listener: TcpListener) {
        let mut stopped = pin!(self.stop.clone().shutdown());
        loop {
            let taken = tokio::select! {
                taken = listener.accept() => taken,
                () = &mut stopped => return,
            };
            match taken {
                Ok((stream, _)) => {
                    let lane = HttpLane::new(Arc::clone(&self.lane), (self.library)(self.stop.clone()));
                    tokio::spawn(serve(stream, lane, self.stop.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "no connection");
                    sleep(REST).await;
                }
            }
        }
    }
}

/// Serves one connection to its end.
async fn serve<S>(stream: TcpStream, lane: HttpLane<S>, stop: StopHandle)
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn off the delay of small packets");
    }
    let asked = lane.asked();
    let silent = async {
        sleep(FIRST_REQUEST_PATIENCE).await;
        if asked.get() {
            pending().await
        }
    };
    // Answers are short: they are copied behind their head sooner than the system gathers two pieces.
    let mut connection = pin!(
        http1::Builder::new().writev(false).serve_connection(TokioIo::new(stream), lane).with_upgrades()
    );
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.shutdown() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = silent => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
