#!/usr/bin/env bash
# cast: everything its users do, over HTTP and WebSocket.
set -uo pipefail
source ../lib/checks.sh
export ETH_RPC_URL=$ATOLL_RPC

new_key() { cast wallet new --json | json 'it[0].private_key'; }
bytecode() { json it.bytecode <"../build/$1.json"; }
send() { cast send --json --private-key "$user_key" "$@"; }

user_key=$(new_key) # a new account for each run: its nonces start at zero
user=$(cast wallet address --private-key "$user_key")
other=$(cast wallet address --private-key "$(new_key)")

balance() {
    cast send "$user" --value 10ether --private-key "$ATOLL_KEY" >/dev/null
    equal "$(cast balance "$user")" 10000000000000000000
    equal "$(cast balance --ether "$other")" 0.000000000000000000
}
check "balance: a receipt's effect is in latest at once" balance

send_type() {
    local expected=$1 before receipt
    shift
    before=$(cast balance "$other")
    receipt=$(send "$other" --value 7 "$@")
    equal "$(json it.status <<<"$receipt")" 0x1
    equal "$(json it.type <<<"$receipt")" "$expected"
    equal "$(cast balance "$other")" "$((before + 7))"
}
check "send: legacy" send_type 0x0 --legacy
check "send: eip2930" send_type 0x1 --legacy --access-list '[{"address":"0x00000000000000000000000000000000000a7011","storageKeys":[]}]'
check "send: eip1559" send_type 0x2

send_7702() {
    local delegate authority_key authority receipt
    delegate=$(send --create "$(bytecode Delegate)" | json it.contractAddress)
    authority_key=$(new_key)
    authority=$(cast wallet address --private-key "$authority_key")
    local signed
    signed=$(cast wallet sign-auth "$delegate" --nonce 0 --private-key "$authority_key")
    receipt=$(send "$authority" 'mark(uint256)' 5 --auth "$signed")
    equal "$(json it.type <<<"$receipt")" 0x4
    equal "$(json 'it.logs[0].address' <<<"$receipt")" "$(lower "$authority")"
    equal "$(cast code "$authority")" "0xef0100$(lower "${delegate#0x}")"
    equal "$(cast call "$authority" 'isDelegate()(bool)')" true
    signed=$(cast wallet sign-auth 0x0000000000000000000000000000000000000000 --nonce 1 --private-key "$authority_key")
    send "$other" --auth "$signed" >/dev/null
    equal "$(cast code "$authority")" 0x
}
check "send: eip7702 sets and clears an account's code" send_7702

deploy() {
    local receipt
    receipt=$(send --create "$(bytecode Counter)" 'constructor(uint256)' 40)
    json it.contractAddress <<<"$receipt" >counter
    equal "$(cast call "$(cat counter)" 'number()(uint256)')" 40
    equal "$(cast call "$(cat counter)" 'increase(uint256)(uint256)' 2)" 42
    send "$(cat counter)" 'increase(uint256)' 2 >/dev/null
    equal "$(cast call "$(cat counter)" 'number()(uint256)')" 42
    equal "$(cast storage "$(cat counter)" 0)" "0x$(printf '%064x' 42)"
}
check "deploy, call, write and read storage" deploy
[ -s counter ] || finish # nothing below works without it
counter=$(cat counter)
rm -f counter

logs() {
    local found
    found=$(cast logs --json --from-block 0 --address "$counter" 'Increased(address indexed,uint256)' "$user")
    equal "$(json it.length <<<"$found")" 1
    equal "$(json 'it[0].data' <<<"$found")" "0x$(printf '%064x' 42)"
    equal "$(cast logs --json --from-block 0 --address "$counter" 'Increased(address indexed,uint256)' "$other")" '[]'
}
check "logs: by event, by indexed argument, by range" logs

subscription() {
    cast logs --rpc-url "$ATOLL_WS" --subscribe --address "$counter" >events 2>&1 &
    subscriber=$!
    trap 'kill $subscriber' EXIT
    local expected
    expected=$(($(cast call "$counter" "number()(uint256)") + 1))
    sleep 2 # cast does not say when it listens
    send "$counter" 'increase(uint256)' 1 >/dev/null
    until_true "the log arrives" 'grep -q "$(printf %064x "$expected")" events'
}
check "subscription: logs over WebSocket" subscription
rm -f events

reverts() {
    refused '0xb2a4c036' cast call "$counter" 'increase(uint256)(uint256)' 101
    refused 'not today' cast call "$counter" 'refuse()'
    refused '0x12|division or modulo by zero' cast call "$counter" 'divide(uint256)' 0
    refused "$(cast sig 'TooHigh(uint256,uint256)')|TooHigh" cast estimate "$counter" 'increase(uint256)' 101
    equal "$(send "$counter" 'increase(uint256)' 101 --gas-limit 100000 | json it.status)" 0x0
}
check "revert: custom error, reason, panic; mined as reverted with gas given" reverts

gas() {
    equal "$(cast estimate "$other" --value 1 --from "$user")" 21000
    local attempt
    attempt=$(send --create "$(bytecode Attempt)" | json it.contractAddress)
    send "$attempt" 'increase(address,uint256)' "$counter" 1 >/dev/null
    equal "$(cast call "$attempt" 'done()(bool)')" true
    [ "$(cast gas-price)" -gt 0 ] || fail "the gas price is zero"
    [ "$(cast base-fee)" -gt 0 ] || fail "the base fee is zero"
}
check "gas: an estimate is enough, for a contract that catches its callee's failure too" gas

nonces() {
    local before hashes=()
    before=$(cast nonce "$user" --block pending)
    # cast takes a nonce from the latest block, so what is not waited for needs one given.
    for index in $(seq 0 19); do
        hashes+=("$(cast send "$other" --value 1 --async --private-key "$user_key" --nonce $((before + index)))")
    done
    for hash in "${hashes[@]}"; do
        equal "$(cast receipt --json "$hash" | json it.status)" 0x1
    done
    equal "$(cast nonce "$user")" "$((before + 20))"
}
check "nonce: twenty sends in a row, none waited for" nonces

replacement() {
    local next
    next=$(cast nonce "$user")
    # One above the next: it waits in the pool until the gap is filled.
    waiting() {
        cast send "$other" --async --private-key "$user_key" --nonce $((next + 1)) --gas-limit 21000 \
            --value "$1" --priority-gas-price "$2gwei" --gas-price "$((10 * $2))gwei"
    }
    local second
    waiting 1 2 >/dev/null
    refused 'replacement transaction underpriced' waiting 2 2
    second=$(waiting 2 4)
    send "$other" --value 1 --nonce "$next" >/dev/null
    equal "$(cast receipt --json "$second" | json it.status)" 0x1
    refused 'nonce too low' cast send "$other" --async --private-key "$user_key" --nonce 0 --gas-limit 21000
    refused 'insufficient funds for gas \* price \+ value' \
        cast send "$other" --async --private-key "$user_key" --value 1000000ether --gas-limit 21000
}
check "nonce and funds: replacement, and refusals in geth's words" replacement

blocks() {
    local finalized safe latest
    finalized=$(cast block-number finalized)
    safe=$(cast block-number safe)
    latest=$(cast block-number latest)
    [ "$finalized" -le "$safe" ] && [ "$safe" -le "$latest" ] || fail "$finalized ≤ $safe ≤ $latest does not hold"
    equal "$(cast block pending --json | json '"number" in it')" true
    equal "$(cast chain-id)" "$(cast rpc net_version | json it)"
}
check "blocks: by tag; chain id" blocks

proof() {
    local block proof
    block=$(cast block latest --json)
    proof=$(cast proof "$counter" 0 --block "$(json 'Number(it.number)' <<<"$block")")
    equal "$(json 'Number(it.storageProof[0].value)' <<<"$proof")" "$(cast call "$counter" 'number()(uint256)')"
    node ../lib/verify-proof.js "$(json it.stateRoot <<<"$block")" "$proof"
}
check "proof: an account and a word of its storage, verified against the block's state root" proof

replay() {
    local hash
    hash=$(send "$counter" 'increase(uint256)' 1 | json it.transactionHash)
    local replayed
    for how in "" --quick; do
        replayed=$(cast run $how "$hash")
        grep -q 'Transaction successfully executed' <<<"$replayed" || fail "cast run $how: $replayed"
    done
    equal "$(cast rpc debug_traceTransaction "$hash" '{"tracer":"callTracer"}' | json it.to)" "$(lower "$counter")"
}
check "run: a transaction is replayed; its trace" replay

access_list() {
    local found
    found=$(cast access-list "$counter" 'number()' --json)
    equal "$(json 'it.accessList[0].address' <<<"$found")" "$(lower "$counter")"
}
check "access list: what a call touches" access_list

finish
