//! What `atoll` refuses, at once and with words that say what to do.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

/// Refusals come before anything is started.
const AT_ONCE: Duration = Duration::from_secs(10);

fn atoll(directory: &Path, arguments: &[&str]) -> (Output, String) {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_atoll"))
        .args(arguments)
        .env("ATOLL_DATA_DIR", directory)
        .output()
        .expect("atoll starts");
    assert!(start.elapsed() < AT_ONCE, "{arguments:?} took {:?}", start.elapsed());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, errors)
}

fn refused(directory: &Path, arguments: &[&str], words: &[&str]) {
    let (output, errors) = atoll(directory, arguments);
    assert!(!output.status.success(), "{arguments:?} was not refused");
    for word in words {
        assert!(errors.contains(word), "{arguments:?}: `{word}` is not in: {errors}");
    }
}

/// A port that is taken is named, with who has it and which flag moves it.
#[test]
fn taken_port_names_its_owner_and_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let Ok(taken) = TcpListener::bind("127.0.0.1:28545") else { return };
    let pid = std::process::id().to_string();
    let words = ["port 28545", "JSON-RPC of shard 0 of validator 0", &pid, "--port-base 38545"];
    refused(&folder.path().join("net"), &["testnet", "up", "--port-base", "28545"], &words);
    drop(taken);
}

/// A misspelt flag is answered with the right one.
#[test]
fn unknown_flag_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["testnet", "up", "--validator", "4"], &["--validator", "--validators"]);
}

/// A directory in which a network was being made is not taken for a network.
#[test]
fn half_written_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("genesis.json"), "{}").unwrap();
    refused(folder.path(), &["testnet", "up"], &["half-written", "--fresh"]);
}

/// A directory of something else is not removed, even when asked to start afresh.
#[test]
fn foreign_files_are_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("thesis.tex");
    std::fs::write(&precious, "years of work").unwrap();
    refused(folder.path(), &["testnet", "up", "--fresh"], &["thesis.tex", "not removing"]);
    assert!(precious.exists());
}

/// Without a network there is nothing to end or to look at.
#[test]
fn commands_without_a_network_say_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["down", "status", "logs"] {
        refused(
            &folder.path().join("none"),
            &["testnet", command],
            &["there is no network", "atoll testnet up"],
        );
    }
}

/// Numbers that do not fit together are refused before anything is written.
#[test]
fn contradicting_numbers_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("net");
    refused(&directory, &["testnet", "up", "--stake", "1,2"], &["--stake", "4 validators"]);
    assert!(!directory.exists());
}
