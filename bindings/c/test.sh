#!/bin/sh
# Tests what C and C++ programs get of a release: builds one, then runs every script in tests, or those named.
#
#   bindings/c/test.sh [NAME...]      bindings/c/test.sh install debian
#
# RELEASE=DIR takes the build in DIR. A script alone: ROOT=$PWD RELEASE=$PWD/target/release sh bindings/c/tests/NAME.sh
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
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
