//! Work that would hold up other requests, on threads of its own.
//!
//! What always holds: no more than a fixed number of such works run at once, and a caller is answered by the
//! deadline. A work that outlives its caller keeps its place until it ends, and each ends: gas bounds it, or the
//! limit of the request.

use super::error::internal;
use rpc::RpcError;
use rpc::error::RpcResult;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

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
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let deadline = Instant::now() + self.patience;
        let place = timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await;
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
                let seconds = self.patience.as_secs_f64();
                Err(RpcError::Server(format!("execution aborted (timeout = {seconds}s)")))
            }
        }
    }
}
