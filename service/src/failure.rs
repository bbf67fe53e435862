//! How a process ends: quietly, or with the reason on standard error.

use std::{error::Error, process::ExitCode};

/// The exit code of a program with this outcome; what failed is printed.
pub fn exit_code<E: AsRef<dyn Error + 'static>>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", reason(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, each said once: many errors name their cause in their own words already.
fn reason(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("the file cannot be read")]
    struct Silent(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("the file cannot be read: {0}")]
    struct Telling(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("no start")]
    struct Above(#[source] Telling);

    fn cause() -> io::Error {
        io::Error::other("the disk is gone")
    }

    #[test]
    fn every_cause_is_said_once() {
        let expected = "the file cannot be read: the disk is gone";
        assert_eq!(reason(&Silent(cause())), expected);
        assert_eq!(reason(&Telling(cause())), expected);
        assert_eq!(reason(&Above(Telling(cause()))), format!("no start: {expected}"));
    }
}
