//! Third-party clients, installed by `tests/clients/install` into `target/clients`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where the clients are, or `None` with a note where they are not installed. In CI they must be there.
pub(crate) fn clients() -> Option<PathBuf> {
    let found = folders().find(|folder| is_installed(folder));
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "the clients must be installed in CI");
        eprintln!("skipped: the clients are not installed; `tests/clients/install` brings them");
    }
    found
}

/// Beside this test, then in the workspace, should cargo build elsewhere.
fn folders() -> impl Iterator<Item = PathBuf> {
    let target = std::env::current_exe().ok().and_then(|test| Some(test.ancestors().nth(3)?.to_path_buf()));
    target.into_iter().chain([workspace().join("target")]).map(|target| target.join("clients"))
}

/// The last that `install` makes.
fn is_installed(folder: &Path) -> bool {
    folder.join("build/Counter.json").exists()
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

/// Folders of the clients' programs, first those that go before others of the same name.
pub(crate) fn programs(clients: &Path) -> Vec<PathBuf> {
    let modules = clients.join("node_modules");
    // Foundry's own binaries: the scripts that its packages put before them lose the exit code.
    let native = std::fs::read_dir(modules.join("@foundry-rs")).into_iter().flatten().flatten();
    let native = native.map(|package| package.path().join("bin")).filter(|bin| bin.is_dir());
    let others = [clients.join("node/node_modules/.bin"), modules.join(".bin"), clients.join("venv/bin")];
    native.chain(others).collect()
}

/// The tool, or `None` as for [`clients`].
pub(crate) fn find(tool: &str) -> Option<PathBuf> {
    let found = programs(&clients()?).into_iter().map(|folder| folder.join(tool)).find(|path| path.exists());
    assert!(found.is_some(), "{tool} is not among the clients");
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
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
