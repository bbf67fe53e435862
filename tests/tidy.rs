//! Keeps the house in order: which package may import which, and how long a file or function may be.
//!
//! The arrows are those of ARCHITECTURE.md. The lists of exceptions may only shrink: an entry that is
//! no longer needed, or larger than needed, fails the test as well.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Files over [`FILE_LINES_MAX`], with the length they have today.
const LONG_FILES: [(&str, usize); 0] = [];

/// Functions over [`FUNCTION_LINES_MAX`], with the length they have today.
const LONG_FUNCTIONS: [(&str, &str, usize); 0] = [];

/// What each package may import directly; test-only imports are free.
const ARROWS: [(&str, &[&str]); 14] = [
    ("crypto", &[]),
    ("primitives", &["crypto"]),
    ("consensus", &["primitives", "crypto"]),
    ("storage", &["primitives"]),
    ("rpc", &["primitives"]),
    ("engine", &["consensus", "primitives", "crypto"]),
    ("validator", &["consensus", "storage", "primitives", "crypto"]),
    ("service", &["engine", "validator", "storage", "rpc", "primitives"]),
    ("xshard", &["consensus", "primitives", "crypto"]),
    ("shard-state", &["xshard", "consensus", "primitives", "crypto"]),
    ("beacon-state", &["xshard", "consensus", "primitives", "crypto"]),
    (
        "beacon-node",
        &[
            "beacon-state",
            "validator",
            "engine",
            "storage",
            "rpc",
            "service",
            "consensus",
            "primitives",
            "crypto",
        ],
    ),
    (
        "shard-node",
        &[
            "shard-state",
            "xshard",
            "validator",
            "engine",
            "storage",
            "rpc",
            "service",
            "consensus",
            "primitives",
            "crypto",
        ],
    ),
    (
        "atoll",
        &[
            "beacon-node",
            "shard-node",
            "shard-state",
            "validator",
            "rpc",
            "service",
            "consensus",
            "primitives",
            "crypto",
        ],
    ),
];

/// Packages that sit on top and may import anything.
const ON_TOP: [&str; 2] = ["atoll-tests", "benches"];

/// Words that have no place in a package whose results must agree across nodes.
const PURE_PACKAGES: [&str; 6] =
    ["crypto/src", "primitives/src", "consensus/src", "shard/state/src", "beacon/state/src", "xshard/src"];
const IMPURE_WORDS: [&str; 11] = [
    "std::time",
    "SystemTime",
    "Instant::now",
    "std::fs",
    "std::net",
    "std::thread::sleep",
    "tokio::",
    "async fn",
    "tracing::",
    ": f64",
    ": f32",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable folder") {
            let path = entry.expect("readable entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') && name != "node_modules" {
                folders.push(path);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned()
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/")
        || path.starts_with("tests/")
        || path.ends_with("tests.rs")
        || path.starts_with("benches/")
}

/// Lines of a file above its inline tests.
fn product_lines(text: &str) -> Vec<&str> {
    text.lines()
        .take_while(|line| !line.starts_with("mod tests {") && !line.starts_with("#[cfg(test)]"))
        .collect()
}

/// (name, length) of every function, by the indentation that rustfmt gives.
fn functions(lines: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let Some(after) = body
            .split_once("fn ")
            .filter(|(before, _)| {
                before
                    .split_whitespace()
                    .all(|word| word.starts_with("pub") || ["async", "const", "unsafe"].contains(&word))
            })
            .map(|(_, after)| after)
        else {
            continue;
        };
        // A declaration without a body, as in a trait, ends with a semicolon before any brace opens.
        let head = lines[start..]
            .iter()
            .find(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
        if head.is_none_or(|line| !line.ends_with('{')) {
            continue;
        }
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let closing = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == closing) {
            found.push((name, length + 1));
        }
    }
    found
}

/// Every import between packages follows an arrow, and every arrow's ends exist.
#[test]
fn packages_import_only_along_the_arrows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let arrows: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let names: BTreeSet<_> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        if ON_TOP.contains(&name) {
            continue;
        }
        let Some(allowed) = arrows.get(name) else {
            wrong.push(format!("{name} has no entry in ARROWS"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
            let target = dependency["name"].as_str().expect("a dependency has a name");
            if names.contains(target)
                && dependency["kind"].as_str() != Some("dev")
                && !allowed.contains(&target)
            {
                wrong.push(format!("{name} must not import {target}"));
            }
        }
    }
    for name in arrows.keys().filter(|name| !names.contains(*name)) {
        wrong.push(format!("ARROWS names {name}, which does not exist"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A reader should be able to hold a file in mind.
#[test]
fn files_are_short() {
    let long: BTreeMap<_, _> = LONG_FILES.into_iter().collect();
    let mut wrong = Vec::new();
    for path in sources() {
        let name = relative(&path);
        if is_test(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable source");
        let length = product_lines(&text).len();
        let limit = long.get(name.as_str()).copied().unwrap_or(FILE_LINES_MAX);
        if length > limit {
            wrong.push(format!("{name} has {length} lines, at most {limit} are allowed"));
        } else if limit > FILE_LINES_MAX && length < limit {
            wrong.push(format!("{name} has shrunk to {length} lines: lower its entry in LONG_FILES"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A reader should be able to see a function at once.
#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for path in sources() {
        let name = relative(&path);
        if is_test(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable source");
        for (function, length) in functions(&product_lines(&text)) {
            let entry = LONG_FUNCTIONS.iter().find(|(file, known, _)| *file == name && *known == function);
            let limit = entry.map_or(FUNCTION_LINES_MAX, |(_, _, length)| *length);
            if length > limit {
                wrong.push(format!("{name}: fn {function} has {length} lines, at most {limit} are allowed"));
            } else if entry.is_some() && length < limit {
                wrong.push(format!("{name}: fn {function} has shrunk to {length}: lower its entry"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Pure packages have no clock, disk, socket, runtime, log or float. (That no unordered map is iterated is clippy's
/// `iter_over_hash_type`.)
#[test]
fn pure_packages_stay_pure() {
    let mut wrong = Vec::new();
    for path in sources() {
        let name = relative(&path);
        if is_test(&name) || !PURE_PACKAGES.iter().any(|package| name.starts_with(package)) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable source");
        for (number, line) in product_lines(&text).iter().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            if let Some(word) = IMPURE_WORDS.iter().find(|word| line.contains(**word)) {
                wrong.push(format!("{name}:{}: `{word}` in a pure package", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules that the code points to are written where it points.
#[test]
fn references_to_the_specification_resolve() {
    let mut wrong = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("readable source");
        for reference in text.split("docs/spec/").skip(1) {
            let link: String =
                reference.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.#".contains(*c)).collect();
            let link = link.trim_end_matches('.');
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if !file.ends_with(".md") {
                continue;
            }
            let page = fs::read_to_string(root().join("docs/spec").join(file)).unwrap_or_default();
            let heading = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            let exists = page
                .lines()
                .any(|line| line.starts_with('#') && (anchor.is_empty() || heading(line) == anchor));
            if !exists {
                wrong.push(format!("{}: docs/spec/{link} does not exist", relative(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
