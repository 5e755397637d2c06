#!/bin/sh
# Builds, measures, and prints one Markdown table. The heaps want 12 GiB of memory; --quick makes
# do with 1 GiB and fewer rounds. PYTHON names the interpreter whose heap is measured, and
# PYTHON_4K one whose pools have 4 KiB (up to 3.9).
set -eu

usage() {
    echo "usage: test/bench/run.sh [--quick] [--build DIRECTORY]" >&2
    exit 2
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=
quick=
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    --build) [ $# -gt 1 ] || usage; build=$2; shift ;;
    *) usage ;;
    esac
    shift
done

build_programs() {
    if [ -n "$build" ]; then
        cmake -S "$root" -B "$build" -G Ninja -DPHT_TESTS=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo
    else
        build=$root/build/gcc
        (cd "$root" && cmake --preset gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo)
    fi
    ninja -C "$build" pyheaptop bench_first_report bench_accounting bench_chunks \
        bench_ledger bench_census bench_stop bench_latency bench_load
}

find_pythons() {
    for python in "$HOME"/.pyenv/versions/*/bin/python /usr/bin/python3; do
        [ -x "$python" ] && echo "$python"
    done
}

# The first of the arguments that exists.
choose() {
    for python; do
        [ -x "$python" ] && { echo "$python"; return; }
    done
    echo "bench: no interpreter for the heaps; set PYTHON" >&2
    exit 1
}

print_machine() {
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    echo "$cpu, $(nproc) cores, $(free -g | awk '/^Mem:/ { print $2 }') GiB, Linux $(uname -r)"
    echo
    echo "| what | measured | budget | how |"
    echo "|---|---|---|---|"
}

build_programs >&2
versions=$HOME/.pyenv/versions
python=${PYTHON:-$(choose "$versions"/3.11*/bin/python "$versions"/3.1*/bin/python \
    /usr/bin/python3)}
python_4k=${PYTHON_4K:-$(choose "$versions"/3.9*/bin/python "$python")}
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT

if [ -n "$quick" ]; then
    runs=7 rounds=7 reports=50 heaps="20 100" heap_4k=100 chunks=100 mixes=100 small=20 large=200
    seconds=12 watched="50:1 50:8"
else
    runs=21 rounds=21 reports=300 heaps="100 1024 4096" heap_4k=1024 chunks="100 1024 4096"
    mixes="100 1024 4096"
    small=100 large=4096
    seconds=60 watched="100:1 100:8 100:64 100:200 1024:8 4096:8 8192:8 8192:200"
fi
heap=$here/heap.py

print_machine
# shellcheck disable=SC2046,SC2086
{
    "$build"/test/bench_first_report $runs "$build"/pyheaptop "$heap" $(find_pythons)
    for mib in $heaps; do
        "$build"/test/bench_accounting $rounds "$build"/pyheaptop "$python" "$heap" "$mib"
    done
    "$build"/test/bench_accounting $rounds "$build"/pyheaptop "$python_4k" "$heap" $heap_4k
    for mib in $chunks; do
        "$build"/test/bench_chunks $rounds "$build"/pyheaptop "$mib"
    done
    "$build"/test/bench_ledger $rounds "$python" "$heap" $heaps
    for mib in $mixes; do
        "$build"/test/bench_census $rounds "$build"/pyheaptop "$python" "$heap" "$mib"
    done
    "$build"/test/bench_stop $reports "$python" "$heap" $small $large "$cache"
    for load in $watched; do
        "$build"/test/bench_latency $seconds "$build"/pyheaptop "$python" "$here"/latency.py \
            "$build"/test/libbench_load.so "${load%:*}" "${load#*:}"
    done
}
