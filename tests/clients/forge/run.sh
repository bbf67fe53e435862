#!/usr/bin/env bash
# forge: deploys, broadcasts scripts over HTTP and WebSocket, tests on a shard's state.
set -uo pipefail
source ../lib/checks.sh
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1
new_key() { cast wallet new --json | json 'it[0].private_key'; }
USER_KEY=$(new_key)
OTHER_KEY=$(new_key)
USER=$(cast wallet address --private-key "$USER_KEY")
export USER_KEY OTHER_KEY USER
cast send --rpc-url "$ATOLL_RPC" "$USER" --value 10ether --private-key "$ATOLL_KEY" >/dev/null || exit 1
network=(--rpc-url "$ATOLL_RPC" --private-key "$USER_KEY")
nonce() { cast nonce --rpc-url "$ATOLL_RPC" "$USER"; }
number() { cast call --rpc-url "$ATOLL_RPC" "$1" 'number()(uint256)'; }
log() { echo "broadcast/$1.s.sol/$(cast chain-id --rpc-url "$ATOLL_RPC")/run-latest.json"; }

rm -rf src && cp -R ../contracts src # forge compiles what is below its project only

build() { forge build --force; }
check "build with the compiler from npm" build

create() {
    local type=$1 created
    shift
    created=$(forge create src/Counter.sol:Counter "${network[@]}" --broadcast --json "$@" --constructor-args 40)
    equal "$(number "$(json it.deployedTo <<<"$created")")" 40
    equal "$(cast receipt --rpc-url "$ATOLL_RPC" "$(json it.transactionHash <<<"$created")" --json | json it.type)" "$type"
}
check "create: legacy" create 0x0 --legacy
check "create: eip2930" create 0x1 --legacy --access-list '[{"address":"0x00000000000000000000000000000000000a7011","storageKeys":[]}]'
check "create: eip1559" create 0x2

script() {
    local before
    before=$(nonce)
    forge script script/Deploy.s.sol:Deploy --private-key "$USER_KEY" --broadcast "$@"
    equal "$(nonce)" "$((before + 12))"
    json 'it.receipts.filter(({ status }) => status === "0x1").length' <"$(log Deploy)" >succeeded
    equal "$(cat succeeded)" 12
    json 'it.transactions[0].contractAddress' <"$(log Deploy)" >counter
    equal "$(number "$(cat counter)")" 50
}
check "script: twelve transactions broadcast at once" script --rpc-url "$ATOLL_RPC"
check "script: twelve transactions broadcast one by one" script --rpc-url "$ATOLL_RPC" --slow
check "script: legacy transactions" script --rpc-url "$ATOLL_RPC" --legacy
check "script: over WebSocket, with its subscription for blocks" script --rpc-url "$ATOLL_WS"
COUNTER=$(cat counter)
export COUNTER

upgrade() {
    forge script script/Upgrade.s.sol:Upgrade "${network[@]}" --broadcast --slow
    equal "$(json 'it.receipts.at(-1).type' <"$(log Upgrade)")" 0x4
    equal "$(cast call --rpc-url "$ATOLL_RPC" "$(cast wallet address --private-key "$OTHER_KEY")" 'isDelegate()(bool)')" true
}
check "script: eip7702 sets an account's code" upgrade

before=$(nonce)
check "script: a custom error is shown, and nothing is sent" \
    refused 'TooHigh\(101, 100\)' forge script script/Refused.s.sol:Refused "${network[@]}" --broadcast
unsent() { equal "$(nonce)" "$before"; }
check "script: what is refused costs no nonce" unsent

BALANCE=$(cast balance --rpc-url "$ATOLL_RPC" "$USER")
export BALANCE
fork() { forge test --fork-url "$ATOLL_RPC" -vv; }
check "test: balance, state, logs and errors on a fork of the shard" fork

finish
