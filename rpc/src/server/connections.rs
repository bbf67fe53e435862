//! Connections: each is served until its client closes it, sleeps too long, or the server is stopped.
//!
//! What holds: no more are open at once than [`Connections::places`] allows, WebSockets aside, which the lane counts. Who
//! comes then waits until one is closed, and none is kept for nothing.

use super::http_lane::{HttpLane, Lane};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    core::BoxError,
    server::{HttpRequest, HttpResponse, StopHandle},
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::Service;

/// Rest after the system gave no connection: it may have none left to give.
const REST: Duration = Duration::from_millis(100);

/// How long a connection is kept open for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Before its first request.
    pub(super) first: Duration,
    /// Between requests, once to twice this; geth's is the same.
    pub(super) idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first: Duration::from_secs(30), idle: Duration::from_secs(120) }
    }
}

/// What every connection is served with.
#[derive(Debug)]
pub(super) struct Connections<L> {
    pub(super) lane: Arc<Lane>,
    /// Makes the library's service for one connection.
    pub(super) library: L,
    pub(super) places: Arc<Semaphore>,
    pub(super) patience: Patience,
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
            let taken = async {
                // Nobody closes the semaphore: there is a place at last.
                let place = Arc::clone(&self.places).acquire_owned().await.ok();
                (listener.accept().await, place)
            };
            let (taken, place) = tokio::select! {
                taken = taken => taken,
                () = &mut stopped => return,
            };
            match taken {
                Ok((stream, _)) => {
                    let lane = HttpLane::new(Arc::clone(&self.lane), (self.library)(self.stop.clone()));
                    tokio::spawn(serve(stream, lane, self.patience, self.stop.clone(), place));
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
async fn serve<S>(
    stream: TcpStream,
    lane: HttpLane<S>,
    patience: Patience,
    stop: StopHandle,
    _place: Option<OwnedSemaphorePermit>,
) where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn off the delay of small packets");
    }
    let asked = lane.asked();
    let silent = async {
        let (mut before, mut patience_left) = (0, patience.first);
        loop {
            sleep(patience_left).await;
            let now = asked.times();
            if now == before {
                break;
            }
            (before, patience_left) = (now, patience.idle);
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
        () = silent => {
            // What is in work is answered; who sends half a request gets no more time for the rest.
            connection.as_mut().graceful_shutdown();
            timeout(patience.first, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
