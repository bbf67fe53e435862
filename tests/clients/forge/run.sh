#!/usr/bin/env bash
# forge: deploys, broadcasts a script, tests on a shard's state.
set -uo pipefail
source ../lib/checks.sh
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1
USER_KEY=$(cast wallet new --json | json 'it[0].private_key')
export USER_KEY
user=$(cast wallet address --private-key "$USER_KEY")
cast send --rpc-url "$ATOLL_RPC" "$user" --value 10ether --private-key "$ATOLL_KEY" >/dev/null || exit 1
network=(--rpc-url "$ATOLL_RPC" --private-key "$USER_KEY")
nonce() { cast nonce --rpc-url "$ATOLL_RPC" "$user"; }
number() { cast call --rpc-url "$ATOLL_RPC" "$1" 'number()(uint256)'; }

rm -rf src && cp -R ../contracts src # forge compiles what is below its project only

build() { forge build --force; }
check "build with the compiler from npm" build

create() {
    local created
    created=$(forge create src/Counter.sol:Counter "${network[@]}" --broadcast --json --constructor-args 40)
    equal "$(number "$(json it.deployedTo <<<"$created")")" 40
    created=$(forge create src/Attempt.sol:Attempt "${network[@]}" --broadcast --legacy --json)
    equal "$(cast receipt --rpc-url "$ATOLL_RPC" "$(json it.transactionHash <<<"$created")" --json | json it.type)" 0x0
}
check "create: with arguments; legacy" create

script() {
    local before chain
    before=$(nonce)
    forge script script/Deploy.s.sol:Deploy "${network[@]}" --broadcast "$@"
    equal "$(nonce)" "$((before + 12))"
    chain=$(cast chain-id --rpc-url "$ATOLL_RPC")
    local log="broadcast/Deploy.s.sol/$chain/run-latest.json"
    equal "$(json 'it.receipts.filter(({ status }) => status === "0x1").length' <"$log")" 12
    json 'it.transactions[0].contractAddress' <"$log" >counter
    equal "$(number "$(cat counter)")" 50
}
check "script: twelve transactions broadcast at once" script
check "script: twelve transactions broadcast one by one" script --slow
COUNTER=$(cat counter)
export COUNTER

fork() { forge test --fork-url "$ATOLL_RPC" -vv; }
check "test: on a fork of the shard" fork

finish
