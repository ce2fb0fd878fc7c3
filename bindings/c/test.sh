#!/bin/sh
# Tests what C and C++ programs get of a release: builds one, then runs every script in tests, or those named.
#
#   bindings/c/test.sh [NAME...]      bindings/c/test.sh install debian
#
# RELEASE=DIR takes the build in DIR. A script alone: ROOT=$PWD RELEASE=$PWD/target/release sh bindings/c/tests/NAME.sh
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
root=$ROOT
. "$root/bindings/c/names.sh"

# Before the build, which takes minutes.
need "${CC:-cc}" gcc
need "${CXX:-c++}" g++
need nm binutils
need make make
need cmake cmake
need pkg-config pkg-config
if command -v dpkg >/dev/null 2>&1; then
    need dpkg-shlibdeps dpkg-dev
    [ "$(id -u)" = 0 ] || need fakeroot fakeroot
fi

RELEASE=$("$ROOT/bindings/c/build.sh")
export ROOT RELEASE

[ $# -gt 0 ] || set -- "$ROOT"/bindings/c/tests/*.sh
failed=
for test in "$@"; do
    test=${test##*/}
    test=${test%.sh}
    printf '\n-- %s\n' "$test"
    if sh "$ROOT/bindings/c/tests/$test.sh"; then
        echo "$test: ok"
    else
        echo "$test: failed"
        failed="$failed $test"
    fi
done
[ -z "$failed" ] || {
    echo "test.sh: failed:$failed" >&2
    exit 1
}
