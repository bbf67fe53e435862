//! Bodies of answers, read no further than an honest answer goes.

/// Why a body cannot be had.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The connection failed.
    Transport(reqwest::Error),
    /// It is longer than this many bytes.
    TooLong(usize),
}

/// The body of an answer, of at most `bytes_max` bytes.
pub(crate) async fn read(mut response: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Transport)? {
        if bytes.len().saturating_add(chunk.len()) > bytes_max {
            return Err(BodyError::TooLong(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
