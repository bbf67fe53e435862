//! What a node needs from the machine beside its sockets: tasks and time.
//!
//! Nodes are written against this seam, so that the simulator can run them on its own clock.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

/// A task, or something to wait for.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts tasks and waits.
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Runs a task beside the others until it ends.
    fn spawn(&self, name: &'static str, task: BoxFuture<()>);

    /// Ready after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<()>;

    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Does what keeps a thread busy for a while, and lets the tasks beside it go on where that is possible.
    fn work(&self, work: &mut dyn FnMut()) {
        work();
    }
}

/// A runtime that is handed around.
pub type SharedRuntime = Arc<dyn Runtime>;

/// The real one; must be used inside a Tokio runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Runtime for Tokio {
    fn spawn(&self, name: &'static str, task: BoxFuture<()>) {
        tokio::spawn(async move {
            task.await;
            tracing::debug!(task = name, "task ended");
        });
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn work(&self, work: &mut dyn FnMut()) {
        // A runtime of one thread has nobody to hand the other tasks to.
        let threads = tokio::runtime::Handle::try_current().map(|runtime| runtime.runtime_flavor());
        if matches!(threads, Ok(tokio::runtime::RuntimeFlavor::MultiThread)) {
            tokio::task::block_in_place(work);
        } else {
            work();
        }
    }
}
