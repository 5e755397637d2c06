#!/usr/bin/env bash
# The Debian package of a build: what is in it, and that what is in it runs.
#
#   test/package.sh build/gcc           taken apart
#   test/package.sh build/gcc --long    installed in a fresh bookworm, used there, and removed
set -euo pipefail

build=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf --one-file-system "$folder"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

files='usr/bin/pyheaptop
usr/share/bash-completion/completions/pyheaptop
usr/share/doc/pyheaptop/README.md
usr/share/doc/pyheaptop/copyright
usr/share/fish/vendor_completions.d/pyheaptop.fish
usr/share/man/man1/pyheaptop.1
usr/share/man/man5/pyheaptop-json.5
usr/share/pyheaptop/report.schema.json
usr/share/zsh/vendor-completions/_pyheaptop'

make_package() {
    (cd "$folder" && cpack --config "$build/CPackConfig.cmake" -G DEB -B "$folder" >"$folder/log" 2>&1) ||
        fail "$(cat "$folder/log")"
    package=$(echo "$folder"/*.deb)
    [ -f "$package" ] || fail "no package: $(ls "$folder")"
}

check_content() {
    local found odd
    found=$(dpkg-deb --fsys-tarfile "$package" | tar -t | sed 's|^\./||' | grep -v '/$' | sort)
    [ "$found" = "$files" ] || fail "it has: $found"
    odd=$(dpkg-deb --contents "$package" | grep -vE '^(drwxr-xr-x|-rw-r--r--) root/root' |
        grep -vE '^-rwxr-xr-x root/root .*/usr/bin/pyheaptop$') || true
    [ -z "$odd" ] || fail "odd rights: $odd"
}

check_fields() {
    local depends needed
    depends=$(dpkg-deb --field "$package" Depends)
    for needed in libc6 libdw1 libelf1 libjansson4 libncursesw6 libseccomp2; do
        case "$depends" in
        *"$needed"*) ;;
        *) fail "it does not depend on $needed: $depends" ;;
        esac
    done
    dpkg-deb --field "$package" Suggests | grep -q python3-dbg || fail "it suggests no python3-dbg"
    [ "$(dpkg-deb --field "$package" Architecture)" = "$(dpkg --print-architecture)" ] ||
        fail "it is of another architecture"
}

# As it is used: in a root of its own, or out of the folder it was taken apart into.
check_program() {
    "$@" pyheaptop --version | grep -q '^pyheaptop [0-9]' || fail "no version"
    # shellcheck disable=SC2016  # the variables are those of the inner shell
    "$@" sh -c '
        python3 -c "import sys, time; print(flush=True); time.sleep(600)" >"$0" & pid=$!
        until [ -s "$0" ]; do sleep 0.1; done
        pyheaptop --json --stop=none $pid | grep -q "\"python_small\""; code=$?
        kill $pid
        exit $code' "$folder_inside/started" || fail "no report"
}

check_apart() {
    dpkg-deb --extract "$package" "$folder/root"
    folder_inside=$folder
    check_program env "PATH=$folder/root/usr/bin:$PATH" XDG_CACHE_HOME="$folder"
}

# Installed by apt while it still knows where packages are.
check_installed() {
    local root=$folder/fresh left
    mmdebstrap --quiet --variant=minbase --include=python3-minimal --dpkgopt=force-unsafe-io \
        --customize-hook="copy-in $package /tmp" \
        --customize-hook="chroot \"\$1\" sh -c 'apt-get install -qq --no-install-recommends /tmp/*.deb'" \
        bookworm "$root" >"$folder/log" 2>&1 || fail "$(cat "$folder/log")"
    mount --bind /proc "$root/proc"
    trap 'umount "$folder/fresh/proc"; rm -rf --one-file-system "$folder"' EXIT
    folder_inside=/tmp
    check_program chroot "$root"
    chroot "$root" dpkg --purge pyheaptop >/dev/null
    left=$(find "$root/etc" "$root/usr" "$root/var" -name '*pyheaptop*' -not -path '*/apt/*')
    [ -z "$left" ] || fail "it leaves behind: $left"
}

make_package
check_content
check_fields
check_apart
[ "${2:-}" != --long ] || check_installed
echo "$(basename "$package"): $(stat -c %s "$package") bytes"
