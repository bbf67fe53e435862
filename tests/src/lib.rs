//! This package holds only tests; see the files beside `Cargo.toml`.
