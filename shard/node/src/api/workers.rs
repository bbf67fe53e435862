//! Work that would hold up other requests, on threads of its own.
//!
//! What always holds: no more than a fixed number of such works run at once, and a caller is answered by the
//! deadline. A work that outlives its caller keeps its place until it ends, and each ends: gas bounds it, or the
//! limit of the request.

use super::error::internal;
use rpc::RpcError;
use rpc::error::RpcResult;
use shard_state::executor::Stop;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Calls off, when it goes, whatever was given its [`Stop`]: a work that can be called off need not outlive its caller.
#[derive(Debug, Default)]
pub(super) struct CalledOff(Stop);

impl CalledOff {
    pub(super) fn stop(&self) -> Stop {
        self.0.clone()
    }
}

impl Drop for CalledOff {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A bounded number of blocking works.
#[derive(Debug)]
pub(super) struct Workers {
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Workers {
    pub(super) fn new(works_max: usize, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(works_max.max(1))), patience }
    }

    /// Does `work` on a thread that may block.
    pub(super) fn run<T, F>(&self, work: F) -> impl Future<Output = RpcResult<T>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce() -> RpcResult<T> + Send + 'static,
    {
        self.run_within(self.patience, work)
    }

    /// The same for a caller with a patience of its own.
    pub(super) fn run_within<T, F>(
        &self,
        patience: Duration,
        work: F,
    ) -> impl Future<Output = RpcResult<T>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce() -> RpcResult<T> + Send + 'static,
    {
        // Boxed: a call that never comes here would carry room for it, over and over, wherever it is moved.
        in_a_place(Arc::clone(&self.places), patience, Box::new(work))
    }
}

type Work<T> = Box<dyn FnOnce() -> RpcResult<T> + Send>;

async fn in_a_place<T: Send + 'static>(
    places: Arc<Semaphore>,
    patience: Duration,
    work: Work<T>,
) -> RpcResult<T> {
    let deadline = Instant::now() + patience;
    let place = timeout_at(deadline, places.acquire_owned()).await;
    let Ok(Ok(place)) = place else {
        return Err(RpcError::Busy("too many calls are running, try again"));
    };
    let task = tokio::task::spawn_blocking(move || {
        let result = work();
        drop(place);
        result
    });
    match timeout_at(deadline, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(internal(&error)),
        Err(_) => {
            let seconds = patience.as_secs_f64();
            Err(RpcError::Server(format!("execution aborted (timeout = {seconds}s)")))
        }
    }
}
