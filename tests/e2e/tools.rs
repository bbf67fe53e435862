//! Third-party clients, installed by `.ci/run` into `target/clients`.

use std::{path::PathBuf, process::Command};

fn path(tool: &str) -> Option<PathBuf> {
    let target = std::env::current_exe().ok()?.ancestors().nth(3)?.to_path_buf();
    let here = target.join("clients/node_modules/.bin").join(tool);
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()?
        .join("target/clients/node_modules/.bin")
        .join(tool);
    [here, workspace].into_iter().find(|path| path.exists())
}

/// The tool, or `None` with a note where it is not installed. In CI it must be there.
pub(crate) fn find(tool: &str) -> Option<PathBuf> {
    let found = path(tool);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{tool} must be installed in CI");
        eprintln!(
            "skipped: {tool} is not installed; `npm install --prefix target/clients @foundry-rs/{tool}` brings it"
        );
    }
    found
}

/// Runs a tool and returns its standard output.
pub(crate) fn run(tool: &PathBuf, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).output().expect("the tool starts");
    assert!(
        output.status.success(),
        "{} {}: {}",
        tool.display(),
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = String::from_utf8(output.stdout).expect("text").trim().to_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        !printed.is_empty(),
        "{} {} printed nothing; it said: {complaint}",
        tool.display(),
        arguments.join(" ")
    );
    printed
}
