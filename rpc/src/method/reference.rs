//! The page of the book that lists every method, made from what the methods say of themselves.

use super::{Signature, dev_reference, reference};
use std::fmt::Write as _;

/// What stands above the list.
const HEAD: &str = "\
# RPC reference

A shard answers JSON-RPC 2.0 over HTTP and WebSocket on one port, alone or in batches. Parameters are passed by position;
those in brackets may be left out. A block is a number, a tag, or an object of EIP-1898; it is `latest` where it is
left out. Errors have geth's codes and texts.

This page is made from the method lists in `rpc/src/method`; a test fails when it is out of date.
";

/// What stands above what only the owner of a development chain may do.
const DEV_HEAD: &str = "
## On a development chain

`shard-node --dev` answers these as well, as anvil and Hardhat do; a node of a network answers none of them. Where there
are several names, all mean the same.

";

/// What stands above a list.
const COLUMNS: &str = "| method | parameters | result | what it is |\n|---|---|---|---|\n";

/// The page, as Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(HEAD);
    let mut namespace = "";
    for method in reference() {
        let own = method.name.split_once('_').map_or(method.name, |(namespace, _)| namespace);
        if own != namespace {
            namespace = own;
            // Writing to a string does not fail.
            let _ = write!(page, "\n## {namespace}\n\n{COLUMNS}");
        }
        let _ = writeln!(page, "{}", row(method));
    }
    page.push_str(DEV_HEAD);
    page.push_str(COLUMNS);
    for method in dev_reference() {
        let _ = writeln!(page, "{}", row(method));
    }
    page
}

fn row(method: &Signature) -> String {
    let params = method.params.iter().map(|param| {
        let text = format!("{}: {}", param.name, param.kind);
        if param.required { text } else { format!("[{text}]") }
    });
    let params = params.collect::<Vec<_>>().join(", ");
    let names =
        [method.name].iter().chain(method.aliases).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let about = method.about.replace('|', "\\|");
    format!("| {} | {params} | {} | {about} |", names.join(", "), method.result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// `ATOLL_WRITE_DOCS=1` writes the page anew.
    #[test]
    fn the_books_page_lists_every_method_as_it_is() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/rpc.md");
        if std::env::var_os("ATOLL_WRITE_DOCS").is_some() {
            std::fs::write(&path, reference_page()).expect("a writable page");
        }
        let written = std::fs::read_to_string(&path).expect("the page is there");
        assert!(
            written == reference_page(),
            "docs/src/rpc.md is out of date: run this test with ATOLL_WRITE_DOCS=1"
        );
    }

    /// The list is grouped: a namespace that came twice would have two headings.
    #[test]
    fn namespaces_come_once() {
        let page = reference_page();
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with("## ")).collect();
        let distinct: std::collections::BTreeSet<_> = headings.iter().collect();
        assert_eq!(headings.len(), distinct.len(), "{headings:?}");
    }
}
