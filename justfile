# `just` lists the recipes.
default:
    @just --list

# start the local network
run *args:
    cargo run --release --locked -- {{args}}

# everything CI runs
ci:
    bash .ci/run

# all tests
test:
    cargo test --workspace --locked

# format, lints, docs
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# the checks of one client against a running network, e.g. `just client viem`; `tests/clients/install` first
client name:
    tests/clients/run {{name}}

# one criterion bench, e.g. `just bench trie`
bench name:
    cargo bench -p benches --locked --bench {{name}}

# the simulator over many seeds, e.g. `just simulate 0..200`
simulate seeds="0..100":
    ATOLL_SIM_SEEDS={{seeds}} cargo test -p atoll-tests --locked --test sim -- --ignored --nocapture
