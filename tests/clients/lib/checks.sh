# Runs a client's checks one after the other; sourced. A check is a function that says `fail` where the chain is
# not what the client expects.
: "${ATOLL_RPC:?see tests/clients/run}" "${ATOLL_WS:?}" "${ATOLL_KEY:?}"
passed=0
failed=0

fail() {
    echo "$*" >&2
    exit 1
}

equal() {
    [ "$1" = "$2" ] || fail "expected \`$2\`, found \`$1\`"
}

# A command that must fail, with words that match.
refused() {
    local words=$1 said
    shift
    if said=$("$@" 2>&1); then fail "\`$*\` was not refused: $said"; fi
    grep -qE "$words" <<<"$said" || fail "\`$*\` was refused, but not with /$words/: $said"
}

# Asks again until the condition is true.
until_true() {
    local deadline=$((SECONDS + 20))
    until eval "$2"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "did not happen within 20 s: $1"
        sleep 0.2
    done
}

# What a JavaScript expression makes of the JSON on stdin, which it calls `it`.
json() {
    local text
    text=$(cat)
    [ -n "$text" ] || fail "no JSON to take $1 from"
    node -p "const it = JSON.parse(process.argv[1]); $1" "$text"
}

lower() { tr '[:upper:]' '[:lower:]' <<<"$1"; }

# One thing that must hold; says so if it does. Runs in a shell of its own, in which every command must succeed.
check() {
    local name=$1 said
    shift
    said=$(
        set -eo pipefail
        "$@" 2>&1
    )
    # Not `if said=…`: bash would switch `set -e` off inside.
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s\n%s\n' "$name" "$said" | sed '2,$s/^/      /'
    fi
}

# Prints the sum and ends the script.
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
