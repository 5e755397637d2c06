#!/usr/bin/env bash
# Build and test everything. Installs what that needs. Closes with a line that counts.
#
#   test/run.sh           what CI runs
#   test/run.sh --long    with the long forms: 1,000 reports under churn, 200 kills, 2,000 rounds
#                         of chaos, faults at thousands of places
set -uo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0 failed=0 skipped=0
beyond_valgrind=
live_options=()
[ "${1:-}" = --long ] && live_options+=(--long)

packages=(gcc clang clang-format clang-tidy libclang-rt-dev cmake ninja-build pkg-config shellcheck valgrind
          libdw-dev libelf-dev libjansson-dev libncurses-dev libseccomp-dev check strace binutils
          python3 python3-dbg python3-jsonschema libc6-dbg gdb pypy3 mmdebstrap mandoc util-linux
          procps dpkg-dev file tmux)
# What live tests look at; where a release calls it differently, they are skipped by name.
subjects=(python3-flask gunicorn python3-numpy libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0
          musl-tools zsh fish)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

install_packages() {
    local missing=() wanted=() package
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    for package in "${subjects[@]}"; do
        is_installed "$package" || wanted+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && [ ${#wanted[@]} -eq 0 ] && return
    as_root apt-get update -qq
    for package in "${wanted[@]}"; do
        apt-cache show "$package" >/dev/null 2>&1 && missing+=("$package")
    done
    echo "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# One named check: passes if the command does, prints its output if not.
check() {
    local name=$1
    shift
    if "$@" >"$results/output" 2>&1; then
        passed=$((passed + 1))
        echo "ok $name"
    else
        failed=$((failed + 1))
        echo "not ok $name"
        tail -n 60 "$results/output"
    fi
}

# Count the lines of a TAP file.
count_tap() {
    local file=$1 good bad left
    [ -s "$file" ] || return
    left=$(grep -c '^ok .*# *SKIP' "$file")
    good=$(($(grep -c '^ok ' "$file") - left))
    bad=$(grep -c '^not ok ' "$file")
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
    grep '^not ok ' "$file"
}

# A test that skipped itself (test/support/suite.h) is "ok" in the TAP file.
count_skips() {
    local count
    count=$(grep -c '^skip ' "$1")
    passed=$((passed - count)) skipped=$((skipped + count))
    grep '^skip ' "$1"
}

# Run a unit test program, for what it leaves in a folder: a TAP file, its output, its exit code.
# libcheck's 4 seconds a test are for a machine that does nothing else.
run_unit_test() {
    local folder=$1 program=$2 name
    shift 2
    name=$(basename "$program")
    CK_TAP_LOG_FILE_NAME="$folder/$name.tap" CK_VERBOSITY=minimal CK_TIMEOUT_MULTIPLIER=15 "$@" "$program" \
        >"$folder/$name.output" 2>&1
    echo $? >"$folder/$name.code"
}
export -f run_unit_test

# A program that dies without its TAP file is a failure too.
count_unit_test() {
    local folder=$1 name=$2 how=$3
    if [ "$(cat "$folder/$name.code" 2>/dev/null)" != 0 ]; then
        tail -n 40 "$folder/$name.output"
        grep -q '^not ok ' "$folder/$name.tap" 2>/dev/null || {
            failed=$((failed + 1))
            echo "not ok $name ($how): ended badly"
        }
    fi
    count_tap "$folder/$name.tap"
    count_skips "$folder/$name.output"
}

# Run the unit tests of one build, one a processor. Those that stop processes ask when things happen,
# and run on their own.
unit_tests() {
    local build=$1 program name folder programs=() alone=()
    shift
    folder=$(mktemp -d "$results/unit.XXXXXX")
    for program in "$build"/test/*_test; do
        name=$(basename "$program")
        case " $beyond_valgrind " in
        *" $name "*)
            skipped=$((skipped + 1))
            echo "skip $name: not under valgrind"
            continue
            ;;
        esac
        case $name in
        target_*) alone+=("$program") ;;
        *) programs+=("$program") ;;
        esac
    done
    # shellcheck disable=SC2016  # the inner shell's
    printf '%s\0' "${programs[@]}" | xargs -0 -P "$(nproc)" -I '{}' \
        bash -c 'run_unit_test "$@"' - "$folder" '{}' "$@"
    for program in "${alone[@]}"; do
        run_unit_test "$folder" "$program" "$@"
    done
    for program in "${programs[@]}" "${alone[@]}"; do
        count_unit_test "$folder" "$(basename "$program")" "${*:-plain}"
    done
}

build() {
    cmake --preset "$1" >/dev/null && cmake --build --preset "$1"
}

formatted() {
    find cmd include lib test -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
}

tidy() {
    run-clang-tidy -quiet -j "$(nproc)" -p build/clang "$top/(lib|cmd)/.*\.c$" 2>/dev/null |
        grep -v '^clang-tidy'
    return "${PIPESTATUS[0]}"
}

install_packages || { echo "cannot install packages"; failed=$((failed + 1)); }

check format formatted
check shell shellcheck test/run.sh cmd/demo.sh .ci/run test/live/roots.sh test/bench/run.sh test/package.sh \
    test/fuzz/run.sh
check include-direction python3 test/include_direction.py
check include-direction-self-test python3 test/include_direction.py --self-test
check ids python3 test/ids.py
check ids-self-test python3 test/ids.py --self-test
check man mandoc -T lint -W warning man/pyheaptop.1 man/pyheaptop-json.5
check build-gcc build gcc
check build-clang build clang
check build-sanitize build sanitize
check tidy tidy

check package test/package.sh build/gcc ${live_options[@]+"${live_options[@]}"}
check report-schema /usr/bin/python3 test/report_schema.py build/gcc/pyheaptop

echo "# unit tests"
unit_tests build/gcc
echo "# unit tests, address and undefined behaviour sanitizers"
unit_tests build/sanitize
# valgrind 3.19 does not know openat2(2), takes signals over, runs one thread at a time, and fails at
# what vfork(2) does, so that these would test it and not us. PHT_VALGRIND leaves out the fixture whose debug information it
# cannot load.
beyond_valgrind="target_courtesy_test target_mapped_file_test target_stop_test"
beyond_valgrind="$beyond_valgrind target_stop_helper_test target_stop_signals_test"
beyond_valgrind="$beyond_valgrind target_family_test target_sandbox_test target_steward_test"
echo "# unit tests, valgrind"
unit_tests build/gcc env CK_FORK=no PHT_VALGRIND=1 valgrind -q --error-exitcode=99 --leak-check=full

# Hostile input of all kinds, for some seconds each: what an hour of it finds is not for here.
echo "# fuzzers"
test/fuzz/run.sh 10 >"$results/fuzz.tap"
count_tap "$results/fuzz.tap"
grep '^[ok#]' "$results/fuzz.tap"

# Live tests, with options of test/live/run.py.
run_live() {
    echo "# live tests $*"
    rm -f "$results/live.tap"
    python3 test/live/run.py --program build/gcc/pyheaptop --hold build/gcc/test/libhold.so \
        --jobs "$(nproc)" --tap "$results/live.tap" "$@" ${live_options[@]+"${live_options[@]}"} || true
    if [ -s "$results/live.tap" ]; then
        count_tap "$results/live.tap" >/dev/null
    else
        failed=$((failed + 1))
        echo "not ok live: no results"
    fi
}

run_live
# Whole reports in builds that see what is wrong in memory, leaks, and races. What is asked for is
# made to fail there, too. Leaks are looked for by ptrace(2), which the sandbox refuses.
run_live --no-sandbox --program build/sanitize/pyheaptop --only 'faults/*,threads/*,exact/*-3.1[13]*/threads'
check build-thread build thread
for name in walk_census_parts_test target_courtesy_test; do
    check "$name-thread-sanitizer" env CK_FORK=no "build/thread/test/$name"
done
run_live --no-sandbox --program build/thread/pyheaptop --only 'threads/*'
# As production hosts have them: all of it in the long form.
stripped='exact/*/fragmented,exact/*/threads,objects/*/reach,objects/stripped-*/forked,collector/*/plain,freelists/*,scans/*'
case " ${live_options[*]-} " in
*" --long "*) run_live --no-dwarf && run_live --no-dwarf --stripped ;;
*) run_live --no-dwarf --stripped --only "$stripped" ;;
esac

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
