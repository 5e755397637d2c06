#!/usr/bin/env bash
# Build the fuzzers and run each for some time, as many at once as there are processors.
#
#   test/fuzz/run.sh [SECONDS [FUZZER...]]     10 seconds each, and all of them: diff, elf, ...
#
# What is found stays in build/fuzz/found/FUZZER, what is learnt in build/fuzz/corpus/FUZZER. Prints
# a line of TAP for each fuzzer: how often it ran, and how many places of the program it reached.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
seconds=${1:-10}
[ $# -gt 0 ] && shift
build=build/fuzz
export seconds build

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
export seeds
if ! { cmake --preset fuzz && cmake --build --preset fuzz && python3 test/fuzz/seeds.py "$seeds"; } \
    >"$seeds/log" 2>&1; then
    tail -n 40 "$seeds/log" | sed 's/^/# /'
    echo "not ok 1 - fuzz: cannot be built"
    exit 1
fi

# A report, a layout or smaps is long; a list of changes is short.
longest() {
    case $1 in
    diff) echo 60000 ;;
    layout | maps) echo 20000 ;;
    procfs | view) echo 5000 ;;
    *) echo 500 ;;
    esac
}

# The log has lines "#1234  DONE   cov: 567 ft: 890 ..." and "stat::number_of_executed_units: 1234".
fuzz() {
    local name=$1 corpus=$build/corpus/$1 found=$build/found/$1 result=ok runs covered
    mkdir -p "$corpus" "$found"
    "$build/test/${name}_fuzz" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 \
        -max_len="$(longest "$name")" -print_final_stats=1 -artifact_prefix="$found/" \
        "$corpus" "$seeds/$name" >"$found/log" 2>&1 || result="not ok"
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$found/log" | tail -n 1)
    echo "$result - fuzz/$name: ${runs:-0} inputs, ${covered:-0} places reached"
    [ "$result" = ok ] || tail -n 40 "$found/log" | sed 's/^/# /'
}
export -f fuzz longest

[ $# -gt 0 ] || for program in "$build"/test/*_fuzz; do
    set -- "$@" "$(basename "$program" _fuzz)"
done
# shellcheck disable=SC2016 # each shell has a name of its own
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' bash -c 'fuzz "$1"' fuzz '{}' | tee "$seeds/tap"
! grep -q '^not ok ' "$seeds/tap"
