#!/usr/bin/env bash
# Hardhat: builds a project and runs its tests over the network.
set -uo pipefail
source ../lib/checks.sh
export HARDHAT_DISABLE_TELEMETRY_PROMPT=true FORCE_COLOR=0
USER_KEY=$(cast wallet new --json | json 'it[0].private_key')
OTHER_KEY=$(cast wallet new --json | json 'it[0].private_key')
export USER_KEY OTHER_KEY
user=$(cast wallet address --private-key "$USER_KEY")
cast send --rpc-url "$ATOLL_RPC" "$user" --value 10ether --private-key "$ATOLL_KEY" >/dev/null || exit 1
rm -rf contracts && cp -R ../contracts contracts

build() { hardhat build --force; }
check "build with the compiler from npm" build

# Hardhat's own report names what failed, and its exit code is the result.
hardhat test
tests=$?
project() { return "$tests"; }
check "the project's tests, over the network" project

finish
