//! The signals that end a process: Ctrl-C and SIGTERM.

use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to end.
pub async fn requested() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
