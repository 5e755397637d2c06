#!/usr/bin/env bash
# Show pyheaptop at work: install what it needs, build it, start a service that leaks, look at it: on
# screens in a terminal, in a report elsewhere.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
build="$top/build/demo"
packages=(gcc cmake ninja-build pkg-config libdw-dev libelf-dev libjansson-dev libncurses-dev
          libseccomp-dev python3 python3-dbg libc6-dbg)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}" >&2
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

wait_for_leak() {
    local log=$1
    for _ in $(seq 100); do
        grep -q leaking "$log" && return
        sleep 0.1
    done
    echo "the sample service did not start:" >&2
    cat "$log" >&2
    return 1
}

install_packages
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build "$build" >/dev/null

log=$(mktemp)
/usr/bin/python3 "$here/demo_service.py" >"$log" 2>&1 &
service=$!
trap 'kill "$service" 2>/dev/null || true; rm -f "$log"' EXIT
wait_for_leak "$log"

echo "the service runs as pid $service; this is what \`pyheaptop $service\` shows:" >&2
"$build/pyheaptop" "$service"
