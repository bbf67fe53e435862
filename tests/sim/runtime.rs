//! The nodes' seam to tasks and time, on the simulated runtime.

use engine::simulated::{Root, Task};
use parking_lot::Mutex;
use service::runtime::{BoxFuture, Runtime};
use std::time::Duration;

/// Tasks and time of one node, until it crashes.
#[derive(Debug)]
pub(crate) struct NodeRuntime {
    root: Root,
    tasks: Mutex<Vec<Task>>,
}

impl NodeRuntime {
    pub(crate) fn new(root: &Root) -> Self {
        Self { root: root.child(), tasks: Mutex::default() }
    }

    /// Ends every task of the node where it stands.
    pub(crate) fn crash(&self) {
        self.tasks.lock().drain(..).for_each(|task| task.abort());
    }
}

impl Runtime for NodeRuntime {
    fn spawn(&self, _: &'static str, task: BoxFuture<()>) {
        self.tasks.lock().push(self.root.spawn(task));
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(self.root.sleep(duration))
    }

    fn now_ms(&self) -> u64 {
        self.root.now_ms()
    }
}
