#!/usr/bin/env bash
# The checks of this repository, the same for people and for CI.
#   eng/check.sh fast      format and unit tests
#   eng/check.sh full      the above, all tests, and the native binary          (default)
#   eng/check.sh nightly   the above with many more random cases, and the ensembles of Apache's servers alone
set -euo pipefail
cd "$(dirname "$0")/.."
lane=${1:-full}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

step() { printf '\n== %s\n' "$*"; }

format() {
    step "format"
    dotnet format SharpKeeper.slnx --verify-no-changes --no-restore
}

build() {
    step "build"
    dotnet build SharpKeeper.slnx -v q --no-restore
}

unit_tests() {
    step "unit tests"
    dotnet test --project tests/SharpKeeper.UnitTests --no-build
}

all_tests() {
    step "dotnet test"
    dotnet test --no-build "$@"
}

# Publishes the native binary, which must bring no warning, and has it serve a client.
native() {
    step "native binary"
    local out log data server port
    out=$(mktemp -d)
    dotnet publish src/SharpKeeper.Cli -c Release -r "$(runtime_id)" -o "$out/bin" 2>&1 | tee "$out/publish.log"
    if grep -E "warning [A-Z]+[0-9]+|: warning " "$out/publish.log"; then
        echo "the native build brings warnings" >&2
        return 1
    fi
    log=$out/server.log data=$out/data port=
    "$out/bin/sharpkeeper" server --port 0 --data "$data" >"$log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/.*Serving clients on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$log")
        [ -n "$port" ] && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    if [ -z "$port" ]; then
        cat "$log" >&2
        return 1
    fi
    "$out/bin/sharpkeeper" shell -q -server "127.0.0.1:$port" create /native "it serves"
    test "$("$out/bin/sharpkeeper" shell -q -server "127.0.0.1:$port" get /native)" = "it serves"
    kill -TERM "$server"
    wait "$server"
    ls -l "$out/bin/sharpkeeper"
    rm -rf "$out"
}

runtime_id() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo linux-x64 ;;
        Linux-aarch64) echo linux-arm64 ;;
        Darwin-arm64) echo osx-arm64 ;;
        Darwin-x86_64) echo osx-x64 ;;
        *) echo "no native build for $(uname -s)-$(uname -m)" >&2; return 1 ;;
    esac
}

step "restore"
dotnet restore SharpKeeper.slnx
case $lane in
    fast) format; build; unit_tests ;;
    full) format; build; all_tests --filter-not-trait Lane=Nightly; native ;;
    nightly) export SHARPKEEPER_TEST_SCALE=${SHARPKEEPER_TEST_SCALE:-50}; format; build; all_tests; native ;;
    *) echo "usage: eng/check.sh fast|full|nightly" >&2; exit 2 ;;
esac
step "ok"
