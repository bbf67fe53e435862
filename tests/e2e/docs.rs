//! The book's pages: every `sh` block of a page runs, in order and in one shell, against one network.
//!
//! The pages name the default ports; the test's network has its own. Other fences (`text` for output, `console` for
//! what starts the network that the test has already) are not run.

use crate::{
    network::{Network, PORT_BASE, atoll},
    tools,
};
use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const MARK: &str = "block of line ";

/// Every shell block of every page runs.
#[test]
fn shell_blocks_of_the_documentation_run() {
    let Some(clients) = tools::clients() else { return };
    let network = Network::start(&[]);
    let mut failures = String::new();
    let mut blocks_seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a readable page");
        let blocks = shell_blocks(&text);
        if blocks.is_empty() {
            continue;
        }
        blocks_seen += blocks.len();
        let output = run(&blocks, &clients, &network);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.rsplit_once(MARK).and_then(|(_, rest)| rest.lines().next()).unwrap_or("unknown");
            let printed = String::from_utf8_lossy(&output.stdout);
            writeln!(failures, "{}:{line}\n{printed}\n{said}", page.display()).expect("writing to a string");
        }
    }
    assert!(blocks_seen > 0, "the pages have no shell block");
    assert!(failures.is_empty(), "{failures}");
}

/// The pages of the book that are not specification, in the order of its summary.
fn pages() -> Vec<PathBuf> {
    let docs = tools::workspace().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("the book has a summary");
    let links = summary.split("](").skip(1).filter_map(|link| Some(link.split_once(')')?.0));
    links.filter(|link| link.starts_with("src/")).map(|link| docs.join(link)).collect()
}

/// The `sh` blocks of a page, each with the line that its fence is on.
fn shell_blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
        let block = block.fold(String::new(), |text, line| text + line + "\n");
        if language == "sh" {
            blocks.push((number, block));
        }
    }
    blocks
}

/// Runs a page's blocks in a folder of their own, from which node finds the installed clients.
fn run(blocks: &[(usize, String)], clients: &Path, network: &Network) -> Output {
    let mut script = String::from("set -euo pipefail\n");
    for (line, block) in blocks {
        writeln!(script, "echo '{MARK}{line}' >&2\n{block}").expect("writing to a string");
    }
    assert_eq!(PORT_BASE, 18545, "a digit before each port moves it to where the test's network is");
    let script = script.replace("127.0.0.1:", "127.0.0.1:1");
    let folder = tempfile::tempdir_in(clients).expect("a temporary directory");
    Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path(clients))
        .env("ATOLL_DATA_DIR", network.data_dir())
        .env("FOUNDRY_SOLC", clients.join("lib/solc"))
        .output()
        .expect("bash starts")
}

/// The programs that a reader has installed, and those of the system.
fn path(clients: &Path) -> OsString {
    let own = atoll().parent().expect("a binary lies in a folder").to_path_buf();
    let system = std::env::var_os("PATH").unwrap_or_default();
    let folders = tools::programs(clients).into_iter().chain([own]).chain(std::env::split_paths(&system));
    std::env::join_paths(folders).expect("no folder's name has a colon")
}

/// What a reader would run is found; what he would not is left out.
#[test]
fn shell_blocks_are_told_from_other_blocks() {
    let page = "text\n```sh\ncast a\n\ncast b\n```\n```text\n42\n```\n```sh\ncast c\n```\n";
    assert_eq!(shell_blocks(page), [(2, "cast a\n\ncast b\n".to_owned()), (10, "cast c\n".to_owned())]);
}
