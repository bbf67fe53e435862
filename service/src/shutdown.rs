//! What ends a process: Ctrl-C, SIGTERM, or the end of the process that started it.

use std::io;
use tokio::{
    io::AsyncReadExt as _,
    signal::unix::{SignalKind, signal},
};

/// When set, the end of standard input ends the process: a parent that dies, however it dies, takes
/// its children with it.
pub const EXIT_WITH_STDIN: &str = "ATOLL_EXIT_WITH_STDIN";

/// Returns when the process is asked to end.
pub async fn requested() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let with_stdin = std::env::var_os(EXIT_WITH_STDIN).is_some();
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
        () = stdin_ended(), if with_stdin => Ok(()),
    }
}

async fn stdin_ended() {
    let mut byte = [0u8; 64];
    let mut stdin = tokio::io::stdin();
    while matches!(stdin.read(&mut byte).await, Ok(count) if count > 0) {}
}
