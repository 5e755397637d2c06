#!/usr/bin/env bash
# Unpacks the Debian releases whose interpreters the live tests read, each into a folder of its
# own outside the tree, unless it is there with these very packages. Says on stderr what it has, on
# stdout where.
set -uo pipefail

roots="${XDG_CACHE_HOME:-$HOME/.cache}/pyheaptop-test/roots"
mkdir -p "$roots"

# The mirror that this machine gets its own packages from.
mirror() {
    # shellcheck disable=SC2016  # the variables are apt's
    apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 !~ /-/ { print $1; exit }'
}

# Packages are only extracted, so nobody makes the links that the dynamic loader is found by.
link_merged_usr() {
    local name
    for name in bin sbin lib lib64; do
        [ -e "$1/$name" ] || [ ! -d "$1/usr/$name" ] || ln -s "usr/$name" "$1/$name"
    done
}

# Put a complete root in its place; what stood there lacks packages.
replace_root() {
    local fresh=$1 root=$2
    if [ -d "$root" ]; then
        mv -T "$root" "$fresh.old" || return
    fi
    mv -T "$fresh" "$root"
    rm -rf --one-file-system "$fresh.old"
}

# Under another name until it is complete: an interrupted run leaves nothing that looks right.
unpack() {
    local release=$1 packages=$2 fresh
    shift 2
    if [ "$(cat "$roots/$release/.packages" 2>/dev/null)" = "$packages" ]; then
        echo "$release: unpacked" >&2
        return
    fi
    fresh=$(mktemp -d "$roots/.$release.XXXXXX") || return
    chmod 755 "$fresh"
    if mmdebstrap --quiet --variant=extract --include="$packages" "$@" \
        "$release" "$fresh" "$mirror" >&2; then
        link_merged_usr "$fresh"
        echo "$packages" >"$fresh/.packages"
        replace_root "$fresh" "$roots/$release" && echo "$release: unpacked now" >&2
    else
        rm -rf "$fresh"
        echo "$release: cannot be unpacked" >&2
    fi
}

echo "$roots"
if ! command -v mmdebstrap >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "other releases: mmdebstrap, run by root, is needed to unpack them" >&2
    exit 0
fi
mirror=$(mirror)
if [ -z "$mirror" ]; then
    echo "other releases: apt knows no mirror" >&2
    exit 0
fi
others=python3-numpy,libc6,libc6-dbg
unpack bullseye "python3.9,python3.9-dbg,python2.7,python2.7-dbg,$others"
unpack trixie "python3.13,python3.13-dbg,$others"
# A snapshot of sid may be older than its own promise of validity.
unpack sid \
    "python3.13,python3.13-dbg,python3.14,python3.14-dbg,python3.15,python3.15-dbg,$others" \
    --aptopt='Acquire::Check-Valid-Until "false"'
